//! Arrivals: `from=<a@b.example>, size=193, class=0, nrcpts=1, msgid=<x@b.example>, proto=ESMTP, daemon=MTA, relay=h [ip]`.
//!
//! The line comes when the client's transaction is over, however it ended: with `nrcpts=0` all recipients were refused. A
//! list with an owner gets an envelope of its own (`PARENT: CHILD: clone: owner=list-owner`).

use super::{fields, is_queue_id};
use crate::model::{Accepted, Auth, Event, Notification, Report, Text};
use crate::scan::Cursor;
use memchr::memmem;

pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    if queue_id.is_empty() {
        return None;
    }
    if let Some(rest) = text.strip_prefix(b"from=") {
        return from(queue_id, Cursor::new(rest)).map(Event::Accepted);
    }
    let mut text = Cursor::new(text);
    let child = text.until_literal(b": ").filter(|child| is_queue_id(child))?;
    if text.eat(b"clone: owner=") {
        let (queue_id, original_queue_id) = (Text(child), queue_id);
        return Some(Event::Accepted(Accepted { queue_id, original_queue_id, envelope_sender: Text(text.rest), ..Accepted::default() }));
    }
    // savemail.c: which of these words it is depends on who gets it, and on whether a warning went out before.
    let words: [&[u8]; 4] = [b"DSN: ", b"sender notify: ", b"return to sender: ", b"postmaster notify: "];
    if !words.iter().any(|words| text.eat(words)) {
        return None;
    }
    let delay = text.rest.starts_with(b"Warning: could not send message for past ");
    let expired = text.rest.starts_with(b"Cannot send message ");
    let success = text.rest.starts_with(b"Return receipt");
    let notification = if delay {
        Report::Delay
    } else if success {
        Report::Success
    } else {
        Report::Failure
    };
    Some(Event::Notification(Notification { queue_id, child_queue_id: Text(child), notification, expired }))
}

fn from<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Accepted<'a>> {
    let envelope_sender = Text(fields::address(&mut text)?);
    let mut accepted = Accepted { queue_id, envelope_sender, ..Accepted::default() };
    while text.eat(b", ") {
        if text.eat(b"size=") {
            accepted.size_bytes = text.number();
        } else if text.eat(b"nrcpts=") {
            accepted.nrcpt = text.number().and_then(|count| u32::try_from(count).ok());
        } else if text.eat(b"class=") || text.eat(b"pri=") {
            text.eat(b"-");
            text.number()?;
        } else {
            break;
        }
    }
    accepted.nrcpt?;
    // A message-id is the sender's, and may say anything: what follows it is read from the end.
    let mut rest = text.rest;
    let mut last = |key: &[u8]| {
        let at = memmem::rfind(rest, b", ").map_or(0, |at| at + 2);
        let value = rest[at..].strip_prefix(key)?;
        rest = &rest[..at.saturating_sub(2)];
        Some(value)
    };
    let relay = last(b"relay=");
    let (user, method) = (last(b"authid="), last(b"auth="));
    let _ = (last(b"tls_verify="), last(b"daemon="));
    accepted.protocol = Text(last(b"proto=").unwrap_or_default());
    let _ = last(b"bodytype=");
    if let Some(message_id) = rest.strip_prefix(b"msgid=") {
        accepted.message_id = Text(message_id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(message_id));
    } else if !rest.is_empty() {
        return None;
    }
    let named = |word: Option<&'a [u8]>| Text(word.filter(|word| *word != b"NONE").unwrap_or_default());
    accepted.auth = Some(Auth { method: named(method), user: named(user) }).filter(|auth| *auth != Auth::default());
    accepted.client = fields::peer(relay.unwrap_or_default());
    // A local program's relay is `user@host`.
    accepted.local = accepted.protocol.is_empty() && accepted.client.ip.is_empty();
    if accepted.local {
        accepted.client = Default::default();
    }
    Some(accepted)
}
