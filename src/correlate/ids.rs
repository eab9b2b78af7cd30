//! Which queue ids are known, and where their lives are; those that are over are remembered for a while, for late lines.

use super::agenda::due_or_surplus;
use hashbrown::HashTable;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The place of a life that is over and counted, and whose id is still remembered for late lines.
pub const OVER: u32 = u32::MAX;

/// No more ids than this are remembered for late lines, however many end within that time: of a log that is so busy late
/// lines come sooner. The eldest go first, so that it depends on the order of the log alone.
pub const MANY_OVER: usize = 50_000;

/// An id, by its hash, and where its life is: a look-up touches one place. Two ids of one host that are open at the same
/// time and have the same 64 bits would be taken for one.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    id: u64,
    at: u32,
    /// The life's generation, with the highest bit set where two instances claim the id.
    mark: u32,
}

impl Entry {
    const CONTESTED: u32 = 1 << 31;

    fn generation(&self) -> u32 {
        self.mark & !Self::CONTESTED
    }
}

impl super::stored::Hashed for Entry {
    fn hashed(&self) -> u64 {
        self.id
    }
}

/// An id that is remembered for late lines, and until when, in seconds since 1970.
#[derive(Clone, Serialize, Deserialize)]
struct Over {
    id: u64,
    generation: u32,
    due_s: u32,
}

/// One host's.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Ids {
    #[serde(with = "super::stored")]
    table: HashTable<Entry>,
    over: VecDeque<Over>,
}

impl Ids {
    /// With room for a busy hour: what grows by and by is copied again and again.
    pub fn with_room() -> Self {
        const ROOM: usize = 28_000;
        Self { table: HashTable::with_capacity(ROOM), over: VecDeque::with_capacity(ROOM) }
    }

    /// What comes after a generation; there is no generation 0.
    pub fn generation_after(generation: u32) -> u32 {
        ((generation + 1) & !Entry::CONTESTED).max(1)
    }

    /// Where the life of an id is, or [`OVER`]. Where two instances claim the id, it is one that is not `of_another`.
    #[inline]
    pub fn place(&self, id: u64, of_another: impl Fn(u32) -> bool) -> Option<u32> {
        let is_it = |entry: &Entry| entry.id == id && !(entry.mark & Entry::CONTESTED != 0 && of_another(entry.at));
        self.table.find(id, is_it).map(|entry| entry.at)
    }

    /// The id has a life at this place from now on; that of a life that is over serves again.
    #[inline(always)]
    pub fn begin(&mut self, id: u64, at: u32, generation: u32) {
        match self.table.find_mut(id, |entry| entry.at == OVER && entry.id == id) {
            Some(entry) => (entry.at, entry.mark) = (at, generation | (entry.mark & Entry::CONTESTED)),
            None => {
                self.table.insert_unique(id, Entry { id, at, mark: generation }, |entry| entry.id);
            }
        }
    }

    /// Two instances claim the id of the life at this place.
    pub fn contest(&mut self, id: u64, at: u32) {
        if let Some(entry) = self.table.find_mut(id, |entry| entry.at == at) {
            entry.mark |= Entry::CONTESTED;
        }
    }

    /// The id of the life at this place is forgotten.
    pub fn forget(&mut self, id: u64, at: u32) {
        if let Ok(entry) = self.table.find_entry(id, |entry| entry.at == at) {
            entry.remove();
        }
    }

    /// The life at this place is over; its id is remembered until then.
    #[inline(always)]
    pub fn end(&mut self, id: u64, at: u32, due: Micros) {
        if let Some(entry) = self.table.find_mut(id, |entry| entry.at == at) {
            entry.at = OVER;
            self.over.push_back(Over { id, generation: entry.generation(), due_s: seconds(due) });
        }
    }

    /// Forgets the ids whose time is over.
    pub fn expire(&mut self, now: Micros) {
        let now_s = seconds(now);
        while let Some(over) = due_or_surplus(&mut self.over, |over| over.due_s < now_s, MANY_OVER) {
            if let Ok(entry) = self.table.find_entry(over.id, |entry| entry.at == OVER && entry.generation() == over.generation) {
                entry.remove();
            }
        }
    }
}

fn seconds(time: Micros) -> u32 {
    u32::try_from(time.max(0) / 1_000_000).unwrap_or(u32::MAX)
}
