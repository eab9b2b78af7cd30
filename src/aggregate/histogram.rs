//! How often which bucket of a delay there was: in two forms, for few different ones and for many.
//!
//! The first is a sorted list of two bytes a bucket, or three; most senders and domains never need more. The second has
//! counters in pages, each made when it is first used: a busy row takes a kilobyte or two, however much it counts.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Buckets or steps with their counts, the smallest first: no more than `MOST` different ones, each with how often in so many
/// bits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Few<const TIMES_BITS: u32, const MOST: usize> {
    /// The buckets, two bytes each, and behind them how often those were that were often, in the same order.
    bytes: SmallVec<[u8; 32]>,
    /// How many buckets.
    many: u16,
    /// How many bytes it takes to say how often.
    width: Width,
}

/// As wide as the largest of a list needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Width {
    #[default]
    One = 1,
    Two = 2,
    Four = 4,
}

impl Width {
    fn of(times: u64) -> Option<Self> {
        match times {
            0..=0xFF => Some(Self::One),
            0x100..=0xFFFF => Some(Self::Two),
            0x1_0000..=0xFFFF_FFFF => Some(Self::Four),
            _ => None,
        }
    }
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

    fn read(bytes: [u8; 2]) -> Self {
        Self(u16::from_le_bytes(bytes))
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
    /// Counts a bucket of as many bits as are left; `false`, and nothing done, where it would be too many.
    #[inline(always)]
    pub fn put(&mut self, bucket: u16, times: u64) -> bool {
        let buckets = self.buckets();
        let at = buckets.partition_point(|place| Place::<TIMES_BITS>::read(*place).bucket() < bucket);
        let known = buckets.get(at).map(|place| Place::<TIMES_BITS>::read(*place)).filter(|place| place.bucket() == bucket);
        match known.map(Place::times) {
            Some(Some(before)) => self.set(at, bucket, before + times),
            Some(None) => self.add_often(at, times),
            None => self.begin(at, bucket, times),
        }
    }

    #[inline]
    fn buckets(&self) -> &[[u8; 2]] {
        self.bytes[..2 * usize::from(self.many)].as_chunks().0
    }

    /// Counts a bucket that was not there yet.
    #[inline]
    fn begin(&mut self, at: usize, bucket: u16, times: u64) -> bool {
        if Width::of(times).is_none() || usize::from(self.many) == MOST {
            return false;
        }
        self.make_room(2);
        self.bytes.insert_from_slice(2 * at, &[0; 2]);
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
        self.write(at, place);
        true
    }

    fn write(&mut self, at: usize, place: Place<TIMES_BITS>) {
        self.bytes[2 * at..2 * at + 2].copy_from_slice(&place.0.to_le_bytes());
    }

    /// The same, and that is often.
    fn begin_often(&mut self, at: usize, place: Place<TIMES_BITS>, times: u64) -> bool {
        if Width::of(times).is_none() {
            return false;
        }
        let (often, width) = (self.often(at), self.width as usize);
        self.make_room(width);
        self.bytes.insert_from_slice(often, &[0; 4][..width]);
        self.write(at, place);
        self.add_often(at, times)
    }

    /// The bucket at a place, which was often, was so much more often.
    #[inline]
    fn add_often(&mut self, at: usize, times: u64) -> bool {
        let mut often = self.often(at);
        let sum = self.times_at(often).saturating_add(times);
        let Some(width) = Width::of(sum) else { return false };
        if width > self.width {
            self.widen(width);
            often = self.often(at);
        }
        let width = self.width as usize;
        self.bytes[often..often + width].copy_from_slice(&sum.to_le_bytes()[..width]);
        true
    }

    /// Where it says how often the bucket at a place was.
    fn often(&self, at: usize) -> usize {
        let before = &self.buckets()[..at];
        // In sixteen bits: they are counted eight together.
        let before = before.iter().fold(0, |before, place| before + u16::from(Place::<TIMES_BITS>::read(*place).is_often()));
        2 * usize::from(self.many) + usize::from(before) * self.width as usize
    }

    fn times_at(&self, often: usize) -> u64 {
        self.bytes[often..often + self.width as usize].iter().rev().fold(0, |times, byte| times << 8 | u64::from(*byte))
    }

    /// From now on how often takes so many bytes.
    #[cold]
    fn widen(&mut self, to: Width) {
        let often: Vec<u8> = self.bytes.drain(2 * usize::from(self.many)..).collect();
        let (before, after) = (self.width as usize, to as usize);
        self.width = to;
        often.chunks(before).for_each(|times| {
            self.bytes.extend_from_slice(times);
            self.bytes.extend_from_slice(&[0; 4][..after - before]);
        });
    }

    fn make_room(&mut self, more: usize) {
        if self.bytes.len() + more > self.bytes.capacity() {
            // There are many such lists, and each has few buckets more than it had.
            self.bytes.reserve_exact((self.bytes.len() / 8).max(8));
        }
    }

    /// The smallest bucket first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let mut often = 2 * usize::from(self.many);
        self.buckets().iter().map(move |place| {
            let place = Place::<TIMES_BITS>::read(*place);
            let times = place.times().unwrap_or_else(|| {
                often += self.width as usize;
                self.times_at(often - self.width as usize)
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
    /// Steps and how often 256 times, where it was as often; a million millions and more are one number.
    #[allow(clippy::box_collection)] // an empty list would be three times as large
    carried: Option<Box<Vec<(u16, u32)>>>,
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
            self.carry(step, u32::try_from(sum >> 8).unwrap_or(u32::MAX));
        }
    }

    #[cold]
    fn add_page(&mut self, number: usize) {
        self.cells.reserve_exact(PAGE);
        self.cells.extend([0; PAGE]);
        self.cells[number] = ((self.cells.len() - PAGES) / PAGE) as u8;
    }

    #[cold]
    fn carry(&mut self, step: u16, times: u32) {
        let carried = self.carried.get_or_insert_default();
        match carried.binary_search_by_key(&step, |(known, _)| *known) {
            Ok(at) => carried[at].1 = carried[at].1.saturating_add(times),
            Err(at) => carried.insert(at, (step, times)),
        }
    }

    /// The smallest step first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let of = |step: u16| {
            let at = usize::from(step);
            let page = usize::from(self.cells[at / PAGE]).checked_sub(1)?;
            let carried = self.carried.as_deref().map_or(&[][..], Vec::as_slice);
            let carried = carried.binary_search_by_key(&step, |(known, _)| *known).map_or(0, |at| u64::from(carried[at].1) << 8);
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
        many.put(7, 1 << 39);
        assert_eq!(many.iter().collect::<Vec<_>>(), [(7, 210_000 + (1 << 39)), (2000, u64::from(u32::MAX))]);
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
                let fits = *count + times <= u64::from(u32::MAX);
                prop_assert_eq!(few.put(bucket * 387, times), fits);
                *count += if fits { times } else { 0 };
            }
            prop_assert_eq!(few.iter().collect::<Vec<_>>(), counts.into_iter().collect::<Vec<_>>());
        }
    }
}
