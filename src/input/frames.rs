//! Logs whose records are no lines, read as lines.
//!
//! In come the bytes of a log in one of the forms that the envelope knows (JSON lines, Kubernetes, the journal's export),
//! out go the lines that a syslog daemon would have written: behind this reader every log is the same. Each record becomes
//! one line. A record that is longer than any real one is cut, and memory is bounded by it.

use mailscope_parsers::envelope::{Form, Records, TimeFormat, is_field_name};
use memchr::memchr;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A longer record, or field of a journal entry, is cut here. JSON may need six bytes for one.
const LONGEST: usize = 1 << 20;
/// How much is turned at a time.
const BLOCK: usize = 1 << 16;
/// journald's own limit for one field.
const LARGEST_FIELD: u64 = 768 << 20;

/// The lines of a log that comes in another form.
pub struct Lines<R> {
    from: R,
    form: Form,
    /// That of the stamps of plain lines, where they have one of their own.
    stamps: Option<Arc<TimeFormat>>,
    records: Records,
    /// What was read and not turned yet: `raw[at..filled]`.
    raw: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    failed: Option<io::Error>,
    /// Bytes of the input that are to be passed over: the rest of a field that is too large.
    skip: u64,
    /// The rest of a line that is too long is to be passed over.
    skip_line: bool,
    lines: Vec<u8>,
    given: usize,
    surplus: Surplus,
}

/// By how many bytes what was read is longer than the lines that were made of it, so far.
#[derive(Clone, Debug, Default)]
pub struct Surplus(Arc<AtomicI64>);

impl Surplus {
    pub fn bytes(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: i64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl<R: Read> Lines<R> {
    pub fn new(from: R, form: Form, stamps: Option<Arc<TimeFormat>>) -> Self {
        Self {
            from,
            form,
            stamps,
            records: Records::default(),
            raw: Vec::new(),
            at: 0,
            filled: 0,
            ended: false,
            failed: None,
            skip: 0,
            skip_line: false,
            lines: Vec::new(),
            given: 0,
            surplus: Surplus::default(),
        }
    }

    pub fn surplus(&self) -> Surplus {
        self.surplus.clone()
    }

    /// The lines of the next whole records, as soon as there are any; `None` at the end, where one that was cut off is left
    /// out. Not to be mixed with reading.
    ///
    /// # Errors
    /// Where it can't be read on.
    pub fn next_lines(&mut self) -> io::Result<Option<&[u8]>> {
        self.turn_whole();
        if self.lines.is_empty() { self.failed.take().map_or(Ok(None), Err) } else { Ok(Some(&self.lines)) }
    }

    /// The address of the last journal entry that was turned.
    pub fn cursor(&self) -> &[u8] {
        self.records.cursor()
    }

    /// Turns all that is whole, and at the end what is left.
    fn turn(&mut self) -> io::Result<()> {
        self.turn_whole();
        if self.lines.is_empty() {
            self.last();
        }
        self.failed.take_if(|_| self.lines.is_empty()).map_or(Ok(()), Err)
    }

    /// Turns all that is whole; reads on where nothing is, to the end.
    fn turn_whole(&mut self) {
        self.lines.clear();
        self.given = 0;
        loop {
            while self.lines.len() < BLOCK && self.record() {}
            if self.ended || !self.lines.is_empty() {
                return;
            }
            self.read_on();
        }
    }

    /// Reads behind what is left.
    fn read_on(&mut self) {
        self.raw.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        let room = (self.filled + BLOCK).next_multiple_of(BLOCK);
        if self.raw.len() < room {
            self.raw.resize(room, 0);
        }
        match self.from.read(&mut self.raw[self.filled..]) {
            Ok(0) => self.ended = true,
            Ok(read) => {
                self.filled += read;
                self.surplus.add(read as i64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.failed = Some(error);
            }
        }
    }

    /// Turns one record, or passes over what is not wanted; `false` where more has to be read.
    fn record(&mut self) -> bool {
        let rest = &self.raw[self.at..self.filled];
        if self.skip > 0 && !rest.is_empty() {
            let step = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
            self.skip -= step as u64;
            self.at += step;
            return true;
        }
        let end = memchr(b'\n', rest);
        if self.skip_line {
            self.at = end.map_or(self.filled, |end| self.at + end + 1);
            self.skip_line = end.is_none();
            return end.is_some();
        }
        let (line, length) = match end {
            Some(end) => (&rest[..end], end + 1),
            None if rest.len() >= LONGEST => {
                self.skip_line = true;
                (rest, rest.len())
            }
            None => return false,
        };
        match self.form {
            Form::Json => self.records.json(line, &mut self.lines),
            Form::Cri => self.records.cri(line, &mut self.lines),
            Form::Export => return self.export(length),
            Form::Lines => plain(self.stamps.as_deref(), line, &mut self.lines),
        }
        self.at += length;
        true
    }

    /// One field of a journal entry, or its end: `NAME=VALUE`, or `NAME`, the value's length in eight bytes and the value.
    fn export(&mut self, length: usize) -> bool {
        let rest = &self.raw[self.at..self.filled];
        let line = rest[..length].strip_suffix(b"\n").unwrap_or(&rest[..length]);
        if line.is_empty() {
            self.records.entry(&mut self.lines);
        } else if let Some(end) = memchr(b'=', line).filter(|end| is_field_name(&line[..*end])) {
            self.records.field(&line[..end], &line[end + 1..]);
        } else if is_field_name(line) && !self.skip_line {
            let Some(value) = rest[length..].first_chunk::<8>() else { return false };
            let size = u64::from_le_bytes(*value);
            let from = length + 8;
            let here = &rest[from..];
            if size > LARGEST_FIELD {
                self.records.garbage(line, &mut self.lines);
            } else if size >= LONGEST as u64 {
                self.records.field(line, b"");
                self.skip = size + 1;
                self.at += from;
                return true;
            } else {
                let Some(value) = here.get(..size as usize).filter(|_| here.len() as u64 > size) else { return false };
                self.records.field(line, value);
                self.at += from + value.len() + 1;
                return true;
            }
        } else {
            self.records.garbage(line, &mut self.lines);
        }
        self.at += length;
        true
    }

    /// What is left at the end: a line without its break, an entry without its blank line.
    fn last(&mut self) {
        let rest = &self.raw[self.at..self.filled];
        if !rest.is_empty() && !self.skip_line && self.skip == 0 {
            let line = rest.split(|c| *c == b'\n').next().unwrap_or(rest);
            match self.form {
                Form::Json => self.records.json(line, &mut self.lines),
                Form::Cri => self.records.cri(line, &mut self.lines),
                Form::Export => {
                    if let Some(end) = memchr(b'=', line).filter(|end| is_field_name(&line[..*end])) {
                        self.records.field(&line[..end], &line[end + 1..]);
                    }
                }
                Form::Lines => plain(self.stamps.as_deref(), line, &mut self.lines),
            }
        }
        self.at = self.filled;
        if self.form == Form::Export {
            self.records.entry(&mut self.lines);
        }
        self.records.finish(&mut self.lines);
    }
}

/// A line that is one already; only its stamp may be another.
fn plain(stamps: Option<&TimeFormat>, line: &[u8], lines: &mut Vec<u8>) {
    match stamps {
        Some(stamps) => stamps.line(line, lines),
        None => lines.extend_from_slice(line),
    }
    lines.push(b'\n');
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.lines.len() {
            let turned = self.turn();
            self.surplus.add(-(self.lines.len() as i64));
            turned?;
        }
        let n = to.len().min(self.lines.len() - self.given);
        to[..n].copy_from_slice(&self.lines[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}
