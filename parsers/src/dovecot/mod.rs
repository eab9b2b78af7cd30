//! Dovecot beside an MTA: its LMTP and LDA results are known, and say nothing that the MTA's own line does not.

use crate::Parser;
use crate::model::{Event, Line, Problem, Record, Severity, Text, Unrecognized};
use crate::scan::contains;

pub const PARSER: Parser = Parser { name: "dovecot", reads: "Dovecot's LMTP and LDA lines beside an MTA (known, not counted)", parse };

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    let lda = record.program.starts_with(b"deliver(");
    let ours = lda || record.program.0 == b"dovecot";
    if ours {
        *line = text(record.text.0, lda).unwrap_or(Line::Unrecognized(Unrecognized::Text));
    }
    ours
}

fn text(text: &[u8], lda: bool) -> Option<Line<'_>> {
    const RESULTS: &[&[u8]] =
        &[b"saved mail to ", b"save failed to ", b"stored mail into mailbox ", b"forwarded to ", b"discarded duplicate "];
    let colon = memchr::memmem::find(text, b": ")?;
    let (service, said) = (&text[..colon], &text[colon + 2..]);
    let result = |said: &[u8]| said.starts_with(b"msgid=") && RESULTS.iter().any(|words| contains(said, words));
    if lda {
        return result(text).then_some(Line::Ignored("a local delivery's result"));
    }
    for (word, severity) in [
        (&b"Error: "[..], Severity::Error),
        (b"Warning: ", Severity::Warning),
        (b"Fatal: ", Severity::Fatal),
        (b"Panic: ", Severity::Panic),
    ] {
        if let Some(complaint) = said.strip_prefix(word) {
            return Some(Line::Event(Event::Problem(Problem { queue_id: Text(b""), severity, text: Text(complaint) })));
        }
    }
    if service == b"master" {
        let known = (said.starts_with(b"Dovecot v") && contains(said, b" starting up for "))
            || said.starts_with(b"Warning: ")
            || said.starts_with(b"Killed with signal ");
        return known.then_some(Line::Ignored("start or stop"));
    }
    if service.starts_with(b"lmtp(") || service.starts_with(b"lda(") {
        if said.starts_with(b"Connect from ") || said.starts_with(b"Disconnect from ") {
            return Some(Line::Ignored("an LMTP session"));
        }
        // Dovecot before 2.3 puts the session between the service and the result.
        let after = memchr::memmem::find(said, b"msgid=").map_or(said, |at| &said[at..]);
        return result(after).then_some(Line::Ignored("a local delivery's result"));
    }
    None
}
