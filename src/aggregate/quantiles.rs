//! Delays: count, mean and maximum exact, quantiles within one per cent.
//!
//! A value is counted under its first three significant decimal digits; where there are very many different ones, in
//! buckets that are two per cent wide. MTAs log delays with two or three digits, so most
//! quantiles come out exactly as logged, and merging is adding: the result does not depend on order or split.

use mailscope_parsers::model::Micros;
use smallvec::{SmallVec, smallvec};

/// A mergeable distribution of durations.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    pub count: u64,
    pub sum: u64,
    pub max: u64,
    /// Bucket and how often in four bytes, by open addressing; a place that counts nothing is free. Its length is a power
    /// of two. A bucket that outgrows its place gets another one.
    places: SmallVec<[Place; 4]>,
    used: u16,
    /// There were more than [`FINE`] different buckets: they are two per cent wide.
    coarse: bool,
}

/// So many different buckets keep three digits. Whether there are more does not depend on order or split.
const FINE: u16 = 192;

/// A bucket in the upper bits, how often in the lower ones.
#[derive(Clone, Copy, Debug, Default)]
struct Place(u32);

impl Place {
    const COUNT_BITS: u32 = 18;
    const FULL: u32 = (1 << Self::COUNT_BITS) - 1;

    fn new(bucket: u16, times: u32) -> Self {
        Self(u32::from(bucket) << Self::COUNT_BITS | times)
    }

    fn bucket(self) -> u16 {
        (self.0 >> Self::COUNT_BITS) as u16
    }

    fn times(self) -> u32 {
        self.0 & Self::FULL
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
        Self { micros, bucket: bucket(micros) }
    }
}

/// Powers of ten that make three digits of a number with so many bits, and the least number that needs the next one.
static SCALES: [(u64, u16, u64); 65] = {
    let mut scales = [(1, 0, 1000); 65];
    let mut bits = 0;
    while bits <= 64 {
        // The largest number of so many bits.
        let most = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let (mut power, mut decade) = (1_u64, 0);
        while most / power >= 1000 {
            power *= 10;
            decade += 1;
        }
        scales[bits] = (power, decade, if power == 1 { 0 } else { power * 100 });
        bits += 1;
    }
    scales
};

/// 0 to 999 stand for themselves, then 900 buckets a decade.
#[inline]
fn bucket(micros: u64) -> u16 {
    let (mut power, mut decade, least) = SCALES[(64 - micros.leading_zeros()) as usize];
    if micros < least {
        power /= 10;
        decade -= 1;
    }
    let digits = (micros / power) as u16;
    let bucket = if decade == 0 { digits } else { 1000 + (decade - 1) * 900 + (digits - 100) };
    // Fourteen bits reach far beyond any wait.
    bucket.min((1 << 14) - 1)
}

/// The bucket in the middle of the two per cent that a bucket belongs to.
fn coarse(bucket: u16) -> u16 {
    let digits = if bucket < 1000 { bucket } else { (bucket - 1000) % 900 + 100 };
    let width = match digits {
        0..100 => return bucket,
        100..200 => 2,
        200..500 => 4,
        _ => 10,
    };
    let middle = digits / width * width + width / 2;
    bucket - digits + middle
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
        self.count += 1;
        self.sum = self.sum.saturating_add(duration.micros);
        self.max = self.max.max(duration.micros);
        self.put(duration.bucket, 1);
    }

    #[inline]
    fn put(&mut self, bucket: u16, mut times: u32) {
        let bucket = if self.coarse { coarse(bucket) } else { bucket };
        if usize::from(self.used) * 4 >= self.places.len() * 3 {
            self.rebuild((self.places.len() * 2).max(4));
        }
        let mask = self.places.len() - 1;
        let mut at = usize::from(bucket.wrapping_mul(0x9E37) >> 3) & mask;
        loop {
            let place = &mut self.places[at];
            if place.times() == 0 {
                *place = Place::new(bucket, times.min(Place::FULL));
                self.used += 1;
                if self.used > FINE && !self.coarse {
                    self.coarse = true;
                    self.rebuild(0);
                }
                return;
            }
            if place.bucket() == bucket {
                let sum = place.times() + times;
                *place = Place::new(bucket, sum.min(Place::FULL));
                if sum <= Place::FULL {
                    return;
                }
                // The rest goes to the next place of the same bucket.
                times = sum - Place::FULL;
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts everything into so many new places, or as many as it needs.
    #[cold]
    fn rebuild(&mut self, length: usize) {
        let old = std::mem::replace(&mut self.places, smallvec![Place::default(); length]);
        self.used = 0;
        old.into_iter().filter(|place| place.times() > 0).for_each(|place| self.put(place.bucket(), place.times()));
    }

    fn sorted(&self) -> Vec<(u16, u64)> {
        let mut sorted: Vec<(u16, u64)> =
            self.places.iter().filter(|place| place.times() > 0).map(|place| (place.bucket(), u64::from(place.times()))).collect();
        sorted.sort_unstable();
        // A bucket may have several places, and how many depends on the order of what came in.
        sorted.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 += if same { later.1 } else { 0 };
            same
        });
        sorted
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        if other.coarse && !self.coarse {
            self.coarse = true;
            self.rebuild(0);
        }
        other.places.iter().filter(|place| place.times() > 0).for_each(|place| self.put(place.bucket(), place.times()));
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
            reached.map_or(self.max, |(bucket, _)| value(*bucket).min(self.max))
        };
        (!sorted.is_empty()).then(|| shares.map(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for micros in (0..20_000).chain((20_000..2_000_000).step_by(7)).chain((0..26).map(|n| 3_u64.pow(n))) {
            let bucket = bucket(micros);
            let back = value(bucket);
            assert!(back <= micros && micros - back <= micros / 100, "{micros} {back}");
        }
    }

    #[test]
    fn coarse_buckets_are_within_one_per_cent() {
        for bucket in (0..10_000).map(coarse).zip(0_u16..) {
            let (middle, exact) = (value(bucket.0), value(bucket.1));
            assert!(middle.abs_diff(exact) * 100 <= exact && coarse(bucket.0) == bucket.0, "{exact} {middle}");
        }
    }

    #[test]
    fn a_bucket_may_count_more_than_a_place_holds() {
        let mut quantiles = Quantiles::default();
        (0..600_000).for_each(|_| quantiles.add(Measured::new(10_000)));
        let mut twice = quantiles.clone();
        twice.merge(&quantiles);
        assert_eq!((quantiles.sorted().len(), twice.sorted()), (1, vec![(bucket(10_000), 1_200_000)]));
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
