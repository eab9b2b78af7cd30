//! A reply's words, as rules are held against them: each one a number, if any rule has it, in the order of the text.
//!
//! What names one message or one machine is left out: addresses, hosts (`name[ip]`), IP addresses, numbers, and so the
//! status codes that a reply of several lines repeats in the middle of its sentences. Of `550-5.1.1 <a@b.example>:
//! User\n550 5.1.1 unknown!` the words are `user` and `unknown`. Case doesn't matter; bytes beyond ASCII are letters.
//! Nothing is allocated, and what lies beyond the longest text that matters is not looked at.

use crate::scan::Letters;
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// A longer text is cut: what a reply has to say, it says first.
const MOST_WORDS: usize = 200;
/// A longer word is in no rule.
const LONGEST: usize = 64;
/// As much of a word is looked at before any beginning is looked up.
const STEM: usize = 3;

/// The number of a word, or of the beginning of words, that a rule has.
pub type Id = u16;
/// A word that no rule has.
const OTHER: Id = 0;

/// Beginnings of words with the same first letters.
type Stems = Vec<(Box<[u8]>, Id)>;

/// Every word that a rule has.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: HashMap<Box<[u8]>, Id, FixedState>,
    /// Beginnings of words, `greylist*`, by their first letters.
    stems: HashMap<[u8; STEM], Stems, FixedState>,
    /// Which first letters a beginning has: most words need not be looked up.
    firsts: Bits<{ 1 << 9 }>,
    /// The shapes of whole words: the same for them.
    shapes: Bits<{ 1 << 10 }>,
    last: Id,
}

/// What may be there: a bit a place. Several things may share one.
#[derive(Debug)]
struct Bits<const N: usize>(Box<[u64; N]>);

impl<const N: usize> Default for Bits<N> {
    fn default() -> Self {
        Self(Box::new([0; N]))
    }
}

impl<const N: usize> Bits<N> {
    fn add(&mut self, place: usize) {
        self.0[place / 64 % N] |= 1 << (place % 64);
    }

    #[inline]
    fn have(&self, place: usize) -> bool {
        self.0[place / 64 % N] & (1 << (place % 64)) != 0
    }
}

/// A place for all that three letters can be, whatever their case; other bytes share one with a letter.
fn place_of_stem(three: [u8; STEM]) -> usize {
    three.into_iter().fold(0, |place, letter| place << 5 | usize::from(letter & 31))
}

/// A place for a shape: one in thirty of the words that no rule has passes for one that a rule may have.
fn place_of_shape(shape: [u64; 2]) -> usize {
    let mixed = shape[0].wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ shape[1].rotate_left(29).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed >> 48) as usize
}

/// A word's first eight letters and its last, whatever their case: all of most words.
#[inline]
fn shape(word: &[u8]) -> [u64; 2] {
    let (first, last) = match (word.first_chunk::<8>(), word.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (word.first_chunk::<4>(), word.last_chunk::<4>()) {
            (Some(first), Some(last)) => (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))),
            _ => word.iter().fold((0, 0), |(first, last), letter| (first << 8 | u64::from(*letter), last)),
        },
    };
    let lower = 0x2020_2020_2020_2020;
    [first | lower, last | lower]
}

/// A word in small letters, cut where it is longer than any that a rule has.
fn lower<'b>(word: &[u8], buffer: &'b mut [u8; LONGEST]) -> &'b [u8] {
    let lower = &mut buffer[..word.len().min(LONGEST)];
    lower.copy_from_slice(&word[..lower.len()]);
    lower.make_ascii_lowercase();
    lower
}

impl Vocabulary {
    /// The number of a word, or of the beginning of one; `None` where it is too short or too long, or there are too many.
    pub fn add(&mut self, word: &[u8], begins: bool) -> Option<Id> {
        let word = word.to_ascii_lowercase().into_boxed_slice();
        let next = self.last.checked_add(1)?;
        let id = if begins {
            let stem = *word.first_chunk()?;
            self.firsts.add(place_of_stem(stem));
            let stems = self.stems.entry(stem).or_default();
            stems.iter().find(|(known, _)| *known == word).map(|(_, id)| *id).unwrap_or_else(|| {
                stems.push((word, next));
                next
            })
        } else if word.len() > LONGEST {
            return None;
        } else {
            self.shapes.add(place_of_shape(shape(&word)));
            *self.words.entry(word).or_insert(next)
        };
        self.last = self.last.max(id);
        Some(id)
    }

