//! What replies that differ in names and numbers only have in common, as one number.
//!
//! Two texts with the same skeleton have the same words for the rules, and the same template for whoever looks for recurring
//! texts: ids, addresses, hosts, numbers and links are left out where both leave them out for certain, and all else counts
//! byte by byte. It may part what belongs together, and then the longer way is gone twice; it never joins what differs.

use super::list_of;
use super::words::{Vocabulary, each_word, is_group};
use crate::near::{between, find};
use std::hash::Hasher;
use std::ops::Range;
use wide::u8x16;

/// What parts runs.
const BREAK: u8 = 0;
const SMALL: u8 = 1;
const CAPITAL: u8 = 2;
const DIGIT: u8 = 4;
const DOT: u8 = 8;
const HYPHEN: u8 = 16;
const COLON: u8 = 32;
const AT: u8 = 64;
/// Anything else: a run that has it stands for itself, but a link, and a name with a value.
const OTHER: u8 = 128;

static KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut c = 0;
    while c < 256 {
        kinds[c] = match c as u8 {
            b'a'..=b'z' => SMALL,
            b'A'..=b'Z' => CAPITAL,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'-' | b'_' | b'+' | b'%' | b'~' => HYPHEN,
            b':' => COLON,
            b'@' => AT,
            0..=b' ' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b'"' | b'\'' => BREAK,
            _ => OTHER,
        };
        c += 1;
    }
    kinds
};

/// What is hashed, each with a mark of its own: two skeletons differ, or they are the same parts in the same order.
#[derive(Clone, Copy)]
enum Part {
    /// Bytes that stand for themselves; their length, before them.
    Itself = 1,
    /// A run that is left out, and what stands behind it.
    LeftOut,
    /// A word within it that a rule has; its length, before its bytes.
    Known,
    /// Another one: no more is asked than that it stands there.
    Unknown,
}

#[inline]
fn put(hasher: &mut impl Hasher, part: Part, what: u64) {
    hasher.write_u128((part as u128) << 64 | u128::from(what));
}

#[inline]
fn put_bytes(hasher: &mut impl Hasher, part: Part, bytes: &[u8]) {
    put(hasher, part, bytes.len() as u64);
    hasher.write(bytes);
}

/// Hashes the skeleton of `text`.
pub fn skeleton(text: &[u8], vocabulary: &Vocabulary, hasher: &mut impl Hasher) {
    // All before is hashed.
    let mut from = 0;
    for run in Uneven::of(text) {
        let (bytes, after) = (&text[run.clone()], &text[run.end..]);
        if let Some(varying) = Varying::of(bytes, kinds_of(bytes), after) {
            if from < run.start {
                put_bytes(hasher, Part::Itself, &text[from..run.start]);
            }
            from = text.len().min(run.end + 1);
            varying.put(text, run, vocabulary, hasher);
        }
    }
    if from < text.len() {
        put_bytes(hasher, Part::Itself, &text[from..]);
    }
}

/// The runs that have a digit, an `@`, or a dot in their midst. Whatever else there is stands for itself: most words of a
/// text, and what parts them.
struct Uneven<'t> {
    text: &'t [u8],
    /// Where the sixteen bytes begin that are looked at, and the [`marks`] of what was not looked at yet.
    at: usize,
    breaks: u32,
    uneven: u32,
    /// Where the run begins that goes on here.
    start: usize,
}

impl<'t> Uneven<'t> {
    fn of(text: &'t [u8]) -> Self {
        let (breaks, uneven) = marks(text, 0);
        Self { text, at: 0, breaks, uneven, start: 0 }
    }

    /// Goes on to the next sixteen bytes, if there are more.
    fn go_on(&mut self) -> bool {
        let more = self.at + 16 < self.text.len();
        if more {
            self.at += 16;
            (self.breaks, self.uneven) = marks(self.text, self.at);
        }
        more
    }

    /// What is behind these breaks begins anew.
    fn begin_behind(&mut self, breaks: u32) {
        if breaks != 0 {
            self.start = self.at + (u32::BITS - breaks.leading_zeros()) as usize;
        }
    }
}

