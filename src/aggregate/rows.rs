//! The rows of the report's lists.

use super::Merge;
use super::quantiles::Quantiles;
use super::table::Row;
use super::timeline::Tally;
use mailscope_parsers::model::{Class, Micros};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::sync::LazyLock;

/// Mail to or from one domain, relay, provider, sender or account. Rows are many and most are touched for mail that was
/// delivered: what that needs is one line of memory, and what only failures need stands apart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[repr(C, align(64))]
pub struct MailRow {
    pub delivered: u64,
    /// Of delivered recipients, each with its message's size.
    pub size_bytes: u64,
    /// Delivered recipients of messages that are no notifications.
    pub good: u64,
    pub delay: Quantiles,
    failures: Option<Box<Failures>>,
}

/// What failed of a row's mail.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Failures {
    pub bounced: Tally,
    pub expired: Tally,
    pub deferred: Tally,
    pub deferred_attempts: Tally,
    /// Bounced or expired recipients of messages that are no notifications.
    pub bad: Tally,
    /// Failed recipients by class; few, so searched one by one.
    pub classes: Classes,
}

/// How often which class; few, so searched one by one, and mostly one to three.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Classes(SmallVec<[(Class, Tally); 3]>);

impl Classes {
    pub fn add(&mut self, class: Class, count: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == class) {
            Some((_, sum)) => sum.add(count),
            None => self.0.push((class, Tally::of(count))),
        }
    }

    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.0.iter().find(|(known, _)| *known == class).map_or(0, |(_, count)| count.get())
    }

    /// The most frequent one; of equal ones the first name.
    #[must_use]
    pub fn top(&self) -> Option<Class> {
        self.0.iter().min_by_key(|(class, count)| (std::cmp::Reverse(count.get()), class.name())).map(|(class, _)| *class)
    }
}

impl Merge for Classes {
    fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(class, count)| self.add(class, count.get()));
    }
}

impl Failures {
    fn add(&mut self, other: &Self) {
        self.bounced.merge(other.bounced);
        self.expired.merge(other.expired);
        self.deferred.merge(other.deferred);
        self.deferred_attempts.merge(other.deferred_attempts);
        self.bad.merge(other.bad);
        self.classes.merge(other.classes.clone());
    }
}

impl MailRow {
    #[must_use]
    pub fn failures(&self) -> &Failures {
        static NONE: LazyLock<Failures> = LazyLock::new(Failures::default);
        self.failures.as_deref().unwrap_or(&NONE)
    }

    pub fn failures_mut(&mut self) -> &mut Failures {
        self.failures.get_or_insert_default()
    }

    /// The most frequent class of failure; of equal ones the first name.
    #[must_use]
    pub fn top_class(&self) -> Option<Class> {
        self.failures().classes.top()
    }

    /// (bounced + expired) / (delivered + bounced + expired), notifications apart; `None` of nothing.
    #[must_use]
    pub fn bounce_rate(&self) -> Option<f64> {
        let bad = self.failures().bad.get();
        let all = self.good + bad;
        (all > 0).then(|| bad as f64 / all as f64)
    }

    /// Adds another row.
    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.size_bytes += other.size_bytes;
        self.good += other.good;
        self.delay.merge(&other.delay);
        if let Some(failures) = &other.failures {
            self.failures_mut().add(failures);
        }
    }
}

impl Merge for MailRow {
    fn merge(&mut self, other: Self) {
        self.add(&other);
    }
}

impl Row for MailRow {
    fn weight(&self) -> u64 {
        let failures = self.failures();
        let failed = [failures.bounced, failures.expired, failures.deferred, failures.deferred_attempts];
        self.delivered + failed.into_iter().map(Tally::get).sum::<u64>()
    }

    fn touch(&self) -> u64 {
        self.delivered
    }
}

/// One client, by its address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClientRow {
    pub connections: u64,
    pub received: u64,
    pub rejected: u64,
    pub auth_failures: u64,
    pub size_bytes: u64,
    /// The name it had first, of several at that time the first by alphabet.
    name: Option<(Micros, Box<[u8]>)>,
}

impl ClientRow {
    #[inline]
    pub fn named(&mut self, time: Micros, name: &[u8]) {
        if !name.is_empty() && self.name.as_ref().is_none_or(|known| (time, name) < (known.0, &*known.1)) {
            self.name = Some((time, name.into()));
        }
    }

    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.name.as_ref().map_or(&[], |(_, name)| name)
    }
}

impl Merge for ClientRow {
    fn merge(&mut self, other: Self) {
        self.connections += other.connections;
        self.received += other.received;
        self.rejected += other.rejected;
        self.auth_failures += other.auth_failures;
        self.size_bytes += other.size_bytes;
        if let Some((time, name)) = &other.name {
            self.named(*time, name);
        }
    }
}

impl Row for ClientRow {
    fn weight(&self) -> u64 {
        self.connections + self.received + self.rejected + self.auth_failures
    }
}

/// One host of the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HostRow {
    pub lines: u64,
    pub received: u64,
    pub delivered: u64,
    pub bounced: u64,
}

impl Merge for HostRow {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.received += other.received;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
    }
}

impl Row for HostRow {
    fn weight(&self) -> u64 {
        self.lines
    }
}

/// A recurring text.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct TextRow {
    pub count: u64,
    pub seen: Option<(Micros, Micros)>,
}

impl TextRow {
    pub fn see(&mut self, time: Micros, count: u64) {
        self.merge(Self { count, seen: Some((time, time)) });
    }
}

impl Merge for TextRow {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.seen = match (self.seen, other.seen) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }
}

impl Row for TextRow {
    fn weight(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_two_lines_of_memory() {
        assert_eq!((size_of::<MailRow>(), align_of::<MailRow>()), (128, 64));
    }
}
