//! Sums over the entries of any number of listings, each with a time of its own.

use super::matrix::{Key, Matrix, provider_of};
use super::message::{Oldest, Times};
use super::reason::Reasons;
use super::{Buckets, Zone};
use crate::aggregate::{Merge, Row, Table};
use chrono::{Datelike as _, NaiveDate};
use hashbrown::HashSet;
use mailscope_parsers::model::{Arrival, Micros, QueueEntry, QueueState, domain_of};
use std::collections::BTreeMap;

const SECOND: Micros = 1_000_000;
/// Distinct senders; past them the light ones are summed up.
const SENDERS: usize = 50_000;
/// Messages named of a sender, once there are so many messages or recipients.
const EXAMPLES: usize = 10;
const VERY_MANY: u64 = 90;
/// Ids that are named for what is stuck.
const NAMED: usize = 20;
/// Domains of notifications' recipients that are told apart.
const DOMAINS: usize = 10_000;
/// A queue manager that is alive takes a message out of incoming in less than this.
const INCOMING_S: u64 = 600;

/// What to count, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub key: Key,
    pub buckets: Buckets,
    /// Only messages in these states; empty for all.
    pub states: Vec<QueueState>,
    pub zone: Zone,
    /// How long a message is tried before it is returned.
    pub lifetime_s: u64,
    pub top: usize,
    /// Whether to count who waits by provider, whatever the key.
    pub by_provider: bool,
}

/// One sender.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
    /// Some of the messages of one with very many, with their servers.
    pub examples: Vec<(String, &'static str)>,
}

impl Merge for Sender {
    fn merge(&mut self, other: Self) {
        self.entries += other.entries;
        self.recipients += other.recipients;
        self.size_bytes += other.size_bytes;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }
}

impl Row for Sender {
    fn weight(&self) -> u64 {
        self.entries
    }
}

/// Messages that don't move by themselves.
#[derive(Clone, Debug, Default)]
pub struct Stuck {
    pub entries: u64,
    pub queue_ids: Vec<String>,
    /// The server of each.
    pub mtas: Vec<&'static str>,
}

impl Stuck {
    fn add(&mut self, id: &[u8], mta: &'static str) {
        self.entries += 1;
        if self.queue_ids.len() < NAMED {
            self.queue_ids.push(String::from_utf8_lossy(id).into_owned());
            self.mtas.push(mta);
        }
    }
}

/// All sums.
#[derive(Debug)]
pub struct Sums {
    pub options: Options,
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
    /// In the order of [`QueueState::ALL`].
    pub by_state: [u64; QueueState::ALL.len()],
    pub oldest_s: Option<u64>,
    pub matrix: Matrix,
    pub reasons: Reasons,
    pub senders: Table<Sender>,
    pub oldest: Oldest,
    /// Past their lifetime, within an hour of its end, within a day of it.
    pub expiring: [u64; 3],
    /// Held, frozen, quarantined, damaged, or long in incoming.
    pub stuck: [Stuck; QueueState::ALL.len()],
    /// Domains that notifications wait for.
    pub notified: HashSet<Vec<u8>>,
    pub providers: BTreeMap<&'static str, u64>,
}

/// Where an entry was listed, and when.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub time: Micros,
    pub mta: &'static str,
}

