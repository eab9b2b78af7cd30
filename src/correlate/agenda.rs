//! Lives to look at again, each at its time.

use super::life::Slot;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many may be over and still be in the list, however few there are.
const FEW: usize = 64;

/// Lives and when to look at them, the first one first.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Agenda(VecDeque<(Micros, Slot)>);

impl Agenda {
    /// Puts a life where its time is: mostly behind all others. What stands behind it then was logged with a time that was wrong
    /// or is over, and must not hold it up.
    #[inline]
    pub fn put(&mut self, due: Micros, slot: Slot) {
        if self.0.back().is_none_or(|(last, _)| *last <= due) {
            self.0.push_back((due, slot));
        } else {
            self.0.insert(self.0.partition_point(|(other, _)| *other <= due), (due, slot));
        }
    }

    /// The same; where the list is full, lives that are over leave it first. Most are over long before they are looked at.
    #[inline]
    pub fn put_for_long(&mut self, due: Micros, slot: Slot, is_over: impl Fn(Slot) -> bool) {
        if self.0.len() == self.0.capacity() {
            self.0.retain(|(_, slot)| !is_over(*slot));
            // Half of the places are free then, or more come: the list is looked through once for as many as it holds.
            if self.0.len() > self.0.capacity() / 2 {
                self.0.reserve(self.0.len().max(FEW));
            }
        }
        self.put(due, slot);
    }

    /// The next life whose time has come, and that time.
    #[inline]
    pub fn due(&mut self, now: Micros) -> Option<(Micros, Slot)> {
        self.due_or_surplus(now, usize::MAX)
    }

    /// The same, or the first one where there are more than so many.
    #[inline]
    pub fn due_or_surplus(&mut self, now: Micros, most: usize) -> Option<(Micros, Slot)> {
        due_or_surplus(&mut self.0, |(due, _)| *due <= now, most)
    }
}

/// The next one of a list whose time is over, or that is one too many.
pub fn due_or_surplus<T>(list: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool, most: usize) -> Option<T> {
    let is_full = list.len() > most;
    list.pop_front_if(|item| is_full || is_due(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(at: u32) -> Slot {
        Slot { at, generation: 1 }
    }

    #[test]
    fn the_first_one_comes_first_however_they_were_put_down() {
        let mut agenda = Agenda::default();
        [5, 9, 7, 5, 1].into_iter().zip(0..).for_each(|(due, at)| agenda.put(due, slot(at)));
        assert_eq!(std::iter::from_fn(|| agenda.due(8)).map(|(_, slot)| slot.at).collect::<Vec<_>>(), [4, 0, 3, 2]);
        assert_eq!((agenda.due_or_surplus(8, 1), agenda.due_or_surplus(8, 0)), (None, Some((9, slot(1)))));
    }

    #[test]
    fn what_is_over_takes_no_room_and_the_rest_stays() {
        let mut agenda = Agenda::default();
        // One of a hundred is not over soon after.
        (0..100_000).for_each(|at| agenda.put_for_long(at.into(), slot(at), |one| one.at % 100 != 0 && one.at + 20 < at));
        assert!(agenda.0.capacity() <= 4096, "{}", agenda.0.capacity());
        let stays: Vec<u32> = std::iter::from_fn(|| agenda.due(Micros::MAX)).map(|(_, slot)| slot.at).filter(|at| at % 100 == 0).collect();
        assert_eq!(stays, (0..1000).map(|n| n * 100).collect::<Vec<_>>());
    }
}
