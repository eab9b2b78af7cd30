//! How often which bucket of a delay there was: in two forms, for few different ones and for many.
//!
//! The first is a sorted list of two bytes a bucket, or four; most senders and domains never need more. The second has
//! counters in pages, each made when it is first used: a busy row takes a kilobyte or two, however much it counts.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Buckets or steps with their counts, the smallest first: no more than `MOST` different ones, each with how often in so many
/// bits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Few<const TIMES_BITS: u32, const MOST: usize> {
    /// The buckets, and behind them how often those were that were often, in the same order.
    places: SmallVec<[u16; 16]>,
    /// How many buckets.
    many: u16,
    /// Whether how often takes two numbers, the lower half first: from when one was more than fits in one.
    is_wide: bool,
}

/// A bucket in the upper bits. In the lower ones how often less one, or [`Place::OFTEN`].
#[derive(Clone, Copy, Debug)]
struct Place<const TIMES_BITS: u32>(u16);

impl<const TIMES_BITS: u32> Place<TIMES_BITS> {
    /// More often than fits: how often stands elsewhere.
    const OFTEN: u16 = (1 << TIMES_BITS) - 1;

    fn new(bucket: u16, times: u64) -> Self {
        Self(bucket << TIMES_BITS | times.saturating_sub(1).min(Self::OFTEN.into()) as u16)
    }

    fn bucket(self) -> u16 {
        self.0 >> TIMES_BITS
    }

    /// `None` where it was often.
    fn times(self) -> Option<u64> {
        (!self.is_often()).then(|| u64::from(self.0 & Self::OFTEN) + 1)
    }

    fn is_often(self) -> bool {
        self.0 & Self::OFTEN == Self::OFTEN
    }
}

impl<const TIMES_BITS: u32, const MOST: usize> Few<TIMES_BITS, MOST> {
    /// So often a bucket may have been.
    const FULL: u64 = u32::MAX as u64;

    /// Counts a bucket of as many bits as are left; `false`, and nothing done, where it would be too many.
    #[inline(always)]
    pub fn put(&mut self, bucket: u16, times: u64) -> bool {
        let buckets = &self.places[..self.many.into()];
        let at = buckets.partition_point(|place| Place::<TIMES_BITS>(*place).bucket() < bucket);
        let known = buckets.get(at).map(|place| Place::<TIMES_BITS>(*place)).filter(|place| place.bucket() == bucket);
        match known.map(Place::times) {
            Some(Some(before)) => self.set(at, bucket, before + times),
            Some(None) => self.add_often(at, times),
            None => self.begin(at, bucket, times),
        }
    }

    /// Counts a bucket that was not there yet.
    #[inline]
    fn begin(&mut self, at: usize, bucket: u16, times: u64) -> bool {
        if times > Self::FULL || usize::from(self.many) == MOST {
            return false;
        }
        self.make_room(1);
        self.places.insert(at, 0);
        self.many += 1;
        self.set(at, bucket, times)
    }

    /// The bucket at a place, which was not often before, was so often.
    #[inline(always)]
    fn set(&mut self, at: usize, bucket: u16, times: u64) -> bool {
        let place = Place::<TIMES_BITS>::new(bucket, times);
        if place.is_often() {
            return self.begin_often(at, place, times);
        }
        self.places[at] = place.0;
        true
    }

    /// The same, and that is often.
    fn begin_often(&mut self, at: usize, place: Place<TIMES_BITS>, times: u64) -> bool {
        if times > Self::FULL {
            return false;
        }
        let (often, width) = (self.often(at), self.width());
        self.make_room(width);
        (0..width).for_each(|_| self.places.insert(often, 0));
        self.places[at] = place.0;
        self.add_often(at, times)
    }

    /// The bucket at a place, which was often, was so much more often.
    #[inline]
    fn add_often(&mut self, at: usize, times: u64) -> bool {
        let mut often = self.often(at);
        let sum = self.times_at(often) + times;
        if sum > Self::FULL {
            return false;
        }
        if !self.is_wide && sum > u16::MAX.into() {
            self.widen();
            often = self.often(at);
        }
        self.places[often] = sum as u16;
        if self.is_wide {
            self.places[often + 1] = (sum >> 16) as u16;
        }
        true
    }

    /// Where it says how often the bucket at a place was.
    fn often(&self, at: usize) -> usize {
        // In sixteen bits: they are counted eight together.
        let before = self.places[..at].iter().fold(0, |before, place| before + u16::from(Place::<TIMES_BITS>(*place).is_often()));
        usize::from(self.many) + usize::from(before) * self.width()
    }

    fn width(&self) -> usize {
        1 + usize::from(self.is_wide)
    }

