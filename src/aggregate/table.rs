//! Rows by key, in bounded memory: exact up to a cap on distinct keys; past it the light rows are dropped into one sum,
//! and the table knows by how much a row may be too low.

use super::Merge;
use crate::correlate::stored;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;

/// A row that can tell how much it matters.
pub trait Row: Merge + Default {
    fn weight(&self) -> u64;
}

impl Row for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// A key and its row. A look-up compares the hash and the length and never goes where the key itself is: under a seed that
/// nobody knows, two of a million names would be taken for one once in ten million runs.
#[derive(Clone, Debug)]
struct Entry<R> {
    hash: u64,
    key: Box<[u8]>,
    row: R,
}

/// Of this process: what an attacker can't know, he can't make names for.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

#[inline]
fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write(key);
    hasher.finish()
}

impl<R> Entry<R> {
    #[inline]
    fn is(&self, hash: u64, key: &[u8]) -> bool {
        self.hash == hash && self.key.len() == key.len()
    }

    fn hash(&self) -> u64 {
        self.hash
    }
}

impl<R> stored::Hashed for Entry<R> {
    fn hashed(&self) -> u64 {
        self.hash
    }
}

impl<R: Serialize> Serialize for Entry<R> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (&self.key, &self.row).serialize(to)
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Entry<R> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (key, row) = <(Box<[u8]>, R)>::deserialize(from)?;
        Ok(Self { hash: hash_of(&key), key, row })
    }
}

/// Rows by key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub struct Table<R> {
    #[serde(with = "stored")]
    rows: HashTable<Entry<R>>,
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

    /// The row of a key; a new one if it is not there.
    #[inline]
    pub fn row(&mut self, key: &[u8]) -> &mut R {
        self.row_or_leave(key, |_, _| ()).0
    }

    /// The same, and whether it is a new one; `heir` is shown the rows that have to go.
    #[inline]
    pub fn row_or_leave(&mut self, key: &[u8], heir: impl FnMut(&[u8], &R)) -> (&mut R, bool) {
        let hash = hash_of(key);
        if self.rows.len() > self.cap && self.rows.find(hash, |entry| entry.is(hash, key)).is_none() {
            self.prune(heir);
        }
        let mut is_new = false;
        let entry = self.rows.entry(hash, |entry| entry.is(hash, key), Entry::hash).or_insert_with(|| {
            is_new = true;
            Entry { hash, key: key.into(), row: R::default() }
        });
        (&mut entry.into_mut().row, is_new)
    }

    /// Drops the lighter half. Of two rows of the same weight the later name goes first.
    fn prune(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        let mut weights: Vec<(u64, &[u8])> = self.rows.iter().map(|entry| (entry.row.weight(), &*entry.key)).collect();
        let keep = self.cap / 2;
        let (_, limit, _) = weights.select_nth_unstable_by(keep, |a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let limit = (limit.0, limit.1.to_vec());
        let lighter = |key: &[u8], row: &R| (row.weight(), std::cmp::Reverse(key)) <= (limit.0, std::cmp::Reverse(limit.1.as_slice()));
        let mut most = 0;
        for Entry { key, row, .. } in self.rows.extract_if(|entry| lighter(&entry.key, &entry.row)) {
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
        self.rows.iter().map(|entry| (&*entry.key, &entry.row))
    }

    /// Adds another table; `heir` is shown the rows that have to go.
    pub fn merge(&mut self, other: Self, mut heir: impl FnMut(&[u8], &R)) {
        self.dropped.merge(other.dropped);
        self.dropped_keys += other.dropped_keys;
        self.error += other.error;
        for theirs in other.rows {
            match self.rows.entry(theirs.hash, |entry| entry.is(theirs.hash, &theirs.key), Entry::hash) {
                hashbrown::hash_table::Entry::Occupied(mut entry) => entry.get_mut().row.merge(theirs.row),
                hashbrown::hash_table::Entry::Vacant(entry) => {
                    entry.insert(theirs);
                }
            }
        }
        // Not before both are in: a row may be light on either side and heavy in sum.
        while self.rows.len() > self.cap {
            self.prune(&mut heir);
        }
    }
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
