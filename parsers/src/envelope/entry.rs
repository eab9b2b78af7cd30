//! A record that came in another framing than a line's, and the line that a syslog daemon would have written for it.
//!
//! The names that other programs give to RFC 5424's fields come in with their values, out goes `STAMP HOST
//! PROGRAM[PID]: TEXT`: whatever the framing, there is one path for what comes behind it. Line breaks and control
//! characters of a message become `#012` and the like, as rsyslog writes them, so a record stays one line.

use super::{Hour, bsd, iso, skip_priority};
use crate::model::Calendar;
use crate::scan::{Cursor, number};
use chrono::{DateTime, Datelike as _, NaiveTime, Timelike as _};

/// The fields of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Time,
    Host,
    /// `postfix/smtpd[541]:`, the program with its process.
    Tag,
    Program,
    Process,
    Message,
    /// Of a container: `stdout` or `stderr`.
    Stream,
}

/// What the fields are called, whatever the case of the letters; of two names for one field the first counts. journald
/// (systemd.journal-fields(7)), rsyslog's and syslog-ng's templates, Docker's `json-file`.
const NAMES: &[(&[u8], Field)] = &[
    (b"_source_realtime_timestamp", Field::Time),
    (b"__realtime_timestamp", Field::Time),
    (b"timereported", Field::Time),
    (b"isodate", Field::Time),
    (b"timestamp", Field::Time),
    (b"@timestamp", Field::Time),
    (b"time", Field::Time),
    (b"datetime", Field::Time),
    (b"date", Field::Time),
    (b"ts", Field::Time),
    (b"timegenerated", Field::Time),
    (b"_hostname", Field::Host),
    (b"hostname", Field::Host),
    (b"host", Field::Host),
    (b"fromhost", Field::Host),
    (b"syslogtag", Field::Tag),
    (b"tag", Field::Tag),
    (b"syslog_identifier", Field::Program),
    (b"programname", Field::Program),
    (b"program", Field::Program),
    (b"appname", Field::Program),
    (b"app-name", Field::Program),
    (b"app_name", Field::Program),
    (b"ident", Field::Program),
    (b"identifier", Field::Program),
    (b"_comm", Field::Program),
    (b"syslog_pid", Field::Process),
    (b"procid", Field::Process),
    (b"pid", Field::Process),
    (b"process_id", Field::Process),
    (b"_pid", Field::Process),
    (b"message", Field::Message),
    (b"msg", Field::Message),
    (b"log", Field::Message),
    (b"stream", Field::Stream),
];

/// A field's value, and the place of its name in [`NAMES`].
#[derive(Debug, Default)]
struct Slot {
    rank: Option<usize>,
    value: Vec<u8>,
}

/// One record's fields. Kept and filled again, so that reading allocates nothing once its memory has grown.
#[derive(Debug, Default)]
pub struct Entry {
    slots: [Slot; 7],
}

/// Whose stamp holds where the message begins with one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The message's: a shipper's stamp may be that of its reading.
    Message,
    /// The record's, over a stamp without year and zone: a container runtime's is that of the writing.
    Record,
}

