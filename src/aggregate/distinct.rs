//! How many different values there were: exact up to some thousands, within a few per cent past that (HyperLogLog,
//! Flajolet et al. 2007, with linear counting). Registers are maxima, so order and split make no difference.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const EXACT: usize = 4096;
const BITS: u32 = 14;
const REGISTERS: usize = 1 << BITS;

/// A mergeable count of distinct 64-bit hashes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Distinct {
    exact: HashSet<u64, foldhash::fast::FixedState>,
    /// Empty while the exact set is enough.
    registers: Vec<u8>,
}

impl Distinct {
    #[inline(always)]
    pub fn add(&mut self, hash: u64) {
        if self.registers.is_empty() {
            self.exact.insert(hash);
            if self.exact.len() > EXACT {
                self.registers = vec![0; REGISTERS];
                for hash in std::mem::take(&mut self.exact) {
                    self.register(hash);
                }
            }
        } else {
            self.register(hash);
        }
    }

    #[inline]
    fn register(&mut self, hash: u64) {
        let hash = mixed(hash);
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        *register = (*register).max(rank);
    }

    pub fn merge(&mut self, other: Self) {
        if self.registers.is_empty() && !other.registers.is_empty() {
            let mine = std::mem::replace(self, other);
            return self.merge(mine);
        }
        for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(*theirs);
        }
        other.exact.into_iter().for_each(|hash| self.add(hash));
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        if self.registers.is_empty() {
            return self.exact.len() as u64;
        }
        let m = REGISTERS as f64;
        let zeros = self.registers.iter().filter(|rank| **rank == 0).count() as f64;
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / self.registers.iter().map(|rank| 2_f64.powi(-i32::from(*rank))).sum::<f64>();
        let estimate = if raw <= 2.5 * m && zeros > 0.0 { m * (m / zeros).ln() } else { raw };
        estimate.round() as u64
    }
}

/// Every bit of a hash decides here, and table hashes are only good in some (the finalizer of MurmurHash3).
fn mixed(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    fn of(range: std::ops::Range<u64>) -> Distinct {
        let mut distinct = Distinct::default();
        range.for_each(|n| distinct.add(foldhash::fast::FixedState::with_seed(3).hash_one(n)));
        distinct
    }

    #[test]
    fn few_are_exact_and_many_are_close() {
        assert_eq!(of(0..4000).count(), 4000);
        for n in [5_000_u64, 20_000, 200_000, 1_000_000] {
            let count = of(0..n).count();
            assert!(count.abs_diff(n) * 100 <= n * 3, "{n}: {count}");
        }
    }

    #[test]
    fn split_makes_no_difference() {
        for (end, cut) in [(100, 50), (6000, 3000), (6000, 10), (50_000, 20_000)] {
            let (mut ab, mut ba) = (of(0..cut), of(cut..end));
            ab.merge(of(cut..end));
            ba.merge(of(0..cut));
            assert_eq!((ab.count(), ba.count()), (of(0..end).count(), of(0..end).count()));
        }
    }
}
