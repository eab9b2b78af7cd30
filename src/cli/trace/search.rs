//! The passes over the logs: the first finds what the key means, each further one the lines of the ids that were named.
//!
//! Nothing but the lines that may be meant is read; what is kept is their text, in the order of the log. Lines of at most
//! [`MOST_BYTES`] are kept and at most so many messages as are asked for are looked at, whatever the key finds.

use super::super::args::{InputArgs, TraceArgs};
use super::super::resolve::{self, Input};
use super::super::time::Now;
use super::sources::Sources;
use crate::aggregate::Window;
use crate::input::{Chunk, Unreadable};
use crate::pipeline::{self, Reader, Seen, host_matches};
use crate::trace::{Filter, Interest, Key, Scan, Trail};
use anyhow::Result;
use mailscope_parsers::model::{Event, Line, Micros};
use memchr::{memchr, memrchr};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// A chunk this large is searched faster than it can be handed over in pieces.
const CHUNK: usize = 1 << 20;
/// What `--first` is where it is not given.
const FIRST: usize = 1000;
/// So many messages are looked at where only some of them are wanted.
const FILTERED: usize = 20_000;
/// Text of lines that is kept at most.
const MOST_BYTES: usize = 256 << 20;
/// More passes than any chain needs.
const PASSES: usize = 64;

/// A line that belongs to a story.
pub struct Found {
    /// Its place: the chunk, and the line among those found there.
    at: (u64, usize),
    pub time: Micros,
    pub said: Box<[u8]>,
    /// `last message repeated N times`, where that is the line.
    pub repeat: Option<Box<[u8]>>,
    pub count: u32,
}

/// What a line of the log is to the search.
enum Item {
    /// A line of an id that is followed.
    Line(Found),
    /// A line without an id that the key means.
    Door(Found),
    /// An id that the key means.
    Hit(Box<[u8]>),
    /// An id that goes on with, or was before, one that is followed.
    Named(Box<[u8]>),
}

/// What the passes came to.
pub struct Gathered {
    pub input: Input,
    pub lines: Vec<Found>,
    /// Messages that the key found, and lines that it found past the most that are looked at.
    pub messages: usize,
    pub beyond: u64,
    /// Lines were left out.
    pub cut: bool,
    pub unreadable: Vec<Unreadable>,
    pub overlong: u64,
}

pub struct Search<'a> {
    args: InputArgs,
    _sources: Sources,
    pub key: &'a Key,
    pub window: Window,
    pub reader: Reader,
    /// Messages to show.
    pub most: Option<usize>,
    /// Messages to look at.
    looked_at: usize,
    /// The first few are wanted and no others.
    pub stops: bool,
}

/// What a pass keeps in the order of the log.
#[derive(Default)]
struct Ordered {
    chunk: u64,
    lines: Vec<Found>,
    bytes: usize,
    cut: bool,
    trail: Trail,
    seen: HashSet<Box<[u8]>>,
    messages: usize,
    beyond: u64,
    hosts: Hosts,
}

impl<'a> Search<'a> {
    pub fn new(args: &TraceArgs, key: &'a Key, filter: &Filter) -> Result<Self> {
        let mut input = args.input.clone();
        let zone = input.tz.parse()?;
        let window = resolve::window(&input, Now { time: chrono::Utc::now().timestamp_micros(), zone })?;
        // A message goes on after the window that it was found in.
        (input.day, input.until) = (None, None);
        input.since = window.since.map(|since| zone.local(since).to_rfc3339());
        let own = input.files.is_empty();
        let sources = Sources::of(&if own { crate::input::own_logs() } else { input.files.clone() })?;
        if !own {
            input.files.clone_from(&sources.paths);
        }
        if input.chunk_size == InputArgs::CHUNK {
            input.chunk_size = CHUNK;
        }
        let most = Some(args.first.unwrap_or(FIRST)).filter(|most| *most > 0);
        let stops = args.first.is_some_and(|most| most > 0) && filter.is_empty();
        let looked_at = most.map_or(usize::MAX, |most| if filter.is_empty() { most } else { most.max(FILTERED) });
        let parser = input.parser.as_deref().and_then(mailscope_parsers::parser);
        let reader = Reader::new(pipeline::Settings { zone, parser });
        Ok(Self { args: input, _sources: sources, key, window, reader, most, looked_at, stops })
    }

    /// Whether the key means the line, and the line lies in the window.
    pub fn is_hit(&self, seen: &Seen<'_>) -> bool {
        self.window.contains(seen.record.time) && host_matches(seen.record.host, self.args.host.as_deref()) && self.key.matches(seen)
    }

    pub fn host(&self) -> Option<&str> {
        self.args.host.as_deref()
    }

    /// The logs, once more.
    ///
    /// # Errors
    /// Where they can't be read any more.
    pub fn again(&self) -> Result<Input> {
        resolve::input(&InputArgs { quiet: true, ..self.args.clone() })
    }

