//! Rows by key, in bounded memory: exact up to a cap on distinct keys; past it the light rows are dropped into one sum,
//! and the table knows by how much a row may be too low.

use super::Merge;
use foldhash::fast::RandomState;
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Deserialize, Serialize, Serializer};
use std::hash::{BuildHasher as _, Hasher as _};
use std::hint::black_box;
use std::ops::Range;
use std::sync::LazyLock;

/// A row that can tell how much it matters.
pub trait Row: Merge + Default {
    fn weight(&self) -> u64;

    /// A number out of the memory that is always counted in: to ask for it is to fetch that.
    fn touch(&self) -> u64 {
        self.weight()
    }

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

#[inline]
fn cut(key: &[u8]) -> &[u8] {
    &key[..key.len().min(LONGEST)]
}

/// So many are counted at a time: few enough to stay in the nearest memory.
pub const AT_A_TIME: usize = 64;

/// A row's key: what it is known by, and where it is among the keys.
#[derive(Clone, Copy, Debug)]
struct Key {
    hash: u64,
    start: u32,
    length: u32,
}

impl Key {
    fn place(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }

    fn of<'k>(&self, keys: &'k [u8]) -> &'k [u8] {
        &keys[self.place()]
    }
}

/// The upper bits of a key's hash and the place of its row, in one word; or [`Known::NOTHING`]. A look-up compares the word
/// and never goes where the key itself is: with what of the hash says where the word is, under a seed that nobody knows, two of
/// a million names would be taken for one once in a hundred thousand runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known(u64);

impl Known {
    const NOTHING: Self = Self(u64::MAX);
    /// No table has as many rows as fit here.
    const PLACE: u64 = (1 << 24) - 1;

    fn new(hash: u64, place: usize) -> Self {
        Self(hash & !Self::PLACE | place as u64)
    }

    /// The place, if it is this key's.
    #[inline]
    fn place(self, hash: u64) -> Option<usize> {
        let is_it = (self.0 ^ hash) & !Self::PLACE == 0 && self != Self::NOTHING;
        is_it.then_some((self.0 & Self::PLACE) as usize)
    }
}

/// Where each row is, by its key's hash: open addressing in one piece of memory, because rows are many and far apart, and to
/// fetch a second line of it for each of them would take as long as all the rest.
#[derive(Clone, Debug, Default)]
struct Index {
    /// A power of two, or none.
    slots: Vec<Known>,
}

impl Index {
    /// Where a key's search begins.
    #[inline]
    fn first(&self, hash: u64) -> Known {
        self.slots.get(hash as usize & self.slots.len().wrapping_sub(1)).copied().unwrap_or(Known::NOTHING)
    }

    /// The place of a key's row, or else the slot that it would have.
    #[inline]
    fn find(&self, hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(slot) = self.slots.get(at).filter(|slot| **slot != Known::NOTHING) {
            if let Some(place) = slot.place(hash) {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
        Err(at)
    }

    /// Makes room for so many rows, of which these are there already.
    fn grow<'k>(&mut self, rows: usize, known: impl Iterator<Item = &'k Key>) {
        // At three quarters a look-up seldom goes beyond the line of memory that it begins in.
        let slots = (rows + rows / 3 + 1).next_power_of_two().max(8);
        self.slots.clear();
        self.slots.resize(slots, Known::NOTHING);
        for (place, key) in known.enumerate() {
            if let Err(slot) = self.find(key.hash) {
                self.slots[slot] = Known::new(key.hash, place);
            }
        }
    }
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

/// Rows by key.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "R: Row + Deserialize<'de>"), from = "Stored<R>")]
pub struct Table<R> {
    rows: Vec<R>,
    /// The rows' keys, and their bytes one behind the other: what is rarely looked at does not lie between what is.
    known: Vec<Key>,
    keys: Vec<u8>,
    index: Index,
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
        let (rows, known, keys, index) = (Vec::new(), Vec::new(), Vec::new(), Index::default());
        Self { rows, known, keys, index, cap, dropped: R::default(), dropped_keys: 0, error: 0 }
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
            self.rows.truncate(at);
            self.known.truncate(at);
            self.prune(heir);
            at = self.place(key).0;
        }
        (&mut self.rows[at], is_new)
    }

