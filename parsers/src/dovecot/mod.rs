//! Dovecot beside an MTA: who could not log in, and what became of local deliveries.
//!
//! Its LMTP and LDA results are known, and say nothing that the MTA's own line does not. A failed log-in may be told twice,
//! by the service (`imap-login: ... (auth failed, 1 attempts ...)`) and by `auth`; the service's line ends the connection.

mod login;

use crate::Parser;
use crate::model::{Event, Line, Problem, Record, Severity, Text, Unrecognized};
use crate::scan::contains;

pub const PARSER: Parser = Parser { name: "dovecot", reads: "Dovecot beside an MTA: failed log-ins, LMTP and LDA results", parse };

/// The services that log under their own name where Dovecot writes its log file itself, without `dovecot` in front.
const SERVICES: &[&[u8]] = &[b"imap-login", b"pop3-login", b"submission-login", b"managesieve-login", b"auth-worker", b"dovecot-auth"];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    let lda = record.program.starts_with(b"deliver(");
    let program = record.program.0;
    let name = &program[..program.iter().position(|c| *c == b'(').unwrap_or(program.len())];
    let read = if lda || program == b"dovecot" {
        text(record.text.0, lda)
    } else if SERVICES.contains(&name) {
        login::parse(program, record.text.0)
    } else if name == b"auth" && (contains(record.text.0, b"dovecot") || record.text.starts_with(b"Info: ")) {
        login::parse(b"auth", record.text.0)
    } else {
        return false;
    };
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

fn text(text: &[u8], lda: bool) -> Option<Line<'_>> {
    const RESULTS: &[&[u8]] =
        &[b"saved mail to ", b"save failed to ", b"stored mail into mailbox ", b"forwarded to ", b"discarded duplicate "];
    let text = text.strip_prefix(b"dovecot: ").unwrap_or(text);
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
        let known = (said.starts_with(b"Dovecot v") && contains(said, b" starting up for ")) || said.starts_with(b"Killed with signal ");
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
    login::parse(service, said)
}
