//! Cuts the logs, in order, into chunks of whole lines.

use super::copies::Copies;
use super::discover::Unreadable;
use super::order::{Log, Plan};
use super::overlap;
use super::read::{self, Input, ReadError, Reading};
use super::unpack::Bomb;
use super::{Clock, Zone};
use mailscope_parsers::envelope::{Envelope, Opened};
use mailscope_parsers::model::Micros;
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

/// A longer line is cut here, counted, and said. Postfix and Exim write at most some kilobytes.
pub const MAX_LINE: usize = 1 << 16;

/// The least that is read at once.
const BLOCK: usize = 1 << 16;

/// How far unpacking may be ahead of the log that is read.
const AHEAD: usize = 1 << 21;
/// How far, in all, that of the logs behind it: these wait for their turn and use the cores that are left.
const AHEAD_OF_TURN: usize = 1 << 26;
/// How many logs behind it; each decoder has a window of its own.
const MOST_AHEAD: usize = 3;

/// Whole lines of one log.
pub struct Chunk {
    bytes: Buffer,
    /// The last readable line before this chunk, for `last message repeated N times` and for lines without a stamp.
    pub context: Vec<u8>,
    /// The time near which the first yearless stamp lies.
    pub near: i64,
    /// The time of the last line before it.
    pub last: Micros,
    /// The log it is from.
    pub path: Arc<Path>,
    /// Lines of this log that another one has too.
    pub copies: Option<Arc<Copies>>,
    /// Lines in it that were longer than [`MAX_LINE`] and lost their end on the way in.
    pub overlong: u64,
    /// Bytes that those lost.
    pub cut_bytes: u64,
}

impl Chunk {
    /// Lines that were read of a log elsewhere. `near` and `before` are what the chunk before left, and are left to the next
    /// one.
    pub(super) fn of(lines: Vec<u8>, near: &mut i64, before: &mut Before, zone: Zone, path: &Path) -> Self {
        let bytes = Buffer { filled: lines.len(), memory: lines };
        chunk(bytes, near, before, zone, path.into(), None)
    }

    /// The lines, their breaks included; the last may have none.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        self.bytes.filled()
    }

    /// The memory that it was in.
    #[must_use]
    pub fn into_memory(self) -> Vec<u8> {
        self.bytes.memory
    }
}

