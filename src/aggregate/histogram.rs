//! How often which bucket of a delay there was: in two forms, for few different ones and for many.
//!
//! The first is a sorted list of one or two bytes a bucket; most senders and domains never need more. The second has counters in
//! pages, each made when it is first used: a busy row takes a kilobyte or two, however much it counts.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// So many are counted at a time, at most.
pub const BATCH: usize = 7;
/// So many wait until the list is written anew.
const WAITING: usize = 2 * BATCH;

/// Buckets or steps and how often each, no more than `MOST` different ones: a list, and what is not in it yet. A list is written
/// anew each time, so that there is no room in it that is not in use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Few<const MOST: usize> {
    /// [`Entry`] by [`Entry`], the smallest first.
    list: Box<[u8]>,
    /// How many different ones are in it.
    many: u16,
    many_waiting: u16,
    waiting: [u16; WAITING],
}

/// One of a list: how far it is from the one before, and how often it was.
///
/// Its first byte has the distance in six bits and how often less one in two, where they fit. A distance that does not goes on in
/// the next byte, or, where that is full, stands in the two behind it; how often goes on in as many as it needs, seven bits in
/// each.
#[derive(Clone, Copy, Debug)]
struct Entry {
    distance: u16,
    times: u64,
}

/// The least distance that does not fit in the first byte, and the least that does not fit in the second either.
const FAR: u16 = 63;
const FARTHER: u16 = FAR + 255;
/// The least number of times that does not fit in the first byte.
const OFTEN: u64 = 4;

/// A list as it is written; few are longer.
#[derive(Debug, Default)]
struct Written {
    bytes: SmallVec<[u8; 256]>,
    last: u16,
}

impl Written {
    #[inline(always)]
    fn put(&mut self, (one, times): (u16, u64)) {
        Entry { distance: one - self.last, times }.write(&mut self.bytes);
        self.last = one;
    }

    /// Puts those that stand behind the last one.
    #[inline(always)]
    fn copy(&mut self, Entries { bytes, last }: Entries<'_>) {
        if !bytes.is_empty() {
            self.bytes.extend_from_slice(bytes);
            self.last = last;
        }
    }
}

impl Entry {
    /// Takes one from the front.
    #[inline(always)]
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let (mut distance, mut times) = (u16::from(first >> 2), u64::from(first & 3) + 1);
        if distance == FAR {
            distance = Self::read_far(bytes)?;
        }
        if times == OFTEN {
            times = Self::read_often(bytes)?;
        }
        Some(Self { distance, times })
    }

    #[inline]
    fn read_far(bytes: &mut &[u8]) -> Option<u16> {
        let (distance, rest) = match bytes {
            [u8::MAX, low, high, rest @ ..] => (u16::from_le_bytes([*low, *high]), rest),
            [more, rest @ ..] => (FAR + u16::from(*more), rest),
            [] => return None,
        };
        *bytes = rest;
        Some(distance)
    }

    #[inline]
    fn read_often(bytes: &mut &[u8]) -> Option<u64> {
        let (mut times, mut shift) = (OFTEN, 0);
        loop {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            times = times.saturating_add(u64::from(byte & 0x7F).checked_shl(shift)?);
            if *byte < 0x80 {
                return Some(times);
            }
            shift += 7;
        }
    }

    #[inline(always)]
    fn write(self, to: &mut SmallVec<[u8; 256]>) {
        let Self { distance, times } = self;
        to.push((distance.min(FAR) << 2) as u8 | (times.min(OFTEN) - 1) as u8);
        if distance >= FAR {
            if distance < FARTHER {
                to.push((distance - FAR) as u8);
            } else {
                to.extend_from_slice(&[u8::MAX, distance as u8, (distance >> 8) as u8]);
            }
        }
        if let Some(mut more) = times.checked_sub(OFTEN) {
            while more >= 0x80 {
                to.push(more as u8 | 0x80);
                more >>= 7;
            }
            to.push(more as u8);
        }
    }
}

/// Entries of a list, each with what it stands for.
#[derive(Clone, Debug)]
pub struct Entries<'l> {
    bytes: &'l [u8],
    last: u16,
}

