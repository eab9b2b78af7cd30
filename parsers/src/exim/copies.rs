//! What the reject log adds to the main log: nothing, but it takes room.
//!
//! A line about what was refused goes to both logs. In the reject log the message's envelope and headers stand below it,
//! once it has any. Through syslog the two copies come one right behind the other.

use super::{is_exim, wrapped};
use crate::model::Record;
use crate::scan::contains;

/// Below a line of Exim's own file (any line: `logwrite` puts what it likes into the reject log): `Envelope-from: <a@b>`, `Envelope-to: <c@d>`, the
/// headers, each behind a letter that says what it is (`P Received: from ...`, `  Subject: x`), and what they fold to.
pub fn goes_on(record: &Record<'_>, line: &[u8]) -> Option<&'static str> {
    if !(is_exim(&record.program) && record.host.is_empty()) {
        return None;
    }
    let envelope = line.starts_with(b"Envelope-from: <") || line.starts_with(b"Envelope-to: <");
    let folded = line.starts_with(b"\t") || line.starts_with(b" ");
    (envelope || folded || is_header(line)).then_some("the message that was refused")
}

/// `F From: a@b`
fn is_header(line: &[u8]) -> bool {
    let [b'*' | b'A'..=b'Z', b' ', name @ ..] = line else { return false };
    let end = name.iter().position(|c| !c.is_ascii_graphic() || *c == b':').unwrap_or(0);
    end > 0 && name[end] == b':'
}

/// Whether a record is the reject log's copy of the one before it: same process, same second, same words.
#[inline]
pub fn is_copy(before: &Record<'_>, record: &Record<'_>) -> Option<&'static str> {
    // Most records are of another process, and most servers of another name; files of Exim's own have no host.
    if before.pid != record.pid || before.time != record.time || record.host.is_empty() {
        return None;
    }
    copies(before, record)
}

/// The same of two records of one process and second.
fn copies(before: &Record<'_>, record: &Record<'_>) -> Option<&'static str> {
    let same = || before.program == record.program && before.host == record.host;
    if !is_exim(&record.program) || !same() {
        return None;
    }
    let (wrapped::Inner::Text(first), wrapped::Inner::Text(second)) = (wrapped::open(&before.text), wrapped::open(&record.text)) else {
        return None;
    };
    (first == second && is_doubled(second)).then_some("a copy, for the reject log")
}

/// Whether a line goes to the reject log as well as to the main log.
fn is_doubled(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"rejected ",
        b" rejected:",
        b" discarded by ",
        b" authenticator failed for ",
        b"sender verify ",
        b" dropped: ",
        b" dropped by '",
        b"refused connection from ",
    ];
    WORDS.iter().any(|words| contains(text, words))
}
