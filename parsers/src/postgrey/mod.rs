//! Postgrey: `action=greylist, reason=new, client_name=mx.isp.example, client_address=198.51.100.50/32,
//! sender=a@isp.example, recipient=b@corp.example`, with the queue id in front where Postfix told it.

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Peer, Record, Text, Unrecognized};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{self, Cursor, shape};
use memchr::{memchr, memmem};

pub const PARSER: Parser = Parser { name: "postgrey", reads: "Postgrey: who was greylisted and who passed", parse };

const NOTES: Shapes = &[(
    Worth::Known("start, stop and housekeeping"),
    &[
        "cleaning up old logs...",
        "cleaning up old entries...",
        "cleaning main database finished. before: #, after: #",
        "cleaning clients database finished. before: #, after: #",
        "Process Backgrounded",
        "* Server closing!",
        "* postgrey (type Net::Server::Multiplex) starting! pid(#)",
        "Binding to TCP port # on host *",
        "Binding to UNIX socket file *",
        "Setting gid to \"*\"",
        "Setting uid to \"*\"",
        "Resolved [*]:# to [*]:#, *",
        "whitelisted: *",
    ],
)];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if record.program.0 != b"postgrey" {
        return false;
    }
    let (queue_id, text) = scan::labelled(record.text.0).unwrap_or((Text(b""), record.text.0));
    let read = verdict(queue_id, text).map(|verdict| Line::Event(Event::Verdict(verdict))).or_else(|| shape::find(NOTES, queue_id, text));
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

fn verdict<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<ContentVerdict<'a>> {
    let mut text = Cursor::new(text);
    let result = if text.eat(b"action=greylist, ") {
        "greylist"
    } else if text.eat(b"action=pass, ") {
        "pass"
    } else {
        return None;
    };
    let mut read = ContentVerdict { queue_id, ..ContentVerdict::new("postgrey", Check::Greylist, result) };
    text.until_literal(b"client_name=")?;
    let name = text.until_literal(b", client_address=")?;
    let address = text.until_literal(b", ")?;
    let ip = &address[..memchr(b'/', address).unwrap_or(address.len())];
    read.client = Peer { name: Text(if name == b"unknown" { b"" } else { name }), ip: Text(scan::ip(ip)), port: 0 };
    if text.eat(b"sender=") {
        // An address may hold the words around it; the recipient's field is the last.
        let at = memmem::rfind(text.rest, b", recipient=")?;
        let sender = &text.rest[..at];
        read.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
        text.rest = &text.rest[at + 2..];
    }
    if text.eat(b"recipient=") {
        read.envelope_recipient = Text(text.rest);
    }
    Some(read)
}
