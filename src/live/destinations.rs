//! Where mail goes, over the last hour: rows of five minutes, added up when they are looked at.

use crate::aggregate::{Measured, Merge, Quantiles, Row, Table, provider};
use mailscope_parsers::model::{Delivery, Micros, Status, domain_of};
use std::collections::VecDeque;

const BUCKET: Micros = 300 * 1_000_000;
const BUCKETS: i64 = 12;
/// Destinations of one bucket before the light ones go.
const MANY: usize = 500;

/// Attempts to one destination.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    pub sent: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub delay: Quantiles,
}

impl Destination {
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.sent + self.deferred + self.bounced
    }
}

impl Merge for Destination {
    fn merge(&mut self, other: Self) {
        self.sent += other.sent;
        self.deferred += other.deferred;
        self.bounced += other.bounced;
        self.delay.merge(&other.delay);
    }
}

impl Row for Destination {
    fn weight(&self) -> u64 {
        self.attempts()
    }
}

/// Rows by provider, or by domain.
#[derive(Default)]
pub struct Destinations {
    buckets: VecDeque<(i64, Table<Destination>)>,
    key: Vec<u8>,
}

impl Destinations {
    pub fn provider(&mut self, time: Micros, delivery: &Delivery<'_>, times: u64) {
        self.key.clear();
        self.key.extend_from_slice(provider(&delivery.relay.name).as_bytes());
        self.count(time, delivery, times);
    }

    pub fn domain(&mut self, time: Micros, delivery: &Delivery<'_>, times: u64) {
        self.key.clear();
        self.key.extend_from_slice(domain_of(&delivery.envelope_recipient));
        self.key.make_ascii_lowercase();
        self.count(time, delivery, times);
    }

    fn count(&mut self, time: Micros, delivery: &Delivery<'_>, times: u64) {
        let number = time.div_euclid(BUCKET);
        if self.buckets.back().is_none_or(|(newest, _)| *newest < number) {
            self.buckets.push_back((number, Table::new(MANY)));
            while self.buckets.front().is_some_and(|(eldest, _)| *eldest <= number - BUCKETS) {
                self.buckets.pop_front();
            }
        }
        let Some((_, table)) = self.buckets.iter_mut().rev().find(|(other, _)| *other == number) else { return };
        let row = table.row(&self.key);
        match delivery.status {
            Status::Deferred => row.deferred += times,
            Status::Bounced | Status::Expired => row.bounced += times,
            _ => {
                row.sent += times;
                if let Some(delay) = delivery.delay {
                    row.delay.add(Measured::new(delay));
                }
            }
        }
    }

    /// The heaviest of the last hour.
    #[must_use]
    pub fn top(&self, now: Micros, count: usize) -> Vec<(String, Destination)> {
        let mut all = Table::new(MANY);
        let since = now.div_euclid(BUCKET) - BUCKETS;
        self.buckets.iter().filter(|(number, _)| *number > since).for_each(|(_, table)| all.merge(table.clone(), |_, _| ()));
        let mut rows: Vec<(&[u8], &Destination)> = all.iter().collect();
        rows.sort_by(|a, b| b.1.attempts().cmp(&a.1.attempts()).then(a.0.cmp(b.0)));
        rows.into_iter().take(count).map(|(key, row)| (String::from_utf8_lossy(key).into_owned(), row.clone())).collect()
    }
}
