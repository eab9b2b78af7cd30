//! Cuts the logs, in order, into chunks of whole lines.

use super::copies::Copies;
use super::discover::Unreadable;
use super::order::{Log, Plan};
use super::read::{self, Input, Progress};
use super::{Clock, Zone};
use mailscope_parsers::envelope::{Envelope, Opened};
use memchr::{memchr, memrchr};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::vec;

/// A longer line is cut here, counted, and said. Postfix and Exim write at most some kilobytes.
pub const MAX_LINE: usize = 1 << 16;

/// The least that is read at once.
const BLOCK: usize = 1 << 16;

/// Whole lines of one log.
pub struct Chunk {
    bytes: Buffer,
    /// The last readable line before this chunk, for `last message repeated N times` and for lines without a stamp.
    pub context: Vec<u8>,
    /// The time near which the first yearless stamp lies.
    pub near: i64,
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
    /// The lines, their breaks included; the last may have none.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        self.bytes.filled()
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
    current: Option<Current>,
    size: usize,
    zone: Zone,
    progress: Progress,
    context: Vec<u8>,
    spare: Vec<Buffer>,
    pub files: u64,
    pub unreadable: Vec<Unreadable>,
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
    /// Chunks of about `size` bytes.
    #[must_use]
    pub fn new(plan: Plan, size: usize, zone: Zone) -> Self {
        Self {
            logs: plan.logs.into_iter(),
            current: None,
            size: size.max(1),
            zone,
            progress: plan.progress,
            context: Vec::new(),
            spare: Vec::new(),
            files: 0,
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
        self.logs = Vec::new().into_iter();
    }

    /// The next chunk, in the order of the lines; `None` at the end of all logs. A log that can't be read on is named
    /// in `unreadable`; what was read of it counts.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        loop {
            if self.current.is_none() {
                let log = self.logs.next()?;
                self.current = self.open(log);
            }
            let Some(current) = &mut self.current else { continue };
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.truncate(0);
            let (overlong, cut_bytes) = current.fill(&mut buffer, self.size);
            if buffer.filled > 0 {
                let chunk = current.chunk(buffer, self.zone, &mut self.context);
                return Some(Chunk { overlong, cut_bytes, ..chunk });
            }
            if let Some(error) = current.failed.take() {
                self.unreadable.push(Unreadable { path: current.path.to_path_buf(), why: explain(&current.input, error).into() });
            }
            self.current = None;
        }
    }

    fn open(&mut self, log: Log) -> Option<Current> {
        let input = match log.opened.map_or_else(|| read::open(&log.path, &self.progress), Ok) {
            Ok(input) => input,
            Err(why) => {
                self.unreadable.push(Unreadable { path: log.path, why });
                return None;
            }
        };
        self.files += 1;
        Some(Current { path: log.path.into(), copies: log.copies, input, near: log.near, carry: Vec::new(), ended: false, failed: None })
    }
}

/// Decompression errors deserve their name.
fn explain(input: &Input, error: io::Error) -> io::Error {
    if input.compressed {
        io::Error::new(error.kind(), format!("damaged or cut off compressed data ({error}); what came before is reported"))
    } else {
        error
    }
}

/// The last line that is a record of its own.
fn last_record(lines: &[u8], mut clock: Clock) -> Option<&[u8]> {
    let mut end = lines.strip_suffix(b"\n").unwrap_or(lines).len();
    let mut envelope = Envelope::default();
    loop {
        let from = memrchr(b'\n', &lines[..end]).map_or(0, |at| at + 1);
        let line = &lines[from..end];
        if let Ok(Opened::Record(_)) = envelope.open(&line[..line.len().min(MAX_LINE)], &mut clock) {
            return Some(line);
        }
        end = from.checked_sub(1)?;
    }
}

impl Current {
    /// Puts what the chunk needs to be read on its own beside it.
    fn chunk(&mut self, bytes: Buffer, zone: Zone, context: &mut Vec<u8>) -> Chunk {
        let mut clock = Clock { zone, near: self.near };
        let mut envelope = Envelope::default();
        // The first stamp in the chunk: usually on its first line.
        for line in bytes.filled().split(|c| *c == b'\n').take(64) {
            if envelope.open(line, &mut clock).is_ok() {
                break;
            }
        }
        self.near = clock.near;
        let before = context.clone();
        if let Some(last) = last_record(bytes.filled(), clock) {
            context.clear();
            context.extend_from_slice(last);
        }
        Chunk { bytes, context: before, near: clock.near, path: self.path.clone(), copies: self.copies.clone(), overlong: 0, cut_bytes: 0 }
    }

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
