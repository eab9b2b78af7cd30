//! Delays: count, mean and maximum exact, quantiles within one per cent.
//!
//! A value is counted under its first three significant decimal digits; where there are many different ones, in steps
//! that are two per cent wide. MTAs log delays with two or three digits, so most quantiles come out exactly as logged,
//! and merging is adding: the result does not depend on order or split.

use super::histogram::{BATCH, Few, Many, bucket_of, step, step_value};
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

/// A mergeable distribution of durations. What every duration touches comes first, 40 bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[repr(C)]
pub struct Quantiles {
    pub count: u64,
    pub sum: u64,
    pub max: u64,
    /// Buckets that are not counted yet: a row that is seldom looked at stands far away, and its counts farther.
    recent: [u16; BATCH],
    waiting: u16,
    counts: Counts,
}

/// How often there was what. Which form it takes depends on the values alone, not on their order or split.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Counts {
    /// By [`bucket`].
    Buckets(Few<96>),
    /// By [`step`]: an eighth as many.
    Steps(Few<128>),
    /// By [`step`].
    Many(Many),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Buckets(Few::default())
    }
}

impl Counts {
    /// Counts a few buckets once each. What is often counted in has its last form before long.
    #[inline]
    fn put_each(&mut self, buckets: &[u16]) {
        self.put(|counts| match counts {
            Self::Buckets(few) => few.put_each(buckets.iter().copied()),
            Self::Steps(few) => few.put_each(buckets.iter().copied().map(step)),
            Self::Many(many) => many.put_all(buckets.iter().map(|bucket| (step(*bucket), 1))),
        });
    }

    /// Counts buckets in ascending order.
    fn put_all(&mut self, buckets: impl Iterator<Item = (u16, u64)> + Clone) {
        let steps = || buckets.clone().map(|(bucket, times)| (step(bucket), times));
        self.put(|counts| match counts {
            Self::Buckets(few) => few.put_all(buckets.clone()),
            Self::Steps(few) => few.put_all(steps()),
            Self::Many(many) => many.put_all(steps()),
        });
    }

    /// Counts steps in ascending order.
    fn put_steps(&mut self, steps: impl Iterator<Item = (u16, u64)> + Clone) {
        self.put(|counts| match counts {
            Self::Buckets(_) => false,
            Self::Steps(few) => few.put_all(steps.clone()),
            Self::Many(many) => many.put_all(steps.clone()),
        });
    }

    /// Counts what waits.
    fn settle(&mut self) {
        self.put(|counts| match counts {
            Self::Buckets(few) => few.settle(),
            Self::Steps(few) => few.settle(),
            Self::Many(_) => true,
        });
    }

    /// Puts something in, in the first form that has room for it: `put` says whether it was in.
    #[inline]
    fn put(&mut self, mut put: impl FnMut(&mut Self) -> bool) {
        while !put(self) {
            self.spread();
        }
    }

    /// Takes a form that holds more, with as much in it.
    #[cold]
    fn spread(&mut self) {
        *self = match self {
            Self::Buckets(few) => {
                let mut more = Self::Steps(Few::default());
                more.put_steps(few.iter().map(|(bucket, times)| (step(bucket), times)));
                few.waiting().chunks(BATCH).for_each(|some| more.put_each(some));
                more
            }
            Self::Steps(few) => {
                let mut more = Many::default();
                more.put_all(few.iter().chain(few.waiting().iter().map(|step| (*step, 1))));
                Self::Many(more)
            }
            Self::Many(_) => return,
        };
    }
}

/// A duration and its bucket, worked out once for all rows that count it.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    micros: u64,
    bucket: u16,
}

impl Measured {
    /// A negative duration is none at all.
    #[inline]
    #[must_use]
    pub fn new(micros: Micros) -> Self {
        let micros = u64::try_from(micros).unwrap_or(0);
        let (decade, digits) = parts(micros);
        Self { micros, bucket: bucket_of(decade, digits) }
    }
}

/// What makes three digits of a number with so many bits, where the number is less than [`LONG`].
#[derive(Clone, Copy)]
struct Scale {
    decade: u16,
    /// Two to the 64th, divided by ten to the power of the decade and by that of the decade before: to multiply by these and
    /// leave the lower half is faster than to divide.
    shares: [u64; 2],
    /// The least number that has the decade's digits; less has those of the decade before.
    least: u64,
}

/// From a day on, 64 bits of a share are not enough for all digits to be right.
const LONG: u64 = 10_u64.pow(11);

/// Of two to the 64th, rounded up. The whole of it, which is one too many for 64 bits, nobody asks for.
const fn share(power: u64) -> u64 {
    if power < 2 { 0 } else { u64::MAX / power + 1 }
}

