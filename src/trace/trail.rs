//! Which queue ids are still to be looked for: those that the key found, and those that their lines name.

use crate::pipeline::Seen;
use mailscope_parsers::model::{Event, Line, QueueDeed, Status, Text};
use std::collections::{BTreeSet, HashSet};

/// What one pass over the log looks for besides the key.
#[derive(Default)]
pub struct Interest {
    pub ids: HashSet<Vec<u8>>,
    pub message_ids: HashSet<Vec<u8>>,
}

impl Interest {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.message_ids.is_empty()
    }

    /// All words that a line of interest holds one of, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&[u8]> {
        self.ids.union(&self.message_ids).map(Vec::as_slice).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether the line is of one of the ids.
    #[must_use]
    pub fn has(&self, event: &Event<'_>) -> bool {
        self.ids.contains(&*event.queue_id())
    }

    /// Whether the line is of another id and names one of these as what it goes on as, or has one of the message-ids: then
    /// its own id belongs to the chain.
    #[must_use]
    pub fn is_named_by(&self, event: &Event<'_>) -> bool {
        match event {
            Event::Delivery(e) => self.ids.contains(&*e.queued_as),
            Event::Accepted(e) => self.ids.contains(&*e.original_queue_id),
            Event::MessageId(e) => self.message_ids.contains(&*e.message_id),
            _ => false,
        }
    }
}

/// The ids and message-ids of all passes, and what of them was looked for.
#[derive(Default)]
pub struct Trail {
    next: Interest,
    done: Interest,
    /// Ids whose message may go on, or have come, under another id with the same message-id.
    by_message_id: HashSet<Vec<u8>>,
    /// Whether the log is of several hosts: then a message handed to another server may go on in it.
    pub hosts: bool,
}

impl Trail {
    /// Looks for this id in the next pass.
    pub fn follow(&mut self, id: &[u8]) {
        if !id.is_empty() && !self.done.ids.contains(id) {
            self.next.ids.insert(id.to_vec());
        }
    }

    /// Takes note of what a line of the trail names: other ids, and its message-id.
    pub fn note(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        match event {
            Event::Delivery(e) => {
                let near = is_near(e.relay.ip);
                let goes_on = near || self.hosts || !matches!(e.relay.port, 0 | 25);
                if goes_on {
                    self.follow(&e.queued_as);
                }
                let final_agent = e.relay.ip.is_empty() && matches!(e.relay.name.0, b"local" | b"virtual" | b"");
                if e.status == Status::Sent && near && !final_agent {
                    self.by_message_id.insert(e.queue_id.to_vec());
                }
            }
            Event::Notification(e) => self.follow(&e.child_queue_id),
            Event::Accepted(e) => {
                self.follow(&e.original_queue_id);
                if e.local || is_loopback(e.client.ip) {
                    self.by_message_id.insert(e.queue_id.to_vec());
                }
            }
            Event::QueueAction(e) if e.action == QueueDeed::Requeue => {
                self.by_message_id.insert(e.queue_id.to_vec());
            }
            _ => {}
        }
    }

    /// The message-id of a line whose message may have another id: noted once it is known which do.
    pub fn note_message_id(&mut self, seen: &Seen<'_>) {
        if let Line::Event(Event::MessageId(e)) = &seen.line
            && !e.message_id.is_empty()
            && self.by_message_id.contains(&*e.queue_id)
            && !self.done.message_ids.contains(&*e.message_id)
        {
            self.next.message_ids.insert(e.message_id.to_vec());
        }
    }

    /// What the next pass looks for; empty at the end of the trail.
    pub fn next_pass(&mut self) -> Interest {
        self.done.ids.extend(self.next.ids.iter().cloned());
        self.done.message_ids.extend(self.next.message_ids.iter().cloned());
        std::mem::take(&mut self.next)
    }
}

/// On this host, or not by a network at all.
fn is_near(ip: Text<'_>) -> bool {
    ip.is_empty() || is_loopback(ip)
}

fn is_loopback(ip: Text<'_>) -> bool {
    ip.strip_prefix(b"::ffff:").unwrap_or(&ip).starts_with(b"127.") || *ip == *b"::1"
}
