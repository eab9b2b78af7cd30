//! What happened when, in the finest buckets that a report may show; the report makes coarser ones of them.

use super::Merge;
use mailscope_parsers::model::Micros;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// The finest bucket.
pub const FINEST_S: i64 = 300;
/// The widths of buckets. Every zone's hours and days are made of quarters of an hour.
const FINE: i32 = FINEST_S as i32;
const QUARTER: i32 = 900;
const HOUR: i32 = 3600;
/// More of the finest buckets are longer than the three hours that are shown so finely.
const MOST_FINEST: u32 = 64;

/// What can be counted over time.
pub trait Counted: Merge + Default + Copy + Serialize + DeserializeOwned {
    /// With more quarters of an hour than this, buckets are made whole hours: in zones that are off by half an hour its hours
    /// and days are cut at the hour before, then.
    const MOST_QUARTERS: u32;
    /// So many buckets are at hand, the others are packed.
    const AT_HAND: usize;
}

/// One of some hundred rows: a week, and what is longer is shown in days.
impl Counted for Tally {
    const MOST_QUARTERS: u32 = 700;
    const AT_HAND: usize = 2;
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
    const MOST_QUARTERS: u32 = u32::MAX;
    const AT_HAND: usize = 24;
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

/// Buckets with their numbers.
type Buckets<B> = SmallVec<[(i32, B); 2]>;

/// Buckets by their number since 1970. Most timelines are a row's, of which there are thousands, and most buckets hold little:
/// those that were not asked for lately are packed, as the distance from the one before and what was counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline<B = Bucket> {
    /// The length of a bucket.
    bucket_s: i32,
    /// How many buckets are packed, the number of the last one, and they themselves, in order.
    many: u32,
    last: i32,
    packed: Vec<u8>,
    /// The bucket that was asked for last, then others of late, in no order: times come in runs, and go back and forth where
    /// one bucket ends.
    at_hand: Buckets<B>,
}

impl<B: Counted> Default for Timeline<B> {
    fn default() -> Self {
        Self { bucket_s: FINE, many: 0, last: 0, packed: Vec::new(), at_hand: SmallVec::new() }
    }
}

impl<B: Counted> Timeline<B> {
    #[inline]
    pub fn at(&mut self, time: Micros) -> &mut B {
        let begins = self.at_hand.first().map(|(number, _)| i64::from(*number) * self.length());
        let lies_in_it = |begins| time.wrapping_sub(begins).cast_unsigned() < self.length().cast_unsigned();
        if !begins.is_some_and(lies_in_it) {
            self.turn(time);
        }
        &mut self.at_hand[0].1
    }

    fn length(&self) -> Micros {
        i64::from(self.bucket_s) * 1_000_000
    }

    fn number(&self, time: Micros) -> i32 {
        let number = time.div_euclid(self.length());
        // No clock goes so far that a number does not fit.
        i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
    }

    /// Makes the bucket of this time the first one at hand.
    fn turn(&mut self, time: Micros) {
        let number = self.number(time);
        if let Some(at) = self.at_hand.iter().position(|(known, _)| *known == number) {
            return self.at_hand.swap(0, at);
        }
        if self.at_hand.len() == B::AT_HAND {
            self.put_away(1);
        }
        // Buckets may be wider now.
        let next = (self.number(time), B::default());
        self.at_hand.insert(0, next);
    }

    /// Packs the buckets at hand but so many.
    fn put_away(&mut self, but: usize) {
        let old = in_order(self.at_hand.drain(but.min(self.at_hand.len())..));
        if old.first().is_none_or(|(number, _)| self.many == 0 || *number > self.last) {
            old.into_iter().for_each(|(number, bucket)| self.pack(number, bucket));
        } else {
            self.pack_anew(in_order(self.packed().chain(old)));
        }
        self.keep_few();
    }

    /// Makes buckets wider while they are too many. How wide they are depends on what they are alone, and not on order or split.
    fn keep_few(&mut self) {
        while let Some(next_s) = self.too_many() {
            self.widen(next_s);
        }
    }

