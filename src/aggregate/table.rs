//! Rows by key, in bounded memory: exact up to a cap on distinct keys; past it the light rows are dropped into one sum,
//! and the table knows by how much a row may be too low.

use super::Merge;
use crate::correlate::{hash, stored};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Most names of the field fit in place: a look-up touches one part of memory.
type Key = SmallVec<[u8; 24]>;

/// A row that can tell how much it matters.
pub trait Row: Merge + Default {
    fn weight(&self) -> u64;
}

impl Row for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// Rows by key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct Table<R> {
    #[serde(with = "stored")]
    rows: HashTable<(Key, R)>,
    cap: usize,
    /// What was dropped, summed up.
    pub dropped: R,
    /// Keys dropped (one that came back counts twice), and the most that a row can have lost.
    pub dropped_keys: u64,
    pub error: u64,
}

impl<R: Row> Table<R> {
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self { rows: HashTable::new(), cap, dropped: R::default(), dropped_keys: 0, error: 0 }
    }

    /// Keeps no more rows than this from now on, and none more than before.
    pub fn limit(&mut self, rows: usize) {
        self.cap = self.cap.min(rows);
    }

    /// The row of a key; a new one if it is not there.
    #[inline]
    pub fn row(&mut self, key: &[u8]) -> &mut R {
        self.row_or_leave(key, hash(key), |_, _| ())
    }

    /// The same, with the key's hash at hand; `heir` is shown the rows that have to go.
    #[inline]
    pub fn row_or_leave(&mut self, key: &[u8], hash: u64, heir: impl FnMut(&[u8], &R)) -> &mut R {
        if self.rows.len() > self.cap && self.rows.find(hash, |(known, _)| known.as_slice() == key).is_none() {
            self.prune(heir);
        }
        let entry = self.rows.entry(hash, |(known, _)| known.as_slice() == key, rehash);
        &mut entry.or_insert_with(|| (Key::from_slice(key), R::default())).into_mut().1
    }

    /// Drops the lighter half. Of two rows of the same weight the later name goes first.
    fn prune(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        let mut weights: Vec<(u64, &[u8])> = self.rows.iter().map(|(key, row)| (row.weight(), key.as_slice())).collect();
        let keep = self.cap / 2;
        let (_, limit, _) = weights.select_nth_unstable_by(keep, |a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let limit = (limit.0, limit.1.to_vec());
        let lighter = |key: &[u8], row: &R| (row.weight(), std::cmp::Reverse(key)) <= (limit.0, std::cmp::Reverse(limit.1.as_slice()));
        let mut most = 0;
        for (key, row) in self.rows.extract_if(|(key, row)| lighter(key, row)) {
            heir(&key, &row);
            most = most.max(row.weight());
            self.dropped.merge(row);
            self.dropped_keys += 1;
        }
        self.error += most;
    }

    /// Whether every key that there was has its row. So it is up to the cap, whatever was counted where.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.dropped_keys == 0 && self.rows.len() <= self.cap
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.rows.iter().map(|(key, row)| (key.as_slice(), row))
    }

    /// Adds another table; `heir` is shown the rows that have to go.
    pub fn merge(&mut self, other: Self, mut heir: impl FnMut(&[u8], &R)) {
        self.dropped.merge(other.dropped);
        self.dropped_keys += other.dropped_keys;
        self.error += other.error;
        for (key, row) in other.rows {
            let entry = self.rows.entry(hash(&key), |(known, _)| *known == key, rehash);
            match entry {
                hashbrown::hash_table::Entry::Occupied(mut entry) => entry.get_mut().1.merge(row),
                hashbrown::hash_table::Entry::Vacant(entry) => {
                    entry.insert((key, row));
                }
            }
        }
        // Not before both are in: a row may be light on either side and heavy in sum.
        while self.rows.len() > self.cap {
            self.prune(&mut heir);
        }
    }
}

impl<R> stored::Hashed for (Key, R) {
    fn hashed(&self) -> u64 {
        hash(&self.0)
    }
}

fn rehash<R>((key, _): &(Key, R)) -> u64 {
    hash(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(cap: usize, keys: impl Iterator<Item = u64>) -> Table<u64> {
        let mut table = Table::new(cap);
        for key in keys {
            *table.row(format!("key{key}").as_bytes()) += 1;
        }
        table
    }

    #[test]
    fn exact_up_to_the_cap() {
        let table = filled(100, (0..10_000).map(|n| n % 100));
        assert_eq!((table.iter().count(), table.error, table.dropped_keys), (100, 0, 0));
        assert!(table.iter().all(|(_, count)| *count == 100));
    }

    #[test]
    fn past_the_cap_heavy_rows_stay_and_the_error_is_known() {
        let heavy = |n: u64| if n.is_multiple_of(2) { n % 10 } else { 1_000 + n };
        let table = filled(100, (0..20_000).map(heavy));
        assert!(table.iter().count() <= 101);
        for key in [0, 2, 4, 6, 8] {
            let count = *table.iter().find(|(name, _)| **name == *format!("key{key}").as_bytes()).expect("a heavy row").1;
            assert!(count <= 2000 && count + table.error >= 2000, "{count} {}", table.error);
        }
        let sum: u64 = table.iter().map(|(_, count)| count).sum();
        assert_eq!(sum + table.dropped, 20_000);
    }

    #[test]
    fn merging_adds() {
        let (a, b) = (filled(100, 0..50), filled(100, 25..75));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(b, |_, _| ());
        ba.merge(a, |_, _| ());
        let sorted = |table: &Table<u64>| {
            let mut rows: Vec<_> = table.iter().map(|(key, count)| (key.to_vec(), *count)).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&ab), sorted(&ba));
        assert_eq!(ab.iter().map(|(_, count)| count).sum::<u64>(), 100);
    }
}