/// Memory that stays initialized, and how much of it is in use.
#[derive(Default)]
struct Buffer {
    memory: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        &self.memory[..self.filled]
    }

    fn truncate(&mut self, length: usize) {
        self.filled = self.filled.min(length);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.filled + length;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.filled..end]
    }

    /// Reads until it holds `length` bytes; whether the input ended before.
    fn read_up_to(&mut self, length: usize, from: &mut impl Read) -> io::Result<bool> {
        while self.filled < length {
            let missing = length - self.filled;
            match from.read(self.room(missing)) {
                Ok(0) => return Ok(true),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// Reads a plan's logs one after the other.
pub struct Chunks {
    logs: vec::IntoIter<Log>,
    /// The next logs, opened before their turn.
    next: VecDeque<Begun>,
    threads: usize,
    current: Option<Current>,
    size: usize,
    zone: Zone,
    reading: Reading,
    before: Before,
    spare: Vec<Buffer>,
    pub files: u64,
    /// Whether the logs are, in part, of one time: then lines of a time come in two places.
    pub are_of_one_time: bool,
    /// Bytes that were read of the inputs and are in no line.
    pub surplus: i64,
    pub unreadable: Vec<Unreadable>,
}

/// A log, and what came of opening it.
struct Begun {
    path: PathBuf,
    near: i64,
    copies: Option<Arc<Copies>>,
    input: Result<Input, ReadError>,
}

struct Current {
    path: Arc<Path>,
    copies: Option<Arc<Copies>>,
    input: Input,
    near: i64,
    carry: Vec<u8>,
    ended: bool,
    /// What the input ended with; told once all that came before it is read.
    failed: Option<io::Error>,
}

impl Chunks {
    /// Chunks of about `size` bytes, for so many threads.
    #[must_use]
    pub fn new(plan: Plan, size: usize, zone: Zone, threads: usize) -> Self {
        Self {
            are_of_one_time: overlap::are_of_one_time(&plan.logs),
            logs: plan.logs.into_iter(),
            next: VecDeque::new(),
            threads: threads.max(1),
            current: None,
            size: size.max(1),
            zone,
            reading: plan.reading,
            before: Before::default(),
            spare: Vec::new(),
            files: 0,
            surplus: 0,
            unreadable: plan.unreadable,
        }
    }

    /// Gives a chunk's memory back for the next one.
    pub fn recycle(&mut self, chunk: Chunk) {
        if self.spare.len() < 8 {
            self.spare.push(chunk.bytes);
        }
    }

    /// Reads no further.
    pub fn stop(&mut self) {
        self.current = None;
        self.next.clear();
        self.logs = Vec::new().into_iter();
    }

    /// The next chunk, in the order of the lines; `None` at the end of all logs. A log that can't be read on is named
    /// in `unreadable`; what was read of it counts.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        loop {
            if self.current.is_none() {
                let begun = self.next_log()?;
                self.current = self.begin(begun);
            }
            let Some(current) = &mut self.current else { continue };
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.truncate(0);
            let (overlong, cut_bytes) = current.fill(&mut buffer, self.size);
            if buffer.filled > 0 {
                let (zone, copies) = (self.zone, current.copies.clone());
                let chunk = chunk(buffer, &mut current.near, &mut self.before, zone, current.path.clone(), copies);
                return Some(Chunk { overlong, cut_bytes, ..chunk });
            }
            self.surplus += current.input.surplus.bytes();
            if let Some(error) = current.failed.take() {
                self.unreadable.push(Unreadable { path: current.path.to_path_buf(), why: explain(&current.input, error).into() });
            }
            self.current = None;
        }
    }

    /// The next log, and those behind it on their way.
    fn next_log(&mut self) -> Option<Begun> {
        if self.next.is_empty() {
            let log = self.logs.next()?;
            let begun = self.open(log, AHEAD);
            self.next.push_back(begun);
        }
        let behind = (self.threads - 1).min(MOST_AHEAD);
        while self.next.len() <= behind
            && let Some(log) = self.logs.next()
        {
            let begun = self.open(log, AHEAD_OF_TURN / behind);
            self.next.push_back(begun);
        }
        self.next.pop_front()
    }

    fn open(&self, log: Log, ahead: usize) -> Begun {
        let input = log.opened.map_or_else(|| read::open(&log.path, &self.reading), Ok);
        // One thread does all the work, one thing after the other.
        let input = if self.threads > 1 { input.and_then(|input| Ok(input.ahead(ahead)?)) } else { input };
        Begun { path: log.path, near: log.near, copies: log.copies, input }
    }

    fn begin(&mut self, begun: Begun) -> Option<Current> {
        match begun.input {
            Ok(input) => {
                self.files += 1;
                Some(Current {
                    path: begun.path.into(),
                    copies: begun.copies,
                    input,
                    near: begun.near,
                    carry: Vec::new(),
                    ended: false,
                    failed: None,
                })
            }
            Err(why) => {
                self.unreadable.push(Unreadable { path: begun.path, why });
                None
            }
        }
    }
}

/// Decompression errors deserve their name.
fn explain(input: &Input, error: io::Error) -> io::Error {
    let is_bomb = error.get_ref().is_some_and(|error| error.is::<Bomb>());
    if input.compressed && !is_bomb {
        io::Error::new(error.kind(), format!("damaged or cut off compressed data ({error}); what came before is reported"))
    } else {
        error
    }
}

/// A line and its time.
struct Stamped<'a> {
    line: &'a [u8],
    time: Micros,
}

/// The last line that is a record of its own. `clock` stands at the first one.
fn last_record(lines: &[u8], mut clock: Clock) -> Option<Stamped<'_>> {
    let begin = clock;
    let mut end = lines.strip_suffix(b"\n").unwrap_or(lines).len();
    let mut envelope = Envelope::default();
    loop {
        let from = memrchr(b'\n', &lines[..end]).map_or(0, |at| at + 1);
        let line = &lines[from..end];
        if let Ok(Opened::Record(record)) = envelope.open(&line[..line.len().min(MAX_LINE)], &mut clock) {
            // In an hour that comes twice, only the lines before it tell which of the two it is.
            let time = if clock.is_folded() { settled(lines, begin) } else { record.time };
            return Some(Stamped { line, time });
        }
        end = from.checked_sub(1)?;
    }
}

