//! What failed, and why: counters of which most are nothing, in rows of which there are many.

use super::Merge;
use super::timeline::Tally;
use mailscope_parsers::model::Class;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// Numbered counters; only those that are more than nothing take room, as many as most rows have in place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sparse {
    /// A bit for each that there is.
    known: u32,
    counts: SmallVec<[Tally; 6]>,
}

impl Sparse {
    /// The bit of a counter, and its place among those that there are.
    fn place(&self, number: u32) -> (u32, usize) {
        let bit = 1 << number;
        (bit, (self.known & (bit - 1)).count_ones() as usize)
    }

    fn add(&mut self, number: u32, count: u64) {
        if count == 0 {
            return;
        }
        let (bit, at) = self.place(number);
        if self.known & bit == 0 {
            self.known |= bit;
            if self.counts.len() == self.counts.capacity() {
                self.counts.reserve_exact(2);
            }
            self.counts.insert(at, Tally::default());
        }
        self.counts[at].add(count);
    }

    fn get(&self, number: u32) -> u64 {
        let (bit, at) = self.place(number);
        if self.known & bit == 0 { 0 } else { self.counts[at].get() }
    }

    fn merge(&mut self, other: &Self) {
        let mut left = other.known;
        for count in &other.counts {
            self.add(left.trailing_zeros(), count.get());
            left &= left.wrapping_sub(1);
        }
    }

    /// The most frequent class, of which the first is this counter; of equal ones the first name.
    fn top_class(&self, first: u32) -> Option<Class> {
        let counted = Class::ALL.iter().map(|class| (self.get(first + *class as u32), *class)).filter(|(count, _)| *count > 0);
        counted.min_by_key(|(count, class)| (Reverse(*count), class.name())).map(|(_, class)| class)
    }
}

/// How often which class.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Classes(Sparse);

impl Classes {
    pub fn add(&mut self, class: Class, count: u64) {
        self.0.add(class as u32, count);
    }

    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.0.get(class as u32)
    }

    /// The most frequent one; of equal ones the first name.
    #[must_use]
    pub fn top(&self) -> Option<Class> {
        self.0.top_class(0)
    }
}

impl Merge for Classes {
    fn merge(&mut self, other: Self) {
        self.0.merge(&other.0);
    }
}

/// What failed of a row's mail.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Failures(Sparse);

/// What is counted of it.
#[derive(Clone, Copy, Debug)]
pub enum Failing {
    Bounced,
    Expired,
    Deferred,
    DeferredAttempts,
    /// Bounced or expired recipients of messages that are no notifications.
    Bad,
    /// Failed recipients of a class.
    Class(Class),
}

impl Failing {
    /// The counter of the first class.
    const CLASSES: u32 = 5;

    fn number(self) -> u32 {
        match self {
            Self::Bounced => 0,
            Self::Expired => 1,
            Self::Deferred => 2,
            Self::DeferredAttempts => 3,
            Self::Bad => 4,
            Self::Class(class) => Self::CLASSES + class as u32,
        }
    }
}

const _: () = assert!(Failing::CLASSES as usize + Class::ALL.len() <= u32::BITS as usize);

impl Failures {
    pub fn add(&mut self, what: Failing, count: u64) {
        self.0.add(what.number(), count);
    }

    #[must_use]
    pub fn get(&self, what: Failing) -> u64 {
        self.0.get(what.number())
    }

    /// The most frequent class; of equal ones the first name.
    #[must_use]
    pub fn top_class(&self) -> Option<Class> {
        self.0.top_class(Failing::CLASSES)
    }

    /// All recipients that failed, and all attempts that were deferred.
    #[must_use]
    pub fn weight(&self) -> u64 {
        [Failing::Bounced, Failing::Expired, Failing::Deferred, Failing::DeferredAttempts].into_iter().map(|what| self.get(what)).sum()
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted_in_whatever_order_they_come() {
        let mut classes = Classes::default();
        assert_eq!((classes.top(), classes.count(Class::Tls)), (None, 0));
        let (first, last) = (Class::ALL[0], Class::ALL[Class::ALL.len() - 1]);
        for (class, count) in [(Class::Tls, 2), (last, 1), (first, 3), (Class::Virus, 0), (Class::Tls, 1), (Class::Policy, 1)] {
            classes.add(class, count);
        }
        assert_eq!((classes.count(first), classes.count(Class::Tls), classes.count(last)), (3, 3, 1));
        let equal = [first, Class::Tls].into_iter().min_by_key(|class| class.name());
        assert_eq!(classes.top(), equal);
        let mut others = Classes::default();
        Class::ALL.iter().for_each(|class| others.add(*class, 1));
        others.add(Class::Connection, 7);
        classes.merge(others);
        assert_eq!((classes.count(Class::Tls), classes.count(Class::Connection), classes.count(Class::Virus)), (4, 8, 1));
        assert_eq!(classes.top(), Some(Class::Connection));
    }

    #[test]
    fn what_failed_is_told_apart() {
        let mut failures = Failures::default();
        let all =
            [Failing::Bad, Failing::Class(Class::ALL[0]), Failing::Deferred, Failing::Bounced, Failing::DeferredAttempts, Failing::Expired];
        for (what, count) in all.into_iter().zip(1..) {
            failures.add(what, count);
        }
        let mut twice = failures.clone();
        twice.merge(&failures);
        for (what, count) in all.into_iter().zip(1..) {
            assert_eq!((failures.get(what), twice.get(what)), (count, 2 * count), "{what:?}");
        }
        assert_eq!((failures.weight(), failures.top_class()), (3 + 4 + 5 + 6, Some(Class::ALL[0])));
        assert_eq!(size_of::<Failures>(), 40);
    }
}
