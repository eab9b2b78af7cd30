//! Zipf-distributed ranks in constant time, by Vose's alias table.

use crate::rng::Rng;

/// Ranks `0..n`, rank `k` with a weight of `1 / (k + 1)^s`.
pub struct Zipf {
    /// For each slot the share that stays with the slot's own rank, and the rank that gets the rest.
    slots: Vec<(f64, u32)>,
}

impl Zipf {
    /// `n` must not be 0.
    #[must_use]
    pub fn new(n: usize, s: f64) -> Self {
        let weights: Vec<f64> = (1..=n).map(|k| (k as f64).powf(-s)).collect();
        let scale = n as f64 / weights.iter().sum::<f64>();
        let mut slots: Vec<(f64, u32)> = weights.iter().map(|w| (w * scale, 0)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&k| slots[k].0 < 1.0);
        while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
            small.pop();
            slots[low].1 = high as u32;
            slots[high].0 -= 1.0 - slots[low].0;
            if slots[high].0 < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        // What is left differs from 1 by rounding alone.
        for k in small.into_iter().chain(large) {
            slots[k] = (1.0, k as u32);
        }
        Self { slots }
    }

    pub fn sample(&self, rng: &mut Rng) -> usize {
        let slot = rng.below(self.slots.len() as u64) as usize;
        let (share, other) = self.slots[slot];
        if rng.unit() < share { slot } else { other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::Zipf;
    use crate::rng::Rng;

    #[test]
    fn ranks_stay_in_range() {
        let mut rng = Rng::new(3);
        for n in [1, 2, 50, 20_000] {
            let zipf = Zipf::new(n, 1.0);
            for _ in 0..20_000 {
                assert!(zipf.sample(&mut rng) < n);
            }
        }
    }

    #[test]
    fn the_head_has_its_share() {
        let mut rng = Rng::new(4);
        let zipf = Zipf::new(20_000, 1.0);
        let draws = 400_000;
        let mut counts = vec![0u32; 20_000];
        for _ in 0..draws {
            counts[zipf.sample(&mut rng)] += 1;
        }
        // H(20000) is 10.48: rank 0 gets 9.5 %, rank 9 gets 0.95 %.
        let share = |k: usize| f64::from(counts[k]) / f64::from(draws);
        assert!((share(0) - 0.0954).abs() < 0.004, "{}", share(0));
        assert!((share(9) - 0.00954).abs() < 0.001, "{}", share(9));
    }
}