impl Iterator for Uneven<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        while self.uneven == 0 {
            self.begin_behind(self.breaks);
            if !self.go_on() {
                return None;
            }
        }
        let within = u32::MAX << self.uneven.trailing_zeros();
        self.begin_behind(self.breaks & !within);
        self.breaks &= within;
        while self.breaks == 0 {
            if !self.go_on() {
                self.uneven = 0;
                return Some(self.start..self.text.len());
            }
        }
        let end = self.breaks.trailing_zeros();
        self.uneven &= u32::MAX << end;
        Some(self.start..self.text.len().min(self.at + end as usize))
    }
}

/// Of the next sixteen bytes, a bit for each that parts runs, and one for each that makes a run uneven.
#[inline]
fn marks(text: &[u8], at: usize) -> (u32, u32) {
    let rest = &text[at..];
    let sixteen = rest.first_chunk().copied().unwrap_or_else(|| {
        // The end of the text parts, too.
        let mut last = [b' '; 16];
        last[..rest.len()].copy_from_slice(rest);
        last
    });
    let bytes = u8x16::new(sixteen);
    let is = |c: u8| bytes.simd_eq(u8x16::splat(c));
    // Two that differ in one bit are asked for together.
    let is_either = |c: u8, bit: u8| (bytes | u8x16::splat(bit)).simd_eq(u8x16::splat(c | bit));
    let brackets = is_either(b'(', 1) | is_either(b'<', 2) | is_either(b'[', 0x20) | is_either(b']', 0x20);
    let breaks = between(bytes, 0, b' ') | brackets | is(b',') | is(b';') | is(b'"') | is(b'\'');
    let [breaks, dots, others] = [breaks, is(b'.'), between(bytes, b'0', b'9') | is(b'@')].map(u8x16::to_bitmask);
    let next = u32::from(rest.get(16).is_none_or(|c| KINDS[usize::from(*c)] == BREAK));
    (breaks, others | dots & !(breaks >> 1 | next << 15))
}

/// A run that varies from message to message, but for these parts of it.
struct Varying<'a> {
    /// `name=`, or what tells that it is a link, which may go on behind it.
    name: &'a [u8],
    /// The block list that it names.
    list: Option<&'static str>,
    /// What ends a sentence behind it.
    trail: &'a [u8],
    words: Words,
}

/// The words of a run that rules may ask for.
#[derive(Clone, Copy)]
enum Words {
    None,
    /// Its letters and digits, whatever parts them.
    Parts,
    /// As in any text.
    Several,
}

impl<'a> Varying<'a> {
    fn of(run: &'a [u8], kinds: u8, after: &[u8]) -> Option<Self> {
        if kinds & OTHER != 0 {
            return Self::link(run, after).or_else(|| Self::value(run, kinds, after));
        }
        let end = run.iter().rposition(|c| !matches!(c, b'.' | b':' | b'-'))? + 1;
        let (core, trail) = run.split_at(end);
        if kinds & !(DOT | HYPHEN | COLON) == DIGIT {
            return (!is_status(core)).then_some(Self { name: b"", list: None, trail, words: Words::None });
        }
        // The words of an address are not looked at, nor those of a host before its IP address, nor the parts of that.
        let is_named = kinds & AT != 0 || kinds & (DOT | COLON) == DOT && after.first() == Some(&b'[');
        let kinds = if trail.is_empty() { kinds } else { kinds_of(core) };
        let varies = if is_status(core) {
            false
        } else if kinds & AT != 0 {
            kinds & COLON == 0 && kinds & (SMALL | DIGIT) != 0
        } else if kinds & DIGIT != 0 {
            // A provider's own code begins with a capital, and is short.
            core.len() > 9 || !core[0].is_ascii_uppercase()
        } else {
            kinds & DOT != 0 && kinds & (CAPITAL | COLON) == 0 && is_host(core)
        };
        let is_address = || kinds & !(SMALL | DIGIT) == COLON && trail.is_empty() && is_ipv6(core);
        let words = if is_named || kinds & (SMALL | CAPITAL) == 0 || is_address() {
            Words::None
        } else if kinds & COLON == 0 && !trail.contains(&b':') {
            Words::Parts
        } else {
            Words::Several
        };
        varies.then(|| Self { name: b"", list: list_of(core), trail, words })
    }

