//! Takes the syslog header off a line: RFC 3164 (with and without `<PRI>`), RFC 3339 and ISO 8601 stamps, RFC 5424; and
//! Exim's own stamp off the lines of its files.
//!
//! In comes one line without its line break, out goes a [`Record`]. A stamp's hour is worked out once and remembered, so
//! that most lines cost a comparison. The year of a yearless stamp and local time are the [`Calendar`]'s business.
//!
//! There is one form of lines behind this point. Logs whose records are no lines ([`Records`]: JSON, container runtimes,
//! the journal) and stamps of the user's own ([`TimeFormat`]) are written as such lines before, by whoever reads them.

mod bsd;
mod custom;
mod entry;
mod exim;
mod iso;
mod json;
mod records;
mod rfc5424;

pub use custom::{BadFormat, TimeFormat};
pub use records::{Form, Records, is_field_name};

use crate::model::{Calendar, Micros, Record, Text, Unrecognized};
use crate::near::find_any;
use crate::scan::{Cursor, digits, number};
use std::hint::cold_path;

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
    head: Head,
}

/// What the last line began with, up to the program's name, or all of the stamp in Exim's own files: lines of one second and
/// host begin with the same bytes.
#[derive(Debug, Default)]
struct Head {
    /// The first sixteen, those behind them where there are more than 32, and the last sixteen.
    parts: [u128; 3],
    /// How many bytes; 0 where there is nothing to go by.
    len: usize,
    /// Where the host's name begins; a blank follows it. Exim's own files have none.
    host: Option<usize>,
    time: Micros,
}

/// A record's time, its host where it has one, and what comes behind.
type Headed<'a> = (Micros, Option<&'a [u8]>, &'a [u8]);

impl Head {
    /// The parts of a line that begins like the last one.
    #[inline]
    fn of<'a>(&self, line: &'a [u8]) -> Option<Headed<'a>> {
        if self.len == 0 {
            return None;
        }
        let (head, rest) = line.split_at_checked(self.len)?;
        let differ = Self::parts(head)?.iter().zip(&self.parts).fold(0, |differ, (one, other)| differ | (one ^ other));
        (differ == 0).then_some((self.time, self.host.map(|host| &head[host..self.len - 1]), rest))
    }

    /// What a head of 16 to 48 bytes is compared by.
    #[inline]
    fn parts(head: &[u8]) -> Option<[u128; 3]> {
        let (first, last) = (head.first_chunk()?, head.last_chunk()?);
        let between = if head.len() > 32 { head[16..].first_chunk()? } else { first };
        Some([first, between, last].map(|part| u128::from_le_bytes(*part)))
    }

    /// Stamps with fractions of a second hardly ever come twice.
    #[inline]
    fn learn(&mut self, line: &[u8], host: Option<usize>, len: usize, time: Micros) {
        self.len = 0;
        if (16..=48).contains(&len)
            && time % 1_000_000 == 0
            && let Some(parts) = line.get(..len).and_then(Self::parts)
        {
            (self.parts, self.len, self.host, self.time) = (parts, len, host, time);
        }
    }
}

/// The stamp prefix, up to the hour, that was worked out last.
#[derive(Debug, Default)]
struct Hour {
    prefix: u128,
    mask: u128,
    len: usize,
    /// Seconds since 1970 at the start of that hour: in UTC where the stamp carries a zone, else as the calendar says.
    start: i64,
}

impl Hour {
    /// Whether the line begins with the known prefix. One comparison of sixteen bytes: every line has so many.
    #[inline]
    fn begins(&self, line: &[u8]) -> bool {
        self.len > 0 && line.first_chunk::<16>().is_some_and(|head| u128::from_le_bytes(*head) & self.mask == self.prefix)
    }

    fn learn(&mut self, prefix: &[u8], start: i64) {
        let mut bytes = [0; 16];
        self.len = prefix.len().min(16);
        bytes[..self.len].copy_from_slice(&prefix[..self.len]);
        self.prefix = u128::from_le_bytes(bytes);
        self.mask = if self.len == 16 { u128::MAX } else { (1 << (8 * self.len)) - 1 };
        self.start = start;
    }
}