    /// Where the row of a key is, which is made if it is not there, and whether it is new. Places hold until rows are
    /// dropped; that is left to [`Table::settle`].
    #[inline]
    pub fn place(&mut self, key: &[u8]) -> (usize, bool) {
        let key = cut(key);
        self.place_of(key, hash_of(key))
    }

    /// The same of a key whose hash is known.
    #[inline]
    fn place_of(&mut self, key: &[u8], hash: u64) -> (usize, bool) {
        match self.index.find(hash) {
            Ok(place) => (place, false),
            Err(slot) => (self.begin(key, hash, slot), true),
        }
    }

    /// Counts each in the row of its key; `new` is shown the keys that had none. All keys are looked for before the first is
    /// found, and all rows are touched before the first is counted in, so that memory is waited for once and not for each.
    /// Places hold; what is too much is left to [`Table::settle`].
    #[inline]
    pub fn count<'k, T>(
        &mut self,
        all: &[T],
        key: impl Fn(&T) -> &'k [u8],
        mut new: impl FnMut(&'k [u8]),
        mut count: impl FnMut(&T, &mut R),
    ) {
        for some in all.chunks(AT_A_TIME) {
            let (mut hashes, mut firsts, mut places) = ([0; AT_A_TIME], [Known::NOTHING; AT_A_TIME], [0; AT_A_TIME]);
            let mut last: Option<(&[u8], u64)> = None;
            for (one, hash) in some.iter().zip(&mut hashes) {
                let key = cut(key(one));
                // Those of one message often are the same.
                *hash = last.filter(|(known, _)| *known == key).map_or_else(|| hash_of(key), |(_, hash)| hash);
                last = Some((key, *hash));
            }
            some.iter().zip(&hashes).zip(&mut firsts).for_each(|((_, hash), first)| *first = self.index.first(*hash));
            for (((one, hash), first), place) in some.iter().zip(hashes).zip(firsts).zip(&mut places) {
                *place = first.place(hash).unwrap_or_else(|| {
                    let key = cut(key(one));
                    let (place, is_new) = self.place_of(key, hash);
                    if is_new {
                        new(key);
                    }
                    place
                });
            }
            black_box(some.iter().zip(places).fold(0, |sum, (_, place)| sum ^ self.rows[place].touch()));
            some.iter().zip(places).for_each(|(one, place)| count(one, &mut self.rows[place]));
        }
    }

    /// Makes the row of a key that has none.
    #[inline(never)]
    fn begin(&mut self, key: &[u8], hash: u64, mut slot: usize) -> usize {
        let (place, length) = (self.rows.len(), key.len() as u32);
        if (place + 1) * 4 > self.index.slots.len() * 3 {
            self.index.grow(place + 1, self.known.iter());
            slot = self.index.find(hash).err().unwrap_or(slot);
        }
        self.index.slots[slot] = Known::new(hash, place);
        if place == Self::FEW {
            self.reserve();
        }
        self.rows.push(R::default());
        self.known.push(Key { hash, start: self.keys.len() as u32, length });
        self.keys.extend_from_slice(key);
        place
    }

    /// Where there are as many rows, there will be more: room for all that there can be is asked for at once, and is not in use
    /// before they come. What grows by and by is copied again and again.
    const FEW: usize = 512;

    #[cold]
    fn reserve(&mut self) {
        let more = (self.cap + AT_A_TIME + 1).saturating_sub(self.rows.len());
        self.rows.reserve_exact(more);
        self.known.reserve_exact(more);
        self.keys.reserve_exact(self.keys.len() / Self::FEW * more);
    }

    #[inline]
    pub fn at(&mut self, place: usize) -> &mut R {
        &mut self.rows[place]
    }

    /// Drops light rows where there are too many.
    pub fn settle(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        while self.rows.len() > self.cap {
            self.prune(&mut heir);
        }
    }

