//! What replies that differ in names and numbers only have in common, as one number.
//!
//! Two texts with the same skeleton have the same words for the rules, and the same template for whoever looks for recurring
//! texts: ids, addresses, hosts, numbers and links are left out where both leave them out for certain, and all else counts
//! byte by byte. It may part what belongs together, and then the longer way is gone twice; it never joins what differs.

use super::words::{Vocabulary, each_word, is_group};
use crate::near::{find, rfind};
use crate::scan::Letters;
use std::hash::Hasher;

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
    /// A short word and what stands behind it, or that alone.
    Word = 1,
    /// The first eight letters of a longer one.
    LongWord,
    /// A run that stands for itself; its length, before its bytes.
    Itself,
    /// A run that is left out.
    LeftOut,
    /// A word within it that a rule may have; its length, before its bytes.
    Known,
    /// Another one: no more is asked than that it stands there.
    Unknown,
}

#[inline]
fn put(hasher: &mut impl Hasher, part: Part, what: u64) {
    hasher.write_u128((part as u128) << 64 | u128::from(what));
}

fn put_bytes(hasher: &mut impl Hasher, part: Part, behind: u8, bytes: &[u8]) {
    put(hasher, part, (bytes.len() as u64) << 8 | u64::from(behind));
    hasher.write(bytes);
}

/// Hashes the skeleton of `text`.
pub fn skeleton(text: &[u8], vocabulary: &Vocabulary, hasher: &mut impl Hasher) {
    let mut rest = text;
    while !rest.is_empty() {
        let words = words(rest, hasher);
        if words > 0 {
            rest = &rest[words..];
            continue;
        }
        let (mut end, mut kinds) = (0, 0);
        for c in rest {
            let kind = KINDS[usize::from(*c)];
            if kind == BREAK {
                break;
            }
            kinds |= kind;
            end += 1;
        }
        if end == 0 {
            put(hasher, Part::Word, u64::from(rest[0]) << 56);
            rest = &rest[1..];
            continue;
        }
        let (run, after) = rest.split_at(end);
        // With what stands behind it, which has no part of its own then.
        let behind = after.first().copied().unwrap_or_default();
        match Varying::of(run, kinds, after) {
            Some(varying) => varying.put(&rest[..rest.len().min(end + 1)], behind, vocabulary, hasher),
            None => put_bytes(hasher, Part::Itself, behind, run),
        }
        rest = after.get(1..).unwrap_or_default();
    }
}

/// Hashes words that stand for themselves, each with what parts it from the next, and gives how many bytes they are. Most of
/// a text is such words, and most of them are short.
#[inline]
fn words(text: &[u8], hasher: &mut impl Hasher) -> usize {
    let is_break = |c: u8| KINDS[usize::from(c)] == BREAK;
    let mut at = 0;
    while let Some(eight) = text[at..].first_chunk::<8>() {
        let length = Letters::of(eight).count;
        if length < 8 {
            // A colon or the end of a sentence may stand between.
            let marked = |c: u8| matches!(c, b':' | b'.') && length < 7 && is_break(eight[length + 1]);
            let end = if is_break(eight[length]) { length } else { length + 1 };
            if end > length && !marked(eight[length]) {
                break;
            }
            put(hasher, Part::Word, u64::from_le_bytes(*eight) << (56 - 8 * end));
            at += end + 1;
            continue;
        }
        let Some(next) = text[at + 8..].first_chunk::<8>() else { break };
        let more = Letters::of(next).count;
        if more == 8 || !is_break(next[more]) {
            break;
        }
        put(hasher, Part::LongWord, u64::from_le_bytes(*eight));
        put(hasher, Part::Word, u64::from_le_bytes(*next) << (56 - 8 * more));
        at += 8 + more + 1;
    }
    at
}

/// A run that varies from message to message, but for these parts of it.
struct Varying<'a> {
    /// `name=`, or what tells that it is a link, which may go on behind it.
    name: &'a [u8],
    /// The domain that may be a block list's.
    list: &'a [u8],
    /// What ends a sentence behind it.
    trail: &'a [u8],
    /// Whether it may have words that rules ask for.
    has_words: bool,
}

impl<'a> Varying<'a> {
    fn of(run: &'a [u8], kinds: u8, after: &[u8]) -> Option<Self> {
        if kinds & OTHER != 0 {
            return Self::link(run, after).or_else(|| Self::value(run, after));
        }
        let end = run.iter().rposition(|c| !matches!(c, b'.' | b':' | b'-'))? + 1;
        let (core, trail) = run.split_at(end);
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
        let has_words =
            kinds & (SMALL | CAPITAL) != 0 && !is_named && !(kinds & !(SMALL | DIGIT) == COLON && trail.is_empty() && is_ipv6(core));
        varies.then(|| Self { name: b"", list: domain(core), trail, has_words })
    }

    /// `name=mx.example.org`
    fn value(run: &'a [u8], after: &[u8]) -> Option<Self> {
        let equals = find(run, b'=')? + 1;
        let (name, value) = run.split_at(equals);
        let kinds = kinds_of(value);
        // With an address it would be one word.
        let is_plain = kinds & (AT | OTHER) == 0 && kinds_of(&name[..equals - 1]) & !(SMALL | CAPITAL) == 0;
        // Codes have no place in it: one that begins like a code may stand for itself.
        let varying = if is_plain { Self::of(value, kinds, after) } else { None };
        varying.map(|varying| Self { name, has_words: true, ..varying })
    }

    /// `https://www.example.org/why?ip=192.0.2.1`
    fn link(run: &'a [u8], after: &[u8]) -> Option<Self> {
        let link = run.strip_prefix(b"https://").or_else(|| run.strip_prefix(b"http://"))?;
        let slash = find(link, b'/');
        let ends = after.first().is_none_or(|c| c.is_ascii_whitespace() || matches!(c, b'<' | b'>' | b'"' | b'\'' | b')' | b']'));
        let host = &link[..slash.or(ends.then_some(link.len()))?];
        find(link, b'\\').is_none().then(|| Self { name: b"//", list: domain(host), trail: b"", has_words: true })
    }

    fn put(&self, run: &[u8], behind: u8, vocabulary: &Vocabulary, hasher: &mut impl Hasher) {
        let Self { name, list, trail, .. } = self;
        put(hasher, Part::LeftOut, u64::from(behind) << 56 | (name.len() as u64) << 40 | (list.len() as u64) << 20 | trail.len() as u64);
        [name, list, trail].into_iter().filter(|part| !part.is_empty()).for_each(|part| hasher.write(part));
        if self.has_words {
            each_word(run, |word| {
                match vocabulary.may_have(word) {
                    true => put_bytes(hasher, Part::Known, 0, word),
                    false => put(hasher, Part::Unknown, 0),
                }
                true
            });
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

/// The last two labels of a host where they may be the domain of a block list, else nothing.
fn domain(host: &[u8]) -> &[u8] {
    let Some((_, end)) = host.split_last_chunk::<3>() else { return b"" };
    if !matches!(&end.map(|c| c | 0x20), b"org" | b"net" | b"com" | b"one") {
        return b"";
    }
    let dot = rfind(host, b'.').and_then(|last| rfind(&host[..last], b'.'));
    let domain = dot.map_or(host, |at| &host[at + 1..]);
    if find(domain, b'@').is_some() { b"" } else { domain }
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
            let word = vocabulary.may_have(word).then(|| String::from_utf8_lossy(word).to_ascii_lowercase());
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
