//! One log: its files one after the other, over all that rotation does to them.

use super::candidate::{Candidate, HEAD, Inode, Stand, head};
use super::names::by_age;
use super::source::{Lines, Source};
use super::{From, Stamps};
use crate::input::Zone;
use crate::input::chunks::{Before, Chunk};
use crate::input::order::look;
use crate::input::read::{self, Reading};
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A file that was truncated or taken away may turn up as a copy for so long.
const LOST: Duration = Duration::from_secs(10);
/// Later files wait so long for it.
const HOPE: Duration = Duration::from_millis(300);
/// A copy that has not grown for so long is none.
const SETTLED: Duration = Duration::from_secs(2);
/// Files that are gone and are remembered all the same, for their packed versions.
const REMEMBERED: usize = 64;

/// What is done with files that were not known.
#[derive(Clone, Copy)]
pub enum Begin {
    /// They appeared while their log was followed: read all of them.
    Appeared,
    /// They were there before: read those that were named, from there on.
    Named(From),
}

/// How far a log was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogPosition {
    directory: PathBuf,
    name: String,
    before: Before,
    sources: Vec<Source>,
}

impl Clone for Source {
    fn clone(&self) -> Self {
        self.position()
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Source").field(&self.path).finish()
    }
}

pub struct FollowedLog {
    directory: PathBuf,
    name: String,
    /// In the order in which they are read.
    sources: Vec<Source>,
    /// What the last chunk left.
    before: Before,
    /// Beginnings of files that are copies, or could not be read: looked at again when they change.
    heads: HashMap<Inode, (Stand, Option<Head>)>,
    wants_listing: bool,
    pub notices: Vec<String>,
}

/// How a file begins, and whether it is packed.
type Head = (Vec<u8>, bool);

/// Whether a file is one that is known.
enum Kin {
    None,
    CopyOf(usize),
    /// It may become a copy: so far it is the beginning of one.
    Growing,
}

/// A file that was not known, and how it begins.
struct Fresh {
    candidate: Candidate,
    head: Vec<u8>,
    packed: bool,
}

/// Adds a file; of two that begin alike one is a copy of the other, or packed: the plain and longer one is it.
fn add_once(all: &mut Vec<Fresh>, new: Fresh) {
    let alike = |other: &&mut Fresh| {
        let common = new.head.len().min(other.head.len());
        new.head[..common] == other.head[..common]
    };
    let worth = |fresh: &Fresh| (!fresh.packed, fresh.candidate.stand.size);
    match all.iter_mut().find(alike) {
        Some(other) if worth(other) < worth(&new) => *other = new,
        Some(_) => {}
        None => all.push(new),
    }
}

impl FollowedLog {
    pub fn new((directory, name): (PathBuf, String)) -> Self {
        Self {
            directory,
            name,
            sources: Vec::new(),
            before: Before::default(),
            heads: HashMap::new(),
            wants_listing: false,
            notices: Vec::new(),
        }
    }

    pub fn resume(position: LogPosition) -> Self {
        let LogPosition { directory, name, before, sources } = position;
        Self { sources, before, ..Self::new((directory, name)) }
    }

    pub fn key(&self) -> (PathBuf, String) {
        (self.directory.clone(), self.name.clone())
    }

    pub fn position(&self) -> LogPosition {
        let (directory, name) = self.key();
        LogPosition { directory, name, before: self.before.clone(), sources: self.sources.clone() }
    }

    pub fn files(&self) -> u64 {
        self.sources.iter().filter(|source| source.was_read).count() as u64
    }

    pub fn wants_listing(&mut self) -> bool {
        std::mem::take(&mut self.wants_listing)
    }