/// The time of the last record, by way of all records before it.
fn settled(lines: &[u8], mut clock: Clock) -> Micros {
    let mut envelope = Envelope::default();
    for line in lines.split(|c| *c == b'\n') {
        match envelope.open(&line[..line.len().min(MAX_LINE)], &mut clock) {
            Ok(Opened::Record(record)) => _ = clock.settle(record.time),
            Ok(Opened::Repeat { time, .. }) => _ = clock.settle(time),
            Err(_) => {}
        }
    }
    clock.last()
}

/// What a chunk leaves to the next one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Before {
    /// The last readable line.
    context: Vec<u8>,
    /// The time of the last line.
    last: Micros,
}

impl Default for Before {
    fn default() -> Self {
        Self { context: Vec::new(), last: Micros::MIN }
    }
}

/// Puts what the chunk needs to be read on its own beside it.
fn chunk(bytes: Buffer, near: &mut i64, before: &mut Before, zone: Zone, path: Arc<Path>, copies: Option<Arc<Copies>>) -> Chunk {
    let mut clock = Clock::new(zone, *near);
    let mut envelope = Envelope::default();
    // The first stamp in the chunk: usually on its first line.
    for line in bytes.filled().split(|c| *c == b'\n').take(64) {
        if envelope.open(line, &mut clock).is_ok() {
            break;
        }
    }
    *near = clock.near;
    let Before { context, last } = before.clone();
    if let Some(record) = last_record(bytes.filled(), clock.behind(last)) {
        before.context.clear();
        before.context.extend_from_slice(record.line);
        before.last = record.time;
    }
    Chunk { bytes, context, near: clock.near, last, path, copies, overlong: 0, cut_bytes: 0 }
}

impl Current {
    /// Fills `buffer` with about `size` bytes of whole lines; leaves it empty at the end of the log. Gives how many lines
    /// were cut for their length, and by how many bytes.
    fn fill(&mut self, buffer: &mut Buffer, size: usize) -> (u64, u64) {
        buffer.push(&self.carry);
        self.carry.clear();
        let mut goal = size;
        loop {
            if !self.ended {
                match buffer.read_up_to(goal.max(BLOCK), &mut self.input.bytes) {
                    Ok(ended) => self.ended = ended,
                    Err(error) => self.fail(error),
                }
            }
            let goal_reached = goal.min(buffer.filled);
            let (before, beyond) = buffer.filled().split_at(goal_reached);
            let end = memrchr(b'\n', before).or_else(|| memchr(b'\n', beyond).map(|at| goal_reached + at));
            if let Some(end) = end {
                self.carry.extend_from_slice(&buffer.filled()[end + 1..]);
                buffer.truncate(end + 1);
                return (0, 0);
            }
            if buffer.filled > MAX_LINE {
                // One line fills the whole buffer, and more.
                let cut = (buffer.filled - MAX_LINE) as u64 + self.skip_line();
                buffer.truncate(MAX_LINE);
                if !self.ended {
                    buffer.push(b"\n");
                }
                return (1, cut);
            }
            if self.ended {
                return (0, 0);
            }
            goal = buffer.filled + BLOCK;
        }
    }

    /// Reads past the rest of an endless line; gives its length. What follows goes to `carry`.
    fn skip_line(&mut self) -> u64 {
        let mut block = vec![0; 1 << 16];
        let mut skipped = 0;
        loop {
            let read = match self.input.bytes.read(&mut block) {
                Ok(0) => break self.ended = true,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break self.fail(error),
            };
            if let Some(end) = memchr(b'\n', &block[..read]) {
                self.carry.extend_from_slice(&block[end + 1..read]);
                return skipped + end as u64;
            }
            skipped += read as u64;
        }
        skipped
    }

    fn fail(&mut self, error: io::Error) {
        self.ended = true;
        self.failed = Some(error);
    }
}
