//! Shows a report; one file a form. Log text is hostile: nothing of it reaches a terminal unescaped.

pub mod html;
pub mod json;
pub mod markdown;
pub mod queue;
pub mod text;

use crate::report::MailRow;
use std::borrow::Cow;

/// Whether a character may change what a terminal or an editor shows around it: controls of both sets, line and paragraph
/// separators, and the marks that turn the direction of text.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with every such character shown as an escape.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() }).collect())
}

/// Rows with failures, the worst first.
fn failing(rows: &[MailRow]) -> Vec<&MailRow> {
    let mut failing: Vec<&MailRow> =
        rows.iter().filter(|row| row.bounced + row.expired + row.deferred + row.deferred_attempts > 0).collect();
    failing.sort_by_key(|row| std::cmp::Reverse(row.bounced + row.expired + row.deferred + row.deferred_attempts));
    failing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_survive() {
        assert_eq!(printable("a\x1b]0;x\x07\u{9b}31m\u{202e}b"), "a\\u{1b}]0;x\\u{7}\\u{9b}31m\\u{202e}b");
        assert!(matches!(printable("grüße 用户"), Cow::Borrowed(_)));
    }
}
