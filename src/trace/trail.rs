//! Which queue ids are still to be looked for: those that the key found, and those that their lines name.

use crate::correlate::LINGER;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Event, Line, Micros, QueueDeed, Status, Text};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What one pass over the log looks for besides the key, and the last time at which each was named.
#[derive(Default)]
pub struct Interest {
    ids: HashMap<Vec<u8>, Micros>,
    message_ids: HashMap<Vec<u8>, Micros>,
    /// Message-ids by which programs beside the server may speak of a message.
    spoken_of: HashMap<Vec<u8>, Micros>,
}

impl Interest {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.message_ids.is_empty() && self.spoken_of.is_empty()
    }

    /// All words that a line of interest holds one of, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&[u8]> {
        self.ids
            .keys()
            .chain(self.message_ids.keys())
            .chain(self.spoken_of.keys())
            .map(Vec::as_slice)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Whether the line is of one of the ids, or says whose notification one of them is, or what is thought of a message that
    /// it knows by its message-id alone.
    #[must_use]
    pub fn has(&self, event: &Event<'_>) -> bool {
        let about = match event {
            Event::Notification(e) => self.ids.contains_key(&*e.child_queue_id),
            Event::Verdict(e) => e.queue_id.is_empty() && self.spoken_of.contains_key(&*e.message_id),
            _ => false,
        };
        about || self.ids.contains_key(&*event.queue_id())
    }

    /// The id that a line without an event is of: one of its first words, as a second stamp may stand in front.
    #[must_use]
    pub fn own<'l>(&self, text: &'l [u8]) -> Option<&'l [u8]> {
        let mut words = text.split(|c| *c == b' ').take(4).map(|word| word.strip_suffix(b":").unwrap_or(word));
        words.find(|word| self.ids.contains_key(*word))
    }

    /// Whether the line is of another id and names one of these as what it goes on as, reports on, or
    /// has one of the message-ids: then its own id belongs to the chain.
    #[must_use]
    pub fn is_named_by(&self, event: &Event<'_>) -> bool {
        match event {
            Event::Delivery(e) => self.ids.contains_key(&*e.queued_as),
            Event::Accepted(e) => {
                let by_id = [e.original_queue_id, e.parent_queue_id].iter().any(|id| self.ids.contains_key(&**id));
                by_id || self.message_ids.contains_key(&*e.message_id)
            }
            Event::MessageId(e) => self.message_ids.contains_key(&*e.message_id),
            _ => false,
        }
    }
}

/// Says when a pass has seen all that it looks for: every id has ended, and what was only named would have come by now.
pub struct Ends<'i> {
    interest: &'i Interest,
    /// The ids that were seen, and when they were removed.
    removed: HashMap<&'i [u8], Option<Micros>>,
}

impl<'i> Ends<'i> {
    #[must_use]
    pub fn new(interest: &'i Interest) -> Self {
        Self { interest, removed: HashMap::new() }
    }

    pub fn see(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        let Some((id, _)) = self.interest.ids.get_key_value(&*event.queue_id()) else { return };
        let removed = if let Event::Removed(_) = event { Some(seen.record.time) } else { None };
        let known = self.removed.entry(id).or_default();
        *known = removed.or(*known);
    }

    /// Whether nothing more can come at this time of the log.
    #[must_use]
    pub fn all_seen(&self, now: Micros) -> bool {
        let over = |time: Micros| now > time.saturating_add(LINGER);
        let ended = |(id, named): (&Vec<u8>, &Micros)| {
            over(*named) && self.removed.get(id.as_slice()).is_none_or(|removed| removed.is_some_and(over))
        };
        let spoken_of = self.interest.message_ids.values().chain(self.interest.spoken_of.values());
        self.interest.ids.iter().all(ended) && spoken_of.copied().all(over)
    }
}

/// The ids and message-ids of all passes, and what of them was looked for.
#[derive(Default)]
pub struct Trail {
    next: Interest,
    done: HashSet<Vec<u8>>,
    done_message_ids: HashSet<Vec<u8>>,
    done_spoken_of: HashSet<Vec<u8>>,
    /// Ids whose message may go on, or have come, under another id with the same message-id, and when that was.
    by_message_id: HashMap<Vec<u8>, Micros>,
}

impl Trail {
    /// Looks for this id, which a line of that time names, in the next pass.
    pub fn follow(&mut self, id: &[u8], time: Micros) {
        if !id.is_empty() && !self.done.contains(id) {
            last(&mut self.next.ids, id, time);
        }
    }

    /// Takes note of what a line of the trail names: other ids, and whether its message-id may name more.
    pub fn note(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        let time = seen.record.time;
        match event {
            Event::Delivery(e) => {
                self.follow(&e.queued_as, time);
                let final_agent = e.relay.ip.is_empty() && matches!(e.relay.name.0, b"local" | b"virtual" | b"");
                if e.status == Status::Sent && is_near(e.relay.ip) && !final_agent {
                    last(&mut self.by_message_id, &e.queue_id, time);
                }
            }
            Event::Notification(e) => self.follow(&e.child_queue_id, time),
            Event::Accepted(e) => {
                self.follow(&e.original_queue_id, time);
                if e.local || is_loopback(e.client.ip) {
                    last(&mut self.by_message_id, &e.queue_id, time);
                }
            }
            Event::QueueAction(e) if e.action == QueueDeed::Requeue => last(&mut self.by_message_id, &e.queue_id, time),
            _ => {}
        }
    }

    /// The message-id of a line: programs may speak of the message by it. Whether the message may have another id is known
    /// once all lines were noted.
    pub fn note_message_id(&mut self, seen: &Seen<'_>) {
        let (id, message_id) = match &seen.line {
            Line::Event(Event::MessageId(e)) => (e.queue_id, e.message_id),
            Line::Event(Event::Accepted(e)) => (e.queue_id, e.message_id),
            _ => return,
        };
        if !message_id.is_empty() && !self.done_spoken_of.contains(&*message_id) {
            last(&mut self.next.spoken_of, &message_id, seen.record.time);
        }
        let Some(time) = self.by_message_id.get(&*id) else { return };
        if !message_id.is_empty() && !self.done_message_ids.contains(&*message_id) {
            last(&mut self.next.message_ids, &message_id, *time);
        }
    }

    /// What the next pass looks for; empty at the end of the trail.
    pub fn next_pass(&mut self) -> Interest {
        self.done.extend(self.next.ids.keys().cloned());
        self.done_message_ids.extend(self.next.message_ids.keys().cloned());
        self.done_spoken_of.extend(self.next.spoken_of.keys().cloned());
        std::mem::take(&mut self.next)
    }
}

/// Notes the later of the times.
fn last(times: &mut HashMap<Vec<u8>, Micros>, word: &[u8], time: Micros) {
    match times.get_mut(word) {
        Some(known) => *known = time.max(*known),
        None => {
            times.insert(word.to_vec(), time);
        }
    }
}

/// On this host, or not by a network at all.
fn is_near(ip: Text<'_>) -> bool {
    ip.is_empty() || is_loopback(ip)
}

fn is_loopback(ip: Text<'_>) -> bool {
    ip.strip_prefix(b"::ffff:").unwrap_or(&ip).starts_with(b"127.") || *ip == *b"::1"
}