impl Sums {
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            entries: 0,
            recipients: 0,
            size_bytes: 0,
            by_state: [0; QueueState::ALL.len()],
            oldest_s: None,
            matrix: Matrix::new(options.key, options.buckets),
            reasons: Reasons::default(),
            senders: Table::new(SENDERS),
            oldest: Oldest::new(options.top),
            expiring: [0; 3],
            stuck: std::array::from_fn(|_| Stuck::default()),
            notified: HashSet::new(),
            providers: BTreeMap::new(),
            options,
        }
    }

    /// Counts one message.
    pub fn add(&mut self, entry: &QueueEntry<'_>, place: Place) {
        if !self.options.states.is_empty() && !self.options.states.contains(&entry.state) {
            return;
        }
        let times = self.times(entry, place.time);
        let recipients = entry.recipients.len() as u64;
        let size = entry.size_bytes.unwrap_or(0);
        self.entries += 1;
        self.recipients += recipients;
        self.size_bytes += size;
        let state = index(entry.state);
        self.by_state[state] += 1;
        self.oldest_s = self.oldest_s.max(times.age_s);
        self.matrix.add(entry, times.age_s, &mut self.reasons);
        if let Some(sender) = entry.envelope_sender.as_deref() {
            let name: &[u8] = if sender.is_empty() { b"<>" } else { sender };
            let row = self.senders.row(name);
            row.entries += 1;
            row.recipients += recipients;
            row.size_bytes += size;
            if row.entries.max(row.recipients) > VERY_MANY && row.examples.len() < EXAMPLES {
                row.examples.push((String::from_utf8_lossy(&entry.queue_id).into_owned(), place.mta));
            }
            if sender.is_empty() {
                self.notify(entry);
            }
        }
        if self.options.by_provider {
            for waiting in &entry.recipients {
                *self.providers.entry(provider_of(&waiting.envelope_recipient, &waiting.diagnostic)).or_default() += 1;
            }
        }
        self.wait(entry, times, place, state);
        self.oldest.offer(entry, times, place.mta);
    }

    fn notify(&mut self, entry: &QueueEntry<'_>) {
        for domain in entry.recipients.iter().map(|waiting| domain_of(&waiting.envelope_recipient)) {
            if self.notified.len() < DOMAINS && !self.notified.contains(domain) {
                self.notified.insert(domain.to_vec());
            }
        }
    }

    /// What is stuck, and what will be returned soon.
    fn wait(&mut self, entry: &QueueEntry<'_>, times: Times, place: Place, state: usize) {
        let rests = matches!(entry.state, QueueState::Hold | QueueState::Frozen | QueueState::Quarantined | QueueState::Corrupt);
        if rests || entry.state == QueueState::Incoming && times.age_s.is_some_and(|age| age > INCOMING_S) {
            self.stuck[state].add(&entry.queue_id, place.mta);
        }
        let left = times.expires.map(|expires| expires.saturating_sub(place.time)).filter(|_| !rests);
        let when = match left {
            Some(..=0) => 0,
            Some(left) if left <= 3600 * SECOND => 1,
            Some(left) if left <= 86_400 * SECOND => 2,
            _ => return,
        };
        self.expiring[when] += 1;
    }

    fn times(&self, entry: &QueueEntry<'_>, now: Micros) -> Times {
        let arrival = arrival(entry.arrival, now, self.options.zone);
        let lifetime = i64::try_from(self.options.lifetime_s).unwrap_or(i64::MAX).saturating_mul(SECOND);
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
        Times {
            arrival,
            age_s: arrival.map(|arrival| u64::try_from(now.saturating_sub(arrival) / SECOND).unwrap_or(0)),
            expires: entry.expires.or_else(|| arrival.map(|arrival| arrival.saturating_add(lifetime))),
            next_attempt: entry.next_attempt_s.map(|wait| now.saturating_add(seconds(wait))),
        }
    }
}

/// The place of a state in [`QueueState::ALL`].
fn index(state: QueueState) -> usize {
    QueueState::ALL.iter().position(|known| *known == state).unwrap_or(QueueState::ALL.len() - 1)
}

/// When it arrived, seen from the time of the listing.
fn arrival(told: Arrival, now: Micros, zone: Zone) -> Option<Micros> {
    match told {
        Arrival::Unknown => None,
        Arrival::At(time) => Some(time),
        Arrival::Ago { age_s, step_s, birth } => {
            let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
            let ago = now.saturating_sub(seconds(age_s));
            // Ages are rounded either way, and the listing took a moment.
            let agrees = |birth: &Micros| birth.abs_diff(ago) <= seconds(step_s).unsigned_abs() + 60 * SECOND.unsigned_abs();
            birth.filter(agrees).or(Some(ago))
        }
        Arrival::Local { month, day, hour, minute, second } => {
            let year = zone.local(now).year();
            // The latest such time that is not after the listing; clocks may differ by a day. 29 February needs a leap year.
            (0..=8).map(|back| year + 1 - back).find_map(|year| {
                let local = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second.min(59))?;
                Some(zone.utc(local).saturating_mul(SECOND)).filter(|time| *time <= now.saturating_add(86_400 * SECOND))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_795_500_320_000_000; // 2026-11-24 06:05:20

    fn at(told: Arrival) -> String {
        let zone: Zone = "UTC".parse().unwrap();
        arrival(told, NOW, zone).map_or_else(String::new, |time| zone.local(time).format("%F %T").to_string())
    }

    #[test]
    fn the_year_is_the_latest_that_is_not_in_the_future() {
        let on = |month, day| at(Arrival::Local { month, day, hour: 6, minute: 5, second: 20 });
        assert_eq!(on(11, 24), "2026-11-24 06:05:20");
        assert_eq!(on(11, 25), "2026-11-25 06:05:20");
        assert_eq!(on(12, 31), "2025-12-31 06:05:20");
        assert_eq!(on(2, 29), "2024-02-29 06:05:20");
        assert_eq!(on(2, 30), "");
    }

    #[test]
    fn an_id_tells_the_second_where_it_agrees_with_the_age() {
        let ago = |birth| at(Arrival::Ago { age_s: 60, step_s: 60, birth });
        assert_eq!(ago(None), "2026-11-24 06:04:20");
        assert_eq!(ago(Some(1_795_500_247_000_000)), "2026-11-24 06:04:07");
        assert_eq!(ago(Some(0)), "2026-11-24 06:04:20");
    }
}
