//! Takes the syslog header off a line: RFC 3164 (with and without `<PRI>`), RFC 3339 and ISO 8601 stamps, RFC 5424.
//!
//! In comes one line without its line break, out goes a [`Record`]. A stamp's hour is worked out once and remembered, so
//! that most lines cost a comparison. The year of a yearless stamp and local time are the [`Calendar`]'s business.

mod bsd;
mod iso;
mod rfc5424;

use crate::model::{Calendar, Micros, Record, Text, Unrecognized};
use crate::scan::{Cursor, digits, number};
use memchr::memchr3;

/// What a line is, once its header is off.
#[derive(Clone, Copy, Debug)]
pub enum Opened<'a> {
    Record(Record<'a>),
    /// `last message repeated N times`: the line before this one, of the same host, N times more.
    Repeat {
        time: Micros,
        host: Text<'a>,
        times: u32,
    },
}

/// Opens the lines of one log, in order.
#[derive(Debug, Default)]
pub struct Envelope {
    hour: Hour,
}

/// The stamp prefix, up to the hour, that was worked out last.
#[derive(Debug, Default)]
struct Hour {
    prefix: [u8; 16],
    len: usize,
    /// Seconds since 1970 at the start of that hour: in UTC where the stamp carries a zone, else as the calendar says.
    start: i64,
}

impl Hour {
    #[inline]
    fn known(&self, prefix: &[u8]) -> bool {
        self.len == prefix.len() && self.len > 0 && self.prefix[..self.len] == *prefix
    }

    /// Whether the line begins with the known prefix and `:`.
    #[inline]
    fn begins(&self, line: &[u8]) -> bool {
        let Some((head, rest)) = line.split_at_checked(self.len) else { return false };
        // Byte by byte: nine bytes are no work for a library call.
        self.len > 0 && rest.first() == Some(&b':') && head.iter().zip(&self.prefix).all(|(a, b)| a == b)
    }

    fn learn(&mut self, prefix: &[u8], start: i64) {
        self.len = prefix.len().min(self.prefix.len());
        self.prefix[..self.len].copy_from_slice(&prefix[..self.len]);
        self.start = start;
    }
}

impl Envelope {
    /// Takes the header off.
    ///
    /// # Errors
    /// The reason why the line is not a record.
    #[inline]
    pub fn open<'a>(&mut self, line: &'a [u8], calendar: &mut dyn Calendar) -> Result<Opened<'a>, Unrecognized> {
        let mut line = Cursor::new(line.strip_suffix(b"\r").unwrap_or(line));
        if line.rest.first() == Some(&b'<') {
            skip_priority(&mut line);
            if let Some(rest) = line.rest.strip_prefix(b"1 ") {
                return rfc5424::open(&mut self.hour, Cursor::new(rest), calendar);
            }
        }
        let whole = line.rest;
        let time = match line.rest.first() {
            None => return Err(Unrecognized::Blank),
            Some(b'0'..=b'9') => iso::stamp(&mut self.hour, &mut line, calendar),
            Some(_) => bsd::stamp(&mut self.hour, &mut line, calendar),
        };
        let time =
            time.ok_or_else(|| if whole.iter().all(u8::is_ascii_whitespace) { Unrecognized::Blank } else { Unrecognized::Timestamp })?;
        host_and_tag(time, line)
    }
}

/// `<PRI>` of RFC 3164 and RFC 5424; anything else stays.
fn skip_priority(line: &mut Cursor<'_>) {
    let digits = line.rest[1..].iter().take(3).take_while(|c| c.is_ascii_digit()).count();
    if digits > 0 && line.rest.get(digits + 1) == Some(&b'>') {
        line.rest = &line.rest[digits + 2..];
    }
}