    pub fn len(&self) -> usize {
        usize::from(self.last) + 1
    }

    /// Whether a rule has the word, or a beginning of it.
    #[inline]
    pub fn has(&self, word: &[u8]) -> bool {
        self.shapes.have(place_of_shape(shape(word))) && self.words.contains_key(lower(word, &mut [0; LONGEST]))
            || word.first_chunk().is_some_and(|stem| self.firsts.have(place_of_stem(*stem)) && self.begins(word, *stem))
    }

    fn begins(&self, word: &[u8], stem: [u8; STEM]) -> bool {
        let stems = self.stems.get(&stem.map(|letter| letter.to_ascii_lowercase())).map_or(&[][..], Vec::as_slice);
        stems.iter().any(|(stem, _)| word.get(..stem.len()).is_some_and(|first| first.eq_ignore_ascii_case(stem)))
    }

    fn token(&self, word: &[u8]) -> Token {
        let mut buffer = [0; LONGEST];
        let lower = lower(word, &mut buffer);
        let is = if word.len() > LONGEST { None } else { self.words.get(lower).copied() };
        let stem = lower.first_chunk().filter(|stem| self.firsts.have(place_of_stem(**stem)));
        let stems = stem.and_then(|stem| self.stems.get(stem)).map_or(&[][..], Vec::as_slice);
        let mut begins = [OTHER; 2];
        let found = stems.iter().filter(|(stem, _)| lower.starts_with(stem)).map(|(_, id)| *id);
        begins.iter_mut().zip(found).for_each(|(place, id)| *place = id);
        Token { is: is.unwrap_or(OTHER), begins }
    }
}

/// One word of a text: what it is, and what it begins with, as far as rules ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Token {
    is: Id,
    begins: [Id; 2],
}

impl Token {
    #[inline]
    pub fn has(self, id: Id) -> bool {
        self.is == id || self.begins[0] == id || self.begins[1] == id
    }

    /// All that it is.
    pub fn ids(self) -> impl Iterator<Item = Id> {
        [self.is, self.begins[0], self.begins[1]].into_iter().filter(|id| *id != OTHER)
    }
}

/// The words of one reply.
pub struct Words {
    tokens: [Token; MOST_WORDS],
    len: usize,
    /// A bit for each number that is there; numbers far apart may share one.
    seen: [u64; 32],
}

impl Words {
    pub fn of(text: &[u8], vocabulary: &Vocabulary) -> Self {
        let mut words = Self { tokens: [Token::default(); MOST_WORDS], len: 0, seen: [0; 32] };
        each_word(text, |word| {
            let Some(token) = words.tokens.get_mut(words.len) else { return false };
            *token = vocabulary.token(word);
            token.ids().for_each(|id| words.seen[usize::from(id) / 64 % 32] |= 1 << (id % 64));
            words.len += 1;
            true
        });
        words
    }

    pub fn tokens(&self) -> &[Token] {
        &self.tokens[..self.len]
    }

    /// Whether a word may be there; where it says no, it is not.
    #[inline]
    pub fn may_have(&self, id: Id) -> bool {
        self.seen[usize::from(id) / 64 % 32] & (1 << (id % 64)) != 0
    }
}

/// Calls `each` for every word that counts, until it wants no more.
pub fn each_word<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8]) -> bool) {
    let mut rest = text;
    while !rest.is_empty() {
        // Most words are short, and of letters alone.
        if let Some(eight) = rest.first_chunk() {
            let count = Letters::of(eight).count;
            if (1..8).contains(&count) && BYTES[usize::from(eight[count])] == BREAK && eight[count] != SIGN {
                let is_part = eight[count] == b':' && is_part_of_ipv6(text, text.len() - rest.len(), count, false);
                if !is_part && !each(&rest[..count]) {
                    return;
                }
                rest = &rest[count + 1..];
                continue;
            }
        }
        // A run may be an address or a host: both are known at their end only.
        let (mut end, mut kinds) = (0, 0);
        while let Some(kind) = rest.get(end).map(|c| BYTES[*c as usize]).filter(|kind| *kind != BREAK) {
            kinds |= kind;
            end += 1;
        }
        let (run, after) = rest.split_at(end);
        rest = after.get(if after.first() == Some(&SIGN) { 3 } else { 1 }..).unwrap_or_default();
        if kinds & LETTER == 0 || kinds & AT != 0 || kinds & DOT != 0 && after.first() == Some(&b'[') {
            continue;
        }
        if is_part_of_ipv6(text, text.len() - after.len() - end, end, kinds & DIGIT != 0) {
            continue;
        }
        if kinds & JOINT == 0 {
            if !each(run) {
                return;
            }
            continue;
        }
        for word in run.split(|c| BYTES[*c as usize] & JOINT != 0) {
            if word.iter().any(|c| BYTES[*c as usize] == LETTER) && !each(word) {
                return;
            }
        }
    }
}

