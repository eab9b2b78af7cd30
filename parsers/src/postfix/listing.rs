//! Postfix's queue: `postqueue -j` (postqueue(1), JSON object format) and `postqueue -p`, which mailq(1) prints too.
//!
//! A listing goes in, its entries come out in its order. Fields of JSON are found by name, and unknown ones skipped: 3.1
//! wrote no `forced_expire`, and a later version may write more.

use crate::Listing;
use crate::model::{Arrival, Found, QueueEntry, QueueState, Waiting};
use crate::scan::json::Json;
use crate::scan::listing::{column, date, lines, sender};
use crate::scan::number;
use std::borrow::Cow;

/// `{"queue_name": "deferred", "queue_id": "4F9D195432C", "arrival_time": 1795501985, "message_size": 419, ...}`
pub const JSON: Listing = Listing {
    name: "postqueue -j",
    mta: "postfix",
    starts: |line| line.trim_ascii_start().starts_with(b"{"),
    belongs: |line| line.trim_ascii_start().starts_with(b"{\"queue_name\"") || object(line, &mut QueueEntry::default()).is_some(),
    parse: parse_json,
};

/// `4F9D195432C*     419 Tue Nov 24 06:33:05  alice@corp.example`
pub const TEXT: Listing = Listing {
    name: "postqueue -p",
    mta: "postfix",
    starts: |line| head(line, &mut QueueEntry::default()).is_some(),
    belongs: |line| head(line, &mut QueueEntry::default()).is_some() || is_frame(line),
    parse: parse_text,
};

fn parse_json<'a>(text: &'a [u8], found: &mut dyn FnMut(Found<'_, 'a>)) {
    let mut entry = QueueEntry::default();
    for line in lines(text).filter(|line| !line.trim_ascii().is_empty()) {
        entry.clear();
        match object(line, &mut entry) {
            Some(()) => found(Found::Entry(&entry)),
            None => found(Found::Unrecognized(line)),
        }
    }
}

/// One message; without an id it is none.
fn object<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> Option<()> {
    let mut json = Json { rest: line };
    json.object(|name, value| {
        match name {
            b"queue_name" => entry.state = state(&value.string()?),
            b"queue_id" => entry.queue_id = value.string()?,
            b"arrival_time" => entry.arrival = arrival(value.integer()?),
            b"message_size" => entry.size_bytes = Some(value.integer()?),
            b"sender" => entry.envelope_sender = Some(known_sender(value.string()?)),
            b"recipients" => value.array(|value| {
                entry.recipients.push(recipient(value)?);
                Some(())
            })?,
            _ => value.skip()?,
        }
        Some(())
    })?;
    (!entry.queue_id.is_empty()).then_some(())
}

fn arrival(seconds: u64) -> Arrival {
    i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000)).map_or(Arrival::Unknown, Arrival::At)
}

fn known_sender(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if sender(&text).is_empty() { Cow::Borrowed(b"") } else { text }
}

fn recipient<'a>(value: &mut Json<'a>) -> Option<Waiting<'a>> {
    let mut waiting = Waiting::default();
    value.object(|name, value| {
        match name {
            b"address" => waiting.envelope_recipient = value.string()?,
            b"delay_reason" => waiting.diagnostic = value.string()?,
            _ => value.skip()?,
        }
        Some(())
    })?;
    Some(waiting)
}

fn state(queue_name: &[u8]) -> QueueState {
    match queue_name {
        b"incoming" => QueueState::Incoming,
        b"active" => QueueState::Active,
        b"deferred" => QueueState::Deferred,
        b"hold" => QueueState::Hold,
        b"maildrop" => QueueState::Maildrop,
        b"corrupt" => QueueState::Corrupt,
        _ => QueueState::Other,
    }
}

fn parse_text<'a>(text: &'a [u8], found: &mut dyn FnMut(Found<'_, 'a>)) {
    let (mut current, mut next) = (QueueEntry::default(), QueueEntry::default());
    // A reason stands above all recipients that have it.
    let mut reason: &[u8] = b"";
    for line in lines(text) {
        let inner = line.trim_ascii();
        if inner.is_empty() {
            continue;
        }
        next.clear();
        if head(line, &mut next).is_some() {
            if !current.queue_id.is_empty() {
                found(Found::Entry(&current));
            }
            std::mem::swap(&mut current, &mut next);
            reason = b"";
        } else if let Some(words) = inner.strip_prefix(b"(").filter(|_| !current.queue_id.is_empty()) {
            reason = words.strip_suffix(b")").unwrap_or(words);
        } else if line.starts_with(b" ") && !current.queue_id.is_empty() {
            let recipient = Waiting { envelope_recipient: Cow::Borrowed(inner), diagnostic: Cow::Borrowed(reason) };
            current.recipients.push(recipient);
        } else if !is_frame(line) {
            found(Found::Unrecognized(line));
        }
    }
    if !current.queue_id.is_empty() {
        found(Found::Entry(&current));
    }
}

/// Id with its mark, size, time, sender. `*` is active, `!` on hold, `#` forced to expire.
fn head<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> Option<()> {
    let mut rest = line;
    let word = column(&mut rest);
    let end = word.iter().position(|c| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
    let (id, marks) = word.split_at(end);
    if id.len() < 5 || !marks.iter().all(|c| matches!(c, b'*' | b'!' | b'#')) {
        return None;
    }
    entry.size_bytes = Some(number(column(&mut rest))?);
    entry.arrival = date(&mut rest, true)?;
    entry.queue_id = Cow::Borrowed(id);
    entry.envelope_sender = Some(Cow::Borrowed(sender(rest)));
    entry.state = match marks.first() {
        Some(b'*') => QueueState::Active,
        Some(b'!') => QueueState::Hold,
        _ => QueueState::Deferred,
    };
    Some(())
}

/// The head, the foot, and what is printed for an empty queue.
fn is_frame(line: &[u8]) -> bool {
    line.starts_with(b"-Queue ID-") || line.starts_with(b"-- ") && line.ends_with(b".") || line == b"Mail queue is empty"
}
