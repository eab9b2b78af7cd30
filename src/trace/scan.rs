//! Finds the lines that hold one of some words, without looking at any other.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use memchr::{memchr, memmem, memrchr};
use regex::bytes::Regex;
use std::ops::Range;

/// From so many words on, reading every line is cheaper than searching for them.
const MANY: usize = 2000;

/// A search for words or for a pattern, over lines that nobody has read.
pub struct Scan(How);

enum How {
    One(Box<memmem::Finder<'static>>),
    /// Words; as a whole where nothing that ids are made of may stand beside them.
    Words {
        automaton: AhoCorasick,
        whole: bool,
    },
    Pattern(Regex),
    Every,
}

impl Scan {
    /// Lines that hold this text anywhere.
    #[must_use]
    pub fn word(word: &[u8], any_case: bool) -> Self {
        let letters = word.iter().any(u8::is_ascii_alphabetic);
        if word.is_empty() || (any_case && letters) {
            return Self::automaton(&[word], any_case, false);
        }
        Self(How::One(Box::new(memmem::Finder::new(word).into_owned())))
    }

    /// Lines that hold one of these ids as a word of its own; every line where there are very many.
    #[must_use]
    pub fn ids<W: AsRef<[u8]>>(ids: &[W]) -> Self {
        if ids.len() > MANY { Self(How::Every) } else { Self::automaton(ids, false, true) }
    }

    #[must_use]
    pub fn pattern(pattern: Regex) -> Self {
        Self(How::Pattern(pattern))
    }

    fn automaton<W: AsRef<[u8]>>(words: &[W], any_case: bool, whole: bool) -> Self {
        let built = AhoCorasickBuilder::new().ascii_case_insensitive(any_case).match_kind(MatchKind::Standard).build(words);
        // Too many bytes for an automaton: then every line is read.
        built.map_or(Self(How::Every), |automaton| Self(How::Words { automaton, whole }))
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
            let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
            let at = match &self.0 {
                How::One(finder) => from + finder.find(rest)?,
                How::Words { automaton, whole } => {
                    let found = automaton.find(rest)?;
                    let (start, end) = (from + found.start(), from + found.end());
                    let beside = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
                    if *whole && (beside(start.checked_sub(1).and_then(|before| text.get(before))) || beside(text.get(end))) {
                        from = start + 1;
                        continue;
                    }
                    start
                }
                How::Pattern(_) | How::Every => from,
            };
            let start = memrchr(b'\n', &text[..at]).map_or(0, |at| at + 1);
            let end = memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
            match &self.0 {
                How::Pattern(pattern) if !pattern.is_match(&text[start..end]) => from = end + 1,
                _ => return Some(start..end),
            }
        }
    }
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
        let many: Vec<String> = (0..3000).map(|id| format!("{id:06}")).collect();
        assert_eq!(found(&Scan::ids(&many), "x\n\ny\n"), ["x", "", "y"]);
    }
}