impl<'l> Entries<'l> {
    /// Passes over those that are less. Gives them, with the last one's value, and the one behind them, which is taken, too.
    #[inline(always)]
    fn pass(&mut self, limit: u16) -> (Self, Option<(u16, u64)>) {
        let all = self.bytes;
        loop {
            let (left, last) = (self.bytes.len(), self.last);
            let next = self.next();
            if next.is_none_or(|(next, _)| next >= limit) {
                return (Self { bytes: &all[..all.len() - left], last }, next);
            }
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = (u16, u64);

    #[inline(always)]
    fn next(&mut self) -> Option<(u16, u64)> {
        let Entry { distance, times } = Entry::read(&mut self.bytes)?;
        self.last = self.last.wrapping_add(distance);
        Some((self.last, times))
    }
}

impl<const MOST: usize> Few<MOST> {
    /// Counts a few of them once each; `false`, and none of them counted, where there would be too many.
    #[inline]
    pub fn put_each(&mut self, few: impl ExactSizeIterator<Item = u16>) -> bool {
        let known = usize::from(self.many_waiting);
        if let Some(room) = self.waiting.get_mut(known..known + few.len()) {
            self.many_waiting += few.len() as u16;
            room.iter_mut().zip(few).for_each(|(place, one)| *place = one);
            return true;
        }
        self.put_waiting(few)
    }

    /// Counts what waits; `false` where there would be too many.
    pub fn settle(&mut self) -> bool {
        self.many_waiting == 0 || self.put_waiting(std::iter::empty())
    }

    /// Puts what waits into the list, and these.
    #[inline]
    fn put_waiting(&mut self, more: impl Iterator<Item = u16>) -> bool {
        let mut all: SmallVec<[u16; WAITING + BATCH]> = SmallVec::from_slice(self.waiting());
        all.extend(more);
        all.sort_unstable();
        let is_in = self.put_all(all.iter().map(|one| (*one, 1)));
        if is_in {
            self.many_waiting = 0;
        }
        is_in
    }

    /// Counts what comes in ascending order, in a list that is written anew; `false`, and none of it counted, where there would be
    /// too many.
    #[inline]
    pub fn put_all(&mut self, all: impl Iterator<Item = (u16, u64)>) -> bool {
        let (mut old, mut new, mut many) = (self.iter(), Written::default(), self.many);
        let (mut all, mut next) = (all.peekable(), None);
        if all.peek().is_none() {
            return true;
        }
        while let Some((one, mut times)) = all.next() {
            while let Some((_, more)) = all.next_if(|(next, _)| *next == one) {
                times = times.saturating_add(more);
            }
            if next.is_none_or(|(next, _)| next < one) {
                next.into_iter().for_each(|next| new.put(next));
                let passed;
                (passed, next) = old.pass(one);
                new.copy(passed);
            }
            match &mut next {
                Some((next, before)) if *next == one => *before = before.saturating_add(times),
                _ => {
                    new.put((one, times));
                    many += 1;
                }
            }
        }
        if usize::from(many) > MOST {
            return false;
        }
        next.into_iter().for_each(|next| new.put(next));
        new.copy(old);
        if new.bytes.len() == self.list.len() {
            self.list.copy_from_slice(&new.bytes);
        } else {
            self.list = Box::from(&new.bytes[..]);
        }
        self.many = many;
        true
    }

    /// All that do not wait, in ascending order.
    pub fn iter(&self) -> Entries<'_> {
        Entries { bytes: &self.list, last: 0 }
    }

    /// What waits, in no order.
    pub fn waiting(&self) -> &[u16] {
        &self.waiting[..usize::from(self.many_waiting)]
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

    /// The same for several, for which there always is room.
    #[inline]
    pub fn put_all(&mut self, all: impl Iterator<Item = (u16, u64)>) -> bool {
        all.for_each(|(step, times)| self.put(step, times));
        true
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
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> + Clone {
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
    fn few_are_counted_up_to_the_limit_and_nothing_is_lost() {
        let mut few = Few::<128>::default();
        for bucket in 0..128_u16 * 3 {
            assert_eq!(few.put_all([(bucket * 7, 2)].into_iter()), bucket < 128);
        }
        assert!(few.put_all([(0, 70_000), (7, 70_001), (889, u64::MAX)].into_iter()));
        let counts: Vec<_> = few.iter().collect();
        assert_eq!((counts.len(), &counts[..3], counts[127]), (128, &[(0, 70_002), (7, 70_003), (14, 2)][..], (889, u64::MAX)));
        assert!(counts[2..127].iter().all(|(_, times)| *times == 2));
    }

    proptest! {
        #[test]
        fn few_say_how_often_each_was(
            put in prop::collection::vec((0_u16..60, prop_oneof![6 => Just(1_u64), 1 => 2..2_000_000_000_000_u64]), 0..300),
            apart in prop_oneof![Just(1_u16), Just(30), Just(387)],
        ) {
            let (mut few, mut counts) = (Few::<40>::default(), BTreeMap::<u16, u64>::new());
            for some in put.chunks(BATCH) {
                let mut more = counts.clone();
                some.iter().for_each(|(bucket, times)| *more.entry(bucket * apart).or_default() += times);
                let is_in = if some.iter().all(|(_, times)| *times == 1) {
                    few.put_each(some.iter().map(|(bucket, _)| bucket * apart))
                } else {
                    let mut some: Vec<_> = some.iter().map(|(bucket, times)| (bucket * apart, *times)).collect();
                    some.sort_unstable();
                    few.put_all(some.into_iter())
                };
                // What waits may be too much, as is told later.
                prop_assert!(is_in || more.len() > 40);
                if is_in {
                    counts = more;
                }
            }
            prop_assert_eq!(few.clone().settle(), counts.len() <= 40);
            let mut got: BTreeMap<_, _> = few.iter().collect();
            few.waiting().iter().for_each(|bucket| *got.entry(*bucket).or_default() += 1);
            prop_assert_eq!(got, counts);
        }
    }
}
