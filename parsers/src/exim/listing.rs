//! Exim's queue: `exim -bp` with its variants (`-bpr`, `-bpa`, `-bpu`, and mailq), and what exiqgrep prints of it, with
//! `-b` too. Recipients marked `D` have the message already and are not counted.
//!
//! ```text
//!  0m  3.6K 1xVjm9-0000jY-0F <user1@corp.example>
//!           tempfail1@isp.example
//!         D u1@refuse.example
//! ```

use crate::Listing;
use crate::model::{Arrival, Found, Micros, QueueEntry, QueueState, Waiting};
use crate::scan::listing::{column, lines};
use crate::scan::{angled_end, number};
use std::borrow::Cow;

pub const LISTING: Listing = Listing { name: "exim -bp", mta: "exim", starts, belongs: starts, parse };

fn starts(line: &[u8]) -> bool {
    let mut entry = QueueEntry::default();
    long(line, &mut entry) || brief(line, &mut entry)
}

fn parse<'a>(text: &'a [u8], found: &mut dyn FnMut(Found<'_, 'a>)) {
    let mut current = QueueEntry::default();
    let mut next = QueueEntry::default();
    for line in lines(text) {
        let inner = line.trim_ascii();
        if inner.is_empty() {
            continue;
        }
        next.clear();
        if long(line, &mut next) || brief(line, &mut next) {
            if !current.queue_id.is_empty() {
                found(Found::Entry(&current));
            }
            std::mem::swap(&mut current, &mut next);
        } else if current.queue_id.is_empty() || !line.starts_with(b" ") && !line.starts_with(b"\t") {
            found(Found::Unrecognized(line));
        } else if inner.starts_with(b"*** spool") {
            current.state = QueueState::Corrupt;
        } else if !inner.starts_with(b"D ") && !inner.starts_with(b"+D ") {
            current.recipients.push(Waiting { envelope_recipient: Cow::Borrowed(inner), ..Waiting::default() });
        }
    }
    if !current.queue_id.is_empty() {
        found(Found::Entry(&current));
    }
}

/// Age, size, id, sender, who submitted it, and whether it is frozen.
fn long<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> bool {
    let mut rest = line.trim_ascii();
    let Some((age_s, step_s)) = age(column(&mut rest)) else { return false };
    let mut word = column(&mut rest);
    // A message whose file vanished has no size.
    if let Some(size) = size(word) {
        entry.size_bytes = Some(size);
        word = column(&mut rest);
    }
    if !is_id(word) {
        return false;
    }
    entry.queue_id = Cow::Borrowed(word);
    entry.arrival = Arrival::Ago { age_s, step_s, birth: birth(word) };
    if let Some(inner) = rest.strip_prefix(b"<") {
        let end = angled_end(inner).unwrap_or(inner.len());
        entry.envelope_sender = Some(Cow::Borrowed(&inner[..end]));
        rest = inner.get(end + 1..).unwrap_or_default();
    }
    entry.state = if rest.ends_with(b"*** frozen ***") {
        QueueState::Frozen
    } else if rest.starts_with(b"*** spool") {
        QueueState::Corrupt
    } else {
        QueueState::Queued
    };
    true
}

/// `exiqgrep -b`: `1xVjdP-0000JF-1u From: <alice@corp.example> To: a@loop.example;b@loop.example`
fn brief<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> bool {
    let mut rest = line;
    let id = column(&mut rest);
    let Some(inner) = rest.strip_prefix(b"From: <").filter(|_| is_id(id)) else { return false };
    let end = angled_end(inner).unwrap_or(inner.len());
    entry.queue_id = Cow::Borrowed(id);
    entry.envelope_sender = Some(Cow::Borrowed(&inner[..end]));
    entry.arrival = birth(id).map_or(Arrival::Unknown, Arrival::At);
    let to = inner.get(end + 1..).unwrap_or_default().trim_ascii();
    let to = to.strip_prefix(b"To:").unwrap_or_default();
    let addresses = to.split(|c| *c == b';').map(<[u8]>::trim_ascii).filter(|address| !address.is_empty());
    let waiting = |address| Waiting { envelope_recipient: Cow::Borrowed(address), ..Waiting::default() };
    entry.recipients.extend(addresses.map(waiting));
    true
}

/// `25m`, `4h`, `3d`: the age, and the step in which it is told.
fn age(word: &[u8]) -> Option<(u64, u64)> {
    let (unit, digits) = word.split_last()?;
    let step = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 7 * 86_400,
        _ => return None,
    };
    Some((number(digits)?.checked_mul(step)?, step))
}

/// `405`, `2.1K`, `12M`: bytes, in powers of 1024.
fn size(word: &[u8]) -> Option<u64> {
    let (digits, unit) = match word.split_last()? {
        (b'K', digits) => (digits, 1 << 10),
        (b'M', digits) => (digits, 1 << 20),
        (b'G', digits) => (digits, 1 << 30),
        _ => (word, 1),
    };
    let mut parts = digits.splitn(2, |c| *c == b'.');
    let whole = number(parts.next()?)?.checked_mul(unit)?;
    let Some(fraction) = parts.next() else { return Some(whole) };
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_add(number(fraction)?.checked_mul(unit)? / scale)
}

/// `1xVjdP-0000JF-1u`, since 4.97 `1xVkAl-000000000KE-3oHG`.
fn is_id(word: &[u8]) -> bool {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
    match word.len() {
        16 => word[6] == b'-' && word[13] == b'-' && digits(&word[..6]) && digits(&word[7..13]) && digits(&word[14..]),
        23 => word[6] == b'-' && word[18] == b'-' && digits(&word[..6]) && digits(&word[7..18]) && digits(&word[19..]),
        _ => false,
    }
}

/// The second of arrival: the first six digits, base 62.
fn birth(id: &[u8]) -> Option<Micros> {
    let digit = |c: &u8| match c {
        b'0'..=b'9' => Some(i64::from(c - b'0')),
        b'A'..=b'Z' => Some(i64::from(c - b'A') + 10),
        b'a'..=b'z' => Some(i64::from(c - b'a') + 36),
        _ => None,
    };
    let seconds = id.get(..6)?.iter().try_fold(0, |value, c| Some(value * 62 + digit(c)?))?;
    Some(seconds * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages() {
        assert_eq!([&b"405"[..], b"2.1K", b"12M", b"2.9K"].map(size), [Some(405), Some(2150), Some(12 << 20), Some(2969)]);
        assert_eq!([&b""[..], b"K", b".K", b"1.", b"1.x", b"99999999999999999999G"].map(size), [None; 6]);
        assert_eq!(
            [&b"25m"[..], b"4h", b"38d", b"x", b"m"].map(age),
            [Some((1500, 60)), Some((14_400, 3600)), Some((3_283_200, 86_400)), None, None]
        );
        assert_eq!(birth(b"1xVjdP-0000JF-1u"), Some(1_795_500_247_000_000));
    }
}
