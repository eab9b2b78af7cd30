//! The rows of the report's lists.

use super::Merge;
use super::failures::{Failing, Failures};
use super::quantiles::Quantiles;
use super::table::Row;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
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

impl MailRow {
    #[must_use]
    pub fn failures(&self) -> &Failures {
        static NONE: LazyLock<Failures> = LazyLock::new(Failures::default);
        self.failures.as_deref().unwrap_or(&NONE)
    }

    pub fn failures_mut(&mut self) -> &mut Failures {
        self.failures.get_or_insert_default()
    }

    /// (bounced + expired) / (delivered + bounced + expired), notifications apart; `None` of nothing.
    #[must_use]
    pub fn bounce_rate(&self) -> Option<f64> {
        let bad = self.failures().get(Failing::Bad);
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
            self.failures_mut().merge(failures);
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
        self.delivered + self.failures().weight()
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