impl Envelope {
    /// The record of a line that begins like the last one, as most lines of most logs do: opened where it is asked for.
    /// `None` where it does not, or is no record.
    #[inline(always)]
    pub fn open_as_before<'a>(&self, line: &'a [u8]) -> Option<Record<'a>> {
        let opened = match self.head.of(line.strip_suffix(b"\r").unwrap_or(line))? {
            (time, Some(host), rest) => behind_host(time, host, Cursor::new(rest)),
            (time, None, rest) => exim::open(time, Cursor::new(rest)),
        };
        if let Ok(Opened::Record(record)) = opened { Some(record) } else { None }
    }

    /// Takes the header off.
    ///
    /// # Errors
    /// The reason why the line is not a record.
    pub fn open<'a>(&mut self, line: &'a [u8], calendar: &mut dyn Calendar) -> Result<Opened<'a>, Unrecognized> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut line = Cursor::new(unmarked(line));
        if line.rest.first() == Some(&b'<') {
            skip_priority(&mut line);
            if let Some(rest) = line.rest.strip_prefix(b"1 ") {
                return rfc5424::open(&mut self.hour, Cursor::new(rest), calendar);
            }
        }
        if let Some((time, host, rest)) = self.head.of(line.rest) {
            let rest = Cursor::new(rest);
            return host.map_or_else(|| exim::open(time, rest), |host| behind_host(time, host, rest));
        }
        let whole = line.rest;
        let time = match line.rest.first() {
            None => return Err(Unrecognized::Blank),
            Some(b'0'..=b'9') => iso::stamp(&mut self.hour, &mut line, calendar),
            Some(_) => bsd::stamp(&mut self.hour, &mut line, calendar),
        };
        let time = time.ok_or_else(|| no_stamp(whole))?;
        if whole.get(10) == Some(&b' ') {
            self.head.learn(whole, None, whole.len() - line.rest.len(), time);
            return exim::open(time, line);
        }
        let Some(host) = host(&mut line)? else { return tagged(time, line) };
        let end = whole.len() - line.rest.len();
        self.head.learn(whole, Some(end - 1 - host.len()), end, time);
        behind_host(time, host, line)
    }
}

/// Without the byte order mark that editors and shells of Windows put before the first line of a file.
fn unmarked(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// What a line without a stamp is.
#[cold]
fn no_stamp(line: &[u8]) -> Unrecognized {
    match line.trim_ascii_start() {
        [] => Unrecognized::Blank,
        [b'{', ..] => Unrecognized::Json,
        _ => Unrecognized::Timestamp,
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
fn host_and_tag(time: Micros, mut line: Cursor<'_>) -> Result<Opened<'_>, Unrecognized> {
    match host(&mut line)? {
        Some(host) => behind_host(time, host, line),
        None => tagged(time, line),
    }
}

/// Takes the host's name and the blank behind it; `None`, and nothing taken, where a tag stands in its place.
#[inline]
fn host<'a>(line: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Unrecognized> {
    match line.rest.first() {
        // `<mail.notice>`: syslogd -v says who may have written it.
        Some(b'<') => _ = line.until_literal(b"> ").ok_or(Unrecognized::Header)?,
        // An object behind a stamp is a record of another kind.
        Some(b'{') => return Err(Unrecognized::Json),
        _ => {}
    }
    let before = *line;
    let first = line.until(b' ').ok_or(Unrecognized::Header)?;
    if first.last() == Some(&b':') {
        *line = before;
        return Ok(None);
    }
    Ok(Some(first))
}

/// `TAG[PID]: TEXT`.
#[inline(always)]
fn behind_host<'a>(time: Micros, host: &'a [u8], mut line: Cursor<'a>) -> Result<Opened<'a>, Unrecognized> {
    let host = Text(host);
    let end = find_any(line.rest, [b' ', b':', b'[']).ok_or(Unrecognized::Header)?;
    if line.rest[end] == b' ' {
        cold_path();
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

/// A tag that stands where the host should, and the text.
fn tagged(time: Micros, mut line: Cursor<'_>) -> Result<Opened<'_>, Unrecognized> {
    let mut tag = Cursor::new(line.until(b' ').ok_or(Unrecognized::Header)?);
    let name = tag.rest.iter().position(|c| matches!(c, b':' | b'[')).unwrap_or_default();
    let program = Text(&tag.rest[..name]);
    tag.rest = &tag.rest[name..];
    let pid = if tag.eat(b"[") { Some(bracketed(&mut tag).ok_or(Unrecognized::Header)?) } else { None };
    if program.is_empty() || tag.rest != b":" {
        return Err(Unrecognized::Header);
    }
    Ok(Opened::Record(Record { time, host: Text(b""), program, pid, text: Text(line.rest) }))
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
    let [c1, m1, m2, c2, s1, s2] = *line.rest.first_chunk::<6>()?;
    let digit = |c: u8| u32::from(c.wrapping_sub(b'0'));
    let (minute, second) = (digit(m1) * 10 + digit(m2), digit(s1) * 10 + digit(s2));
    // One branch for all of them: a line either has a stamp or it has none.
    let wrong = (c1 != b':') | (c2 != b':') | (digit(m2) > 9) | (digit(s2) > 9) | (minute > 59) | (second > 60);
    if wrong {
        return None;
    }
    line.rest = &line.rest[6..];
    let mut micros = i64::from(minute * 60 + second) * 1_000_000;
    if let [b'.' | b',', fraction @ ..] = line.rest {
        const SCALE: [i64; 7] = [0, 100_000, 10_000, 1000, 100, 10, 1];
        let (value, count) = digits(&fraction[..fraction.len().min(6)]);
        micros += i64::from(value) * SCALE[count.min(6)];
        let more = fraction[count..].iter().take_while(|c| c.is_ascii_digit()).count();
        line.rest = &fraction[count + more..];
    }
    Some(micros)
}

#[cfg(test)]
mod tests;
