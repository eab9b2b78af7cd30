//! Follows logs while they are written: whole lines, each once, in order, over every way in which logs are rotated.
//!
//! A file is what it holds, not what it is called: it is known by device, inode and its first KiB (inodes are used again,
//! and a copy or a packed version has another one). Files whose names differ in a number or a date only are one log
//! ([`names`]), read one after the other: the elder to its end before the next, whichever of them was renamed, copied,
//! truncated, packed or deleted meanwhile. Events of the file system wake the reader early; what counts is what a look at
//! the files says, so that a file system without events is followed too.
//!
//! In: paths, directories, patterns, `-`, this host's journal. Out: chunks of whole lines, and positions from which a later
//! run goes on. It never writes, and never keeps more of a file than a block.

mod candidate;
mod log;
mod names;
mod source;
mod stream;
mod watch;

use super::{Chunk, Zone, read};
use anyhow::{Context as _, Result, bail};
use candidate::{Candidate, candidates};
use log::{Begin, FollowedLog, LogPosition};
use mailscope_parsers::model::Micros;
use names::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stream::{JournalPosition, Stream};
use watch::Watch;

/// Wakes the one who reads; called from other threads.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Directories are listed again after this time, events or not.
const LIST_AGAIN: Duration = Duration::from_millis(1000);

/// Where to begin in files that are there already. One that appears later is read from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Start,
    End,
    /// With the files that may hold lines of that time or later.
    Time(Micros),
}

/// How far every log was read: what a later run goes on from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Positions {
    /// What was followed. A log that is new there appeared since; one of another path was named since.
    paths: Vec<PathBuf>,
    logs: Vec<LogPosition>,
    journal: Option<JournalPosition>,
}

/// How stamps are read.
#[derive(Clone, Copy)]
pub struct Stamps {
    pub zone: Zone,
    pub year: Option<i32>,
}

/// The logs that are followed.
pub struct Follower {
    patterns: Vec<Pattern>,
    logs: BTreeMap<(PathBuf, String), FollowedLog>,
    streams: Vec<Stream>,
    stamps: Stamps,
    watch: Watch,
    listed: Option<Instant>,
    /// Where the next look for news begins, so that no busy log keeps the others waiting.
    turn: usize,
    notices: Vec<String>,
    /// Memory for the next block. Were it taken anew for each, what is kept of the one before would lie in its way.
    spare: Vec<u8>,
}

