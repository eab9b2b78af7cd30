//! What alerts are judged by: counts of the last hour, of all and by key, in buckets of a minute by the time of the log.
//! Only the keys that a rule asks for are counted.

use super::rule::{By, Measure};
use crate::aggregate::{Table, provider};
use crate::live::{Counts, Sliding};
use crate::pipeline::Seen;
use hashbrown::HashMap;
use mailscope_parsers::model::{AuthFailure, Class, Delivery, Event, Micros, Reject, domain_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

const MINUTE: Micros = 60_000_000;
const MINUTES: i64 = 60;
/// Keys of one minute before the light ones go.
const MANY: usize = 500;
/// Messages whose senders are known: two generations of so many.
const MESSAGES: usize = 20_000;

/// Counts by key.
#[derive(Default, Serialize, Deserialize)]
struct Keyed {
    /// By minute, the newest last.
    minutes: VecDeque<(i64, Table<Counts>)>,
}

impl Keyed {
    fn row(&mut self, time: Micros, key: &[u8]) -> Option<&mut Counts> {
        let minute = time.div_euclid(MINUTE);
        if self.minutes.back().is_none_or(|(newest, _)| *newest < minute) {
            self.minutes.push_back((minute, Table::new(MANY)));
            while self.minutes.front().is_some_and(|(eldest, _)| *eldest <= minute - MINUTES) {
                self.minutes.pop_front();
            }
        }
        let (_, table) = self.minutes.iter_mut().rev().find(|(other, _)| *other == minute)?;
        Some(table.row(key))
    }

    /// The sums of the last so many seconds.
    fn last(&self, now: Micros, seconds: i64) -> HashMap<&[u8], Counts> {
        let since = (now - seconds * 1_000_000).div_euclid(MINUTE);
        let mut sums: HashMap<&[u8], Counts> = HashMap::with_capacity(MANY);
        for (_, table) in self.minutes.iter().filter(|(minute, _)| *minute > since) {
            table.iter().for_each(|(key, counts)| sums.entry(key).or_default().add(counts));
        }
        sums
    }
}

/// Who sent which message: lines of deliveries don't say it.
#[derive(Default)]
struct Senders {
    young: HashMap<Box<[u8]>, Box<[u8]>>,
    old: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl Senders {
    /// Whether the message was not known.
    fn learn(&mut self, queue_id: &[u8], sender: &[u8]) -> bool {
        if queue_id.is_empty() || self.of(queue_id).is_some() {
            return false;
        }
        if self.young.len() >= MESSAGES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(queue_id.into(), sender.to_ascii_lowercase().into());
        true
    }

    fn of(&self, queue_id: &[u8]) -> Option<&[u8]> {
        self.young.get(queue_id).or_else(|| self.old.get(queue_id)).map(|sender| &**sender)
    }
}

/// Everything that is counted.
#[derive(Default, Serialize, Deserialize)]
pub struct Counted {
    all: Sliding,
    keyed: BTreeMap<By, Keyed>,
    /// Who sent what before a restart is not known after it.
    #[serde(skip)]
    senders: Senders,
    /// When there was any of it last.
    last: [Option<Micros>; Measure::ALL.len()],
    #[serde(skip)]
    key: Vec<u8>,
}

impl Counted {
    /// Counts by these keys from now on.
    pub fn ask_for(&mut self, keys: impl Iterator<Item = By>) {
        let wanted: Vec<By> = keys.filter(|by| *by != By::All).collect();
        self.keyed.retain(|by, _| wanted.contains(by));
        wanted.into_iter().for_each(|by| {
            self.keyed.entry(by).or_default();
        });
    }

    /// Counts a line of that time; what it came to.
    pub fn see(&mut self, seen: &Seen<'_>, event: &Event<'_>) -> Counts {
        let (time, times) = (seen.record.time, u64::from(seen.count));
        let counts = Counts::of(event, times);
        self.all.at(time).add(&counts);
        for (measure, last) in Measure::ALL.into_iter().zip(&mut self.last) {
            if measure == Measure::Lines || measure.parts(&counts, &counts).0 > 0 {
                *last = (*last).max(Some(time));
            }
        }
        if !self.keyed.is_empty() {
            match event {
                Event::Accepted(accepted) if !accepted.envelope_sender.is_empty() => {
                    self.begins(time, &accepted.queue_id, &accepted.envelope_sender);
                }
                Event::Queued(queued) => self.begins(time, &queued.queue_id, &queued.envelope_sender),
                Event::Delivery(delivery) => self.delivery(time, delivery, &counts),
                Event::Reject(reject) => self.reject(time, reject, &counts),
                Event::AuthFailure(failure) => self.log_in(time, failure, &counts),
                _ => {}
            }
        }
        counts
    }

    fn add(&mut self, by: By, time: Micros, key: &[u8], counts: &Counts) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.key.make_ascii_lowercase();
        // Names of providers are written in their own way.
        let key = if by == By::Provider { key } else { self.key.as_slice() };
        if let Some(row) = self.keyed.get_mut(&by).and_then(|keyed| keyed.row(time, key)) {
            row.add(counts);
        }
    }

    fn begins(&mut self, time: Micros, queue_id: &[u8], sender: &[u8]) {
        // A queue manager names the sender at every attempt; the message is received once.
        if self.keyed.contains_key(&By::Sender) && self.senders.learn(queue_id, sender) {
            self.add(By::Sender, time, sender, &Counts { begun: 1, ..Counts::default() });
        }
    }

    fn delivery(&mut self, time: Micros, delivery: &Delivery<'_>, counts: &Counts) {
        if *counts == Counts::default() {
            return;
        }
        self.add(By::Provider, time, provider(&delivery.relay.name).as_bytes(), counts);
        self.add(By::Domain, time, domain_of(&delivery.envelope_recipient), counts);
        if counts.delivered == 0 {
            self.add(By::Class, time, delivery.class.unwrap_or(Class::Unknown).name().as_bytes(), counts);
        }
        if self.keyed.contains_key(&By::Sender)
            && let Some(sender) = self.senders.of(&delivery.queue_id).map(<[u8]>::to_vec)
        {
            self.add(By::Sender, time, &sender, counts);
        }
    }

    fn reject(&mut self, time: Micros, reject: &Reject<'_>, counts: &Counts) {
        if counts.rejected == 0 {
            return;
        }
        self.add(By::Class, time, reject.class.unwrap_or(Class::Unknown).name().as_bytes(), counts);
        if !reject.envelope_recipient.is_empty() {
            self.add(By::Domain, time, domain_of(&reject.envelope_recipient), counts);
        }
        if !reject.envelope_sender.is_empty() {
            self.add(By::Sender, time, &reject.envelope_sender, counts);
        }
    }

    fn log_in(&mut self, time: Micros, failure: &AuthFailure<'_>, counts: &Counts) {
        self.add(By::Class, time, Class::Credentials.name().as_bytes(), counts);
        if !failure.user.is_empty() {
            self.add(By::Sender, time, &failure.user, counts);
        }
    }

    /// All of the last so many seconds, an hour at most.
    #[must_use]
    pub fn all(&self, now: Micros, seconds: i64) -> Counts {
        self.all.last(now, seconds).0
    }

    /// The keys whose counts are worth it, with these.
    #[must_use]
    pub fn by(&self, by: By, now: Micros, seconds: i64, is_worth_it: impl Fn(&Counts) -> bool) -> Vec<(String, Counts)> {
        let sums = self.keyed.get(&by).map(|keyed| keyed.last(now, seconds)).unwrap_or_default();
        let worth = sums.into_iter().filter(|(_, counts)| is_worth_it(counts));
        worth.map(|(key, counts)| (String::from_utf8_lossy(key).into_owned(), counts)).collect()
    }

    /// When there was any of it last.
    #[must_use]
    pub fn last(&self, measure: Measure) -> Option<Micros> {
        self.last[measure as usize]
    }
}
