//! How often which bucket of a delay there was: in two forms, for few different ones and for many.
//!
//! The first is a sorted list of two bytes a bucket, or six; most senders and domains never need more. The second has
//! counters in pages, each made when it is first used: a busy row takes a kilobyte or two, however much it counts.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Buckets or steps with their counts, the smallest first; how often is written in so many bits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Few<const TIMES_BITS: u32> {
    /// The buckets, and behind them how often those were that were often, in the same order.
    places: SmallVec<[u16; 16]>,
    /// How many buckets.
    many: u16,
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

impl<const TIMES_BITS: u32> Few<TIMES_BITS> {
    /// So many numbers it holds: a different bucket is one, what was often three.
    const MOST: usize = 128;
    /// So often a bucket may have been.
    const FULL: u64 = u32::MAX as u64;

    /// Counts a bucket of as many bits as are left; `false`, and nothing done, where it would be too many.
    #[inline]
    pub fn put(&mut self, bucket: u16, times: u64) -> bool {
        let buckets = &self.places[..self.many.into()];
        let at = buckets.partition_point(|place| Place::<TIMES_BITS>(*place).bucket() < bucket);
        let Some(place) = buckets.get(at).map(|place| Place::<TIMES_BITS>(*place)).filter(|place| place.bucket() == bucket) else {
            return self.put_new(at, bucket, times);
        };
        match place.times() {
            Some(known) if known + times <= Place::<TIMES_BITS>::OFTEN.into() => {
                self.places[at] = Place::<TIMES_BITS>::new(bucket, known + times).0;
                true
            }
            Some(known) => self.put_often(at, known + times),
            None => {
                let often = self.often(at);
                let sum = u64::from(whole_of([self.places[often], self.places[often + 1]])) + times;
                let fits = sum <= Self::FULL;
                if fits {
                    self.places[often..][..2].copy_from_slice(&halves(sum));
                }
                fits
            }
        }
    }

    /// Where it says how often the bucket at a place was.
    fn often(&self, at: usize) -> usize {
        usize::from(self.many) + 2 * self.places[..at].iter().filter(|place| Place::<TIMES_BITS>(**place).is_often()).count()
    }

    /// The bucket at a place is often from now on.
    fn put_often(&mut self, at: usize, times: u64) -> bool {
        let fits = times <= Self::FULL && self.has_room(2);
        if fits {
            let often = self.often(at);
            self.places.insert_many(often, halves(times));
            self.places[at] |= Place::<TIMES_BITS>::OFTEN;
        }
        fits
    }

    fn put_new(&mut self, at: usize, bucket: u16, times: u64) -> bool {
        let place = Place::<TIMES_BITS>::new(bucket, times);
        let fits = times <= Self::FULL && self.has_room(if place.is_often() { 3 } else { 1 });
        if fits {
            self.places.insert(at, place.0);
            self.many += 1;
            if place.is_often() {
                let often = self.often(at);
                self.places.insert_many(often, halves(times));
            }
        }
        fits
    }

    /// Makes room for some more, unless it is too many.
    fn has_room(&mut self, more: usize) -> bool {
        let wanted = self.places.len() + more;
        if wanted > self.places.capacity() && wanted <= Self::MOST {
            // There are many such lists, and each has few buckets more than it had.
            self.places.reserve_exact((self.places.len() / 8).max(4));
        }
        wanted <= Self::MOST
    }

    /// The smallest bucket first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let (buckets, often) = self.places.split_at(self.many.into());
        let mut often = often.chunks_exact(2).map(|halves| u64::from(whole_of([halves[0], halves[1]])));
        buckets.iter().map(move |place| {
            let place = Place::<TIMES_BITS>(*place);
            (place.bucket(), place.times().or_else(|| often.next()).unwrap_or_default())
        })
    }
}

/// How often, as two numbers of a list.
fn halves(times: u64) -> [u16; 2] {
    [times as u16, (times >> 16) as u16]
}

fn whole_of([low, high]: [u16; 2]) -> u32 {
    u32::from(high) << 16 | u32::from(low)
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
/// significant digits. They fit in the 14 bits that a [`Few`] of [`IN_BUCKETS`] has for them.
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
        let mut few = Few::<2>::default();
        for bucket in 0..Few::<2>::MOST as u16 * 3 {
            assert_eq!(few.put(bucket * 7, 2), usize::from(bucket) < Few::<2>::MOST);
        }
        assert!(few.put(7, 1) && !few.put(7, 1));
        let sum: u64 = few.iter().map(|(_, times)| times).sum();
        assert_eq!((few.iter().count(), sum), (Few::<2>::MOST, 2 * Few::<2>::MOST as u64 + 1));
    }

    proptest! {
        #[test]
        fn few_say_how_often_each_was(put in prop::collection::vec((0_u16..40, prop_oneof![4 => 1_u64..3, 1 => 3..2_000_000_000_u64]), 0..200)) {
            let (mut few, mut counts) = (Few::<2>::default(), BTreeMap::<u16, u64>::new());
            for (bucket, times) in put {
                let count = counts.entry(bucket * 387).or_default();
                let fits = *count + times <= Few::<2>::FULL;
                prop_assert_eq!(few.put(bucket * 387, times), fits);
                *count += if fits { times } else { 0 };
            }
            prop_assert_eq!(few.iter().collect::<Vec<_>>(), counts.into_iter().collect::<Vec<_>>());
        }
    }
}
