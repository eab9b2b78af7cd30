//! Amavis (amavisd-new, amavisd-milter): one line for each message that it checked.
//!
//! `(01234-05) Passed CLEAN {RelayedInbound}, [198.51.100.50]:51234 [198.51.100.50] <a@isp.example> -> <b@corp.example>,
//! Queue-ID: 4jYXyH6xTcz1XQCP, Message-ID: <1@isp.example>, mail_id: xYz, Hits: -1.9, size: 1234, queued_as: 4jYXyJ, 312 ms`
//! gives a verdict on the message. The Message-ID is its sender's and may say anything: what follows it is found from the
//! end. Whether the message was let through is the server's to tell.

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Peer, Problem, Record, Severity, Text, Unrecognized};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{self, Cursor, shape};
use memchr::memmem;

pub const PARSER: Parser = Parser { name: "amavis", reads: "Amavis: what it thought of each message (clean, spam, virus, banned)", parse };

const NOTES: Shapes = &[
    (
        Worth::Known("a step of a check"),
        &[
            "ESMTP*: * -> * SIZE=*",
            "LMTP*: * -> * SIZE=*",
            "Checking: * -> *",
            "FWD from *",
            "FWD via *",
            "dkim: *",
            "spam-tag, * -> *",
            "SPAM-TAG, * -> *",
            "p# * Content-Type: *",
            "p.path *",
            "Cached *",
            "TIMING [total *",
            "size: #, TIMING [total *",
            "TIMING-SA [total *",
            "Open relay? Nonlocal recips but not originating: *",
            "SEND from *",
            "local delivery: *",
        ],
    ),
    (
        Worth::Known("start or stop"),
        &[
            "starting. * at *",
            "starting (*). * at *",
            "Starting worker *",
            "Net::Server: *",
            "perl=*, user=*",
            "logging initialized, log level #, *",
            "initializing Mail::SpamAssassin (#)",
            "SpamAssassin debug facilities: *",
            "SpamAssassin loaded plugins: *",
            "Module *",
            "Found decoder for *",
            "No decoder for *",
            "No ext program for *",
            "Internal decoder for *",
            "No $*, not using it",
            "Found $* at *",
            "Using primary internal av scanner code for *",
            "Using secondary internal av scanner code for *",
            "Found primary av scanner *",
            "Found secondary av scanner *",
            "No primary av scanner: *",
            "No secondary av scanner: *",
            "SpamControl: *",
            "extra modules loaded: *",
            "extra modules loaded after daemonizing/chrooting: *",
            "Creating db in *",
            "Deleting db files in *",
            "* code * loaded",
            "Valid PID file *",
            "(!)Net::Server: *",
        ],
    ),
];

/// Amavis's word for what it found, the check that it comes from, and the word used here.
const FOUND: &[(&[u8], Check, &str)] = &[
    (b"CLEAN", Check::Spam, "clean"),
    (b"SPAMMY", Check::Spam, "spammy"),
    (b"SPAM", Check::Spam, "spam"),
    (b"BAD-HEADER", Check::Spam, "bad_header"),
    (b"OVERSIZED", Check::Spam, "oversized"),
    (b"UNCHECKED", Check::Virus, "unchecked"),
    (b"BANNED", Check::Virus, "banned"),
    (b"INFECTED", Check::Virus, "infected"),
    (b"MTA-BLOCKED", Check::Spam, "mta_blocked"),
    (b"TEMPFAIL", Check::Spam, "tempfail"),
    (b"OTHER", Check::Spam, "other"),
];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if !matches!(record.program.0, b"amavis" | b"amavisd" | b"amavisd-new") {
        return false;
    }
    let text = record.text.0;
    let said = without_task(text);
    let verdict = checked(said).map(|verdict| Line::Event(Event::Verdict(verdict)));
    let read = verdict.or_else(|| shape::find(NOTES, Text(b""), said)).or_else(|| complaint(said));
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

/// `(01234-01) text`: the process, and which message it is.
fn without_task(text: &[u8]) -> &[u8] {
    let mut rest = Cursor::new(text);
    let task = if rest.eat(b"(") { rest.until_literal(b") ") } else { None };
    if task.is_some_and(|task| task.iter().all(|c| c.is_ascii_digit() || *c == b'-')) { rest.rest } else { text }
}

/// Complaints have a sign in front, and free words: `(!)connect to ... failed`, `(!!)WARN: all primary virus scanners failed`.
fn complaint(text: &[u8]) -> Option<Line<'_>> {
    let severe = text.strip_prefix(b"(!!)").map(|text| (Severity::Error, text));
    let (severity, text) = severe.or_else(|| text.strip_prefix(b"(!)").map(|text| (Severity::Warning, text)))?;
    Some(Line::Event(Event::Problem(Problem { queue_id: Text(b""), severity, text: Text(text) })))
}

fn checked(text: &[u8]) -> Option<ContentVerdict<'_>> {
    let mut text = Cursor::new(text);
    if !text.eat(b"Passed ") && !text.eat(b"Blocked ") {
        return None;
    }
    let (_, check, result) = FOUND.iter().find(|(word, ..)| text.rest.starts_with(word))?;
    let mut verdict = ContentVerdict::new("amavis", *check, result);
    text.until_literal(b", ")?;
    if let Some(end) = memmem::find(text.rest, b"[").filter(|at| *at < 20) {
        let inner = &text.rest[end + 1..];
        verdict.client = Peer { ip: Text(scan::ip(&inner[..memchr::memchr(b']', inner)?])), ..Peer::default() };
    }
    let sender = memmem::find(text.rest, b"<")?;
    text.rest = &text.rest[sender..];
    let sender = text.angled()?;
    verdict.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
    if !text.eat(b" -> ") {
        return None;
    }
    verdict.envelope_recipient = Text(text.angled()?);
    if let Some(at) = memmem::find(text.rest, b", Queue-ID: ") {
        let mut id = Cursor::new(&text.rest[at + 12..]);
        verdict.queue_id = Text(id.until(b',').unwrap_or_default());
        text.rest = id.rest;
    }
    if let Some(at) = memmem::find(text.rest, b" Message-ID: <") {
        let message_id = &text.rest[at + 14..];
        verdict.message_id = Text(&message_id[..memmem::find(message_id, b">, ").unwrap_or(0)]);
    }
    if let Some(at) = memmem::rfind(text.rest, b" Hits: ") {
        verdict.score = scan::points(&mut Cursor::new(&text.rest[at + 7..]));
    }
    Some(verdict)
}
