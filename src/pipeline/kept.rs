//! The lines of a chunk that the correlation needs, until it is their turn.
//!
//! Most of them are small and some are large: the large ones stand apart, so that what waits stays in the cache.

use super::{Reader, Seen};
use crate::correlate::{Fact, Step, instance};
use mailscope_parsers::model::{
    Accepted, Class, ContentVerdict, Delivery, Event, Line, MessageId, Micros, Notification, QueueAction, Queued, Reject, Removed, Text,
};
use std::ops::Range;
use std::slice;

#[derive(Clone, Copy)]
enum Small<'a> {
    MessageId(MessageId<'a>),
    Queued(Queued<'a>),
    Removed(Removed<'a>),
    Notification(Notification<'a>),
    QueueAction(QueueAction<'a>),
    /// The next of `accepted`, `deliveries`, `rejects`, `verdicts`.
    Accepted,
    Delivery,
    Reject,
    Verdict,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    time: Micros,
    host: u32,
    instance: u32,
    count: u32,
    what: Small<'a>,
}

/// Lines of one chunk, in order.
#[derive(Default)]
pub struct Kept<'a> {
    entries: Vec<Entry<'a>>,
    accepted: Vec<Accepted<'a>>,
    deliveries: Vec<Delivery<'a>>,
    rejects: Vec<Reject<'a>>,
    verdicts: Vec<ContentVerdict<'a>>,
    /// Whether anybody asks what was thought of a message.
    with_verdicts: bool,
    hosts: Vec<Text<'a>>,
    /// The instance of the last program, and its name's beginning where that tells it whole: `postfix/`, `exim`.
    instance: (Option<u64>, u32),
}

impl<'a> Kept<'a> {
    /// What is thought of the messages is wanted, too.
    #[must_use]
    pub fn with_verdicts() -> Self {
        Self { with_verdicts: true, ..Self::default() }
    }

    /// Keeps the line, if it says anything of a queue file.
    #[inline(always)]
    pub fn push(&mut self, seen: &Seen<'a>) {
        let Line::Event(event) = &seen.line else { return };
        // Without an id nothing that comes later can be told to be of it (formats that are data). A delivery is news all the same.
        let what = match event {
            Event::MessageId(event) if !event.queue_id.is_empty() => Small::MessageId(*event),
            Event::Queued(event) if !event.queue_id.is_empty() => Small::Queued(*event),
            Event::Removed(event) if !event.queue_id.is_empty() => Small::Removed(*event),
            Event::Notification(event) => Small::Notification(*event),
            Event::QueueAction(event) if !event.queue_id.is_empty() => Small::QueueAction(*event),
            Event::Accepted(event) if !event.queue_id.is_empty() => {
                put(&mut self.accepted, event);
                Small::Accepted
            }
            Event::Delivery(event) if event.recipients.absent() => {
                put(&mut self.deliveries, event);
                Small::Delivery
            }
            Event::Delivery(event) => return self.push_each(seen, event),
            Event::Reject(event) if !event.queue_id.is_empty() => {
                put(&mut self.rejects, event);
                Small::Reject
            }
            Event::Verdict(event) if self.with_verdicts => {
                put(&mut self.verdicts, event);
                Small::Verdict
            }
            _ => return,
        };
        let (host, instance) = (self.host(seen.record.host), self.instance(&seen.record.program));
        self.entries.push(Entry { time: seen.record.time, host, instance, count: seen.count, what });
    }

    /// Keeps a delivery line of several recipients as one of each.
    #[cold]
    fn push_each(&mut self, seen: &Seen<'a>, event: &Delivery<'a>) {
        let (host, instance) = (self.host(seen.record.host), self.instance(&seen.record.program));
        for one in event.each() {
            self.deliveries.push(one);
            self.entries.push(Entry { time: seen.record.time, host, instance, count: seen.count, what: Small::Delivery });
        }
    }

    /// How many deliveries are kept.
    #[must_use]
    pub fn deliveries(&self) -> usize {
        self.deliveries.len()
    }

    /// Why these deliveries failed, said after they were kept.
    pub fn class(&mut self, deliveries: Range<usize>, class: Option<Class>) {
        self.deliveries[deliveries].iter_mut().for_each(|delivery| delivery.class = class);
    }

    /// Asks why each delivery failed, where that was left open.
    pub fn class_all(&mut self, reader: &Reader) {
        let failed = |(at, delivery): (usize, &Delivery<'a>)| Some((at, reader.left_open_of(delivery)?));
        let (places, failures): (Vec<usize>, Vec<_>) = self.deliveries.iter().enumerate().filter_map(failed).unzip();
        reader.class_all(&failures, |n, told| told.put_delivery(&mut self.deliveries[places[n]]));
    }

    #[inline(always)]
    fn instance(&mut self, program: &[u8]) -> u32 {
        // A short name ends with a byte that no name has.
        let short = || program.iter().rev().fold(0xFF, |head, c| head << 8 | u64::from(*c));
        let head = program.first_chunk().map_or_else(short, |head| u64::from_le_bytes(*head));
        if self.instance.0 != Some(head) {
            let is_whole = program.iter().take(8).any(|c| *c == b'/') || program.len() < 8;
            self.instance = (is_whole.then_some(head), instance(program));
        }
        self.instance.1
    }

    /// The number of a host; lines of one host come in runs.
    #[inline(always)]
    fn host(&mut self, name: Text<'a>) -> u32 {
        if self.hosts.last() != Some(&name) {
            self.hosts.push(name);
        }
        (self.hosts.len() - 1) as u32
    }

    /// Gives each line to the correlation.
    pub fn for_each(&self, mut step: impl FnMut(&Step<'_, 'a>)) {
        let (mut accepted, mut deliveries, mut rejects) = (self.accepted.iter(), self.deliveries.iter(), self.rejects.iter());
        let mut verdicts = self.verdicts.iter();
        for entry in &self.entries {
            let fact = match &entry.what {
                Small::MessageId(event) => Some(Fact::MessageId(event)),
                Small::Queued(event) => Some(Fact::Queued(event)),
                Small::Removed(event) => Some(Fact::Removed(event)),
                Small::Notification(event) => Some(Fact::Notification(event)),
                Small::QueueAction(event) => Some(Fact::QueueAction(event)),
                Small::Accepted => accepted.next().map(Fact::Accepted),
                Small::Delivery => deliveries.next().map(Fact::Delivery),
                Small::Reject => rejects.next().map(Fact::Reject),
                Small::Verdict => verdicts.next().map(Fact::Verdict),
            };
            if let Some(fact) = fact {
                let host = self.hosts[entry.host as usize];
                step(&Step { time: entry.time, host, instance: entry.instance, count: entry.count, fact });
            }
        }
    }

    /// The memory, for other lines.
    #[must_use]
    pub fn recycled<'b>(self) -> Kept<'b> {
        Kept {
            entries: recycled(self.entries),
            accepted: recycled(self.accepted),
            deliveries: recycled(self.deliveries),
            rejects: recycled(self.rejects),
            verdicts: recycled(self.verdicts),
            with_verdicts: self.with_verdicts,
            hosts: recycled(self.hosts),
            instance: self.instance,
        }
    }
}

/// Puts one behind the others: as a slice it is copied once, and to push it would copy it twice.
#[inline(always)]
fn put<T: Copy>(list: &mut Vec<T>, one: &T) {
    list.extend_from_slice(slice::from_ref(one));
}

/// An empty list in the memory of one whose items borrowed from something else.
fn recycled<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    // Nothing is left to map; the allocation goes over.
    list.into_iter().map(|_| unreachable!("the list is empty")).collect()
}