    /// `name=mx.example.org`, `id=a@b.example`
    fn value(run: &'a [u8], kinds: u8, after: &[u8]) -> Option<Self> {
        let equals = find(run, b'=')? + 1;
        let (name, value) = run.split_at(equals);
        let is_name = kinds_of(&name[..equals - 1]) & !(SMALL | CAPITAL) == 0;
        let own = kinds_of(value);
        if !is_name || own & OTHER != 0 {
            return None;
        }
        if kinds & AT != 0 {
            // With an address it is one word.
            return Self::of(run, kinds & !OTHER, after);
        }
        // Codes have no place in it: one that begins like a code may stand for itself.
        Self::of(value, own, after).map(|varying| Self { name, words: Words::Several, ..varying })
    }

    /// `https://www.example.org/why?ip=192.0.2.1`
    fn link(run: &'a [u8], after: &[u8]) -> Option<Self> {
        let link = run.strip_prefix(b"https://").or_else(|| run.strip_prefix(b"http://"))?;
        let slash = find(link, b'/');
        let ends = after.first().is_none_or(|c| c.is_ascii_whitespace() || matches!(c, b'<' | b'>' | b'"' | b'\'' | b')' | b']'));
        let (host, path) = link.split_at(slash.or(ends.then_some(link.len()))?);
        // One that leads to a page for everyone stands for itself.
        let varies = kinds_of(path) & (DIGIT | DOT) != 0 && find(link, b'\\').is_none();
        // Its parts are words but where a colon, an address or what is no ASCII may make others of them.
        let is_plain = kinds_of(link) & (COLON | AT) == 0 && link.is_ascii() && after.first() != Some(&b'[');
        let words = if is_plain { Words::Parts } else { Words::Several };
        varies.then(|| Self { name: b"//", list: list_of(host), trail: b"", words })
    }

    /// Hashes the parts, and the byte behind the run.
    fn put(&self, text: &[u8], run: Range<usize>, vocabulary: &Vocabulary, hasher: &mut impl Hasher) {
        let Self { name, trail, .. } = self;
        let list = self.list.unwrap_or_default().as_bytes();
        let behind = text.get(run.end).copied().unwrap_or_default();
        put(hasher, Part::LeftOut, u64::from(behind) << 56 | (name.len() as u64) << 40 | (list.len() as u64) << 20 | trail.len() as u64);
        [name, list, trail].into_iter().filter(|part| !part.is_empty()).for_each(|part| hasher.write(part));
        let mut word = |word| match vocabulary.has(word) {
            true => put_bytes(hasher, Part::Known, word),
            false => put(hasher, Part::Unknown, 0),
        };
        match self.words {
            Words::None => {}
            Words::Parts => {
                let parts = text[run].split(|c| !c.is_ascii_alphanumeric());
                parts.filter(|part| part.iter().any(u8::is_ascii_alphabetic)).for_each(word);
            }
            Words::Several => each_word(&text[run.start..text.len().min(run.end + 1)], |one| {
                word(one);
                true
            }),
        }
    }
}

fn kinds_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |kinds, c| kinds | KINDS[usize::from(*c)])
}

/// Whether it may begin with a reply code or an enhanced code.
fn is_status(core: &[u8]) -> bool {
    match core {
        [b'4' | b'5', b'0'..=b'9', b'0'..=b'9'] | [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b'-', ..] => true,
        // An IP address is none.
        [b'2' | b'4' | b'5', b'.', rest @ ..] => {
            rest.iter().filter(|c| **c == b'.').count() != 2 || !rest.iter().all(|c| c.is_ascii_digit() || *c == b'.')
        }
        _ => false,
    }
}

/// Whether it is a host's name rather than the end of one sentence and the beginning of the next: both are of small letters.
fn is_host(core: &[u8]) -> bool {
    let last = core.rsplit(|c| *c == b'.').next().unwrap_or_default();
    core.len() > 3 && last.len() >= 2 && last.iter().all(u8::is_ascii_lowercase)
}

