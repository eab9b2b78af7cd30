//! Sendmail's queue: `mailq`, with `-v` too, of one or several queue groups, with quarantined messages (`-qQ`).
//!
//! ```text
//! 6AO6Ugvb001438-      23 Tue Nov 24 06:30 <rm@corp.example>
//!                  (Deferred: 451 4.3.0 <tempfail-rm@isp.example>: Temporary loo)
//!                      <tempfail-rm@isp.example>
//! ```
//!
//! A reason above the recipients is the message's and holds for all that have none of their own; with `-v` each may be
//! followed by its own. The marks behind the id: `*` is being worked on, `-` too young for another attempt, `X` waits for
//! the load to fall.

use crate::Listing;
use crate::model::{Found, QueueEntry, QueueState, Waiting};
use crate::scan::listing::{column, date, lines, sender};
use crate::scan::{contains, number};
use std::borrow::Cow;

pub const LISTING: Listing = Listing {
    name: "sendmail mailq",
    mta: "sendmail",
    starts: |line| entry(line, &mut QueueEntry::default()).is_some(),
    belongs: |line| entry(line, &mut QueueEntry::default()).is_some() || is_frame(line),
    parse,
};

/// What an entry is put together from, line by line.
#[derive(Default)]
struct Open<'a> {
    entry: QueueEntry<'a>,
    reason: &'a [u8],
}

fn parse<'a>(text: &'a [u8], found: &mut dyn FnMut(Found<'_, 'a>)) {
    let mut open = Open::default();
    let mut next = QueueEntry::default();
    for line in lines(text) {
        next.clear();
        if entry(line, &mut next).is_some() {
            open.close(found);
            std::mem::swap(&mut open.entry, &mut next);
            open.reason = b"";
        } else if is_frame(line) {
            open.close(found);
        } else if open.entry.queue_id.is_empty() || !line.starts_with(b" ") && !line.starts_with(b"\t") {
            if !line.trim_ascii().is_empty() && !ends_work(line) {
                found(Found::Unrecognized(line));
            }
        } else {
            open.more(line.trim_ascii());
        }
    }
    open.close(found);
}

impl<'a> Open<'a> {
    /// A line below the first one.
    fn more(&mut self, inner: &'a [u8]) {
        // The body's type stands in a column of its own, in front of the reason.
        let inner = inner.strip_prefix(b"8BITMIME").or_else(|| inner.strip_prefix(b"7BIT")).unwrap_or(inner).trim_ascii_start();
        if inner.is_empty() || inner.starts_with(b"(---") {
            // Nothing, or the user who controls an alias.
        } else if let Some(words) = inner.strip_prefix(b"QUARANTINE: ") {
            self.entry.state = QueueState::Quarantined;
            self.reason = words;
        } else if let Some(words) = inner.strip_prefix(b"(") {
            let words = words.strip_suffix(b")").unwrap_or(words);
            let reason = words.strip_prefix(b"Deferred: ").unwrap_or(words);
            match self.entry.recipients.last_mut() {
                Some(recipient) => recipient.diagnostic = Cow::Borrowed(reason),
                // That it is quarantined is why it waits, whatever came before.
                None if self.entry.state == QueueState::Quarantined => {}
                None => self.reason = reason,
            }
            if self.entry.state == QueueState::Queued {
                self.entry.state = QueueState::Deferred;
            }
        } else {
            let address = inner.strip_prefix(b"<").map_or(inner, |inner| inner.strip_suffix(b">").unwrap_or(inner));
            self.entry.recipients.push(Waiting { envelope_recipient: Cow::Borrowed(address), ..Waiting::default() });
        }
    }

    fn close(&mut self, found: &mut dyn FnMut(Found<'_, 'a>)) {
        if self.entry.queue_id.is_empty() {
            return;
        }
        for recipient in self.entry.recipients.iter_mut().filter(|recipient| recipient.diagnostic.is_empty()) {
            recipient.diagnostic = Cow::Borrowed(self.reason);
        }
        found(Found::Entry(&self.entry));
        self.entry.clear();
        self.reason = b"";
    }
}

/// Id and mark, size, with `-v` the priority, time, sender.
fn entry<'a>(line: &'a [u8], entry: &mut QueueEntry<'a>) -> Option<()> {
    let mut rest = line;
    let word = column(&mut rest);
    let (id, mark) = split_id(word)?;
    entry.queue_id = Cow::Borrowed(id);
    if rest == b"(no control file)" || rest == b"(permission denied)" {
        entry.state = QueueState::Corrupt;
        return Some(());
    }
    entry.size_bytes = Some(number(column(&mut rest))?);
    entry.arrival = match date(&mut rest, false) {
        Some(arrival) => arrival,
        None => {
            // With -v the priority comes first; where a warning was sent, + takes the place of the blank behind it.
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
            let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
            number(&rest[..digits])?;
            rest = &rest[digits..];
            rest = rest.strip_prefix(b"+").unwrap_or(rest).trim_ascii_start();
            date(&mut rest, false)?
        }
    };
    entry.state = if mark == Some(b'*') { QueueState::Active } else { QueueState::Queued };
    entry.envelope_sender = Some(Cow::Borrowed(sender(rest)));
    Some(())
}

/// Fourteen letters and digits since 8.10, eight or more before; one mark behind them.
fn split_id(word: &[u8]) -> Option<(&[u8], Option<u8>)> {
    let end = word.iter().position(|c| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
    let (id, marks) = word.split_at(end);
    let is_mark = matches!(marks, [] | [b'*' | b'X' | b'-' | b'?']);
    // `MSP` and other words of the frame are shorter, or followed by no size.
    (is_mark && (8..=24).contains(&id.len()) && id.iter().any(u8::is_ascii_digit)).then_some((id, marks.first().copied()))
}

/// Headings and sums: nothing that waits.
fn is_frame(line: &[u8]) -> bool {
    let inner = line.trim_ascii();
    inner.starts_with(b"-----Q-ID-----")
        || inner.starts_with(b"Total requests:")
        || inner.ends_with(b" Queue status...")
        || inner.starts_with(b"/") && (inner.ends_with(b" is empty") || contains(inner, b" request") && inner.ends_with(b")"))
}

/// A message that went while the listing was made: `6AO6UhAl001450*     (job completed)`.
fn ends_work(line: &[u8]) -> bool {
    let mut rest = line;
    split_id(column(&mut rest)).is_some() && rest == b"(job completed)"
}