    /// Takes in what a look at the directory shows.
    pub fn look(&mut self, found: Vec<Candidate>, begin: Begin, stamps: Stamps) {
        let unknown = self.recognize(found);
        let mut fresh = Vec::new();
        for candidate in unknown.into_iter().filter(|candidate| candidate.stand.size > 0) {
            let Some((head, packed)) = self.head(&candidate) else { continue };
            match self.kin(&head, &candidate) {
                Kin::Growing => {}
                Kin::CopyOf(at) if self.sources[at].lost.is_some() => self.sources[at].move_to(&candidate, packed),
                Kin::CopyOf(_) => {}
                Kin::None if head.is_empty() => {}
                Kin::None => add_once(&mut fresh, Fresh { candidate, head, packed }),
            }
        }
        for source in self.sources.iter_mut().filter(|source| source.lost.is_some_and(|since| since.elapsed() > LOST)) {
            (source.is_over, source.lost) = (true, None);
            source.close();
        }
        self.add(fresh, begin, stamps);
        self.forget();
    }

    /// Finds the known files among those that are there; gives the others.
    fn recognize(&mut self, found: Vec<Candidate>) -> Vec<Candidate> {
        let mut here = vec![false; self.sources.len()];
        let mut unknown = Vec::new();
        for candidate in found {
            let Some(at) = self.sources.iter().rposition(|source| source.inode() == candidate.inode) else {
                unknown.push(candidate);
                continue;
            };
            let source = &mut self.sources[at];
            let unchanged = source.stand == candidate.stand && source.lost.is_none();
            let is_it = unchanged || head(&candidate.path).is_ok_and(|(head, _)| source.is_still(&candidate, &head));
            if is_it {
                (here[at], source.lost) = (true, None);
                source.path = candidate.path;
                source.is_retired &= source.is_drained() || source.is_packed();
            } else {
                source.close();
                source.lost.get_or_insert_with(Instant::now);
                unknown.push(candidate);
            }
        }
        for (source, _) in self.sources.iter_mut().zip(here).filter(|(source, here)| !here && !source.is_over) {
            // What is open can be read to its end, whatever it is called now; a link's old target is where it was.
            if source.lost.is_none() && source.is_where_it_was() {
                continue;
            }
            if !source.is_open() || !source.refresh() {
                source.close();
                source.lost.get_or_insert_with(Instant::now);
            }
        }
        unknown
    }

    /// How a file begins; a packed one is not unpacked again as long as it does not change.
    fn head(&mut self, candidate: &Candidate) -> Option<Head> {
        if let Some((stand, head)) = self.heads.get(&candidate.inode)
            && *stand == candidate.stand
        {
            return head.clone();
        }
        let head = match head(&candidate.path) {
            Ok(head) => Some(head),
            Err(why) => {
                self.notices.push(format!("{}: {why}", candidate.path.display()));
                None
            }
        };
        self.heads.insert(candidate.inode, (candidate.stand, head.clone()));
        head
    }

    fn kin(&self, head: &[u8], candidate: &Candidate) -> Kin {
        let begins_alike = |source: &Source| {
            let common = head.len().min(source.head.len());
            common > 0 && head[..common] == source.head[..common]
        };
        let mut growing = false;
        for (at, source) in self.sources.iter().enumerate().rev().filter(|(_, source)| begins_alike(source)) {
            if head.len() < source.head.len() {
                growing = true;
            } else if source.head.len() == HEAD || source.lost.is_some() || source.is_over || head.len() == source.head.len() {
                return Kin::CopyOf(at);
            }
        }
        // The beginning of a copy, unless nothing more has come for a while.
        if growing && !candidate.stand.is_older_than(SETTLED) { Kin::Growing } else { Kin::None }
    }

    fn add(&mut self, fresh: Vec<Fresh>, begin: Begin, stamps: Stamps) {
        let mut sources = Vec::new();
        for Fresh { candidate, head, packed } in fresh {
            let (path, reading) = (&candidate.path, Reading::default());
            match read::open(path, &reading).and_then(|input| look(path, input, stamps.zone, stamps.year, &reading)) {
                Ok(log) => {
                    let mut source = Source::new(&candidate, head, packed, log.near);
                    let from_its_beginning = match begin {
                        Begin::Appeared => true,
                        Begin::Named(From::Start) => candidate.is_named,
                        Begin::Named(From::End) => false,
                        Begin::Named(From::Time(time)) => log.last.is_none_or(|last| last >= time),
                    };
                    if !from_its_beginning {
                        source.near = log.last.map_or(log.near, |last| last / 1_000_000);
                        if let Err(error) = source.skip_to_end() {
                            self.notices.push(format!("{}: {error}", candidate.path.display()));
                        }
                    }
                    sources.push((log.first.unwrap_or(Micros::MAX), candidate, source));
                }
                Err(why) => self.notices.push(format!("{}: {why}", candidate.path.display())),
            }
        }
        sources.sort_by(|(first, a, _), (other, b, _)| {
            (first, a.stand.modified_ns).cmp(&(other, b.stand.modified_ns)).then_with(|| by_age(&a.path, &b.path))
        });
        self.sources.extend(sources.into_iter().map(|(_, _, source)| source));
    }

