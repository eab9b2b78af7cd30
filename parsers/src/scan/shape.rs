//! Closed sets of shapes: fixed words with gaps between them, for the many lines that are written rarely.
//!
//! `*` stands for any text, `#` for digits, `@` for a peer (`name[ip]:port`); all else is literal. Every fixed word is
//! compared, so that a line with other words is not taken for a known one. There is no backtracking: a gap ends at the
//! first place where the words after it occur (after the last gap: where they end the line), so a match costs one pass.

use crate::model::{Event, Line, Other, Text};
use crate::near::{find_any, find_words};
use crate::scan::{self, Cursor};

/// What a line of some shape is worth.
#[derive(Clone, Copy)]
pub enum Worth {
    /// Shown, and no more than that.
    Shown,
    /// Known, and without an event; the text names what it is.
    Known(&'static str),
}

/// A set of shapes.
pub type Shapes = &'static [(Worth, &'static [&'static str])];

/// What the line is, if it has one of these shapes.
pub fn find<'a>(shapes: Shapes, queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    Some(match worth(shapes, text)? {
        Worth::Shown => Line::Event(Event::Other(Other { queue_id, text: Text(text) })),
        Worth::Known(note) => Line::Ignored(note),
    })
}

/// What it is worth. A line is large: where nothing is shown, none need be made.
pub fn worth(shapes: Shapes, text: &[u8]) -> Option<Worth> {
    let first = text.first().copied();
    // Most shapes begin with another letter.
    let may_fit = |pattern: &[u8]| matches!(pattern.first(), None | Some(b'*' | b'#' | b'@')) || pattern.first().copied() == first;
    let has = |pattern: &&str| may_fit(pattern.as_bytes()) && fits(pattern.as_bytes(), text);
    shapes.iter().find(|(_, patterns)| patterns.iter().any(has)).map(|(worth, _)| *worth)
}

/// Whether the whole of `text` has this shape.
pub fn fits(mut pattern: &[u8], text: &[u8]) -> bool {
    let mut text = Cursor::new(text);
    loop {
        let (literal, gap_on) = pattern.split_at(words(pattern));
        let Some((first, rest)) = gap_on.split_first() else { return text.rest == literal };
        if !text.eat(literal) {
            return false;
        }
        pattern = rest;
        let fits = match first {
            b'*' => match gap(&mut pattern, &mut text) {
                Some(at_end) if at_end => return true,
                found => found.is_some(),
            },
            b'#' => digits(&mut text),
            _ => scan::peer(&mut text).is_some(),
        };
        if !fits {
            return false;
        }
    }
}

/// How many bytes a pattern has before its first gap.
fn words(pattern: &[u8]) -> usize {
    find_any(pattern, [b'*', b'#', b'@']).unwrap_or(pattern.len())
}

/// Skips to the words after a gap, and over them; whether that ended pattern and text.
fn gap(pattern: &mut &[u8], text: &mut Cursor<'_>) -> Option<bool> {
    let (literal, after) = pattern.split_at(words(pattern));
    if after.is_empty() {
        return text.rest.ends_with(literal).then_some(true);
    }
    let at = find_words(text.rest, literal)?;
    text.rest = &text.rest[at + literal.len()..];
    *pattern = after;
    Some(false)
}

fn digits(text: &mut Cursor<'_>) -> bool {
    let digits = text.rest.iter().take_while(|c| c.is_ascii_digit()).count();
    text.rest = &text.rest[digits..];
    digits > 0
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn all_words_must_be_there() {
        for (pattern, text, expected) in [
            ("removed", "removed", true),
            ("removed", "removed ", false),
            ("table * has changed -- restarting", "table hash:/etc/aliases has changed -- restarting", true),
            ("table * has changed -- restarting", "table hash:/etc/aliases has changed -- starting", false),
            ("cache * full cleanup: retained=# dropped=# entries", "cache b:x full cleanup: retained=0 dropped=12 entries", true),
            ("cache * full cleanup: retained=# dropped=# entries", "cache b:x full cleanup: retained= dropped=12 entries", false),
            ("setting up TLS connection from @", "setting up TLS connection from unknown[192.0.2.1]", true),
            ("setting up TLS connection from @", "setting up TLS connection from there", false),
            ("discarding EHLO keywords: *", "discarding EHLO keywords: ", true),
            ("* for #", "a for b for 3", false),
            ("*", "", true),
            ("#", "", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} | {text}");
        }
    }
}