    /// All passes.
    pub fn run(&self) -> Result<Gathered> {
        let mut input = resolve::input(&self.args)?;
        // An id's own lines are found along with the key.
        let mut ordered = Ordered::default();
        if let Some(word) = self.key.as_word().filter(|_| !self.stops) {
            ordered.trail.follow(word);
        }
        let interest = ordered.trail.next_pass();
        let done = self.pass(&mut input, &self.key.scan(), &interest, true, ordered)?;
        let (mut ordered, mut from) = (done.ordered, 0);
        for _ in 0..PASSES {
            let new: Vec<Seen<'_>> = ordered.lines[from..].iter().map(|line| self.reader.again(&line.said, line.time)).collect();
            new.iter().for_each(|seen| ordered.trail.note(seen));
            drop(new);
            ordered.lines.iter().map(|line| self.reader.again(&line.said, line.time)).for_each(|seen| ordered.trail.note_message_id(&seen));
            from = ordered.lines.len();
            let interest = ordered.trail.next_pass();
            if interest.is_empty() {
                break;
            }
            ordered.chunk = 0;
            ordered = self.pass(&mut self.again()?, &Scan::ids(&interest.words()), &interest, false, ordered)?.ordered;
        }
        ordered.lines.sort_by_key(|line| line.at);
        let overlong = done.locals.iter().sum();
        Ok(Gathered {
            input,
            lines: ordered.lines,
            messages: ordered.messages,
            beyond: ordered.beyond,
            cut: ordered.cut,
            unreadable: done.chunks.unreadable,
            overlong,
        })
    }

    fn pass(&self, input: &mut Input, scan: &Scan, interest: &Interest, first: bool, ordered: Ordered) -> Result<pipeline::Done<u64, Ordered>> {
        let chunks = input.take_chunks()?;
        let progress = input.progress.clone();
        let done = pipeline::run(
            chunks,
            input.threads,
            ordered,
            || 0_u64,
            |overlong, chunk, turn| {
                *overlong += chunk.overlong;
                let items = self.items(chunk, scan, interest, first);
                if let Some(progress) = &progress {
                    progress.show();
                }
                turn.take(|ordered: &mut Ordered| self.take(ordered, chunk, items, first))
            },
        )?;
        if let Some(progress) = &input.progress {
            progress.clear();
        }
        Ok(done)
    }

    /// What a chunk holds.
    fn items(&self, chunk: &Chunk, scan: &Scan, interest: &Interest, first: bool) -> Vec<Item> {
        let mut items = Vec::new();
        let context = scan.finds(&chunk.context);
        self.reader.read_at(chunk, context, scan.lines(chunk.lines()), |seen, said, at| {
            let Line::Event(event) = &seen.line else { return };
            if !host_matches(seen.record.host, self.args.host.as_deref()) {
                return;
            }
            let id = event.queue_id();
            if interest.has(event) {
                items.push(Item::Line(found(seen, said, at)));
            } else if interest.is_named_by(event) {
                items.push(Item::Named(id.0.into()));
            }
            if first && self.is_hit(seen) {
                let door = id.is_empty() && matches!(event, Event::Reject(_) | Event::AuthFailure(_));
                if door {
                    items.push(Item::Door(found(seen, said, at)));
                } else if !id.is_empty() {
                    items.push(Item::Hit(id.0.into()));
                }
            }
        });
        items
    }

    /// Takes what a chunk holds, in the order of the log.
    fn take(&self, ordered: &mut Ordered, chunk: &Chunk, items: Vec<Item>, first: bool) -> ControlFlow<()> {
        if first {
            ordered.hosts.look(&self.reader, chunk);
            ordered.trail.hosts = ordered.hosts.several;
        }
        for item in items {
            match item {
                Item::Line(line) => ordered.keep(line),
                Item::Named(id) => ordered.trail.follow(&id),
                Item::Hit(id) if ordered.seen.contains(&id) => {}
                Item::Hit(_) | Item::Door(_) if ordered.messages >= self.looked_at => ordered.beyond += 1,
                Item::Hit(id) => {
                    ordered.messages += 1;
                    ordered.trail.follow(&id);
                    ordered.seen.insert(id);
                }
                Item::Door(line) => {
                    ordered.messages += 1;
                    ordered.keep(line);
                }
            }
        }
        ordered.chunk += 1;
        if self.stops && first && ordered.messages >= self.looked_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Ordered {
    fn keep(&mut self, line: Found) {
        self.bytes += line.said.len() + size_of::<Found>();
        if self.bytes > MOST_BYTES {
            self.cut = true;
            return;
        }
        let at = (self.chunk, line.at.1);
        self.lines.push(Found { at, ..line });
    }
}

fn found(seen: &Seen<'_>, said: &[u8], at: usize) -> Found {
    let repeat = (seen.raw.as_ptr() != said.as_ptr()).then(|| seen.raw.into());
    Found { at: (0, at), time: seen.record.time, said: said.into(), repeat, count: seen.count }
}

/// Whether the log is of several hosts: one line every so many bytes of each file is asked.
#[derive(Default)]
struct Hosts {
    path: Option<Arc<Path>>,
    offset: usize,
    first: Option<Box<[u8]>>,
    several: bool,
}

impl Hosts {
    const EVERY: usize = 1 << 16;

    fn look(&mut self, reader: &Reader, chunk: &Chunk) {
        if self.path.as_ref() != Some(&chunk.path) {
            self.path = Some(chunk.path.clone());
            self.offset = 0;
        }
        let text = chunk.lines();
        let (offset, end) = (self.offset, self.offset + text.len());
        self.offset = end;
        if self.several {
            return;
        }
        let asked = (offset.div_ceil(Self::EVERY)..).map(|at| at * Self::EVERY).take_while(|at| *at < end).map(|at| at - offset);
        let lines = asked.map(|at| {
            let start = memrchr(b'\n', &text[..at]).map_or(0, |before| before + 1);
            start..memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length)
        });
        reader.read_at(chunk, false, lines, |seen, _, _| {
            let host = seen.record.host.0;
            self.several |= !host.is_empty() && self.first.get_or_insert_with(|| host.into()).as_ref() != host;
        });
    }
}
