//! Finds the lines that hold one of some words, without looking at any other.
//!
//! A word is found by its rarest bytes, a few words by the bytes that they begin with, many at a time (the processor compares
//! thirty-two bytes in one step). A word in any case is found by a few bytes of it in every case, so the bytes are chosen that
//! have the fewest letters.

use aho_corasick::packed::{self, MatchKind as PackedKind};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use memchr::{memchr, memmem, memrchr};
use regex::bytes::Regex;
use std::ops::Range;

/// From so many words on, reading every line is cheaper than searching for them.
const MANY: usize = 2000;
/// Words that are searched for at once by how they begin; more of them begin like too much else.
const FEW: usize = 48;
/// Bytes by which a word in any case is found.
const PIECE: usize = 4;
/// Letters, the most frequent first.
const FREQUENT: &[u8] = b"etaoinshrdlcumwfgypbvkjxqz";

/// A search for words or for a pattern, over lines that nobody has read.
pub struct Scan {
    how: How,
    /// Nothing that ids are made of may stand beside a word.
    whole: bool,
}

enum How {
    One(Box<memmem::Finder<'static>>),
    Few(Box<packed::Searcher>),
    Many(AhoCorasick),
    /// A piece of a word in every case, where it stands in the word, and the word.
    Piece(Box<packed::Searcher>, usize, Box<[u8]>),
    Pattern(Regex),
    Every,
}

impl Scan {
    /// Lines that hold this text anywhere.
    #[must_use]
    pub fn word(word: &[u8], any_case: bool) -> Self {
        let letters = word.iter().any(u8::is_ascii_alphabetic);
        let how = if any_case && letters {
            piece(word).unwrap_or_else(|| automaton(&[word], true))
        } else {
            How::One(Box::new(memmem::Finder::new(word).into_owned()))
        };
        Self { how, whole: false }
    }

    /// Lines that hold one of these ids as a word of its own; every line where there are very many.
    #[must_use]
    pub fn ids<W: AsRef<[u8]>>(ids: &[W]) -> Self {
        let how = match ids {
            [one] => How::One(Box::new(memmem::Finder::new(one).into_owned())),
            few if few.len() <= FEW => searcher(few).map_or_else(|| automaton(few, false), How::Few),
            many if many.len() <= MANY => automaton(many, false),
            _ => How::Every,
        };
        Self { whole: !matches!(how, How::Every), how }
    }

    #[must_use]
    pub fn pattern(pattern: Regex) -> Self {
        Self { how: How::Pattern(pattern), whole: false }
    }

    /// Whether one line may be meant.
    #[must_use]
    pub fn finds(&self, line: &[u8]) -> bool {
        self.lines(line).next().is_some()
    }

    /// The lines that may be meant, in order, without their breaks.
    pub fn lines<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let line = self.next(text, from)?;
            from = line.end + 1;
            Some(line)
        })
    }

    fn next(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let mut from = from;
        loop {
            text.get(from..).filter(|rest| !rest.is_empty())?;
            let found = self.find(text, from)?;
            let beside = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
            if self.whole && (beside(found.start.checked_sub(1).and_then(|before| text.get(before))) || beside(text.get(found.end))) {
                from = found.start + 1;
                continue;
            }
            let start = memrchr(b'\n', &text[..found.start]).map_or(0, |at| at + 1);
            let end = memchr(b'\n', &text[found.start..]).map_or(text.len(), |length| found.start + length);
            match &self.how {
                How::Pattern(pattern) if !pattern.is_match(&text[start..end]) => from = end + 1,
                _ => return Some(start..end),
            }
        }
    }

    /// The next place that may be meant; of words that begin there, the longest.
    fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        match &self.how {
            How::One(finder) => {
                let at = from + finder.find(&text[from..])?;
                Some(at..at + finder.needle().len())
            }
            How::Few(searcher) => searcher.find_in(text, (from..text.len()).into()).map(|found| found.start()..found.end()),
            How::Many(automaton) => automaton.find(&text[from..]).map(|found| from + found.start()..from + found.end()),
            How::Piece(searcher, offset, word) => {
                let mut after = from;
                loop {
                    let found = searcher.find_in(text, (after..text.len()).into())?.start();
                    let place = found.checked_sub(*offset).filter(|start| *start >= from).map(|start| start..start + word.len());
                    if let Some(place) = place
                        && text.get(place.clone()).is_some_and(|there| there.eq_ignore_ascii_case(word))
                    {
                        return Some(place);
                    }
                    after = found + 1;
                }
            }
            How::Pattern(_) | How::Every => Some(from..from),
        }
    }
}

