//! Exim's lines inside another log: the piece mark, the time and the process id that stand before the line itself.
//!
//! syslog takes lines of limited length, so that Exim splits long ones: `[1/2] ` ends where the limit was, `[1\9] ` at a line
//! break of the text (the headers of a rejected message). The pieces share neither id nor words; the first has the facts.

use super::id;
use crate::scan::{Cursor, digits};

/// What a text is, once that is off.
pub enum Inner<'a> {
    Text(&'a [u8]),
    /// Any piece but the first.
    Later,
}

/// Takes the marks off.
pub fn open(text: &[u8]) -> Inner<'_> {
    let mut text = Cursor::new(text);
    match piece(&mut text) {
        Some(1) | None => {}
        Some(_) => return Inner::Later,
    }
    stamp(&mut text);
    pid(&mut text);
    Inner::Text(text.rest)
}

/// Takes `[2/5] ` and gives the first number.
fn piece(text: &mut Cursor<'_>) -> Option<u32> {
    let inside = text.rest.strip_prefix(b"[")?;
    let (number, count) = digits(inside);
    let ([b'/' | b'\\', after @ ..], 1..=4) = (&inside[count..], count) else { return None };
    let (all, count) = digits(after);
    let rest = after[count..].strip_prefix(b"] ").or_else(|| after[count..].strip_prefix(b"]").filter(|rest| rest.is_empty()))?;
    ((1..=all).contains(&number)).then(|| text.rest = rest)?;
    Some(number)
}

/// Takes `2026-11-24 06:11:46.123 +0100 `.
fn stamp(text: &mut Cursor<'_>) {
    let [_, _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _, rest @ ..] = text.rest else { return };
    let Some(rest) = rest.split_first().and_then(|(next, after)| match next {
        b' ' => Some(after),
        b'.' => memchr::memchr(b' ', after).filter(|end| *end <= 6).map(|end| &after[end + 1..]),
        _ => None,
    }) else {
        return;
    };
    text.rest = rest;
    if let [b'+' | b'-', _, _, _, _, b' ', rest @ ..] = rest
        && digits(&text.rest[1..5]).1 == 4
    {
        text.rest = rest;
    }
}

/// Takes `[1234] `.
fn pid(text: &mut Cursor<'_>) {
    let Some(inside) = text.rest.strip_prefix(b"[") else { return };
    let (_, count) = digits(inside);
    if count > 0
        && let Some(rest) = inside[count..].strip_prefix(b"] ")
    {
        text.rest = rest;
    }
}

/// The second, since 1970 UTC, in which the message began that a line is about.
///
/// ```
/// let text = b"1xVjd0-00005d-17 Completed";
/// assert_eq!(mailscope_parsers::birth_second(text), Some(1_795_500_222));
/// ```
#[must_use]
pub fn birth_second(text: &[u8]) -> Option<i64> {
    let Inner::Text(text) = open(text) else { return None };
    id::birth_second(&id::split(text)?.0)
}
