//! Rows by key, in bounded memory: exact up to a cap on distinct keys; past it the light rows are dropped into one sum,
//! and the table knows by how much a row may be too low.

use super::Merge;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Deserialize, Serialize, Serializer};
use std::cmp::Reverse;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;

/// A row that can tell how much it matters.
pub trait Row: Merge + Default {
    fn weight(&self) -> u64;

    /// Leaves to the sum of all that were dropped what is asked of them.
    fn leave(self, dropped: &mut Self) {
        dropped.merge(self);
    }
}

impl Row for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// A longer key is cut.
const LONGEST: usize = 1024;

/// What a key is known by, and the place of its row. A look-up compares the hash and the length and never goes where the key
/// itself is: under a seed that nobody knows, two of a million names would be taken for one once in ten million runs.
#[derive(Clone, Copy, Debug)]
struct Known {
    hash: u64,
    length: u32,
    place: u32,
}

/// A row, and where its key is among the keys.
#[derive(Clone, Debug)]
struct Entry<R> {
    start: u32,
    length: u32,
    row: R,
}

/// Of this process: what an attacker can't know, he can't make names for.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// What a text is known by in this process.
#[inline]
pub(super) fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// The two halves of a key with a NUL between.
pub(super) fn parted(key: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(0, key).unwrap_or(key.len());
    (&key[..at], key.get(at + 1..).unwrap_or_default())
}

impl<R> Entry<R> {
    fn key<'k>(&self, keys: &'k [u8]) -> &'k [u8] {
        &keys[self.start as usize..][..self.length as usize]
    }
}

/// Rows by key.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "R: Row + Deserialize<'de>"), from = "Stored<R>")]
pub struct Table<R> {
    rows: Vec<Entry<R>>,
    /// The keys of all rows, one behind the other: what is rarely looked at does not lie between what is.
    keys: Vec<u8>,
    /// Where each row is, by its key's hash.
    index: HashTable<Known>,
    cap: usize,
    /// What was dropped, summed up.
    pub dropped: R,
    /// Keys dropped (one that came back counts twice), and the most that a row can have lost.
    pub dropped_keys: u64,
    pub error: u64,
}

/// A table as it is stored.
#[derive(Deserialize)]
struct Stored<R> {
    rows: Vec<(Vec<u8>, R)>,
    cap: usize,
    dropped: R,
    dropped_keys: u64,
    error: u64,
}

impl<R: Row> From<Stored<R>> for Table<R> {
    fn from(Stored { rows, cap, dropped, dropped_keys, error }: Stored<R>) -> Self {
        let mut table = Self { dropped, dropped_keys, error, ..Self::new(cap) };
        for (key, row) in rows {
            let place = table.place(&key).0;
            *table.at(place) = row;
        }
        table
    }
}

/// As [`Stored`], row by row: a copy of a table for the time of its writing would be the largest thing of all.
impl<R: Row + Serialize> Serialize for Table<R> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        struct Rows<'t, R>(&'t Table<R>);
        impl<R: Row + Serialize> Serialize for Rows<'_, R> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut rows = to.serialize_seq(Some(self.0.rows.len()))?;
                self.0.iter().try_for_each(|row| rows.serialize_element(&row))?;
                rows.end()
            }
        }
        let mut stored = to.serialize_struct("Stored", 5)?;
        stored.serialize_field("rows", &Rows(self))?;
        stored.serialize_field("cap", &self.cap)?;
        stored.serialize_field("dropped", &self.dropped)?;
        stored.serialize_field("dropped_keys", &self.dropped_keys)?;
        stored.serialize_field("error", &self.error)?;
        stored.end()
    }
}

impl<R: Row> Table<R> {
    #[must_use]
    pub fn new(cap: usize) -> Self {
        let (rows, keys, index) = (Vec::new(), Vec::new(), HashTable::new());
        Self { rows, keys, index, cap, dropped: R::default(), dropped_keys: 0, error: 0 }
    }

    /// Keeps no more rows than this from now on, and none more than before.
    pub fn limit(&mut self, rows: usize) {
        self.cap = self.cap.min(rows);
    }

