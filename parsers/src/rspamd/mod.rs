//! Rspamd through syslog or the journal: `<abc123>; task; rspamd_task_write_log: id: <1@isp.example>, qid: <4jYXyH6xTcz>,
//! ip: 198.51.100.50, from: <a@isp.example>, (default: F (no action): [-1.20/15.00] [DKIM_ALLOW(-0.2){..}]), len: 1234, ...`.
//!
//! Its own file has `2026-11-24 07:00:01 #910(normal) ` in front of the same. The line of each task is a verdict, with Rspamd's action for the result. Symbols hold what strangers wrote; what is read
//! stands in front of them, up to the first ` (default: ` (a blank is no part of a message-id).

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Peer, Record, Text, Unrecognized};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{self, Cursor, shape};
use memchr::memmem;

pub const PARSER: Parser =
    Parser { name: "rspamd", reads: "Rspamd, through syslog or its own file: the action and score of each message", parse };

const ACTIONS: &[(&[u8], &str)] = &[
    (b"no action", "no_action"),
    (b"greylist", "greylist"),
    (b"add header", "add_header"),
    (b"rewrite subject", "rewrite_subject"),
    (b"soft reject", "soft_reject"),
    (b"quarantine", "quarantine"),
    (b"discard", "discard"),
    (b"reject", "reject"),
];

const NOTES: Shapes = &[(
    Worth::Known("a step of a task"),
    &[
        "<*>; task; *: *",
        "<*>; proxy; *: *",
        "<*>; milter; *: *",
        "<*>; controller; *: *",
        "<*>; normal; *: *",
        "<*>; worker; *: *",
        "<*>; symcache; *: *",
        "<*>; dkim; *: *",
        "<*>; lua; *: *",
        "<*>; map; *: *",
        "<*>; cfg; *: *",
        "<*>; main; *: *",
        "<*>; monitored; *: *",
        "<*>; csession; *: *",
    ],
)];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if !record.program.starts_with(b"rspamd") {
        return false;
    }
    // In its own file `#910(normal) ` stands in front.
    let text = record.text.0;
    let text = if text.starts_with(b"#") { &text[memmem::find(text, b") ").map_or(0, |at| at + 2)..] } else { text };
    let read = task(text).map(|verdict| Line::Event(Event::Verdict(verdict))).or_else(|| shape::find(NOTES, Text(b""), text));
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

fn task(text: &[u8]) -> Option<ContentVerdict<'_>> {
    let mut text = Cursor::new(text);
    text.until_literal(b"rspamd_task_write_log: ")?;
    let at = memmem::find(text.rest, b" (default: ")?;
    let (before, mut verdict) = (&text.rest[..at], Cursor::new(&text.rest[at + 11..]));
    // `F`, `T` or `S`, then the action.
    verdict.until_literal(b" (")?;
    let (word, result) = ACTIONS.iter().find(|(word, _)| verdict.rest.starts_with(word))?;
    verdict.rest = &verdict.rest[word.len()..];
    let mut read = ContentVerdict::new("rspamd", Check::Spam, result);
    if verdict.eat(b"): [") {
        read.score = scan::points(&mut verdict);
    }
    // The last of each: the message-id stands in front of them.
    let field = |key: &[u8]| memmem::rfind(before, key).map(|at| Cursor::new(&before[at + key.len()..]));
    if let Some(mut id) = field(b", qid: <") {
        read.queue_id = Text(id.until(b'>')?);
    }
    if let Some(mut ip) = field(b", ip: ") {
        read.client = Peer { ip: Text(scan::ip(ip.until(b',')?)), ..Peer::default() };
    }
    if let Some(mut sender) = field(b", from: <") {
        let sender = sender.until(b'>')?;
        read.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
    }
    if let Some(message_id) = before.strip_prefix(b"id: <") {
        let end = memmem::find(message_id, b">,").or_else(|| memmem::rfind(message_id, b">"))?;
        read.message_id = Text(if &message_id[..end] == b"undef" { b"" } else { &message_id[..end] });
    }
    Some(read)
}