/// `HOST TAG[PID]: TEXT` (RFC 3164 section 4.1.3); a log without host names has none.
#[inline]
fn host_and_tag(time: Micros, mut line: Cursor<'_>) -> Result<Opened<'_>, Unrecognized> {
    let first = line.until(b' ').ok_or(Unrecognized::Header)?;
    if first.last() == Some(&b':') {
        let tag = Cursor::new(first);
        return tagged(time, Text(b""), tag, line.rest);
    }
    let host = Text(first);
    let end = memchr3(b' ', b':', b'[', line.rest).ok_or(Unrecognized::Header)?;
    if line.rest[end] == b' ' {
        return repeat(line.rest).map(|times| Opened::Repeat { time, host, times }).ok_or(Unrecognized::Header);
    }
    let program = Text(&line.rest[..end]);
    let mut pid = None;
    line.rest = &line.rest[end..];
    if line.eat(b"[") {
        pid = Some(bracketed(&mut line).ok_or(Unrecognized::Header)?);
    }
    if !line.eat(b":") || program.is_empty() {
        return Err(Unrecognized::Header);
    }
    line.eat(b" ");
    Ok(Opened::Record(Record { time, host, program, pid, text: Text(line.rest) }))
}

/// A tag that stands where the host should.
fn tagged<'a>(time: Micros, host: Text<'a>, mut tag: Cursor<'a>, text: &'a [u8]) -> Result<Opened<'a>, Unrecognized> {
    let name = tag.rest.iter().position(|c| matches!(c, b':' | b'[')).unwrap_or_default();
    let program = Text(&tag.rest[..name]);
    tag.rest = &tag.rest[name..];
    let pid = if tag.eat(b"[") { Some(bracketed(&mut tag).ok_or(Unrecognized::Header)?) } else { None };
    if program.is_empty() || tag.rest != b":" {
        return Err(Unrecognized::Header);
    }
    Ok(Opened::Record(Record { time, host, program, pid, text: Text(text) }))
}

/// Takes `541]`.
#[inline]
fn bracketed(line: &mut Cursor<'_>) -> Option<u32> {
    let (value, count) = digits(line.rest);
    if count == 0 || line.rest.get(count) != Some(&b']') {
        return None;
    }
    line.rest = &line.rest[count + 1..];
    Some(value)
}

fn process_id(digits: &[u8]) -> Option<u32> {
    number(digits)?.try_into().ok()
}

/// `last message repeated 3 times`, as syslogd writes it, without a tag.
fn repeat(text: &[u8]) -> Option<u32> {
    let mut text = Cursor::new(text);
    if !text.eat(b"last message repeated ") {
        return None;
    }
    let times = text.number()?.try_into().ok()?;
    (text.rest == b" times" || text.rest == b" time").then_some(times)
}

/// rsyslog's form of repetition, inside the text: `message repeated 3 times: [ warning: ...]`. Gives the count and what
/// was repeated; 1 and the text itself where nothing was.
#[inline]
#[must_use]
pub fn repeated(text: Text<'_>) -> (u32, Text<'_>) {
    let unwrap = || {
        let mut inner = Cursor::new(text.0.strip_prefix(b"message repeated ")?);
        let times = inner.number()?.try_into().ok()?;
        if !inner.eat(b" times: [") {
            return None;
        }
        inner.eat(b" ");
        Some((times, Text(inner.rest.strip_suffix(b"]")?)))
    };
    if text.first() == Some(&b'm') { unwrap().unwrap_or((1, text)) } else { (1, text) }
}

/// `:MM:SS` and a fraction; microseconds into the hour.
#[inline]
fn within_hour(line: &mut Cursor<'_>) -> Option<Micros> {
    let [b':', m1, m2, b':', s1, s2, ..] = *line.rest else { return None };
    if !(m1.is_ascii_digit() && m2.is_ascii_digit() && s1.is_ascii_digit() && s2.is_ascii_digit()) {
        return None;
    }
    let two = |a: u8, b: u8| i64::from(a - b'0') * 10 + i64::from(b - b'0');
    let (minute, second) = (two(m1, m2), two(s1, s2));
    if minute > 59 || second > 60 {
        return None;
    }
    line.rest = &line.rest[6..];
    let mut micros = (minute * 60 + second) * 1_000_000;
    if let Some(b'.' | b',') = line.rest.first() {
        let (mut scale, mut at) = (100_000, 1);
        while let Some(c @ b'0'..=b'9') = line.rest.get(at) {
            micros += i64::from(c - b'0') * scale;
            scale /= 10;
            at += 1;
        }
        line.rest = &line.rest[at..];
    }
    Some(micros)
}

#[cfg(test)]
mod tests;
