//! An entry of a queue listing, with pseudonyms.

use super::Anonymizer;
use mailscope_parsers::model::{QueueEntry, Waiting};
use std::borrow::Cow;

/// Names shorter than this are words of any sentence.
const SHORT: usize = 3;

impl Anonymizer {
    /// The entry with pseudonyms for its sender, its recipients, and every name in its reasons.
    #[must_use]
    pub fn entry(&self, entry: &QueueEntry<'_>) -> QueueEntry<'static> {
        let sender = entry.envelope_sender.as_deref();
        let addresses = entry.recipients.iter().map(|waiting| &*waiting.envelope_recipient).chain(sender);
        let locals = addresses.map(|address| &address[..memchr::memrchr(b'@', address).unwrap_or(address.len())]);
        let own: Vec<&[u8]> = locals.filter(|local| local.len() >= SHORT).collect();
        let made = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut to = Vec::new();
            write(&mut to);
            Cow::Owned(to)
        };
        let waiting = |waiting: &Waiting<'_>| Waiting {
            envelope_recipient: made(&|to| self.address(&waiting.envelope_recipient, to)),
            diagnostic: made(&|to| self.text(&waiting.diagnostic, &own, to)),
        };
        QueueEntry {
            queue_id: Cow::Owned(entry.queue_id.to_vec()),
            state: entry.state,
            arrival: entry.arrival,
            size_bytes: entry.size_bytes,
            envelope_sender: sender.map(|sender| made(&|to| self.address(sender, to))),
            recipients: entry.recipients.iter().map(waiting).collect(),
            expires: entry.expires,
            next_attempt_s: entry.next_attempt_s,
        }
    }
}
