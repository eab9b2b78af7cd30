//! Which queue ids are still to be looked for: those that the key found, and those that their lines name.

use crate::correlate::LINGER;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Event, Line, Micros, QueueDeed, Status, Text};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What lines say that send a message through the queue again.
const REQUEUED: &[u8] = b"requeued";

/// What one pass over the log looks for besides the key, and when each was named.
#[derive(Default)]
pub struct Interest {
    ids: HashMap<Vec<u8>, Times>,
    message_ids: HashMap<Vec<u8>, Times>,
    /// Message-ids by which programs beside the server may speak of a message.
    spoken_of: HashMap<Vec<u8>, Times>,
    /// Ids that have one of the message-ids, and what they must have in common with it besides: a recipient.
    alike: HashSet<Vec<u8>>,
    recipients: BTreeSet<Vec<u8>>,
}

/// When something was named for the first and for the last time, or from when and until when something else may have been.
#[derive(Clone, Copy)]
struct Times {
    first: Micros,
    last: Micros,
    /// Whether it went through the queue again: then it may have no recipient yet.
    again: bool,
}

impl Times {
    /// Whether what belongs to it may be of that time.
    fn reach(&self, time: Micros) -> bool {
        time >= self.first.saturating_sub(LINGER) && time <= self.last.saturating_add(LINGER)
    }

    fn holds(&self, other: &Self) -> bool {
        self.first <= other.first && self.last >= other.last && self.again >= other.again
    }
}

/// How a line of another id is part of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// By an id: it belongs to the chain.
    Surely,
    /// By a message-id, which others may have, too.
    Perhaps,
}

impl Interest {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.message_ids.is_empty() && self.spoken_of.is_empty() && self.alike.is_empty()
    }

    /// All words that a line of interest holds one of, in order.
    #[must_use]
    pub fn words(&self) -> Vec<&[u8]> {
        self.ids
            .keys()
            .chain(self.message_ids.keys())
            .chain(self.spoken_of.keys())
            .chain(&self.recipients)
            .map(Vec::as_slice)
            .chain((!self.alike.is_empty()).then_some(REQUEUED))
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

    /// Whether the line is of another id and names one of these as what it goes on as or reports on, has one of the message-ids, or,
    /// where its id is known to have one, a recipient: then its own id belongs to the chain, or may.
    #[must_use]
    pub fn named_by(&self, event: &Event<'_>, time: Micros) -> Option<Named> {
        let is_known = |id: Text<'_>| self.ids.contains_key(&*id);
        let perhaps = |message_id: Text<'_>| {
            let times = self.message_ids.get(&*message_id).filter(|times| times.reach(time))?;
            Some(if times.again { Named::Surely } else { Named::Perhaps })
        };
        match event {
            Event::Delivery(e) => {
                let same = |recipient: Text<'_>| !recipient.is_empty() && self.recipients.contains(&lower_domain(&recipient));
                let alike = || self.alike.contains(&*e.queue_id) && (same(e.envelope_recipient) || same(e.original_recipient));
                (is_known(e.queued_as) || alike()).then_some(Named::Surely)
            }
            // It may have no recipient yet.
            Event::QueueAction(e) if e.action == QueueDeed::Requeue => self.alike.contains(&*e.queue_id).then_some(Named::Surely),
            Event::Accepted(e) if is_known(e.original_queue_id) || is_known(e.parent_queue_id) => Some(Named::Surely),
            Event::Accepted(e) => perhaps(e.message_id),
            Event::MessageId(e) => perhaps(e.message_id),
            _ => None,
        }
    }
}

/// An address as it is compared.
fn lower_domain(address: &[u8]) -> Vec<u8> {
    let mut address = address.to_vec();
    let at = address.iter().rposition(|c| *c == b'@').unwrap_or(address.len());
    address[at..].make_ascii_lowercase();
    address
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
        let ended = |(id, named): (&Vec<u8>, &Times)| {
            over(named.last) && self.removed.get(id.as_slice()).is_none_or(|removed| removed.is_some_and(over))
        };
        let spoken_of = self.interest.message_ids.values().chain(self.interest.spoken_of.values());
        // Those who are alike may have that recipient at any time.
        self.interest.alike.is_empty() && self.interest.ids.iter().all(ended) && spoken_of.map(|times| times.last).all(over)
    }
}

