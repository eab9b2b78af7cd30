//! Replies come in thousands that differ in names and numbers only: what was found of one is remembered for the others.
//!
//! The key is a hash of all that the answer depends on (the words that a rule may have, where others stand between them, the
//! codes, the provider, who said it), under a seed of its own in each process. What is not remembered is worked out again, so
//! that a look-up never changes an answer; a place holds one answer, and the next one that falls there takes it over.

use super::words::{SHAPED, Vocabulary, each_word, shape};
use super::{Reply, Said};
use crate::model::Class;
use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is remembered, by whole texts and by what matters of them.
#[derive(Debug, Default)]
pub struct Memo {
    seed: RandomState,
    /// Many a text comes again as it was: to a known one no word is looked up.
    pub by_text: Places,
    pub by_words: Places,
}

impl Memo {
    /// Of the whole text, and whatever else decides on the class.
    pub fn text_key(&self, reply: &Reply<'_>, provider: Option<&str>) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write(reply.text);
        hasher.write_usize(reply.text.len());
        self.finish(hasher, reply, provider)
    }

    /// Of everything that decides on the class, and nothing else.
    pub fn words_key(&self, reply: &Reply<'_>, provider: Option<&str>, vocabulary: &Vocabulary) -> u64 {
        let mut hasher = self.seed.build_hasher();
        each_word(reply.text, |word| {
            let shape = shape(word);
            if !vocabulary.may_have(word, shape) {
                // No more is asked than that it stands there.
                hasher.write_u8(0);
            } else if word.len() <= SHAPED {
                hasher.write_u64(shape[0]);
                hasher.write_u64(shape[1] ^ (word.len() as u64) << 59);
            } else {
                hasher.write(word);
                hasher.write_usize(word.len());
            }
            true
        });
        self.finish(hasher, reply, provider)
    }

    fn finish(&self, mut hasher: impl Hasher, reply: &Reply<'_>, provider: Option<&str>) -> u64 {
        hasher.write_u16(reply.reply_code.unwrap_or(0));
        let dsn = reply.dsn.map_or(0, |dsn| u64::from(dsn.class) << 32 | u64::from(dsn.subject) << 16 | u64::from(dsn.detail));
        hasher.write_u64(dsn);
        hasher.write_u8(match reply.said {
            Said::Unknown => 0,
            Said::Remote => 1,
            Said::Local => 2,
        });
        hasher.write(provider.unwrap_or_default().as_bytes());
        hasher.finish()
    }
}

const PLACES: usize = 1 << 13;
/// The class is in the lowest byte of a place, counted from 1; above it the key.
const CLASS: u64 = 0xFF;

/// Answers, each where its key says.
#[derive(Debug)]
pub struct Places(Box<[AtomicU64]>);

impl Default for Places {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Places {
    fn place(&self, key: u64) -> &AtomicU64 {
        &self.0[(key >> 51) as usize % PLACES]
    }

    pub fn get(&self, key: u64) -> Option<Class> {
        let held = self.place(key).load(Ordering::Relaxed);
        let class = Class::ALL.get((held & CLASS).checked_sub(1)? as usize)?;
        (held & !CLASS == key & !CLASS).then_some(*class)
    }

    pub fn put(&self, key: u64, class: Class) {
        self.place(key).store(key & !CLASS | (class as u64 + 1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply<'_> {
        Reply { relay: b"", reply_code: Some(550), dsn: None, text: text.as_bytes(), said: Said::Remote }
    }

    #[test]
    fn names_and_numbers_have_the_same_key_and_words_another_one() {
        let memo = Memo::default();
        let mut vocabulary = Vocabulary::default();
        ["user", "unknown", "known"].iter().for_each(|word| assert!(vocabulary.add(word.as_bytes(), false).is_some()));
        let of = |reply, provider| memo.words_key(&reply, provider, &vocabulary);
        let key = |text| of(reply(text), None);
        assert_eq!(key("550 <a@b.example>: user unknown (17)"), key("550 <c@d.example>: user unknown (4)"));
        assert_ne!(key("user unknown"), key("user un known"));
        assert_eq!(key("mx1.north.example: user unknown"), key("mx2.south.example: user unknown"));
        assert_ne!(key("user unknown"), key("user of unknown"));
        assert_ne!(key("user unknown"), of(reply("user unknown"), Some("Google")));
        assert_ne!(key("user unknown"), of(Reply { reply_code: None, ..reply("user unknown") }, None));
        assert_ne!(key("user unknown"), of(Reply { said: Said::Local, ..reply("user unknown") }, None));
    }

    #[test]
    fn a_text_is_known_with_all_that_decides() {
        let memo = Memo::default();
        let key = |text| memo.text_key(&reply(text), None);
        assert_eq!(key("user unknown"), key("user unknown"));
        assert_ne!(key("user unknown"), key("user unknown "));
        assert_ne!(key("user unknown"), memo.text_key(&reply("user unknown"), Some("Google")));
        assert_ne!(key("user unknown"), memo.text_key(&Reply { reply_code: None, ..reply("user unknown") }, None));
        assert_ne!(key("user unknown"), memo.text_key(&Reply { said: Said::Local, ..reply("user unknown") }, None));
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
