//! Known lines are closed sets of shapes: other words are not known, whatever program seems to write them.

use crate::{lines, logs, record};
use mailscope_parsers::model::{Event, Line, Record, Text, Unrecognized};

/// Letters turned by 13; digits and punctuation stay, so that only the words are wrong.
fn rotated(text: &[u8]) -> Vec<u8> {
    let turn = |c: &u8| match c {
        b'a'..=b'z' => (c - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (c - b'A' + 13) % 26 + b'A',
        _ => *c,
    };
    text.iter().map(turn).collect()
}

/// Exim's flags are signs, and what stands behind them may be all free: `** a@b.example: text`.
fn is_flagged(read: &Line<'_>, text: &[u8]) -> bool {
    let flags: [&[u8]; 6] = [b" ** ", b" == ", b" => ", b" -> ", b" >> ", b" *> "];
    matches!(read, Line::Event(Event::Delivery(_))) && flags.iter().any(|flag| text.windows(4).any(|four| four == *flag))
}

/// Sendmail's errors about an address may be in the administrator's words: `<a@b.example>... text`; what a client typed is
/// in the client's (`<-- text`), and so may be the answer (`--- text`).
fn is_error(read: &Line<'_>, text: &[u8]) -> bool {
    let has = |sign: &[u8]| text.windows(sign.len()).any(|place| place == sign);
    (matches!(read, Line::Event(Event::Other(_))) && has(b">... ")) || (matches!(read, Line::Ignored(_)) && (has(b"<-- ") || has(b"--- ")))
}

/// Amavis marks its complaints, and says them in free words: `(!)text`.
fn is_marked(read: &Line<'_>, text: &[u8]) -> bool {
    matches!(read, Line::Event(Event::Problem(_))) && text.windows(3).any(|three| three == b"(!)" || three == b"!!)")
}

#[test]
fn other_words_are_not_recognized() {
    let mut known = Vec::new();
    for (_, log) in logs() {
        for (_, line) in lines(&log) {
            let record = record(line);
            let text = rotated(&record.text);
            let (read, _) = mailscope_parsers::parse(&Record { text: Text(&text), ..record }, None);
            if !matches!(read, Line::Unrecognized(_)) && !is_flagged(&read, &text) && !is_error(&read, &text) && !is_marked(&read, &text) {
                known.push(format!("{}: {} | {read:?}", record.program.lossy(), String::from_utf8_lossy(&text)));
            }
        }
    }
    assert!(known.is_empty(), "\n{}", known.join("\n"));
}

/// What stands there instead of a text is told from a text that no program writes.
#[test]
fn what_journalctl_does_not_print_has_a_reason_of_its_own() {
    let read = |text: &'static [u8], program: &'static [u8]| {
        mailscope_parsers::parse(&Record { program: Text(program), text: Text(text), ..Record::default() }, None).0
    };
    for program in [&b"postfix/smtpd"[..], b"exim", b"sm-mta", b"dovecot"] {
        for text in [&b"[131B blob data]"[..], b"[1.2K blob data]"] {
            let line = read(text, program);
            assert!(matches!(line, Line::Unrecognized(Unrecognized::Withheld)), "{} {line:?}", program.escape_ascii());
        }
        for text in [&b"[B blob data]"[..], b"[much blob data]", b"[131B blob data"] {
            assert!(!matches!(read(text, program), Line::Unrecognized(Unrecognized::Withheld)), "{}", text.escape_ascii());
        }
    }
}
