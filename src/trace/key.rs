//! What is looked for, and whether a line is meant by it.

use super::Scan;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Event, Line, Peer, Reject, Stage, Text};
use regex::bytes::{Regex, RegexBuilder};

/// A key as it was given: a word that one field of an event must equal, or a pattern for whole lines.
pub enum Key {
    Word(Vec<u8>),
    Pattern(Regex),
}

impl Key {
    /// A word; the angle brackets that logs put around addresses and message-ids may be there or not.
    #[must_use]
    pub fn word(text: &str) -> Self {
        let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).filter(|inner| !inner.is_empty());
        Self::Word(inner.unwrap_or(text).as_bytes().to_vec())
    }

    /// A regular expression.
    ///
    /// # Errors
    /// Where it is none.
    pub fn pattern(text: &str) -> Result<Self, regex::Error> {
        Ok(Self::Pattern(RegexBuilder::new(text).unicode(true).build()?))
    }

    /// The word, where it is one.
    #[must_use]
    pub fn as_word(&self) -> Option<&[u8]> {
        match self {
            Self::Word(word) => Some(word),
            Self::Pattern(_) => None,
        }
    }

    /// Finds every line that may be meant. Domains and host names with a dot may be in any case, what stands before an `@`
    /// and everything else may not.
    #[must_use]
    pub fn scan(&self) -> Scan {
        match self {
            Self::Pattern(pattern) => Scan::pattern(pattern.clone()),
            Self::Word(word) => match memchr::memrchr(b'@', word) {
                // The domain is compared on the lines that hold the rest.
                Some(at) if at > 1 => Scan::word(&word[..=at], false),
                _ => Scan::word(word, word.contains(&b'.')),
            },
        }
    }

    /// Whether the line is meant: one of its fields is the word, not only a part of one.
    #[must_use]
    pub fn matches(&self, seen: &Seen<'_>) -> bool {
        let Line::Event(event) = &seen.line else { return false };
        match self {
            Self::Pattern(pattern) => pattern.is_match(seen.raw),
            Self::Word(word) => event.queue_id().0 == word.as_slice() || names(event, word) || is_subject(event, seen.raw, word),
        }
    }
}

/// Whether the event names the word as message-id, address, account or client.
fn names(event: &Event<'_>, word: &[u8]) -> bool {
    let address = |text: Text<'_>| !text.is_empty() && same_address(&text, word);
    let client = |peer: Peer<'_>| is_peer(peer, word);
    match event {
        Event::MessageId(e) => *e.message_id == *word,
        Event::Verdict(e) => *e.message_id == *word,
        Event::Accepted(e) => {
            let user = e.auth.is_some_and(|auth| address(auth.user));
            let to = e.recipients.iter().any(address);
            let named = user || to || client(e.client) || client(e.original_client) || address(e.envelope_sender);
            named || *e.message_id == *word || *e.subject == *word
        }
        Event::Queued(e) => address(e.envelope_sender),
        Event::Delivery(e) => [e.envelope_recipient, e.original_recipient, e.envelope_sender].into_iter().any(address),
        Event::Reject(e) => {
            let user = e.auth.is_some_and(|auth| address(auth.user));
            user || client(e.client) || address(e.envelope_sender) || address(e.envelope_recipient)
        }
        Event::AuthFailure(e) => client(e.client) || address(e.user),
        _ => false,
    }
}

/// Whether a peer has this address, or this name in any case.
pub fn is_peer(peer: Peer<'_>, word: &[u8]) -> bool {
    *peer.ip == *word || (!peer.name.is_empty() && peer.name.eq_ignore_ascii_case(word))
}

/// Whether two addresses are the same: domains in any case, all else as it is.
#[must_use]
pub fn same_address(a: &[u8], b: &[u8]) -> bool {
    match (memchr::memrchr(b'@', a), memchr::memrchr(b'@', b)) {
        (Some(i), Some(j)) => a[..i] == b[..j] && a[i..].eq_ignore_ascii_case(&b[j..]),
        _ => a == b,
    }
}

/// `header Subject: TEXT from CLIENT;` of a rule that lets headers be logged: the event does not keep the text.
fn is_subject(event: &Event<'_>, raw: &[u8], word: &[u8]) -> bool {
    const NAME: &[u8] = b"header Subject: ";
    let Event::Reject(Reject { stage: Stage::Header, .. }) = event else { return false };
    let rest = memchr::memmem::find(raw, NAME).and_then(|at| raw[at + NAME.len()..].strip_prefix(word));
    rest.is_some_and(|rest| rest.starts_with(b" from ") || rest.starts_with(b"; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_whole_and_domains_in_any_case() {
        assert!(same_address(b"Bob@Example.ORG", b"Bob@example.org"));
        assert!(!same_address(b"bob@example.org", b"Bob@example.org"));
        assert!(!same_address(b"bob@example.org.uk", b"bob@example.org"));
        assert!(!same_address(b"jimbob@example.org", b"bob@example.org"));
        assert!(same_address(b"root", b"root"));
    }

    #[test]
    fn brackets_are_no_part_of_a_word_but_of_the_null_sender() {
        assert_eq!(Key::word("<a@b.example>").as_word(), Some(b"a@b.example".as_slice()));
        assert_eq!(Key::word("<>").as_word(), Some(b"<>".as_slice()));
    }
}
