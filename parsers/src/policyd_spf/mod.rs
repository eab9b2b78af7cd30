//! SPF policy servers of Postfix, in Python (`policyd-spf`) and in Perl (`postfix/policy-spf`).
//!
//! `prepend Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=198.51.100.50; helo=mx.isp.example;
//! envelope-from=a@isp.example; receiver=<UNKNOWN>`, before 2.9 without the words in front; `550 5.7.23 Message rejected due
//! to: SPF fail - not authorized. ...` where the policy refuses.

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Peer, Record, Text, Unrecognized, authentication_result};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{self, Cursor, shape};
use memchr::memmem;

pub const PARSER: Parser = Parser { name: "policyd-spf", reads: "policyd-spf and policy-spf: SPF results of each client", parse };

const NOTES: Shapes = &[(
    Worth::Known("how it came to its result"),
    &[
        ": SPF * (*): Envelope-from: *",
        ": SPF * (*): HELO/EHLO *",
        "handler sender_policy_framework: is decisive.",
        "handler *: is decisive.",
        ": Policy action=DUNNO",
        "spfcheck: pyspf result: *",
        "Starting",
        "Normal exit",
        "Read line: *",
        "Found the end of entry",
        "Config: *",
        "Cached data for this instance: *",
        "skip_addresses: *",
    ],
)];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if !matches!(record.program.0, b"policyd-spf" | b"postfix/policy-spf" | b"postfix/policyd-spf" | b"policy-spf") {
        return false;
    }
    let text = record.text.0;
    let read = verdict(text).map(|verdict| Line::Event(Event::Verdict(verdict))).or_else(|| shape::find(NOTES, Text(b""), text));
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

fn verdict(text: &[u8]) -> Option<ContentVerdict<'_>> {
    let mut text = Cursor::new(text);
    if let Some(said) = memmem::find(text.rest, b" rejected due to: SPF ").filter(|at| *at < 40) {
        let word = text.rest[said + 22..].split(|c| *c == b' ').next()?;
        return Some(ContentVerdict::new("policyd-spf", Check::Spf, authentication_result(word)?));
    }
    if text.rest.starts_with(b"prepend Authentication-Results: ") {
        return results_header(text);
    }
    text.eat(b": ");
    text.eat(b"Policy action=PREPEND ");
    text.eat(b"Action: prepend: Text: ");
    text.eat(b"prepend ");
    text.eat(b"Received-SPF: ");
    let end = text.rest.iter().position(|c| !c.is_ascii_alphabetic())?;
    let (word, rest) = text.rest.split_at(end);
    let mut read = ContentVerdict::new("policyd-spf", Check::Spf, authentication_result(word)?);
    let at = memmem::find(rest, b"identity=")?;
    // Names and addresses are the client's: what is not an address of a host or has blanks in it is left out.
    let field = |key: &[u8]| {
        let at = memmem::find(&rest[at..], key)? + at + key.len();
        let value = &rest[at..];
        Some(value[..memmem::find(value, b"; ").unwrap_or(value.len())].trim_ascii())
    };
    let ip = scan::ip(field(b"client-ip=")?.strip_suffix(b";").unwrap_or(field(b"client-ip=")?));
    read.client = Peer { ip: Text(ip), ..Peer::default() };
    let sender = field(b"envelope-from=").unwrap_or_default();
    let sender = sender.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(sender);
    let sender = sender.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(sender);
    read.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
    Some(read)
}

/// `mail.corp.example; spf=pass (sender SPF authorized) smtp.mailfrom=isp.example (client-ip=198.51.100.50; helo=...;
/// envelope-from=bob@isp.example; receiver=...)`, where the administrator wants this header.
fn results_header(mut text: Cursor<'_>) -> Option<ContentVerdict<'_>> {
    text.until_literal(b"; spf=")?;
    let word = text.until(b' ')?;
    let mut read = ContentVerdict::new("policyd-spf", Check::Spf, authentication_result(word)?);
    let at = memmem::find(text.rest, b"client-ip=")? + 10;
    let ip = text.rest[at..].split(|c| matches!(c, b';' | b')')).next()?;
    read.client = Peer { ip: Text(scan::ip(ip)), ..Peer::default() };
    if let Some(at) = memmem::find(text.rest, b"envelope-from=") {
        let sender = text.rest[at + 14..].split(|c| matches!(c, b';' | b')')).next()?;
        read.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
    }
    Some(read)
}
