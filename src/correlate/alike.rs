//! Lives that have something in common, by the hash of that.
//!
//! Lists and loops may have thousands of queue files of one message-id within minutes, and so may an attacker: only the youngest are
//! looked at.

use super::life::Slot;
use super::stored::Hashed;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// No more than so many are known by one key.
const MOST: usize = 32;

/// What has an age.
pub trait Aged {
    /// Greater for what is younger; no two are of the same age.
    fn age(&self) -> u64;
}

impl Aged for Slot {
    fn age(&self) -> u64 {
        self.generation.into()
    }
}

/// Something, by a key that others may have, too.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Entry<T> {
    key: u64,
    it: T,
}

impl<T> Hashed for Entry<T> {
    fn hashed(&self) -> u64 {
        self.key
    }
}

/// By each key the youngest that have it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + serde::de::DeserializeOwned")]
pub struct Alike<T>(#[serde(with = "super::stored")] HashTable<Entry<T>>);

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<T: Aged + Copy + PartialEq> Alike<T> {
    pub fn add(&mut self, key: u64, it: T) {
        let (mut alike, mut eldest) = (0, it);
        for entry in self.0.iter_hash(key).filter(|entry| entry.key == key) {
            if entry.it == it {
                return;
            }
            alike += 1;
            if entry.it.age() < eldest.age() {
                eldest = entry.it;
            }
        }
        if alike == MOST {
            if eldest == it {
                return;
            }
            self.remove(key, |known| *known == eldest);
        }
        self.0.insert_unique(key, Entry { key, it }, Hashed::hashed);
    }

    pub fn remove(&mut self, key: u64, is_it: impl Fn(&T) -> bool) {
        if let Ok(entry) = self.0.find_entry(key, |entry| entry.key == key && is_it(&entry.it)) {
            entry.remove();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they began, whatever the table's order is.
    pub fn of(&self, key: u64) -> SmallVec<[T; 4]> {
        let mut alike: SmallVec<[T; 4]> = self.0.iter_hash(key).filter(|entry| entry.key == key).map(|entry| entry.it).collect();
        alike.sort_by_key(Aged::age);
        alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(age: u32) -> Slot {
        Slot { at: age, generation: age }
    }

    #[test]
    fn of_many_the_youngest_are_known_in_whatever_order_they_came() {
        let mut alike = Alike::default();
        let all = (1..1000).chain((1..1000).rev());
        all.for_each(|age| alike.add(5, slot(age)));
        alike.add(6, slot(3));
        assert_eq!(alike.of(5).iter().map(Aged::age).collect::<Vec<_>>(), (1000 - MOST as u64..1000).collect::<Vec<_>>());
        alike.remove(5, |known| known.age() == 998);
        assert_eq!((alike.of(5).len(), alike.of(6).len(), alike.of(7).len()), (MOST - 1, 1, 0));
    }
}
