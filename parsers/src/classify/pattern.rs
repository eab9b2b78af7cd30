//! What a rule looks for: words of the text, and codes.
//!
//! `mailbox ... is full` are two pieces with at most eight words between them; `reject*` is any word that begins so. Case,
//! punctuation, numbers and addresses don't matter, in the rule as in the text.

use super::words::{Id, Token, Vocabulary, Words, each_word};
use crate::model::EnhancedStatus;

/// So many words may stand where a pattern has dots.
const GAP: usize = 8;

/// Words of text in this order.
#[derive(Debug)]
pub struct Pattern {
    pieces: Vec<Vec<Id>>,
    written: String,
}

impl Pattern {
    /// Reads a pattern; `None` where a piece has no word, a number (which no text keeps), a star that is not at the end of
    /// a word, or one behind less than three letters.
    pub fn read(text: &str, vocabulary: &mut Vocabulary) -> Option<Self> {
        let pieces = text.split("...").map(|text| piece(text, vocabulary)).collect::<Option<Vec<_>>>()?;
        Some(Self { pieces, written: text.to_owned() })
    }

    /// The piece that is searched for first: the longest says most.
    pub fn literal(&self) -> &[Id] {
        self.pieces.iter().max_by_key(|piece| piece.len()).map_or(&[], |piece| piece)
    }

    pub fn is_one_piece(&self) -> bool {
        self.pieces.len() == 1
    }

    /// As it stands in the rule.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// A text that has just this in it.
    pub fn shortest_text(&self) -> String {
        self.written.replace("...", " ").replace('*', "")
    }

    pub fn matches(&self, words: &Words) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        if !self.pieces.iter().all(|piece| words.may_have(piece[0])) {
            return false;
        }
        let words = words.tokens();
        places(words, first).any(|at| follow(rest, &words[at + first.len()..]))
    }
}

/// Its words; a star opens the end of one.
fn piece(text: &str, vocabulary: &mut Vocabulary) -> Option<Vec<Id>> {
    let mut ids = Vec::new();
    for chunk in text.split_ascii_whitespace() {
        let (chunk, begins) = chunk.strip_suffix('*').map_or((chunk, false), |chunk| (chunk, true));
        let mut words = Vec::new();
        each_word(chunk.as_bytes(), |word| {
            words.push(word);
            true
        });
        let last = words.len().checked_sub(1)?;
        if chunk.contains(['*', '@', '[']) || begins && !chunk.as_bytes().ends_with(words[last]) {
            return None;
        }
        for (at, word) in words.into_iter().enumerate() {
            ids.push(vocabulary.add(word, begins && at == last)?);
        }
    }
    (!ids.is_empty()).then_some(ids)
}

/// Where a piece stands among the words.
fn places<'a>(words: &'a [Token], piece: &'a [Id]) -> impl Iterator<Item = usize> + 'a {
    let is_here = move |window: &[Token]| window.iter().zip(piece).all(|(token, id)| token.has(*id));
    words.windows(piece.len()).enumerate().filter(move |(_, window)| is_here(window)).map(|(at, _)| at)
}

fn follow(pieces: &[Vec<Id>], words: &[Token]) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return true };
    let near = &words[..words.len().min(GAP + first.len())];
    places(near, first).any(|at| follow(rest, &words[at + first.len()..]))
}

/// A condition on a code: `550`, `4xx`, `5.1.1`, `x.1.1`, `5.7.606-649`, `x.5.x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Reply { from: u16, to: u16 },
    Enhanced { class: Option<u8>, subject: u16, from: u16, to: u16 },
}

impl Code {
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (first, subject) = (parts.next()?, parts.next());
        let Some(subject) = subject else {
            let low = first.replace('x', "0").parse().ok()?;
            let high = first.replace('x', "9").parse().ok()?;
            return (first.len() == 3 && low >= 200).then_some(Self::Reply { from: low, to: high });
        };
        let class = if first == "x" { None } else { Some(first.parse().ok()?) };
        let detail = parts.next()?;
        let (from, to) = match detail.split_once('-') {
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if detail == "x" => (0, 999),
            None => (detail.parse().ok()?, detail.parse().ok()?),
        };
        let code = Self::Enhanced { class, subject: subject.parse().ok()?, from, to };
        parts.next().is_none().then_some(code)
    }

    pub fn holds(self, reply: Option<u16>, dsn: Option<EnhancedStatus>) -> bool {
        match self {
            Self::Reply { from, to } => reply.is_some_and(|code| (from..=to).contains(&code)),
            Self::Enhanced { class, subject, from, to } => dsn.is_some_and(|dsn| {
                class.is_none_or(|class| class == dsn.class) && subject == dsn.subject && (from..=to).contains(&dsn.detail)
            }),
        }
    }

    /// Codes for which it holds.
    pub fn example(self) -> (Option<u16>, Option<EnhancedStatus>) {
        match self {
            Self::Reply { from, .. } => (Some(from), None),
            Self::Enhanced { class, subject, from, .. } => {
                (None, Some(EnhancedStatus { class: class.unwrap_or(5), subject, detail: from }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut vocabulary = Vocabulary::default();
        let pattern = Pattern::read(pattern, &mut vocabulary).unwrap();
        pattern.matches(&Words::of(text.as_bytes(), &vocabulary))
    }

    #[test]
    fn pieces_in_order_with_whole_words() {
        assert!(matches("user unknown", "550 5.1.1 <a@b>: User unknown in table"));
        assert!(!matches("user unknown", "superuser unknown"));
        assert!(matches("mailbox ... full", "Mailbox of the recipient is full."));
        assert!(matches("mailbox ... full", "Mailbox full"));
        assert!(!matches("mailbox ... full", "full mailbox"));
        assert!(!matches("a ... b", "a 1x 2x 3x 4x 5x 6x 7x 8x 9x b"));
        assert!(matches("a ... b", "a 1x 2x 3x 4x 5x 6x 7x 8x b"));
        assert!(matches("reject*", "Rejecting it"));
        assert!(matches("zen.spamhaus.org", "see zen.spamhaus.org."));
        assert!(matches("a ... c ... d", "a c x a c d"));
        for wrong in ["550", "user 550", "user ...", "re*ed", "re*", "", "a@b", "*"] {
            assert!(Pattern::read(wrong, &mut Vocabulary::default()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn codes() {
        let dsn = EnhancedStatus::parse(b"5.7.610");
        assert!(Code::read("5.7.606-649").unwrap().holds(None, dsn));
        assert!(Code::read("x.7.x").unwrap().holds(None, dsn));
        assert!(!Code::read("4.7.x").unwrap().holds(None, dsn));
        assert!(Code::read("4xx").unwrap().holds(Some(451), None));
        assert!(Code::read("550").unwrap().holds(Some(550), dsn));
        for wrong in ["", "55", "5.7", "5.7.1.1", "abc", "5.y.1", "199"] {
            assert_eq!(Code::read(wrong), None, "{wrong}");
        }
    }
}