    /// Forgets the eldest of the files that are gone.
    fn forget(&mut self) {
        let gone = |source: &Source| source.is_over && !source.path.exists();
        if self.sources.len() > REMEMBERED {
            let mut surplus = self.sources.iter().filter(|source| gone(source)).count().saturating_sub(REMEMBERED);
            self.sources.retain(|source| {
                let goes = surplus > 0 && gone(source);
                surplus -= usize::from(goes);
                !goes
            });
        }
        if self.heads.len() > 4 * REMEMBERED {
            self.heads.clear();
        }
    }

    /// The next lines of the eldest file that has any, in the memory of `spare`.
    pub fn next_chunk(&mut self, zone: Zone, spare: &mut Vec<u8>) -> Option<Chunk> {
        loop {
            let at = self.eldest_with_news()?;
            if !self.sources[at].has_news() {
                return Some(self.chunk(at, Lines::default(), zone));
            }
            let source = &mut self.sources[at];
            match source.read(std::mem::take(spare)) {
                Ok(Some(lines)) if lines.bytes.is_empty() && lines.cut_bytes == 0 => continue,
                Ok(Some(lines)) => return Some(self.chunk(at, lines, zone)),
                Ok(None) => {}
                Err(error) => self.notices.push(format!("{}: {error}", source.path.display())),
            }
            let source = &mut self.sources[at];
            source.close();
            source.lost = Some(Instant::now());
            self.wants_listing = true;
            return None;
        }
    }

    /// Looks at later files first: a line in a later one means that the elder ones are complete, when they are looked at
    /// after it.
    fn eldest_with_news(&mut self) -> Option<usize> {
        let (mut eldest, mut later) = (None, false);
        for at in (0..self.sources.len()).rev() {
            let source = &mut self.sources[at];
            if source.is_over || source.is_retired {
                continue;
            }
            if !source.refresh() {
                source.close();
                source.lost = Some(Instant::now());
                self.wants_listing = true;
            }
            if source.lost.is_some_and(|since| since.elapsed() < HOPE) {
                // It may be found under another name in a moment, and comes first.
                self.wants_listing = true;
                eldest = None;
                continue;
            }
            if source.has_news() {
                eldest = Some(at);
            } else if later && source.is_drained() && !source.has_finished_end(true) {
                source.close();
                source.is_retired = true;
            }
            later |= source.stand.size > 0;
        }
        eldest.or_else(|| self.eldest_unfinished(false))
    }

    /// An elder file whose last line has no end, though nobody writes to it any more.
    fn eldest_unfinished(&self, now: bool) -> Option<usize> {
        let elder = self.sources.len().checked_sub(1)?;
        self.sources[..elder].iter().position(|source| !source.is_retired && source.has_finished_end(now))
    }

    /// The last lines of elder files that have no end.
    pub fn unfinished(&mut self, zone: Zone) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        while let Some(at) = self.eldest_unfinished(true) {
            chunks.push(self.chunk(at, Lines::default(), zone));
        }
        chunks
    }

    fn chunk(&mut self, at: usize, mut lines: Lines, zone: Zone) -> Chunk {
        let source = &mut self.sources[at];
        if lines.bytes.is_empty() && lines.cut_bytes == 0 {
            lines.bytes = source.read_end();
        }
        source.was_read = true;
        let mut chunk = Chunk::of(lines.bytes, &mut source.near, &mut self.before, zone, &source.path);
        (chunk.overlong, chunk.cut_bytes) = (lines.overlong, lines.cut_bytes);
        chunk
    }
}
