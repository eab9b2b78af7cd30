//! What happened when, in the finest buckets that a report may show; the report makes coarser ones of them.

use super::Merge;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The finest bucket.
pub const FINEST_S: i64 = 300;
/// Long windows are shown in hours or days; every zone's hours and days are made of these.
const COARSE_S: i64 = 900;
/// More fine buckets than this are a week: they are made coarse.
const MANY: usize = 2016;

/// What happened in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub received: u64,
    pub delivered: u64,
    pub deferred_attempts: u64,
    pub bounced: u64,
    pub rejected: u64,
    /// Received messages that left the queue.
    pub left: u64,
    /// The delays of what was delivered, added up by stage, in microseconds.
    pub stages: [u64; 4],
}

impl Merge for Bucket {
    fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.delivered += other.delivered;
        self.deferred_attempts += other.deferred_attempts;
        self.bounced += other.bounced;
        self.rejected += other.rejected;
        self.left += other.left;
        self.stages.iter_mut().zip(other.stages).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
    }
}

/// Buckets by their number since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline<B = Bucket> {
    /// The length of a bucket.
    bucket_s: i64,
    buckets: BTreeMap<i64, B>,
    /// The bucket that was asked for last, not in `buckets` yet: times come in runs.
    current: Option<(i64, B)>,
}

impl<B> Default for Timeline<B> {
    fn default() -> Self {
        Self { bucket_s: FINEST_S, buckets: BTreeMap::new(), current: None }
    }
}

impl<B: Merge + Default> Timeline<B> {
    #[inline]
    pub fn at(&mut self, time: Micros) -> &mut B {
        let number = time.div_euclid(self.bucket_s * 1_000_000);
        if self.current.as_ref().is_some_and(|(current, _)| *current != number) {
            self.settle();
            return self.at(time);
        }
        &mut self.current.get_or_insert_with(|| (number, B::default())).1
    }

    fn settle(&mut self) {
        if let Some((number, bucket)) = self.current.take() {
            self.buckets.entry(number).or_default().merge(bucket);
        }
        if self.bucket_s == FINEST_S && self.buckets.len() > MANY {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        if self.bucket_s == COARSE_S {
            return;
        }
        self.bucket_s = COARSE_S;
        for (number, bucket) in std::mem::take(&mut self.buckets) {
            self.buckets.entry((number * FINEST_S).div_euclid(COARSE_S)).or_default().merge(bucket);
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        if self.bucket_s != other.bucket_s {
            self.coarsen();
            other.coarsen();
        }
        for (number, bucket) in other.buckets {
            self.buckets.entry(number).or_default().merge(bucket);
        }
        self.settle();
    }

    /// The start of each bucket, in seconds since 1970, and what happened in it; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &B)> {
        let current = self.current.iter().map(|(number, bucket)| (number, bucket));
        self.buckets.iter().chain(current).map(|(number, bucket)| (number * self.bucket_s, bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_kept_coarse_and_add_up() {
        let fill = |days: std::ops::Range<i64>| {
            let mut timeline = Timeline::<Bucket>::default();
            days.flat_map(|day| (0..288).map(move |five| day * 86_400 + five * 300))
                .for_each(|time| timeline.at(time * 1_000_000).received += 1);
            timeline
        };
        let (mut whole, mut parts) = (fill(0..30), fill(0..3));
        parts.merge(fill(3..30));
        whole.settle();
        assert!(whole.buckets.len() <= 30 * 96);
        let sorted = |timeline: &Timeline| {
            let mut rows: Vec<(i64, u64)> = timeline.iter().map(|(from, bucket)| (from, bucket.received)).collect();
            rows.sort_unstable();
            rows
        };
        assert_eq!(sorted(&whole), sorted(&parts));
        assert_eq!(whole.iter().map(|(_, bucket)| bucket.received).sum::<u64>(), 30 * 288);
    }
}
