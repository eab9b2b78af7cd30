//! Sendmail 8: the daemon, the submission program and its queue runner (`sendmail`, `sm-mta`, `sm-msp-queue`), any log level.
//!
//! A line is a queue id and fields (`from=`, `to=`, `ruleset=`, `Milter:`) or words; lines of a connection may have
//! `NOQUEUE` or nothing in the id's place. One `to=` line may name several recipients: it is one event that lists them.
//! Sendmail says nothing at its usual log level when a queue file goes, so a delivery line says that of itself. Fields in
//! front of free text (`reply=`, `stat=`) are believed before the text is: a reply may say `dsn=2.0.0, stat=Sent`.

mod arrival;
mod delivery;
mod fields;
mod notes;
pub mod queue;
mod reject;
mod session;

use crate::Parser;
use crate::model::{Line, Record, Text, Unrecognized};
use memchr::{memchr, memrchr};

pub const PARSER: Parser =
    Parser { name: "sendmail", reads: "Sendmail 8: daemon, submission program and its queue, milters, any log level", parse };

/// `sendmail`, `sm-mta`, `sm-msp-queue` and what else is started with `-L sm-...`; with a path before it, too.
fn is_sendmail(program: &[u8]) -> bool {
    let name = memrchr(b'/', program).map_or(program, |slash| &program[slash + 1..]);
    name.starts_with(b"sendmail") || name.starts_with(b"sm-") || name == b"newaliases"
}

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if !is_sendmail(&record.program) {
        return false;
    }
    let (id, text) = queue_id(record.text.0);
    if !delivery::parse(id, text, line) {
        let read = arrival::parse(id, text)
            .or_else(|| session::parse(id, text))
            .or_else(|| reject::parse(id, text))
            .map(Line::Event)
            .or_else(|| notes::parse(id, text));
        *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    }
    true
}

/// Splits `6AO6S1Ca000413: text`; `NOQUEUE: text` and a text alone have no id.
fn queue_id(text: &[u8]) -> (Text<'_>, &[u8]) {
    if let Some(rest) = text.strip_prefix(b"NOQUEUE: ") {
        return (Text(b""), rest);
    }
    match memchr(b':', &text[..text.len().min(20)]) {
        Some(end) if text.get(end + 1) == Some(&b' ') && is_queue_id(&text[..end]) => (Text(&text[..end]), &text[end + 2..]),
        _ => (Text(b""), text),
    }
}

/// The time in letters and digits, then the process id: `6AO6S1Ca000413` since 8.12, `e3OGZRp12345` and `MAA12345` before.
fn is_queue_id(word: &[u8]) -> bool {
    let process = word.iter().rev().take_while(|c| c.is_ascii_digit()).count();
    (8..=18).contains(&word.len()) && process >= 5 && word.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests;
