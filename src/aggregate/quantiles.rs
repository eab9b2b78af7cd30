//! Delays: count, mean and maximum exact, quantiles within half a per cent.
//!
//! A value is counted under its first three significant decimal digits. MTAs log delays with two or three digits, so most
//! quantiles come out exactly as logged, and merging is adding: the result does not depend on order or split.

use mailscope_parsers::model::Micros;

/// A mergeable distribution of durations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    pub count: u64,
    pub sum: u64,
    pub max: u64,
    /// Bucket and how often, in the order of the buckets.
    buckets: Vec<(u16, u32)>,
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
    pub fn add(&mut self, micros: Micros) {
        let micros = u64::try_from(micros).unwrap_or(0);
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
        self.put(bucket(micros), 1);
    }

    #[inline]
    fn put(&mut self, bucket: u16, times: u32) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(times),
            Err(at) => self.buckets.insert(at, (bucket, times)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        for (bucket, times) in &other.buckets {
            self.put(*bucket, *times);
        }
    }

    /// The smallest value that at least this share of all does not exceed; `None` of nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, times) in &self.buckets {
            seen += u64::from(*times);
            if seen >= wanted {
                return Some(value(*bucket).min(self.max));
            }
        }
        None
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
            let (exact, got) = (values[rank - 1] as f64, quantiles.quantile(share).unwrap() as f64);
            prop_assert!((exact - got).abs() <= exact * 0.01, "{exact} {got}");
        }

        #[test]
        fn merging_is_adding(values in prop::collection::vec(0_i64..10_000_000_000, 0..200), cut in 0_usize..200) {
            let of = |values: &[i64]| { let mut q = Quantiles::default(); values.iter().for_each(|v| q.add(*v)); q };
            let (left, right) = values.split_at(cut.min(values.len()));
            let (whole, mut ab, mut ba) = (of(&values), of(left), of(right));
            ab.merge(&of(right));
            ba.merge(&of(left));
            prop_assert_eq!(&ab, &whole);
            prop_assert_eq!(&ba, &whole);
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
