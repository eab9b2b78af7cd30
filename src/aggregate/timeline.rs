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
}

impl Timeline {
    #[inline]
    pub fn at(&mut self, time: Micros) -> &mut Bucket {
        self.buckets.entry(time.div_euclid(FINEST_S * 1_000_000)).or_default()
    }

    pub fn merge(&mut self, other: Self) {
        for (number, bucket) in other.buckets {
            self.buckets.entry(number).or_default().merge(bucket);
        }
    }

    /// The start of each bucket, in seconds since 1970, and what happened in it; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Bucket)> {
        self.buckets.iter().map(|(number, bucket)| (number * FINEST_S, bucket))
    }
}