    /// Packs the bucket behind the last one.
    fn pack(&mut self, number: i32, bucket: B) {
        let distance = i64::from(number) - i64::from(self.last);
        // Eleven numbers have no more than ten bytes each.
        let mut bytes = [0; 128];
        let Ok(bytes) = postcard::to_slice(&(distance, bucket), &mut bytes) else { return };
        if self.packed.capacity() - self.packed.len() < bytes.len() {
            // Buckets come slowly: there is no need of as many again.
            self.packed.reserve_exact((self.packed.len() / 4).max(bytes.len() * 4));
        }
        self.packed.extend_from_slice(bytes);
        (self.many, self.last) = (self.many + 1, number);
    }

    fn pack_anew(&mut self, buckets: Buckets<B>) {
        (self.many, self.last) = (0, 0);
        self.packed.clear();
        buckets.into_iter().for_each(|(number, bucket)| self.pack(number, bucket));
    }

    /// Those that are packed, in order.
    fn packed(&self) -> impl Iterator<Item = (i32, B)> {
        let mut bytes = &self.packed[..];
        let mut last = 0_i64;
        std::iter::from_fn(move || {
            let ((distance, bucket), rest) = postcard::take_from_bytes::<(i64, B)>(bytes).ok()?;
            bytes = rest;
            last += distance;
            Some((last as i32, bucket))
        })
    }

    /// The next width, where there are too many of this one.
    fn too_many(&self) -> Option<i32> {
        let (most, next_s) = match self.bucket_s {
            FINE => (MOST_FINEST, QUARTER),
            QUARTER => (B::MOST_QUARTERS, HOUR),
            _ => return None,
        };
        (self.many > most).then_some(next_s)
    }

    fn widen(&mut self, to_s: i32) {
        let factor = to_s / std::mem::replace(&mut self.bucket_s, to_s);
        let at_hand = std::mem::take(&mut self.at_hand);
        let wider = in_order(self.packed().chain(at_hand).map(|(number, bucket)| (number.div_euclid(factor), bucket)));
        self.packed = Vec::new();
        self.pack_anew(wider);
    }

    pub fn merge(&mut self, mut other: Self) {
        self.put_away(0);
        other.put_away(0);
        let widest_s = self.bucket_s.max(other.bucket_s);
        [&mut *self, &mut other].into_iter().filter(|one| one.bucket_s < widest_s).for_each(|one| one.widen(widest_s));
        self.pack_anew(in_order(self.packed().chain(other.packed())));
        self.keep_few();
    }

    /// The start of each bucket, in seconds since 1970, and what happened in it; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, B)> {
        self.packed().chain(self.at_hand.iter().copied()).map(|(number, bucket)| (i64::from(number) * i64::from(self.bucket_s), bucket))
    }
}

/// The first number first, each once.
fn in_order<B: Merge + Copy>(buckets: impl Iterator<Item = (i32, B)>) -> Buckets<B> {
    let mut buckets: Buckets<B> = buckets.collect();
    // Most are in order already, or two rows that are.
    buckets.sort_by_key(|(number, _)| *number);
    buckets.dedup_by(|next, known| {
        let same = next.0 == known.0;
        if same {
            known.1.merge(next.1);
        }
        same
    });
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn by_hour(counts: impl Iterator<Item = (i64, u64)>) -> BTreeMap<i64, u64> {
        let mut hours = BTreeMap::new();
        counts.for_each(|(time, count)| *hours.entry(time.div_euclid(3600)).or_default() += count);
        hours
    }

    proptest! {
        #[test]
        fn in_whatever_order_each_hour_has_what_was_counted_in_it(times in prop::collection::vec(-90_000_i64..3_000_000, 0..700), cut in 0_usize..700) {
            let fill = |times: &[i64]| {
                let mut timeline = Timeline::<Tally>::default();
                times.iter().for_each(|time| timeline.at(time * 1_000_000).add(1));
                timeline
            };
            let expected = by_hour(times.iter().map(|time| (*time, 1)));
            let counted = |timeline: &Timeline<Tally>| by_hour(timeline.iter().map(|(from, count)| (from, count.get())));
            let mut parts = fill(&times[..cut.min(times.len())]);
            parts.merge(fill(&times[cut.min(times.len())..]));
            prop_assert_eq!((counted(&fill(&times)), counted(&parts)), (expected.clone(), expected));
        }
    }

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
        whole.put_away(0);
        assert!(whole.many <= 30 * 96);
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
        assert_eq!((whole.iter().count(), whole.iter().map(|(_, count)| count.get()).sum::<u64>()), (720, 720 * 12));
    }
}