impl Entry {
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.rank = None;
            slot.value.clear();
        }
    }

    /// Where the value of a field goes; `None` where the name says nothing, or less than one that was there before.
    pub fn slot(&mut self, name: &[u8]) -> Option<&mut Vec<u8>> {
        let rank = NAMES.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let slot = &mut self.slots[NAMES[rank].1 as usize];
        if slot.rank.is_some_and(|there| there <= rank) {
            return None;
        }
        slot.rank = Some(rank);
        slot.value.clear();
        Some(&mut slot.value)
    }

    /// Takes back that a field was there: its value was none.
    pub fn forget(&mut self, name: &[u8]) {
        if let Some((_, field)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            self.slots[*field as usize].rank = None;
        }
    }

    fn get(&self, field: Field) -> &[u8] {
        let value = self.slots[field as usize].value.trim_ascii();
        if value == b"-" { b"" } else { value }
    }

    /// Of a container's record: which of its two outputs.
    pub fn stream(&self) -> &[u8] {
        self.get(Field::Stream)
    }

    /// The message as it is, its line break included.
    pub fn message(&mut self) -> &mut Vec<u8> {
        &mut self.slots[Field::Message as usize].value
    }

    pub fn time(&mut self) -> &mut Vec<u8> {
        &mut self.slots[Field::Time as usize].value
    }

    /// Whether it says which program wrote it, in a field or in front of the message. Other objects are no syslog records.
    pub fn names_program(&self) -> bool {
        let message = self.slots[Field::Message as usize].value.trim_ascii();
        let tagged = |message: &[u8]| message.split(|c| *c == b' ').next().is_some_and(|word| word.ends_with(b":"));
        !self.program().0.is_empty() || tagged(message) || own_stamp(message).is_some()
    }

    /// Appends the line, its line break included; `false`, and nothing appended, where the record is no log record: it
    /// has neither a stamp nor a message with one.
    pub fn write(&self, trust: Trust, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let message = self.slots[Field::Message as usize].value.trim_ascii_end();
        let message = message.strip_prefix(b" ").unwrap_or(message);
        let (program, process) = self.program();
        if program.is_empty()
            && let Some(own) = own_stamp(message)
        {
            let rest = match own {
                Own::Whole => message,
                Own::Yearless(rest) if trust == Trust::Record && write_time(self.get(Field::Time), out) => rest,
                Own::Yearless(_) => message,
            };
            escape(rest, out);
            out.push(b'\n');
            return true;
        }
        if !write_time(self.get(Field::Time), out) || self.slots[Field::Message as usize].rank.is_none() && program.is_empty() {
            out.truncate(before);
            return false;
        }
        word(self.get(Field::Host), out);
        if !program.is_empty() {
            word(program, out);
            if !process.is_empty() && process.iter().all(u8::is_ascii_digit) {
                out.pop();
                out.push(b'[');
                out.extend_from_slice(process);
                out.extend_from_slice(b"] ");
            }
            out.insert(out.len() - 1, b':');
        }
        escape(message, out);
        out.push(b'\n');
        true
    }

    /// The program and its process. rsyslog's `programname` ends at the first slash; the tag is whole.
    fn program(&self) -> (&[u8], &[u8]) {
        let (name, process) = (self.get(Field::Program), self.get(Field::Process));
        let tag = self.get(Field::Tag);
        let tag = tag.strip_suffix(b":").unwrap_or(tag);
        if tag.is_empty() || !tag.starts_with(name) {
            return (name, process);
        }
        match tag.strip_suffix(b"]").and_then(|tag| Some((tag, tag.iter().rposition(|c| *c == b'[')?))) {
            Some((tag, at)) => (&tag[..at], &tag[at + 1..]),
            None => (tag, process),
        }
    }
}

/// A word of the header and a blank; what would end the word before its end becomes `_`.
fn word(text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    out.extend(text.iter().map(|c| if *c <= b' ' || matches!(c, 0x7f | b'[' | b']') { b'_' } else { *c }));
    if out.last() == Some(&b':') {
        out.pop();
        out.push(b'_');
    }
    out.push(b' ');
}

/// Text on one line: control characters as rsyslog writes them, `#` and three octal digits.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(u8::is_ascii_control) {
        let c = rest[at];
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'#', b'0' + (c >> 6), b'0' + (c >> 3 & 7), b'0' + (c & 7)]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// A message that begins with a stamp of its own.
enum Own<'a> {
    /// It says all there is to know.
    Whole,
    /// RFC 3164's, and what stands behind it.
    Yearless(&'a [u8]),
}

fn own_stamp(message: &[u8]) -> Option<Own<'_>> {
    let mut line = Cursor::new(message);
    if line.rest.first() == Some(&b'<') {
        skip_priority(&mut line);
        if line.rest.starts_with(b"1 ") {
            return Some(Own::Whole);
        }
    }
    if line.rest.first()?.is_ascii_digit() {
        return iso::stamp(&mut Hour::default(), &mut line, &mut AnyDay).map(|_| Own::Whole);
    }
    bsd::stamp(&mut Hour::default(), &mut line, &mut AnyDay).map(|_| Own::Yearless(line.rest))
}