    /// Drops the lighter half. Of two rows of the same weight the later name goes first.
    fn prune(&mut self, mut heir: impl FnMut(&[u8], &R)) {
        let weights: Vec<u64> = self.rows.iter().map(R::weight).collect();
        let keep = self.cap / 2;
        let mut ordered = weights.clone();
        let (heavy, least, _) = ordered.select_nth_unstable_by(keep, |a, b| b.cmp(a));
        let (least, heavier) = (*least, heavy.iter().filter(|weight| **weight > *least).count());
        // Names decide among the rows of that weight alone: there are many, and to compare names takes longer.
        let mut even: Vec<usize> = (0..weights.len()).filter(|at| weights[*at] == least).collect();
        even.select_nth_unstable_by_key(keep - heavier, |at| self.known[*at].of(&self.keys));
        let mut stays: Vec<bool> = weights.iter().map(|weight| *weight >= least).collect();
        even[keep - heavier..].iter().for_each(|at| stays[*at] = false);
        self.error += least;
        // In place: names stand in the order of their rows, so that none is written over before it was read.
        let Self { rows, known, keys, dropped, .. } = self;
        let (mut each, mut kept, mut end) = (stays.iter().enumerate(), 0, 0);
        rows.retain_mut(|row| {
            let Some((at, stays)) = each.next() else { return false };
            let key = known[at];
            if *stays {
                keys.copy_within(key.place(), end);
                known[kept] = Key { start: end as u32, ..key };
                (kept, end) = (kept + 1, end + key.length as usize);
            } else {
                heir(key.of(keys), row);
                std::mem::take(row).leave(dropped);
            }
            *stays
        });
        known.truncate(kept);
        keys.truncate(end);
        self.dropped_keys += (stays.len() - self.rows.len()) as u64;
        self.index.grow(self.cap.min(stays.len()), self.known.iter());
    }

    /// Whether every key that there was has its row. So it is up to the cap, whatever was counted where.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.dropped_keys == 0 && self.rows.len() <= self.cap
    }

    /// The rows themselves, by their keys; the table knows what it dropped, and no more.
    pub fn take_rows(&mut self) -> impl Iterator<Item = (Vec<u8>, R)> {
        self.index = Index::default();
        let (known, keys) = (std::mem::take(&mut self.known), std::mem::take(&mut self.keys));
        std::mem::take(&mut self.rows).into_iter().zip(known).map(move |(row, key)| (key.of(&keys).to_vec(), row))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &R)> {
        self.rows.iter().zip(&self.known).map(|(row, key)| (key.of(&self.keys), row))
    }

    /// Adds another table; `heir` is shown the rows that have to go.
    pub fn merge(&mut self, other: Self, heir: impl FnMut(&[u8], &R)) {
        self.dropped.merge(other.dropped);
        self.dropped_keys += other.dropped_keys;
        self.error += other.error;
        for (row, key) in other.rows.into_iter().zip(other.known) {
            let place = self.place_of(key.of(&other.keys), key.hash).0;
            self.at(place).merge(row);
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
    fn of_equally_light_rows_the_first_names_stay_and_the_others_have_heirs() {
        let mut table = Table::new(4);
        for (key, count) in [("f", 5_u64), ("e", 1), ("d", 1), ("c", 1), ("b", 1), ("a", 1)] {
            let place = table.place(key.as_bytes()).0;
            *table.at(place) += count;
        }
        let mut heirs = Vec::new();
        table.settle(|key, count| heirs.push((key.to_vec(), *count)));
        assert_eq!(table.iter().collect::<Vec<_>>(), [(&b"f"[..], &5), (b"a", &1)]);
        assert_eq!(heirs, [(b"e".to_vec(), 1), (b"d".to_vec(), 1), (b"c".to_vec(), 1), (b"b".to_vec(), 1)]);
        assert_eq!((table.dropped, table.dropped_keys, table.error), (4, 4, 1));
        // They are found where they are now.
        *table.row(b"a") += 1;
        assert_eq!((*table.row(b"a"), *table.row(b"f"), table.iter().count()), (2, 5, 2));
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
