//! Dovecot beside an MTA: who could not log in, and what became of local deliveries.
//!
//! A line is a service (`lmtp(b@corp.example)<664><sess>`, `imap-login`, `auth-worker(123)`) and what it says; where Dovecot
//! writes its log file itself, the service stands in the program's place, with a level (`Info: `) behind it. The results of
//! LMTP and LDA are verdicts: the MTA's own line counts the delivery. A failed log-in may be told twice, by the service
//! (`imap-login: ... (auth failed, 1 attempts ...)`) and by `auth`; the service's line ends the connection.

mod login;
mod mailbox;

use crate::Parser;
use crate::model::{Event, Line, Problem, Record, Severity, Text, Unrecognized};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{contains, shape};
use memchr::{memchr, memmem};

pub const PARSER: Parser =
    Parser { name: "dovecot", reads: "Dovecot beside an MTA: failed log-ins, what LMTP, LDA and Sieve made of a message", parse };

/// The services that log under their own name where Dovecot writes its log file itself, without `dovecot` in front.
const SERVICES: &[&[u8]] = &[b"imap-login", b"pop3-login", b"submission-login", b"managesieve-login", b"auth-worker", b"dovecot-auth"];
/// The same, known by the user in parentheses behind it: other programs have such names, too.
const OF_A_USER: &[&[u8]] = &[b"lmtp(", b"lda(", b"deliver(", b"imap(", b"pop3(", b"managesieve(", b"submission(", b"auth("];

const NOTES: Shapes = &[
    (
        Worth::Known("a user's session"),
        &[
            "Logged out*",
            "Disconnected*",
            "Connection closed*",
            "Connection reset by peer*",
            "Server shutting down*",
            "delete: box=*",
            "undelete: box=*",
            "expunge: box=*",
            "save: box=*",
            "append: box=*",
            "copy from *: box=*",
            "flag_change: box=*",
            "Mailbox created: *",
            "Mailbox deleted: *",
            "Mailbox renamed: *",
            "Indexed # messages in *",
        ],
    ),
    (Worth::Known("an LMTP session"), &["Connect from *", "Disconnect from *"]),
    (
        Worth::Known("start or stop"),
        &[
            "Dovecot v* starting up for *",
            "Killed with signal *",
            "SIGHUP received - reloading configuration",
            "Dovecot is already running*",
        ],
    ),
];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    let program = record.program.0;
    let name = &program[..memchr(b'(', program).unwrap_or(program.len())];
    let read = if program == b"dovecot" {
        text(record.text.0.strip_prefix(b"dovecot: ").unwrap_or(record.text.0))
    } else if SERVICES.contains(&name) || OF_A_USER.iter().any(|service| program.starts_with(service)) {
        service(program, record.text.0)
    } else if name == b"auth" && (contains(record.text.0, b"dovecot") || record.text.starts_with(b"Info: ")) {
        service(b"auth", record.text.0)
    } else {
        return false;
    };
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

/// `SERVICE: text`.
fn text(text: &[u8]) -> Option<Line<'_>> {
    let colon = memmem::find(text, b": ")?;
    service(&text[..colon], &text[colon + 2..])
}

fn service<'a>(service: &'a [u8], said: &'a [u8]) -> Option<Line<'a>> {
    const LEVELS: &[(&[u8], Severity)] =
        &[(b"Error: ", Severity::Error), (b"Warning: ", Severity::Warning), (b"Fatal: ", Severity::Fatal), (b"Panic: ", Severity::Panic)];
    let said = said.strip_prefix(b"Info: ").unwrap_or(said);
    if let Some((complaint, severity)) = LEVELS.iter().find_map(|(word, severity)| Some((said.strip_prefix(*word)?, *severity))) {
        return Some(Line::Event(Event::Problem(Problem { queue_id: Text(b""), severity, text: Text(complaint) })));
    }
    if said.starts_with(b"Debug: ") {
        return Some(Line::Ignored("debugging"));
    }
    let name = &service[..memchr(b'(', service).unwrap_or(service.len())];
    match name {
        b"lmtp" | b"lda" | b"deliver" => mailbox::parse(service, said).or_else(|| shape::find(NOTES, Text(b""), said)),
        b"master" | b"imap" | b"pop3" | b"managesieve" | b"submission" | b"indexer-worker" | b"IMAP" | b"POP3" => {
            shape::find(NOTES, Text(b""), said)
        }
        _ => login::parse(service, said),
    }
}