/// Tells stamps from other text; the time itself is worked out later.
pub struct AnyDay;

impl Calendar for AnyDay {
    fn local_hour(&mut self, _: Option<i32>, month: u32, day: u32, _: u32) -> Option<i64> {
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(0)
    }
}

/// A stamp that the envelope reads, and a blank: one of its own forms as it is, or an epoch in seconds (with a fraction
/// or without), milli-, micro- or nanoseconds, told by its length.
pub fn write_time(time: &[u8], out: &mut Vec<u8>) -> bool {
    if time.iter().all(|c| c.is_ascii_digit() || *c == b'.') {
        return micros(time).is_some_and(|micros| write_micros(micros, out));
    }
    let before = out.len();
    out.extend_from_slice(time);
    out.push(b' ');
    let mut stamp = Cursor::new(&out[before..]);
    let is_stamp = if time[0].is_ascii_digit() {
        iso::stamp(&mut Hour::default(), &mut stamp, &mut AnyDay).is_some()
    } else {
        bsd::stamp(&mut Hour::default(), &mut stamp, &mut AnyDay).is_some()
    };
    let whole = is_stamp && stamp.rest.is_empty();
    if !whole {
        out.truncate(before);
    }
    whole
}

fn micros(epoch: &[u8]) -> Option<i64> {
    let (whole, fraction) = epoch.iter().position(|c| *c == b'.').map_or((epoch, &b""[..]), |at| (&epoch[..at], &epoch[at + 1..]));
    let read = |digits: &[u8]| i64::try_from(number(digits)?).ok();
    match whole.len() {
        ..=11 => {
            let digits = fraction.iter().chain(b"000000").take(6);
            let below = digits.fold(0, |value, c| value * 10 + i64::from(c.wrapping_sub(b'0').min(9)));
            Some(read(whole)? * 1_000_000 + below)
        }
        12..=14 => read(whole)?.checked_mul(1000),
        15..=17 => read(whole),
        _ => read(&whole[..whole.len() - 3]),
    }
}

/// `2026-11-24T06:31:15.834252Z `; `false` for a time without four digits of a year.
pub fn write_micros(micros: i64, out: &mut Vec<u8>) -> bool {
    DateTime::from_timestamp_micros(micros)
        .is_some_and(|time| write_date_time((Some(time.year()), time.month(), time.day()), time.time(), Some(0), out))
}

/// The same with its zone's offset in seconds, or without; without a year `Nov 24 06:31:15.834252 `.
pub fn write_date_time(date: (Option<i32>, u32, u32), time: NaiveTime, offset: Option<i32>, out: &mut Vec<u8>) -> bool {
    const MONTHS: [&[u8]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    match date {
        (Some(year @ 0..=9999), month, day) => {
            digits(year.unsigned_abs(), 4, b"-", out);
            digits(month, 2, b"-", out);
            digits(day, 2, b"T", out);
        }
        (None, month @ 1..=12, day) => {
            out.extend_from_slice(MONTHS[month as usize - 1]);
            out.push(b' ');
            digits(day, 2, b" ", out);
        }
        _ => return false,
    }
    digits(time.hour(), 2, b":", out);
    digits(time.minute(), 2, b":", out);
    digits(time.second(), 2, b".", out);
    digits(time.nanosecond() / 1000 % 1_000_000, 6, b"", out);
    match offset {
        Some(0) if date.0.is_some() => out.push(b'Z'),
        Some(offset) if date.0.is_some() => {
            out.push(if offset < 0 { b'-' } else { b'+' });
            digits(offset.unsigned_abs() / 3600, 2, b":", out);
            digits(offset.unsigned_abs() / 60 % 60, 2, b"", out);
        }
        _ => {}
    }
    out.push(b' ');
    true
}

/// So many digits, with leading zeros, and what stands behind them.
fn digits(mut value: u32, length: usize, end: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    out.resize(from + length, b'0');
    for at in (from..from + length).rev() {
        out[at] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(end);
}
