//! Delays: count, mean and maximum exact, quantiles within half a per cent.
//!
//! A value is counted under its first three significant decimal digits. MTAs log delays with two or three digits, so most
//! quantiles come out exactly as logged, and merging is adding: the result does not depend on order or split.

use mailscope_parsers::model::Micros;
use smallvec::{SmallVec, smallvec};

/// A mergeable distribution of durations.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    pub count: u64,
    pub sum: u64,
    pub max: u64,
    /// Bucket and how often, by open addressing; a place that counts nothing is free. Its length is a power of two.
    places: SmallVec<[(u16, u32); 4]>,
    used: u16,
}

/// 0 to 999 stand for themselves, then 900 buckets a decade.
fn bucket(micros: u64) -> u16 {
    let (mut value, mut decade) = (micros, 0_u16);
    while value >= 100_000 {
        value /= 100;
        decade += 2;
    }
    while value >= 1000 {
        value /= 10;
        decade += 1;
    }
    if decade == 0 { value as u16 } else { 1000 + (decade - 1) * 900 + (value as u16 - 100) }
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
    /// Counts one duration; a negative one is none at all.
    #[inline]
    pub fn add(&mut self, micros: Micros) {
        let micros = u64::try_from(micros).unwrap_or(0);
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
        self.put(bucket(micros), 1);
    }

    #[inline]
    fn put(&mut self, bucket: u16, times: u32) {
        if usize::from(self.used) * 4 >= self.places.len() * 3 {
            self.grow();
        }
        let mask = self.places.len() - 1;
        let mut at = usize::from(bucket.wrapping_mul(0x9E37) >> 3) & mask;
        loop {
            let place = &mut self.places[at];
            if place.1 == 0 {
                *place = (bucket, times);
                self.used += 1;
                return;
            }
            if place.0 == bucket {
                place.1 = place.1.saturating_add(times);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let places = smallvec![(0, 0); (self.places.len() * 2).max(4)];
        let old = std::mem::replace(&mut self.places, places);
        self.used = 0;
        old.into_iter().filter(|(_, times)| *times > 0).for_each(|(bucket, times)| self.put(bucket, times));
    }

    fn sorted(&self) -> Vec<(u16, u32)> {
        let mut sorted: Vec<(u16, u32)> = self.places.iter().copied().filter(|(_, times)| *times > 0).collect();
        sorted.sort_unstable();
        sorted
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        other.places.iter().filter(|(_, times)| *times > 0).for_each(|(bucket, times)| self.put(*bucket, *times));
    }

    /// For each share the smallest value that at least so much of all does not exceed; `None` of nothing.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[u64; N]> {
        let sorted = self.sorted();
        let at = |share: f64| {
            let wanted = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
            let mut seen = 0;
            let reached = sorted.iter().find(|(_, times)| {
                seen += u64::from(*times);
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
        fn quantiles_are_within_one_per_cent_of_the_sorted_list(mut values in prop::collection::vec(0_i64..600_000_000_000, 1..300), share in 0.0..1.0_f64) {
            let mut quantiles = Quantiles::default();
            values.iter().for_each(|value| quantiles.add(*value));
            values.sort_unstable();
            let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let (exact, got) = (values[rank - 1] as f64, quantiles.quantiles([share]).unwrap()[0] as f64);
            prop_assert!((exact - got).abs() <= exact * 0.01, "{exact} {got}");
        }

        #[test]
        fn merging_is_adding(values in prop::collection::vec(0_i64..10_000_000_000, 0..200), cut in 0_usize..200) {
            let of = |values: &[i64]| { let mut q = Quantiles::default(); values.iter().for_each(|v| q.add(*v)); q };
            let (left, right) = values.split_at(cut.min(values.len()));
            let (whole, mut ab, mut ba) = (of(&values), of(left), of(right));
            ab.merge(&of(right));
            ba.merge(&of(left));
            prop_assert_eq!((ab.sorted(), ab.sum, ab.max), (whole.sorted(), whole.sum, whole.max));
            prop_assert_eq!((ba.sorted(), ba.sum, ba.max), (whole.sorted(), whole.sum, whole.max));
        }
    }

    #[test]
    fn logged_values_come_back_as_they_were() {
        let mut quantiles = Quantiles::default();
        for value in [20_000, 330_000, 2_017_000_000] {
            quantiles.add(value);
        }
        assert_eq!(
            (quantiles.quantile(0.01), quantiles.quantile(0.5), quantiles.quantile(1.0)),
            (Some(20_000), Some(330_000), Some(2_010_000_000))
        );
        assert_eq!(Quantiles::default().quantile(0.5), None);
    }
}