/// The files that these names mean now, with the elder versions that logs were rotated to.
#[must_use]
pub fn files_of(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for pattern in paths.iter().map(|path| Pattern::new(path, false)) {
        let entries = pattern.directory.read_dir().into_iter().flatten().filter_map(Result::ok);
        let is_of = |entry: &std::fs::DirEntry| entry.file_name().to_str().is_some_and(|name| pattern.log(name).is_some());
        files.extend(entries.filter(is_of).map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files
}

impl Follower {
    /// Begins to follow files, and the journal if that is wanted; `positions` are those of an earlier run, and `from` is for
    /// files that it did not know.
    ///
    /// # Errors
    /// Where there is nothing to follow, or no journal.
    pub fn new(paths: &[PathBuf], journal: bool, stamps: Stamps, from: From, positions: Option<Positions>, waker: &Waker) -> Result<Self> {
        if paths.is_empty() && !journal {
            bail!("nothing to follow");
        }
        let (standard, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|path| *path == Path::new("-"));
        if let Some(path) = files.iter().find(|path| read::is_read_once(path)) {
            bail!("{} is neither a file nor a directory: let it be standard input, and name it -", path.display());
        }
        let resumed = positions.is_some();
        let positions = positions.unwrap_or_default();
        let mut streams: Vec<Stream> = standard.into_iter().take(1).map(|_| Stream::standard_input(waker.clone())).collect();
        if journal {
            streams.push(Stream::journal(from, positions.journal, waker.clone()).context("the journal can't be followed")?);
        }
        let patterns: Vec<Pattern> = files.into_iter().map(|path| Pattern::new(path, positions.paths.contains(path))).collect();
        let mut follower = Self {
            watch: Watch::new(waker.clone()),
            logs: BTreeMap::new(),
            streams,
            stamps,
            listed: None,
            turn: 0,
            notices: patterns.iter().filter_map(Pattern::absence).collect(),
            spare: Vec::new(),
            patterns,
        };
        for position in positions.logs {
            let log = FollowedLog::resume(position);
            follower.logs.insert(log.key(), log);
        }
        follower.list(Some(if resumed { None } else { Some(from) }));
        Ok(follower)
    }

    /// The next lines; `None` where all that is there was read. Every call does a bounded amount of work.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        if self.watch.take_moved() || self.listed.is_none_or(|at| at.elapsed() >= LIST_AGAIN) {
            self.list(None);
        }
        for stream in &mut self.streams {
            if let Some(chunk) = stream.next_chunk(self.stamps.zone) {
                return Some(chunk);
            }
        }
        let (count, mut again) = (self.logs.len(), false);
        for at in 0..count {
            let at = (self.turn + at) % count;
            let Some(log) = self.logs.values_mut().nth(at) else { continue };
            if let Some(chunk) = log.next_chunk(self.stamps.zone, &mut self.spare) {
                self.turn = at + 1;
                return Some(chunk);
            }
            again |= log.wants_listing();
        }
        if again {
            // A file is not what it was: a look at the directory tells what became of it.
            self.list(None);
        }
        None
    }

    /// Takes the memory of a chunk back.
    pub fn recycle(&mut self, chunk: Chunk) {
        self.spare = chunk.into_memory();
    }

    /// The ends of elder files that no newline will come for, at the end of a run.
    pub fn last_chunks(&mut self) -> Vec<Chunk> {
        let zone = self.stamps.zone;
        self.logs
            .values_mut()
            .flat_map(|log| log.unfinished(zone))
            .chain(self.streams.iter_mut().filter_map(|s| s.last_chunk(zone)))
            .collect()
    }

    /// Whether nothing more can come: only ended streams are followed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.patterns.is_empty() && self.streams.iter().all(Stream::is_over)
    }

    /// Files that lines were read of.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.logs.values().map(FollowedLog::files).sum::<u64>() + self.streams.len() as u64
    }

    /// How far everything was read.
    #[must_use]
    pub fn positions(&self) -> Positions {
        let paths = self.patterns.iter().map(|pattern| pattern.path.clone()).collect();
        let journal = self.streams.iter().find_map(Stream::position);
        Positions { paths, logs: self.logs.values().map(FollowedLog::position).collect(), journal }
    }

    /// What a person should know, since the last call.
    pub fn take_notices(&mut self) -> Vec<String> {
        self.logs.values_mut().for_each(|log| self.notices.append(&mut log.notices));
        self.streams.iter_mut().for_each(|stream| self.notices.append(&mut stream.notices));
        std::mem::take(&mut self.notices)
    }

    /// Looks at the directories. `first` is said at the first look: `Some(None)` goes on from an earlier run.
    fn list(&mut self, first: Option<Option<From>>) {
        self.listed = Some(Instant::now());
        let mut directories: Vec<&Path> = self.patterns.iter().map(|pattern| pattern.directory.as_path()).collect();
        directories.sort_unstable();
        directories.dedup();
        let mut found: BTreeMap<(PathBuf, String), Vec<Candidate>> = self.logs.keys().map(|key| (key.clone(), Vec::new())).collect();
        for directory in directories {
            self.watch.watch(directory);
            for candidate in candidates(directory, &self.patterns) {
                self.watch.watch_target(&candidate.path);
                found.entry((directory.to_path_buf(), candidate.log.clone())).or_default().push(candidate);
            }
        }
        for (key, candidates) in found {
            let was_followed =
                || self.patterns.iter().any(|p| p.is_known && p.directory == key.0 && p.log(&key.1).as_ref() == Some(&key.1));
            let begin = match first {
                None => Begin::Appeared,
                Some(None) if self.logs.contains_key(&key) || was_followed() => Begin::Appeared,
                Some(None) => Begin::Named(From::Start),
                Some(Some(from)) => Begin::Named(from),
            };
            let log = self.logs.entry(key.clone()).or_insert_with(|| FollowedLog::new(key));
            log.look(candidates, begin, self.stamps);
        }
    }
}
