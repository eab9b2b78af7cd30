//! Exim's own files: `2026-11-24 06:03:42.123 +0100 [341] 1xVjd0-00005d-17 Completed`. No host, no program; milliseconds,
//! zone and process id each where `log_selector` and `log_timezone` ask for them.
//!
//! Some syslog daemons are told to write such a stamp too. Behind theirs stand a host and a tag, which looks like few of
//! Exim's lines.

use super::{Opened, bracketed, host_and_tag};
use crate::model::{Micros, Record, Text, Unrecognized};
use crate::near::find_any;
use crate::scan::{Cursor, digits};

/// What stands behind a stamp with a blank in it.
#[inline(always)]
pub fn open(time: Micros, mut line: Cursor<'_>) -> Result<Opened<'_>, Unrecognized> {
    let whole = line;
    let mut pid = None;
    if line.rest.first() == Some(&b'#') {
        return rspamd(time, line);
    }
    if line.eat(b"[") {
        pid = bracketed(&mut line).filter(|_| line.eat(b" "));
        if pid.is_none() {
            line = whole;
        }
    }
    if pid.is_none() && !is_of_message(line.rest) && is_syslog(line.rest) {
        return host_and_tag(time, line);
    }
    Ok(Opened::Record(Record { time, host: Text(b""), program: Text(b"exim"), pid, text: Text(line.rest) }))
}

/// `#910(normal) text`: Rspamd's own file has the same stamp, and behind it its process.
#[cold]
fn rspamd(time: Micros, line: Cursor<'_>) -> Result<Opened<'_>, Unrecognized> {
    let (pid, count) = digits(&line.rest[1..]);
    let is = count > 0 && line.rest.get(count + 1) == Some(&b'(');
    let (program, pid) = if is { (&b"rspamd"[..], Some(pid)) } else { (&b"exim"[..], None) };
    Ok(Opened::Record(Record { time, host: Text(b""), program: Text(program), pid, text: Text(line.rest) }))
}

/// Whether a message id of either length stands here, and a flag behind it: no host is followed by one.
#[inline]
fn is_of_message(rest: &[u8]) -> bool {
    let flag = |at: usize| rest.get(at) == Some(&b' ') && matches!(rest.get(at + 1), Some(b'<' | b'=' | b'-' | b'>' | b'*'));
    rest.get(6) == Some(&b'-') && (flag(23) || flag(16))
}

/// `HOST TAG[PID]: `, `TAG[PID]: `, and `HOST last message repeated`. A tag without process id may be any word of Exim's:
/// `DKIM: signing failed`.
#[inline(always)]
fn is_syslog(rest: &[u8]) -> bool {
    let Some(first) = find_any(rest, [b' ', b':', b'[']) else { return false };
    if rest[first] != b' ' {
        return first > 0 && has_pid(&rest[first..]);
    }
    let tag = &rest[first + 1..];
    let Some(end) = find_any(tag, [b' ', b':', b'[']) else { return false };
    match tag[end] {
        b'[' => end > 0 && has_pid(&tag[end..]),
        b':' => false,
        _ => tag.starts_with(b"last message repeated "),
    }
}

/// `[PID]: `
fn has_pid(rest: &[u8]) -> bool {
    let Some(inside) = rest.strip_prefix(b"[") else { return false };
    let (_, count) = digits(inside);
    count > 0 && (inside[count..].starts_with(b"]: ") || inside[count..] == *b"]:")
}

/// Whether a zone stands here, behind a blank: ` +0100 `.
#[inline]
pub fn has_zone(text: &[u8]) -> bool {
    matches!(text, [b' ', b'+' | b'-', zone @ ..] if digits(zone).1 == 4 && zone.get(4) == Some(&b' '))
}
