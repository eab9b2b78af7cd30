//! Replies come in thousands that differ in names and numbers only: what was found of one is remembered for the others.
//!
//! The key is a hash of all that the answer depends on (the text's skeleton, the codes, the provider, who said it), under a
//! seed of its own in each process. What is not remembered is worked out again, so that a look-up never changes an answer; a
//! place holds one answer, and the next one that falls there sends it to the place beside, and what was there away.

use super::skeleton::skeleton;
use super::words::Vocabulary;
use crate::model::{Class, EnhancedStatus};
use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is remembered.
#[derive(Debug, Default)]
pub struct Memo {
    seed: RandomState,
    /// Skeletons by whole texts: many a text comes again as it was.
    pub skeletons: Skeletons,
    pub classes: Places,
}

/// What decides on the class beside the text.
#[derive(Clone, Copy)]
pub struct Beside {
    pub provider: Option<&'static str>,
    pub reply_code: Option<u16>,
    pub dsn: Option<EnhancedStatus>,
    /// Whether a client of ours was refused. Who said it, is told by the text then, and else by the reply code.
    pub refused: bool,
}

impl Memo {
    /// A text as a whole.
    pub fn text(&self, text: &[u8]) -> u64 {
        self.seed.hash_one(text)
    }

    /// The skeleton of a text, worked out and kept for when it comes again; never 0.
    pub fn skeleton(&self, text: &[u8], whole: u64, vocabulary: &Vocabulary) -> u64 {
        let mut hasher = self.seed.build_hasher();
        skeleton(text, vocabulary, &mut hasher);
        let skeleton = hasher.finish().max(1);
        self.skeletons.put(whole, skeleton);
        skeleton
    }

    /// Of everything that decides on the class.
    pub fn key(&self, skeleton: u64, beside: Beside) -> u64 {
        let Beside { provider, reply_code, dsn, refused } = beside;
        let dsn = dsn.map_or(0, |dsn| u64::from(dsn.class) << 32 | u64::from(dsn.subject) << 16 | u64::from(dsn.detail));
        let codes = u64::from(reply_code.unwrap_or(0)) << 48 | dsn << 1 | u64::from(refused);
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(skeleton);
        hasher.write_u64(codes);
        hasher.write(provider.unwrap_or_default().as_bytes());
        hasher.finish()
    }
}

/// Each where the hash of its text says. Several threads write: a place's first half is its second under the hash, so that
/// halves of two writers fit for no text.
#[derive(Debug)]
pub struct Skeletons(Box<[[AtomicU64; 2]]>);

impl Default for Skeletons {
    fn default() -> Self {
        Self((0..Self::PLACES).map(|_| Default::default()).collect())
    }
}

impl Skeletons {
    const PLACES: usize = 1 << 15;

    fn place(&self, text: u64) -> &[AtomicU64; 2] {
        &self.0[(text >> 48) as usize % Self::PLACES]
    }

    #[inline]
    pub fn get(&self, text: u64) -> Option<u64> {
        let [masked, skeleton] = self.place(text).each_ref().map(|half| half.load(Ordering::Relaxed));
        (skeleton != 0 && masked ^ text == skeleton).then_some(skeleton)
    }

    fn put(&self, text: u64, skeleton: u64) {
        let [masked, place] = self.place(text);
        masked.store(skeleton ^ text, Ordering::Relaxed);
        place.store(skeleton, Ordering::Relaxed);
    }
}

/// The class is in the lowest byte of a place, counted from 1; above it the key.
const CLASS: u64 = 0xFF;

/// Answers, each where its key says.
#[derive(Debug)]
pub struct Places(Box<[AtomicU64]>);

impl Default for Places {
    fn default() -> Self {
        Self((0..Self::PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Places {
    /// Many more than a log has kinds of replies: two that are told again and again would turn each other out.
    const PLACES: usize = 1 << 15;

    /// The place of a key, and the one beside it.
    fn pair(&self, key: u64) -> [&AtomicU64; 2] {
        let at = (key >> 48) as usize % Self::PLACES;
        [&self.0[at], &self.0[at ^ 1]]
    }

    #[inline]
    pub fn get(&self, key: u64) -> Option<Class> {
        let held = self.pair(key).into_iter().map(|place| place.load(Ordering::Relaxed)).find(|held| held & !CLASS == key & !CLASS)?;
        Class::ALL.get((held & CLASS).checked_sub(1)? as usize).copied()
    }

    /// What was there before goes beside it.
    pub fn put(&self, key: u64, class: Class) {
        let [place, beside] = self.pair(key);
        beside.store(place.swap(key & !CLASS | (class as u64 + 1), Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_decides_is_in_the_key() {
        let memo = Memo::default();
        let beside = Beside { provider: None, reply_code: Some(550), dsn: EnhancedStatus::parse(b"5.1.1"), refused: false };
        let key = |skeleton, beside| memo.key(skeleton, beside);
        let same = key(1, beside);
        assert_eq!(key(1, beside), same);
        assert_ne!(key(2, beside), same);
        assert_ne!(key(1, Beside { provider: Some("Google"), ..beside }), same);
        assert_ne!(key(1, Beside { reply_code: None, ..beside }), same);
        assert_ne!(key(1, Beside { dsn: EnhancedStatus::parse(b"5.1.2"), ..beside }), same);
        assert_ne!(key(1, Beside { refused: true, ..beside }), same);
    }

    #[test]
    fn a_skeleton_comes_back_for_its_text_alone() {
        let (skeletons, text) = (Skeletons::default(), 7 << 48 | 1);
        assert_eq!(skeletons.get(text), None);
        skeletons.put(text, 5);
        assert_eq!((skeletons.get(text), skeletons.get(text + 1)), (Some(5), None));
        skeletons.put(text + 1, 6);
        assert_eq!((skeletons.get(text), skeletons.get(text + 1)), (None, Some(6)));
    }

    #[test]
    fn what_is_turned_out_goes_beside() {
        let places = Places::default();
        let [first, second, third] = [1_u64, 2, 3].map(|key| key << 8);
        [(first, Class::Timeout), (second, Class::Tls)].into_iter().for_each(|(key, class)| places.put(key, class));
        assert_eq!((places.get(first), places.get(second)), (Some(Class::Timeout), Some(Class::Tls)));
        places.put(third, Class::MailboxFull);
        assert_eq!((places.get(first), places.get(second), places.get(third)), (None, Some(Class::Tls), Some(Class::MailboxFull)));
    }

    #[test]
    fn every_class_comes_back() {
        let memo = Places::default();
        for (n, class) in Class::ALL.iter().enumerate() {
            let key = (n as u64 + 1) << 52;
            assert_eq!(memo.get(key), None);
            memo.put(key, *class);
            assert_eq!((memo.get(key), memo.get(key | 1 << 20)), (Some(*class), None));
        }
    }
}