    /// The row of a key; a new one if it is not there.
    #[inline]
    pub fn row(&mut self, key: &[u8]) -> &mut R {
        self.row_or_leave(key, |_, _| ()).0
    }

    /// The same, and whether it is new; `heir` is shown the rows that have to go.
    #[inline]
    pub fn row_or_leave(&mut self, key: &[u8], heir: impl FnMut(&[u8], &R)) -> (&mut R, bool) {
        let (mut at, is_new) = self.place(key);
        if is_new && at > self.cap {
            // One too many: it is let in when others have gone.
            self.keys.truncate(self.rows[at].start as usize);
            self.rows.truncate(at);
            self.prune(heir);
            at = self.place(key).0;
        }
        (&mut self.rows[at].row, is_new)
    }

    /// Where the row of a key is, which is made if it is not there, and whether it is new. Places hold until rows are
    /// dropped; that is left to [`Table::settle`].
    #[inline]
    pub fn place(&mut self, key: &[u8]) -> (usize, bool) {
        let key = &key[..key.len().min(LONGEST)];
        let (hash, length) = (hash_of(key), key.len() as u32);
        match self.index.entry(hash, |known| known.hash == hash && known.length == length, |known| known.hash) {
            hashbrown::hash_table::Entry::Occupied(entry) => (entry.get().place as usize, false),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let place = self.rows.len();
                entry.insert(Known { hash, length, place: place as u32 });
                self.rows.push(Entry { start: self.keys.len() as u32, length, row: R::default() });
                self.keys.extend_from_slice(key);
                (place, true)
            }
        }
    }

    #[inline]
    pub fn at(&mut self, place: usize) -> &mut R {
        &mut self.rows[place].row
    }

    /// Drops light rows where there are too many.
    pub fn settle(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        while self.rows.len() > self.cap {
            self.prune(&mut heir);
        }
    }

    /// Drops the lighter half. Of two rows of the same weight the later name goes first.
    fn prune(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        let mut weights: Vec<(u64, &[u8])> = self.iter().map(|(key, row)| (row.weight(), key)).collect();
        let keep = self.cap / 2;
        let (_, limit, _) = weights.select_nth_unstable_by(keep, |a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let limit = (limit.0, Reverse(limit.1.to_vec()));
        let all = std::mem::replace(self, Self::new(self.cap));
        (self.dropped, self.dropped_keys, self.error) = (all.dropped, all.dropped_keys, all.error);
        let mut most = 0;
        for entry in all.rows {
            let key = entry.key(&all.keys);
            let weight = entry.row.weight();
            if (weight, Reverse(key)) > (limit.0, Reverse(&limit.1.0)) {
                let place = self.place(key).0;
                *self.at(place) = entry.row;
            } else {
                heir(key, &entry.row);
                most = most.max(weight);
                entry.row.leave(&mut self.dropped);
                self.dropped_keys += 1;
            }
        }
        self.error += most;
    }

    /// Whether every key that there was has its row. So it is up to the cap, whatever was counted where.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.dropped_keys == 0 && self.rows.len() <= self.cap
    }

    /// The rows themselves, by their keys; the table knows what it dropped, and no more.
    pub fn take_rows(&mut self) -> impl Iterator<Item = (Vec<u8>, R)> {
        self.index = HashTable::new();
        let keys = std::mem::take(&mut self.keys);
        std::mem::take(&mut self.rows).into_iter().map(move |entry| (entry.key(&keys).to_vec(), entry.row))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.rows.iter().map(|entry| (entry.key(&self.keys), &entry.row))
    }

    /// Adds another table; `heir` is shown the rows that have to go.
    pub fn merge(&mut self, other: Self, heir: impl FnMut(&[u8], &R)) {
        self.dropped.merge(other.dropped);
        self.dropped_keys += other.dropped_keys;
        self.error += other.error;
        for theirs in other.rows {
            let place = self.place(theirs.key(&other.keys)).0;
            self.at(place).merge(theirs.row);
        }
        // Not before both are in: a row may be light on either side and heavy in sum.
        self.settle(heir);
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