static SCALES: [Scale; 38] = {
    let mut scales = [Scale { decade: 0, shares: [0, 0], least: 0 }; 38];
    let mut bits = 0;
    while bits < scales.len() {
        let (most, mut power, mut decade) = ((1_u64 << bits) - 1, 1_u64, 0);
        while most / power >= 1000 {
            power *= 10;
            decade += 1;
        }
        scales[bits] = Scale { decade, shares: [share(power), share(power / 10)], least: if power == 1 { 0 } else { power * 100 } };
        bits += 1;
    }
    scales
};

/// How many digits a number has behind its first three, and these, 100 to 999; a smaller number is its own digits.
#[inline]
fn parts(micros: u64) -> (u16, u16) {
    if micros >= LONG {
        return long_parts(micros);
    }
    let Scale { decade, shares, least } = SCALES[(64 - micros.leading_zeros()) as usize];
    let below = usize::from(micros < least);
    let decade = decade - below as u16;
    let digits = if decade == 0 { micros } else { ((u128::from(micros) * u128::from(shares[below])) >> 64) as u64 };
    (decade, digits as u16)
}

fn long_parts(mut micros: u64) -> (u16, u16) {
    let mut decade = 0;
    while micros >= 1000 {
        (micros, decade) = (micros / 10, decade + 1);
    }
    (decade, micros as u16)
}

/// The middle of a bucket, or its lower end where values have no more digits than that.
fn value(bucket: u16) -> u64 {
    if bucket < 1000 {
        return u64::from(bucket);
    }
    let decade = (bucket - 1000) / 900 + 1;
    (u64::from((bucket - 1000) % 900) + 100) * 10_u64.pow(u32::from(decade))
}

impl Quantiles {
    /// Counts one duration.
    #[inline]
    pub fn add(&mut self, duration: Measured) {
        self.measure(duration);
        self.wait(duration.bucket);
    }

    /// Counts a duration but not how often it was.
    #[inline]
    fn measure(&mut self, duration: Measured) {
        self.count += 1;
        self.sum = self.sum.saturating_add(duration.micros);
        self.max = self.max.max(duration.micros);
    }

    /// Counts how often a duration was that is measured already.
    fn put_often(&mut self, bucket: u16, times: u16) {
        if usize::from(times) < BATCH {
            (0..times).for_each(|_| self.wait(bucket));
        } else {
            self.counts.put_all(std::iter::once((bucket, times.into())));
        }
    }

    /// Counts a bucket, now or later.
    #[inline]
    fn wait(&mut self, bucket: u16) {
        self.recent[usize::from(self.waiting) % BATCH] = bucket;
        self.waiting += 1;
        if usize::from(self.waiting) == BATCH {
            self.catch_up();
        }
    }

    /// What waits.
    fn recent(&self) -> &[u16] {
        &self.recent[..usize::from(self.waiting).min(BATCH)]
    }

    /// Counts all that waits, where no more may.
    #[inline(never)]
    fn catch_up(&mut self) {
        self.counts.put_each(&self.recent);
        self.waiting = 0;
    }

    /// Values and how often each, the smallest first.
    fn sorted(&self) -> Vec<(u64, u64)> {
        let mut counts = self.counts.clone();
        counts.put_each(self.recent());
        counts.settle();
        match &counts {
            Counts::Buckets(few) => few.iter().map(|(bucket, times)| (value(bucket), times)).collect(),
            Counts::Steps(few) => few.iter().map(|(step, times)| (step_value(step), times)).collect(),
            Counts::Many(many) => many.iter().map(|(step, times)| (step_value(step), times)).collect(),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        self.counts.put_each(other.recent());
        match &other.counts {
            Counts::Buckets(few) => {
                self.counts.put_all(few.iter());
                few.waiting().chunks(BATCH).for_each(|some| self.counts.put_each(some));
            }
            Counts::Steps(few) => {
                self.counts.put_steps(few.iter());
                few.waiting().iter().for_each(|step| self.counts.put_steps(std::iter::once((*step, 1))));
            }
            Counts::Many(many) => self.counts.put_steps(many.iter()),
        }
    }

    /// For each share the smallest value that at least so much of all does not exceed; `None` of nothing.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[u64; N]> {
        let sorted = self.sorted();
        let at = |share: f64| {
            let wanted = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
            let mut seen = 0;
            let reached = sorted.iter().find(|(_, times)| {
                seen += *times;
                seen >= wanted
            });
            reached.map_or(self.max, |(value, _)| (*value).min(self.max))
        };
        (!sorted.is_empty()).then(|| shares.map(at))
    }
}

/// A distribution in which a few durations come again and again: those are added up before they are counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Frequent {
    all: Quantiles,
    /// Buckets and how often each, where the last digits of the bucket say; nothing at first.
    often: Vec<(u16, u16)>,
}

impl Frequent {
    const PLACES: usize = 128;