/// Whether all of its parts are such that are known for parts of an IPv6 address.
fn is_ipv6(core: &[u8]) -> bool {
    let digit = |c: &u8| KINDS[usize::from(*c)] == DIGIT;
    let mut parts = core.split(|c| *c == b':');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    [first, last].iter().all(|part| is_group(part) && (part.is_empty() || part.iter().any(digit))) && parts.all(is_group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foldhash::fast::FixedState;
    use std::hash::BuildHasher;

    fn vocabulary() -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        ["user", "unknown", "spam", "org", "tss04"].iter().for_each(|word| assert!(vocabulary.add(word.as_bytes(), false).is_some()));
        assert!(vocabulary.add(b"black", true).is_some());
        vocabulary
    }

    fn of(text: &str) -> u64 {
        let mut hasher = FixedState::default().build_hasher();
        skeleton(text.as_bytes(), &vocabulary(), &mut hasher);
        hasher.finish()
    }

    #[test]
    fn names_and_numbers_are_left_out_and_words_are_not() {
        for (one, other) in [
            ("550 <a@b.example>: user unknown (17)", "550 <c+d@e.example>: user unknown (4)"),
            ("connect to mx1.b.example[192.0.2.1]:25: refused", "connect to relay.c.example[198.51.100.27]:587: refused"),
            ("see https://a.example/x?y=1.", "see https://b.example/z?y=22."),
            ("error for name=a-b.example type=MX", "error for name=c-d.example type=MX"),
            ("id ab12-cd34 gone", "id ef5-61gh gone"),
            ("client [2001:db8:8ea0::7910] refused", "client [2001:db8:1::e55d] refused"),
            ("connect to mx1.b.com[192.0.2.1]:25: refused", "connect to relay.c.net[198.51.100.27]:25: refused"),
            ("not allowed: s=mfrom;id=a1@b.example;ip=192.0.2.1", "not allowed: s=mfrom;id=c.d@e.com;ip=198.51.100.7"),
            ("queued as 80c631cc3dab-20020a5d8082c8 - smtp", "queued as a1bda9f3efe0-20020a5d50c977 - smtp"),
            ("a sentence that ends. 17 more", "a sentence that ends. 4 more"),
        ] {
            assert_eq!(of(one), of(other), "{one} / {other}");
        }
        for (one, other) in [
            ("user unknown", "user un known"),
            ("user unknown", "user  unknown"),
            ("user unknown", "User unknown"),
            ("550 user", "551 user"),
            ("5.1.1 user", "5.1.2 user"),
            ("mx.spam.example said", "mx.ham.example said"),
            ("blocked by zen.spamhaus.org", "blocked by bl.spamcop.net"),
            ("one two three four five 5.1.1", "one two three four fine 5.1.1"),
            ("id=a@zen.spamhaus.org;", "id=a@zen.example.org;"),
            ("TSS04 x", "TSS05 x"),
            ("a1-blacklist x", "a1-blocklist x"),
            ("", " "),
        ] {
            assert_ne!(of(one), of(other), "{one} / {other}");
        }
    }

    /// The words as rules are held against them: which of them a rule may have.
    fn words(text: &str, vocabulary: &Vocabulary) -> Vec<Option<String>> {
        let mut words = Vec::new();
        each_word(text.as_bytes(), |word| {
            let word = vocabulary.has(word).then(|| String::from_utf8_lossy(word).to_ascii_lowercase());
            words.push(word);
            true
        });
        words
    }

    #[test]
    fn texts_of_one_skeleton_have_the_same_words() {
        const PIECES: &[&str] = &[
            "user", "spam", "org", "tss04", "blackx", "x", "ab", "7", "12", "550", "a1", "b2c", "d3:", ":e4", ".", ".", "-", "@", ":", "=",
            "/", "+", "[", "]", "<", ">", " ", " ", "(", ")", "'", ",", "https://", "\\n", "\u{e4}", "\u{2019}", "com", "A1",
        ];
        let vocabulary = vocabulary();
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut known = std::collections::HashMap::<u64, String>::new();
        let mut again = 0;
        for _ in 0..200_000 {
            let text: String = (0..=random(5)).map(|_| PIECES[random(PIECES.len())]).collect();
            let before = known.entry(of(&text)).or_insert_with(|| text.clone());
            again += u32::from(*before != text);
            assert_eq!(words(before, &vocabulary), words(&text, &vocabulary), "{before} / {text}");
        }
        assert!(again > 1000, "{again}");
    }
}