/// Whether a run is a part of an IPv6 address: in its midst, or one with a digit at either end.
fn is_part_of_ipv6(text: &[u8], at: usize, length: usize, has_digit: bool) -> bool {
    let before = || at > 0 && text[at - 1] == b':';
    let behind = || text.get(at + length) == Some(&b':');
    is_group(&text[at..at + length]) && if has_digit { before() || behind() } else { before() && behind() }
}

/// What stands between the colons of an IPv6 address.
pub fn is_group(run: &[u8]) -> bool {
    run.len() <= 4 && run.iter().all(u8::is_ascii_hexdigit)
}

/// What U+2000 to U+2FFF begin with, three bytes each: typographic quotes, dashes, arrows.
const SIGN: u8 = 0xE2;

/// What parts an address from the text around it.
const BREAK: u8 = 0;
/// What parts words, and may stand within an address.
const JOINT: u8 = 1;
const AT: u8 = 2;
const DOT: u8 = 4;
const DIGIT: u8 = 8;
const LETTER: u8 = 16;

const BYTES: [u8; 256] = {
    let mut kinds = [JOINT; 256];
    let mut c = 0;
    while c < 256 {
        kinds[c] = match c as u8 {
            SIGN => BREAK,
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => LETTER,
            b'0'..=b'9' => DIGIT,
            b'@' => AT | JOINT,
            b'.' => DOT | JOINT,
            0..=b' ' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b':' | b'"' | b'\'' => BREAK,
            _ => JOINT,
        };
        c += 1;
    }
    kinds
};

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut words = Vec::new();
        each_word(text.as_bytes(), |word| {
            words.push(String::from_utf8_lossy(word).into_owned());
            true
        });
        words.join(" ")
    }

    #[test]
    fn words_and_nothing_of_one_message() {
        assert_eq!(of("550-5.1.1 <a.full@b.example>: User\r\n550 5.1.1 unknown!"), "User unknown");
        assert_eq!(of("mx1.x.example[192.0.2.1] user_unknown (S3140)"), "user unknown S3140");
        assert_eq!(of("client 2001:db8:8ea0::e55d at 4a, b2"), "client at 4a b2");
        assert_eq!(of("[2001:db8:bad:15f::3b] is:bad:, ::bad"), "is bad");
        assert_eq!(of("The mailbox doesn't EXIST"), "The mailbox doesn t EXIST");
        assert_eq!(of("The mailbox doesn\u{2019}t exist \u{2013} \u{201e}gone\u{201c}"), "The mailbox doesn t exist gone");
        assert_eq!(of("überfüllt"), "überfüllt");
        assert_eq!(of(""), "");
        assert_eq!(of("550 5.1.1 <a@b>"), "");
    }

    #[test]
    fn a_word_is_itself_and_what_it_begins_with() {
        let mut vocabulary = Vocabulary::default();
        let whole = vocabulary.add(b"greylisted", false).unwrap();
        let stem = vocabulary.add(b"GREYlist", true).unwrap();
        assert_eq!(vocabulary.add(b"Greylisted", false), Some(whole));
        assert_eq!(vocabulary.add(b"ab", true), None);
        let words = Words::of(b"Greylisted greylisting grey", &vocabulary);
        let has = |at: usize, id| words.tokens()[at].has(id);
        assert!(has(0, whole) && has(0, stem) && has(1, stem) && !has(1, whole) && !has(2, stem));
    }

    #[test]
    fn a_long_text_is_cut() {
        let vocabulary = Vocabulary::default();
        assert_eq!(Words::of(&b"word ".repeat(1000), &vocabulary).tokens().len(), MOST_WORDS);
        assert_eq!(Words::of(&b"w".repeat(1000), &vocabulary).tokens().len(), 1);
    }
}
