//! What is like a key that found nothing.

use super::key::same_address;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Event, Line, Text, domain_of};
use std::collections::BTreeSet;

/// So many are kept; they are the best, whatever the order they came in.
const BEST: usize = 8;

/// How like the key something is, the likest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same but for upper and lower case.
    Case,
    /// One letter more, less, or another one.
    OneLetter,
    TwoLetters,
    /// The key is a part of it.
    Part,
    SameLocalPart,
    SameDomain,
}

impl Likeness {
    /// The words for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "the same in another case",
            Self::OneLetter => "differs in one letter",
            Self::TwoLetters => "differs in two letters",
            Self::Part => "holds it",
            Self::SameLocalPart => "the same name in another domain",
            Self::SameDomain => "the same domain",
        }
    }
}

/// The names in the log that are most like a key.
#[derive(Clone, Debug, Default)]
pub struct Near {
    key: Vec<u8>,
    best: BTreeSet<(Likeness, Vec<u8>)>,
}

impl Near {
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: key.to_ascii_lowercase(), best: BTreeSet::new() }
    }

    /// Looks at what the line names.
    pub fn see(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        self.try_one(event.queue_id());
        match event {
            Event::MessageId(e) => self.try_one(e.message_id),
            Event::Queued(e) => self.try_one(e.envelope_sender),
            Event::Delivery(e) => [e.envelope_recipient, e.original_recipient].into_iter().for_each(|name| self.try_one(name)),
            Event::Accepted(e) => {
                let user = e.auth.map_or(Text(b""), |auth| auth.user);
                [e.client.name, e.client.ip, user, e.envelope_sender, e.message_id].into_iter().for_each(|name| self.try_one(name));
            }
            Event::Reject(e) => {
                let names = [e.client.name, e.client.ip, e.envelope_sender, e.envelope_recipient];
                names.into_iter().for_each(|name| self.try_one(name));
            }
            _ => {}
        }
    }

    fn try_one(&mut self, name: Text<'_>) {
        if name.is_empty() || name.len() > 1000 {
            return;
        }
        let Some(likeness) = likeness(&self.key, &name) else { return };
        let full = self.best.len() >= BEST;
        if full && self.best.last().is_some_and(|(worst, last)| (*worst, last.as_slice()) <= (likeness, name.0)) {
            return;
        }
        self.best.insert((likeness, name.to_vec()));
        if self.best.len() > BEST {
            self.best.pop_last();
        }
    }

    /// Both together.
    pub fn merge(&mut self, other: Self) {
        self.best.extend(other.best);
        while self.best.len() > BEST {
            self.best.pop_last();
        }
    }

    /// The likest first.
    pub fn names(&self) -> impl Iterator<Item = (Likeness, &[u8])> {
        self.best.iter().map(|(likeness, name)| (*likeness, name.as_slice()))
    }
}

/// `key` is in lower case.
fn likeness(key: &[u8], name: &[u8]) -> Option<Likeness> {
    if name.eq_ignore_ascii_case(key) {
        return Some(Likeness::Case);
    }
    // In a key of a few letters nearly everything differs in two.
    let most = key.len() / 4;
    match distance(key, name) {
        Some(1) if most >= 1 => return Some(Likeness::OneLetter),
        Some(2) if most >= 2 => return Some(Likeness::TwoLetters),
        _ => {}
    }
    if key.len() >= 3 && name.len() > key.len() && name.windows(key.len()).any(|part| part.eq_ignore_ascii_case(key)) {
        return Some(Likeness::Part);
    }
    let domain = domain_of(key);
    let local = key.strip_suffix(domain).filter(|_| !domain.is_empty())?;
    if name.len() > local.len() && name[..local.len()].eq_ignore_ascii_case(local) && !same_address(name, key) {
        return Some(Likeness::SameLocalPart);
    }
    domain_of(name).eq_ignore_ascii_case(domain).then_some(Likeness::SameDomain)
}

/// How many letters differ, if no more than two: insertions, deletions and replacements, case aside.
fn distance(a: &[u8], b: &[u8]) -> Option<usize> {
    fn within(a: &[u8], b: &[u8], most: usize) -> Option<usize> {
        let same = a.iter().zip(b).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        let (a, b) = (&a[same..], &b[same..]);
        match (a, b) {
            ([], rest) | (rest, []) => (rest.len() <= most).then_some(rest.len()),
            _ if most == 0 => None,
            ([_, more_a @ ..], [_, more_b @ ..]) => {
                let tries = [within(more_a, more_b, most - 1), within(more_a, b, most - 1), within(a, more_b, most - 1)];
                tries.into_iter().flatten().min().map(|rest| rest + 1)
            }
        }
    }
    if a.len().abs_diff(b.len()) > 2 { None } else { within(a, b, 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        assert_eq!(distance(b"bob", b"BOB"), Some(0));
        assert_eq!(distance(b"jane@example.org", b"jame@example.org"), Some(1));
        assert_eq!(distance(b"jane@example.org", b"jnae@example.org"), Some(2));
        assert_eq!(distance(b"jane@example.org", b"jan@example.org"), Some(1));
        assert_eq!(distance(b"abc", b"xyz"), None);
        assert_eq!(distance(b"", b"xyz"), None);
    }

    #[test]
    fn the_likest_are_kept_whatever_their_order() {
        let names = ["jane@other.org", "jame@example.org", "x@example.org", "Jane@Example.org", "xjane@example.organic"];
        let mut near = Near::new(b"jane@example.org");
        names.iter().rev().for_each(|name| near.try_one(Text(name.as_bytes())));
        let found: Vec<Likeness> = near.names().map(|(likeness, _)| likeness).collect();
        use Likeness::{Case, OneLetter, Part, SameDomain, SameLocalPart};
        assert_eq!(found, [Case, OneLetter, Part, SameLocalPart, SameDomain]);
    }
}
