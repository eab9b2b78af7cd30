//! Counts over the last minute, quarter of an hour and hour, in buckets of ten seconds.

use crate::aggregate::{Merge, Row};
use mailscope_parsers::model::{Action, Event, Micros, Removal, Status};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const BUCKET_S: i64 = 10;
const BUCKETS: usize = 360;

/// What happened in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub delivered: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub rejected: u64,
    pub auth_failures: u64,
    /// Queue files that began and ended; of the ended ones those that never became a message.
    pub begun: u64,
    pub ended: u64,
    pub withdrawn: u64,
}

impl Counts {
    /// What one event comes to: for each recipient of a delivery once.
    #[must_use]
    pub fn of(event: &Event<'_>, times: u64) -> Self {
        let mut counts = Self::default();
        match event {
            Event::Delivery(delivery) if !delivery.status.is_probe() && !delivery.envelope_recipient.is_empty() => match delivery.status {
                Status::Deferred => counts.deferred = times,
                Status::Bounced | Status::Expired => counts.bounced = times,
                _ => counts.delivered = times,
            },
            Event::Accepted(accepted) if !accepted.queue_id.is_empty() => counts.begun = times,
            Event::Notification(_) => counts.begun = times,
            Event::Removed(removed) => {
                counts.ended = times;
                counts.withdrawn = if removed.how == Removal::Canceled { times } else { 0 };
            }
            Event::Reject(reject) if reject.action == Action::Reject => counts.rejected = times,
            Event::AuthFailure(_) => counts.auth_failures = times,
            _ => {}
        }
        counts
    }

    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.deferred += other.deferred;
        self.bounced += other.bounced;
        self.rejected += other.rejected;
        self.auth_failures += other.auth_failures;
        self.begun += other.begun;
        self.ended += other.ended;
        self.withdrawn += other.withdrawn;
    }

    /// Messages that were taken in.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.begun.saturating_sub(self.withdrawn)
    }

    /// By how much the queue grew.
    #[must_use]
    pub fn growth(&self) -> i64 {
        self.begun.cast_signed() - self.ended.cast_signed()
    }
}

impl Merge for Counts {
    fn merge(&mut self, other: Self) {
        self.add(&other);
    }
}

impl Row for Counts {
    fn weight(&self) -> u64 {
        self.delivered + self.deferred + self.bounced + self.rejected + self.auth_failures + self.begun
    }
}

/// The last hour.
#[derive(Default, Serialize, Deserialize)]
pub struct Sliding {
    /// The newest last, without gaps.
    buckets: VecDeque<Counts>,
    /// The number of the newest.
    newest: i64,
    /// What is older than an hour.
    old: Counts,
    /// The earliest time.
    begun: Option<Micros>,
}

impl Sliding {
    /// Where what happened at that time is counted.
    pub fn at(&mut self, time: Micros) -> &mut Counts {
        self.begun = Some(self.begun.map_or(time, |begun| begun.min(time)));
        let number = time.div_euclid(BUCKET_S * 1_000_000);
        if self.buckets.is_empty() || number - self.newest > BUCKETS as i64 {
            self.buckets.clear();
            self.buckets.push_back(Counts::default());
            self.newest = number;
        }
        while self.newest < number {
            self.newest += 1;
            self.buckets.push_back(Counts::default());
            if self.buckets.len() > BUCKETS {
                self.buckets.pop_front();
            }
        }
        let back = usize::try_from(self.newest - number).unwrap_or(usize::MAX);
        match self.buckets.len().checked_sub(back + 1) {
            Some(at) => &mut self.buckets[at],
            None => &mut self.old,
        }
    }

    /// What happened in the last `seconds` before `now`, and how many minutes of that there are.
    #[must_use]
    pub fn last(&self, now: Micros, seconds: i64) -> (Counts, f64) {
        let number = now.div_euclid(BUCKET_S * 1_000_000);
        let wanted = seconds / BUCKET_S;
        // The bucket of now is not over.
        let begun = (now.rem_euclid(BUCKET_S * 1_000_000)) as f64 / 1e6;
        let mut sum = Counts::default();
        self.numbered().filter(|(at, _)| (number - wanted..=number).contains(at)).for_each(|(_, counts)| sum.add(counts));
        let known = self.begun.map_or(0.0, |begun| (now - begun) as f64 / 1e6).max(BUCKET_S as f64);
        (sum, ((wanted * BUCKET_S) as f64 + begun).min(known) / 60.0)
    }

    /// The last hour in so many parts, the eldest first.
    #[must_use]
    pub fn parts(&self, now: Micros, count: usize) -> Vec<Counts> {
        let number = now.div_euclid(BUCKET_S * 1_000_000);
        let mut parts = vec![Counts::default(); count.max(1)];
        for (at, counts) in self.numbered() {
            let back = usize::try_from(number - at).unwrap_or(usize::MAX).saturating_mul(parts.len()) / BUCKETS;
            if let Some(place) = parts.len().checked_sub(back + 1) {
                parts[place].add(counts);
            }
        }
        parts
    }

    fn numbered(&self) -> impl Iterator<Item = (i64, &Counts)> {
        self.buckets.iter().rev().zip(0..).map(|(counts, back)| (self.newest - back, counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_slide_and_late_lines_count_where_they_belong() {
        let mut sliding = Sliding::default();
        let at = |second: i64| second * 1_000_000;
        for second in 0..7200 {
            sliding.at(at(second)).delivered += 1;
        }
        sliding.at(at(7100)).bounced += 1;
        sliding.at(at(10)).bounced += 1;
        let (hour, minutes) = sliding.last(at(7199), 3600);
        assert!((3590..=3610).contains(&hour.delivered) && (60.0..60.2).contains(&minutes), "{hour:?} {minutes}");
        assert_eq!(hour.bounced, 1);
        assert_eq!(sliding.last(at(7199), 60).0.bounced, 0);
        assert_eq!(sliding.last(at(7199 + 3 * 3600), 3600).0, Counts::default());
        assert_eq!(sliding.parts(at(7199), 60).iter().map(|part| part.delivered).sum::<u64>(), 3600);
        sliding.at(at(1_000_000)).delivered += 1;
        assert_eq!(sliding.last(at(1_000_000), 60).0.delivered, 1);
    }
}
