//! What happened when, in the finest buckets that a report may show; the report makes coarser ones of them.

use super::Merge;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

/// The finest bucket.
pub const FINEST_S: i64 = 300;
/// The widths of buckets. Every zone's hours and days are made of quarters of an hour.
const FINE: i32 = FINEST_S as i32;
const QUARTER: i32 = 900;
const HOUR: i32 = 3600;
/// More of the finest buckets are longer than the three hours that are shown so finely.
const MOST_FINEST: usize = 64;

/// What can be counted over time.
pub trait Counted: Merge + Default {
    /// With more quarters of an hour than this, buckets are made whole hours: in zones that are off by half an hour its hours
    /// and days are cut at the hour before, then.
    const MOST_QUARTERS: usize;
}

/// One of some hundred rows: a week, and what is longer is shown in days.
impl Counted for Tally {
    const MOST_QUARTERS: usize = 700;
}

/// How often something happened in one bucket; four thousand million and more are one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally(u32);

impl Tally {
    #[must_use]
    pub fn of(count: u64) -> Self {
        Self(u32::try_from(count).unwrap_or(u32::MAX))
    }

    #[inline]
    pub fn add(&mut self, count: u64) {
        self.merge(Self::of(count));
    }

    #[must_use]
    pub fn get(self) -> u64 {
        self.0.into()
    }
}

impl Merge for Tally {
    fn merge(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// The only one of its kind.
impl Counted for Bucket {
    const MOST_QUARTERS: usize = usize::MAX;
}

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

/// Buckets by their number since 1970. Most timelines are a row's, of which there are thousands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline<B = Bucket> {
    /// The length of a bucket.
    bucket_s: i32,
    /// In order; mostly the next one is a new last one.
    buckets: Vec<(i32, B)>,
    /// The bucket that was asked for last, not in `buckets` yet: times come in runs.
    current: Option<(i32, B)>,
    /// When it begins: what lies in it need not be divided by its length.
    #[serde(skip, default = "never")]
    begins: Micros,
}

/// The beginning of no bucket.
fn never() -> Micros {
    Micros::MAX
}

impl<B> Default for Timeline<B> {
    fn default() -> Self {
        Self { bucket_s: FINE, buckets: Vec::new(), current: None, begins: never() }
    }
}

impl<B: Counted> Timeline<B> {
    #[inline]
    pub fn at(&mut self, time: Micros) -> &mut B {
        let lies_in_it = time >= self.begins && time.wrapping_sub(self.begins).cast_unsigned() < self.length().cast_unsigned();
        if !lies_in_it {
            self.turn(time);
        }
        &mut self.current.get_or_insert_default().1
    }

    fn length(&self) -> Micros {
        i64::from(self.bucket_s) * 1_000_000
    }

    /// Makes the bucket of this time the current one.
    fn turn(&mut self, time: Micros) {
        self.settle();
        let number = time.div_euclid(self.length());
        self.begins = number.saturating_mul(self.length());
        // No clock goes so far that a number does not fit.
        let number = i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX });
        self.current = Some((number, B::default()));
    }

    fn settle(&mut self) {
        self.begins = never();
        if let Some((number, bucket)) = self.current.take() {
            self.put(number, bucket);
        }
        // How wide they are depends on what they are alone, and not on order or split.
        while let Some(next_s) = self.too_many() {
            self.widen(next_s);
        }
    }

    fn put(&mut self, number: i32, bucket: B) {
        let at = match self.buckets.last() {
            Some((last, _)) if *last >= number => self.buckets.binary_search_by_key(&number, |(known, _)| *known),
            _ => Err(self.buckets.len()),
        };
        match at {
            Ok(at) => self.buckets[at].1.merge(bucket),
            Err(at) => {
                if self.buckets.len() == self.buckets.capacity() {
                    // Buckets come slowly: there is no need of as many again.
                    self.buckets.reserve_exact((self.buckets.len() / 4).max(4));
                }
                self.buckets.insert(at, (number, bucket));
            }
        }
    }

    /// The next width, where there are too many of this one.
    fn too_many(&self) -> Option<i32> {
        let (most, next_s) = match self.bucket_s {
            FINE => (MOST_FINEST, QUARTER),
            QUARTER => (B::MOST_QUARTERS, HOUR),
            _ => return None,
        };
        (self.buckets.len() > most).then_some(next_s)
    }

    fn widen(&mut self, to_s: i32) {
        let factor = to_s / std::mem::replace(&mut self.bucket_s, to_s);
        for (number, bucket) in std::mem::take(&mut self.buckets) {
            self.put(number.div_euclid(factor), bucket);
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        let widest_s = self.bucket_s.max(other.bucket_s);
        [&mut *self, &mut other].into_iter().filter(|one| one.bucket_s < widest_s).for_each(|one| one.widen(widest_s));
        for (number, bucket) in other.buckets {
            self.put(number, bucket);
        }
        self.settle();
    }

    /// The start of each bucket, in seconds since 1970, and what happened in it; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &B)> {
        self.buckets.iter().chain(&self.current).map(|(number, bucket)| (i64::from(*number) * i64::from(self.bucket_s), bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

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

    #[test]
    fn a_row_of_a_month_is_kept_in_hours_whatever_the_split() {
        let fill = |hours: std::ops::Range<i64>| {
            let mut timeline = Timeline::<Tally>::default();
            hours.flat_map(|hour| (0..12).map(move |five| hour * 3600 + five * 300)).for_each(|time| timeline.at(time * 1_000_000).add(1));
            timeline
        };
        let whole = fill(0..720);
        for cut in [1, 5, 6, 170, 180, 400, 719] {
            let (mut ab, mut ba) = (fill(0..cut), fill(cut..720));
            ab.merge(fill(cut..720));
            ba.merge(fill(0..cut));
            let sorted = |timeline: &Timeline<Tally>| timeline.iter().map(|(from, count)| (from, count.get())).collect::<BTreeMap<_, _>>();
            assert_eq!((sorted(&ab), sorted(&ba)), (sorted(&whole), sorted(&whole)), "{cut}");
        }
        assert_eq!((whole.buckets.len() + 1, whole.iter().map(|(_, count)| count.get()).sum::<u64>()), (720, 720 * 12));
    }
}