/// Finds words by how they begin; `None` where the processor can't, or there is no such word.
fn searcher<W: AsRef<[u8]>>(words: &[W]) -> Option<Box<packed::Searcher>> {
    packed::Config::new().match_kind(PackedKind::LeftmostLongest).builder().extend(words).build().map(Box::new)
}

fn automaton<W: AsRef<[u8]>>(words: &[W], any_case: bool) -> How {
    let built = AhoCorasickBuilder::new().ascii_case_insensitive(any_case).match_kind(MatchKind::LeftmostLongest).build(words);
    // Too many bytes for an automaton: then every line is read.
    built.map_or(How::Every, How::Many)
}

/// Finds a word in any case by the piece of it that has the fewest letters, and those rare.
fn piece(word: &[u8]) -> Option<How> {
    let cost = |piece: &[u8]| {
        let letters = piece.iter().filter(|c| c.is_ascii_alphabetic()).count();
        let rank = |c: &u8| FREQUENT.iter().position(|known| known.eq_ignore_ascii_case(c)).unwrap_or(FREQUENT.len());
        (letters, std::cmp::Reverse(piece.iter().map(rank).sum::<usize>()))
    };
    let (offset, piece) = word.windows(PIECE.min(word.len()).max(1)).enumerate().min_by_key(|(_, piece)| cost(piece))?;
    let mut cases: Vec<Vec<u8>> = vec![Vec::new()];
    for c in piece {
        let both = if c.is_ascii_alphabetic() { vec![c.to_ascii_lowercase(), c.to_ascii_uppercase()] } else { vec![*c] };
        cases = cases.iter().flat_map(|case| both.iter().map(move |c| [case.as_slice(), &[*c]].concat())).collect();
    }
    Some(How::Piece(searcher(&cases)?, offset, word.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scan: &Scan, text: &str) -> Vec<String> {
        scan.lines(text.as_bytes()).map(|place| text[place].to_owned()).collect()
    }

    #[test]
    fn each_line_is_found_once_and_whole() {
        let text = "a bob@x b bob@y\nno\nbob@z";
        assert_eq!(found(&Scan::word(b"bob@", false), text), ["a bob@x b bob@y", "bob@z"]);
        assert_eq!(found(&Scan::word(b"BOB", true), text), ["a bob@x b bob@y", "bob@z"]);
        assert_eq!(found(&Scan::pattern(Regex::new("^no$").unwrap()), text), ["no"]);
        assert!(found(&Scan::word(b"", false), "").is_empty());
    }

    #[test]
    fn ids_are_words() {
        let scan = Scan::ids(&["AB12", "CD34"]);
        assert_eq!(found(&scan, "AB12: x\nXAB12 AB123\n: xAB12 as AB12)\nCD34"), ["AB12: x", ": xAB12 as AB12)", "CD34"]);
        let both = Scan::ids(&["AB12", "AB123"]);
        assert_eq!(found(&both, "AB123: x\nAB1234\nAB12"), ["AB123: x", "AB12"]);
        let many: Vec<String> = (0..3000).map(|id| format!("{id:06}")).collect();
        assert_eq!(found(&Scan::ids(&many), "x\n\ny\n"), ["x", "", "y"]);
    }

    /// Every way to search finds what a slow one finds.
    #[test]
    fn a_quick_search_finds_what_a_slow_one_finds() {
        let mut random = 88_172_645_463_325_252_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let alphabet = b"aAbB.-1\n ";
        let text: String = (0..20_000).map(|_| alphabet[next(alphabet.len())] as char).collect();
        for _ in 0..80 {
            let length = next(6) + 1;
            let mut word = || (0..length).map(|_| alphabet[next(alphabet.len() - 2)] as char).collect::<String>();
            let ids: Vec<String> = (0..5).map(|_| word()).collect();
            let lower = ids[0].to_ascii_lowercase();
            let slow = |is_it: &dyn Fn(&str) -> bool| text.lines().filter(|line| is_it(line)).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(
                found(&Scan::word(ids[0].as_bytes(), true), &text),
                slow(&|line| line.to_ascii_lowercase().contains(&lower)),
                "{lower}"
            );
            assert_eq!(found(&Scan::word(ids[0].as_bytes(), false), &text), slow(&|line| line.contains(&ids[0])));
            let is_whole = |line: &str, id: &str| {
                let beside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                (0..line.len()).any(|at| {
                    line[at..].starts_with(id) && !beside(line[..at].chars().next_back()) && !beside(line[at + id.len()..].chars().next())
                })
            };
            assert_eq!(found(&Scan::ids(&ids[..1]), &text), slow(&|line| is_whole(line, &ids[0])), "{ids:?}");
            assert_eq!(found(&Scan::ids(&ids), &text), slow(&|line| ids.iter().any(|id| is_whole(line, id))), "{ids:?}");
        }
    }
}