    fn times_at(&self, often: usize) -> u64 {
        let upper = if self.is_wide { u64::from(self.places[often + 1]) << 16 } else { 0 };
        upper | u64::from(self.places[often])
    }

    /// From now on how often takes two numbers.
    #[cold]
    fn widen(&mut self) {
        let often: Vec<u16> = self.places.drain(usize::from(self.many)..).collect();
        self.is_wide = true;
        self.places.extend(often.into_iter().flat_map(|times| [times, 0]));
    }

    fn make_room(&mut self, more: usize) {
        if self.places.len() + more > self.places.capacity() {
            // There are many such lists, and each has few buckets more than it had.
            self.places.reserve_exact((self.places.len() / 8).max(4));
        }
    }

    /// The smallest bucket first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let mut often = usize::from(self.many);
        self.places[..often].iter().map(move |place| {
            let place = Place::<TIMES_BITS>(*place);
            let times = place.times().unwrap_or_else(|| {
                often += self.width();
                self.times_at(often - self.width())
            });
            (place.bucket(), times)
        })
    }
}

/// Counters for every step there is, in pages. All of it is one piece of memory: first, for each page that there may be,
/// its number counted from 1 (0 where there is none), then the pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<(u16, u64)>", into = "Vec<(u16, u64)>")]
pub struct Many {
    cells: Vec<u8>,
    /// Steps and how often 256 times, where it was as often.
    #[allow(clippy::box_collection)] // an empty list would be three times as large
    carried: Option<Box<Vec<(u16, u64)>>>,
}

/// Half a cache line.
const PAGE: usize = 32;
/// Pages that there may be.
const PAGES: usize = STEPS as usize / PAGE + 1;

impl Default for Many {
    fn default() -> Self {
        Self { cells: vec![0; PAGES], carried: None }
    }
}

/// As it is stored: steps, and how often each.
impl From<Vec<(u16, u64)>> for Many {
    fn from(steps: Vec<(u16, u64)>) -> Self {
        let mut many = Self::default();
        steps.into_iter().filter(|(step, _)| *step < STEPS).for_each(|(step, times)| many.put(step, times));
        many
    }
}

impl From<Many> for Vec<(u16, u64)> {
    fn from(many: Many) -> Self {
        many.iter().collect()
    }
}

impl Many {
    #[inline]
    pub fn put(&mut self, step: u16, times: u64) {
        let at = usize::from(step);
        if self.cells[at / PAGE] == 0 {
            self.add_page(at / PAGE);
        }
        let page = usize::from(self.cells[at / PAGE]) - 1;
        let counter = &mut self.cells[PAGES + page * PAGE + at % PAGE];
        let sum = u64::from(*counter) + times;
        *counter = sum as u8;
        if sum > u64::from(u8::MAX) {
            self.carry(step, sum >> 8);
        }
    }

    #[cold]
    fn add_page(&mut self, number: usize) {
        self.cells.reserve_exact(PAGE);
        self.cells.extend([0; PAGE]);
        self.cells[number] = ((self.cells.len() - PAGES) / PAGE) as u8;
    }

    #[cold]
    fn carry(&mut self, step: u16, times: u64) {
        let carried = self.carried.get_or_insert_default();
        match carried.binary_search_by_key(&step, |(known, _)| *known) {
            Ok(at) => carried[at].1 += times,
            Err(at) => carried.insert(at, (step, times)),
        }
    }

    /// The smallest step first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let of = |step: u16| {
            let at = usize::from(step);
            let page = usize::from(self.cells[at / PAGE]).checked_sub(1)?;
            let carried = self.carried.as_deref().map_or(&[][..], Vec::as_slice);
            let carried = carried.binary_search_by_key(&step, |(known, _)| *known).map_or(0, |at| carried[at].1 << 8);
            let times = u64::from(self.cells[PAGES + page * PAGE + at % PAGE]) + carried;
            (times > 0).then_some((step, times))
        };
        (0..STEPS).filter_map(of)
    }
}

/// How many buckets the numbers of 64 bits have: 0 to 999 stand for themselves, then 900 a decade, that is three
/// significant digits. They fit in the 14 bits of a [`Place`] with two for how often.
pub const BUCKETS: u16 = 15_485;

/// The decade of a bucket and its digits: 100 to 999, or fewer in decade 0.
#[inline]
const fn parts(bucket: u16) -> (u16, u16) {
    if bucket < 1000 { (0, bucket) } else { ((bucket - 1000) / 900 + 1, (bucket - 1000) % 900 + 100) }
}

/// For each number from 100 to 999 the step of its decade that it is in. Steps are as wide as two per cent of their
/// smallest number.
static STEP_OF: [u8; 900] = {
    let (mut step_of, mut step, mut from, mut digits) = ([0; 900], 0, 100, 100);
    while digits < 1000 {
        if digits >= from + from / 50 {
            (step, from) = (step + 1, digits);
        }
        step_of[digits - 100] = step;
        digits += 1;
    }
    step_of
};