/// The ids and message-ids of all passes, and what of them was looked for.
#[derive(Default)]
pub struct Trail {
    next: Interest,
    done: HashSet<Vec<u8>>,
    done_message_ids: HashMap<Vec<u8>, Times>,
    done_spoken_of: HashSet<Vec<u8>>,
    /// Ids whose message may go on, or have come, under another id with the same message-id, and when that was.
    by_message_id: HashMap<Vec<u8>, Times>,
    /// Other ids with that message-id; those of them that have one of these recipients belong to the trail.
    alike: HashSet<Vec<u8>>,
    recipients: BTreeSet<Vec<u8>>,
    /// Whether there are some of either that were not looked for.
    more_alike: bool,
}

impl Trail {
    /// Looks for this id, which a line of that time names, in the next pass.
    pub fn follow(&mut self, id: &[u8], time: Micros) {
        if !id.is_empty() && !self.done.contains(id) {
            note_time(&mut self.next.ids, id, time);
        }
    }

    /// Takes note of an id that has a message-id in common with the trail.
    pub fn resemble(&mut self, id: &[u8]) {
        if !id.is_empty() && !self.done.contains(id) {
            self.more_alike |= self.alike.insert(id.to_vec());
        }
    }

    /// Takes note of what a line of the trail names: other ids, and whether its message-id may name more.
    pub fn note(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        let time = seen.record.time;
        match event {
            Event::Delivery(e) => {
                self.follow(&e.queued_as, time);
                let recipients = [e.envelope_recipient, e.original_recipient].into_iter().filter(|recipient| !recipient.is_empty());
                for recipient in recipients.flat_map(|recipient| [recipient.to_vec(), lower_domain(&recipient)]) {
                    self.more_alike |= self.recipients.insert(recipient);
                }
                let final_agent = e.relay.ip.is_empty() && matches!(e.relay.name.0, b"local" | b"virtual" | b"");
                if e.status == Status::Sent && is_near(e.relay.ip) && !final_agent {
                    note_time(&mut self.by_message_id, &e.queue_id, time);
                }
            }
            Event::Notification(e) => self.follow(&e.child_queue_id, time),
            Event::Accepted(e) => {
                self.follow(&e.original_queue_id, time);
                if e.local || is_loopback(e.client.ip) {
                    // What it continues may have waited for days.
                    note_times(&mut self.by_message_id, &e.queue_id, Times { first: Micros::MIN, last: time, again: false });
                }
            }
            Event::QueueAction(e) if e.action == QueueDeed::Requeue => {
                note_times(&mut self.by_message_id, &e.queue_id, Times { first: time, last: time, again: true });
            }
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
            note_time(&mut self.next.spoken_of, &message_id, seen.record.time);
        }
        let Some(times) = self.by_message_id.get(&*id) else { return };
        let is_done = self.done_message_ids.get(&*message_id).is_some_and(|done| done.holds(times));
        if !message_id.is_empty() && !is_done {
            note_times(&mut self.next.message_ids, &message_id, *times);
        }
    }

    /// What the next pass looks for; empty at the end of the trail.
    pub fn next_pass(&mut self) -> Interest {
        let Self { next, done, done_message_ids, done_spoken_of, alike, recipients, more_alike, .. } = self;
        done.extend(next.ids.keys().cloned());
        next.message_ids.iter().for_each(|(message_id, times)| note_times(done_message_ids, message_id, *times));
        done_spoken_of.extend(next.spoken_of.keys().cloned());
        let mut next = std::mem::take(next);
        alike.retain(|id| !done.contains(id));
        if std::mem::take(more_alike) && !alike.is_empty() {
            (next.alike, next.recipients) = (alike.clone(), recipients.clone());
        }
        next
    }
}

/// Notes a time.
fn note_time(all: &mut HashMap<Vec<u8>, Times>, word: &[u8], time: Micros) {
    note_times(all, word, Times { first: time, last: time, again: false });
}

fn note_times(all: &mut HashMap<Vec<u8>, Times>, word: &[u8], times: Times) {
    match all.get_mut(word) {
        Some(known) => {
            let Times { first, last, again } = times;
            *known = Times { first: first.min(known.first), last: last.max(known.last), again: again || known.again };
        }
        None => {
            all.insert(word.to_vec(), times);
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