    #[inline]
    pub fn add(&mut self, duration: Measured) {
        self.all.measure(duration);
        if self.often.is_empty() {
            self.often.resize(Self::PLACES, (0, 0));
        }
        let (bucket, times) = &mut self.often[usize::from(duration.bucket) % Self::PLACES];
        if *bucket == duration.bucket && *times < u16::MAX {
            *times += 1;
        } else {
            let (bucket, times) = (std::mem::replace(bucket, duration.bucket), std::mem::replace(times, 1));
            self.all.put_often(bucket, times);
        }
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> Quantiles {
        let mut all = self.all.clone();
        self.often.iter().for_each(|(bucket, times)| all.put_often(*bucket, *times));
        all
    }

    pub fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all());
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::BUCKETS;
    use super::*;
    use proptest::prelude::*;

    fn bucket(micros: u64) -> u16 {
        let (decade, digits) = parts(micros);
        bucket_of(decade, digits)
    }

    proptest! {
        #[test]
        fn quantiles_are_within_one_per_cent_of_the_sorted_list(mut values in prop::collection::vec(0_i64..600_000_000_000, 1..500), share in 0.0..1.0_f64) {
            let mut quantiles = Quantiles::default();
            values.iter().for_each(|value| quantiles.add(Measured::new(*value)));
            values.sort_unstable();
            let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let (exact, got) = (values[rank - 1] as f64, quantiles.quantiles([share]).unwrap()[0] as f64);
            prop_assert!((exact - got).abs() <= exact * 0.01, "{exact} {got}");
        }

        #[test]
        fn frequent_ones_are_counted_like_all_others(values in prop::collection::vec(prop_oneof![3 => 0_i64..5, 1 => 0..100_000_000_i64], 0..900), cut in 0_usize..900) {
            let of = |values: &[i64]| { let mut f = Frequent::default(); values.iter().for_each(|v| f.add(Measured::new(*v * 10_000))); f };
            let mut expected = Quantiles::default();
            values.iter().for_each(|value| expected.add(Measured::new(*value * 10_000)));
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut parts = of(left);
            parts.merge(&of(right));
            for got in [of(&values).all(), parts.all()] {
                prop_assert_eq!((got.sorted(), got.count, got.sum, got.max), (expected.sorted(), expected.count, expected.sum, expected.max));
            }
        }

        #[test]
        fn merging_is_adding(values in prop::collection::vec(0_i64..10_000_000_000, 0..600), cut in 0_usize..600) {
            let of = |values: &[i64]| { let mut q = Quantiles::default(); values.iter().for_each(|v| q.add(Measured::new(*v))); q };
            let (left, right) = values.split_at(cut.min(values.len()));
            let (whole, mut ab, mut ba) = (of(&values), of(left), of(right));
            ab.merge(&of(right));
            ba.merge(&of(left));
            prop_assert_eq!((ab.sorted(), ab.sum, ab.max), (whole.sorted(), whole.sum, whole.max));
            prop_assert_eq!((ba.sorted(), ba.sum, ba.max), (whole.sorted(), whole.sum, whole.max));
        }
    }

    #[test]
    fn buckets_go_on_without_a_gap() {
        let steps = (1..20_000).map(|micros| (bucket(micros - 1), bucket(micros)));
        assert!(steps.into_iter().all(|(before, after)| after == before || after == before + 1));
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        let near_powers = (0..19).flat_map(|n| (0..3).map(move |more| 10_u64.pow(n) + more - 1));
        for micros in (0..20_000).chain((20_000..2_000_000).step_by(7)).chain((0..26).map(|n| 3_u64.pow(n))).chain(near_powers) {
            assert_eq!(parts(micros), long_parts(micros));
            let bucket = bucket(micros);
            let back = value(bucket);
            assert!(back <= micros && micros - back <= micros / 100, "{micros} {back}");
        }
    }

    #[test]
    fn a_bucket_may_count_more_than_a_place_holds() {
        let mut quantiles = Quantiles::default();
        (0..600_000).for_each(|_| quantiles.add(Measured::new(10_000)));
        assert_eq!(quantiles.sorted(), vec![(10_000, 600_000)]);
        (0..13).for_each(|_| quantiles.merge(&quantiles.clone()));
        assert_eq!(quantiles.sorted(), vec![(10_000, 600_000 << 13)]);
    }

    #[test]
    fn logged_values_come_back_as_they_were() {
        let mut quantiles = Quantiles::default();
        for value in [20_000, 330_000, 2_017_000_000] {
            quantiles.add(Measured::new(value));
        }
        assert_eq!(quantiles.quantiles([0.01, 0.5, 1.0]), Some([20_000, 330_000, 2_010_000_000]));
        assert_eq!(Quantiles::default().quantiles([0.5]), None);
    }
}
