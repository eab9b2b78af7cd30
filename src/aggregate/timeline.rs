//! What happened when, in the finest buckets that a report may show; the report makes coarser ones of them.

use super::Merge;
use hashbrown::HashMap;
use mailscope_parsers::model::Micros;

/// The finest bucket.
pub const FINEST_S: i64 = 300;

/// What happened in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    pub received: u64,
    pub delivered: u64,
    pub deferred_attempts: u64,
    pub bounced: u64,
    pub rejected: u64,
}

impl Merge for Bucket {
    fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.delivered += other.delivered;
        self.deferred_attempts += other.deferred_attempts;
        self.bounced += other.bounced;
        self.rejected += other.rejected;
    }
}

/// Buckets by their number since 1970.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    buckets: HashMap<i64, Bucket, foldhash::fast::FixedState>,
    /// The bucket that was asked for last, not in `buckets` yet: times come in runs.
    current: Option<(i64, Bucket)>,
}

impl Timeline {
    #[inline]
    pub fn at(&mut self, time: Micros) -> &mut Bucket {
        let number = time.div_euclid(FINEST_S * 1_000_000);
        if self.current.is_none_or(|(current, _)| current != number) {
            self.settle();
        }
        &mut self.current.get_or_insert((number, Bucket::default())).1
    }

    fn settle(&mut self) {
        if let Some((number, bucket)) = self.current.take() {
            self.buckets.entry(number).or_default().merge(bucket);
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (number, bucket) in other.buckets {
            self.buckets.entry(number).or_default().merge(bucket);
        }
    }

    /// The start of each bucket, in seconds since 1970, and what happened in it; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Bucket)> {
        let current = self.current.iter().map(|(number, bucket)| (number, bucket));
        self.buckets.iter().chain(current).map(|(number, bucket)| (number * FINEST_S, bucket))
    }
}