/// Steps a decade.
const A_DECADE: u16 = STEP_OF[899] as u16 + 1;

/// The first number of each step of a decade, and 1000 behind the last.
static FIRSTS: [u16; A_DECADE as usize + 1] = {
    let mut firsts = [1000; A_DECADE as usize + 1];
    let mut digits = 999;
    while digits >= 100 {
        firsts[STEP_OF[digits - 100] as usize] = digits as u16;
        digits -= 1;
    }
    firsts
};

/// Steps in all.
const STEPS: u16 = 100 + (parts(BUCKETS).0 + 1) * A_DECADE;

/// The bucket of a decade's digits.
#[inline]
pub fn bucket_of(decade: u16, digits: u16) -> u16 {
    if decade == 0 { digits } else { decade * 900 + digits }
}

/// The step that a bucket is in.
#[inline]
pub fn step(bucket: u16) -> u16 {
    let (decade, digits) = parts(bucket);
    step_of(decade, digits)
}

/// The step that digits are in. Less than 100 stands for itself.
#[inline]
fn step_of(decade: u16, digits: u16) -> u16 {
    match (decade, digits) {
        (0, 0..100) => digits,
        _ => 100 + decade * A_DECADE + u16::from(STEP_OF[usize::from(digits - 100)]),
    }
}

/// The middle of a step.
pub fn step_value(step: u16) -> u64 {
    let Some(beyond) = step.checked_sub(100) else { return u64::from(step) };
    let (decade, step) = (beyond / A_DECADE, usize::from(beyond % A_DECADE));
    let (first, width) = (u64::from(FIRSTS[step]), u64::from(FIRSTS[step + 1] - FIRSTS[step]));
    // A single number is exact; what a wider step holds lies between its first number and the next step's.
    let middle = if decade == 0 { first + (width - 1) / 2 } else { first * 10 + width * 5 };
    middle.saturating_mul(10_u64.pow(u32::from(decade.saturating_sub(1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn steps_go_on_without_a_gap_and_are_within_one_per_cent() {
        assert_eq!(step(0), 0);
        // Those of the last two decades don't fit in 64 bits here.
        for bucket in 1..BUCKETS - 1800 {
            let rise = step(bucket) - step(bucket - 1);
            assert!(rise <= 1, "{bucket}");
            let (decade, digits) = parts(bucket);
            let (least, beyond) =
                (u64::from(digits) * 10_u64.pow(u32::from(decade)), u64::from(digits + 1) * 10_u64.pow(u32::from(decade)));
            let (middle, most) = (step_value(step(bucket)), if decade == 0 { least } else { beyond });
            assert!(middle.abs_diff(least) * 100 <= least && middle.abs_diff(most) * 100 <= most, "{bucket} {middle} {least}");
        }
        assert!(step(BUCKETS - 1) < STEPS);
    }

    #[test]
    fn counters_hold_any_number() {
        let mut many = Many::default();
        (0..70_000).for_each(|_| many.put(7, 3));
        many.put(2000, u64::from(u32::MAX));
        many.put(7, 1 << 40);
        assert_eq!(many.iter().collect::<Vec<_>>(), [(7, 210_000 + (1 << 40)), (2000, u64::from(u32::MAX))]);
    }

    #[test]
    fn few_are_counted_up_to_the_limits_and_nothing_is_lost() {
        let mut few = Few::<2, 128>::default();
        for bucket in 0..128_u16 * 3 {
            assert_eq!(few.put(bucket * 7, 2), bucket < 128);
        }
        assert!(few.put(7, 1) && few.put(7, 70_000) && few.put(0, 70_000) && !few.put(7, u64::from(u32::MAX) - 70_002));
        let sum: u64 = few.iter().map(|(_, times)| times).sum();
        assert_eq!((few.iter().count(), sum), (128, 2 * 128_u64 + 140_001));
    }

    proptest! {
        #[test]
        fn few_say_how_often_each_was(put in prop::collection::vec((0_u16..40, prop_oneof![4 => 1_u64..3, 1 => 3..2_000_000_000_u64]), 0..200)) {
            let (mut few, mut counts) = (Few::<2, 128>::default(), BTreeMap::<u16, u64>::new());
            for (bucket, times) in put {
                let count = counts.entry(bucket * 387).or_default();
                let fits = *count + times <= Few::<2, 128>::FULL;
                prop_assert_eq!(few.put(bucket * 387, times), fits);
                *count += if fits { times } else { 0 };
            }
            prop_assert_eq!(few.iter().collect::<Vec<_>>(), counts.into_iter().collect::<Vec<_>>());
        }
    }
}
