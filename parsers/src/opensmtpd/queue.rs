//! OpenSMTPD's queue: `smtpctl show queue`, which its mailq prints too. One line an envelope, that is, a recipient.
//!
//! ```text
//! 026d15223be4a98a|inet4|mta||alice@corp.example|a@grey.example|a@grey.example|1795502863|1795502863|0|1|pending|381|450 4.2.0 ...
//! ```
//!
//! The columns: envelope id (the first half is the message's), how it came, how it goes, flags, sender, recipient as given
//! and after expansion, arrival, expiry, last attempt, number of attempts, state, seconds (until the next attempt of a
//! pending one, since the last attempt of one in flight), and the last error.

use crate::Listing;
use crate::model::{Arrival, Found, QueueEntry, QueueState, Waiting};
use crate::scan::listing::lines;
use crate::scan::{contains, number};
use memchr::memchr;
use std::borrow::Cow;

pub const LISTING: Listing = Listing {
    name: "smtpctl show queue",
    mta: "opensmtpd",
    starts: |line| line.get(16) == Some(&b'|') && envelope(line, &mut QueueEntry::default()).is_some(),
    belongs: |line| line.get(16) == Some(&b'|') && envelope(line, &mut QueueEntry::default()).is_some(),
    parse,
};

fn parse<'a>(text: &'a [u8], found: &mut dyn FnMut(Found<'_, 'a>)) {
    let mut entry = QueueEntry::default();
    for line in lines(text).filter(|line| !line.trim_ascii().is_empty()) {
        entry.clear();
        match envelope(line, &mut entry) {
            Some(()) => found(Found::Entry(&entry)),
            None => found(Found::Unrecognized(line)),
        }
    }
}

fn envelope<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> Option<()> {
    let mut rest = line;
    let id = field(&mut rest)?;
    if id.len() != 16 || !id.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let (_, _, flags) = (field(&mut rest)?, field(&mut rest)?, field(&mut rest)?);
    let sender = address(&mut rest)?;
    let (_, recipient) = (address(&mut rest)?, address(&mut rest)?);
    let arrival = number(field(&mut rest)?)?;
    let expiry = number(field(&mut rest)?)?;
    let (_, _) = (number(field(&mut rest)?)?, number(field(&mut rest)?)?);
    let state = field(&mut rest)?;
    let seconds = field(&mut rest).and_then(number);
    let error = rest;
    entry.queue_id = Cow::Borrowed(id);
    entry.envelope_sender = Some(Cow::Borrowed(if sender == b"@" { b"" } else { sender }));
    entry.arrival = Arrival::At(micros(arrival)?);
    // Where the configured lifetime holds, no expiry of its own is written.
    entry.expires = if expiry > arrival { micros(expiry) } else { None };
    entry.state = match state {
        _ if contains(flags, b"suspend") => QueueState::Hold,
        b"inflight" => QueueState::Active,
        _ if error.is_empty() => QueueState::Queued,
        _ => QueueState::Deferred,
    };
    entry.next_attempt_s = seconds.filter(|_| state == b"pending");
    entry.recipients.push(Waiting { envelope_recipient: Cow::Borrowed(recipient), diagnostic: Cow::Borrowed(error) });
    Some(())
}

fn micros(seconds: u64) -> Option<i64> {
    i64::try_from(seconds).ok()?.checked_mul(1_000_000)
}

/// Takes a column and the bar behind it.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr(b'|', rest)?;
    let field = &rest[..end];
    *rest = &rest[end + 1..];
    Some(field)
}

/// Takes an address and the bar behind it: a local part may hold bars, what follows the `@` does not.
fn address<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let at = memchr(b'@', rest)?;
    let end = at + memchr(b'|', &rest[at..])?;
    let address = &rest[..end];
    *rest = &rest[end + 1..];
    Some(address)
}
