//! Delivery lines: `to=<a@b.example>,<c@b.example>, ctladdr=<d@e.example> (1000/1000), delay=00:00:01, xdelay=00:00:00,
//! mailer=esmtp, pri=30193, relay=mx.b.example. [198.51.100.10], dsn=2.0.0, stat=Sent (OK queued as X)`.
//!
//! `reply=` and `stat=` are free text, and the last word of a long line is cut off: where a reply is logged, the code in
//! front of it says what happened. A line without a mailer ends a message that was refused at its end; the line before says
//! why, and Sendmail's own word for each of its recipients is that it failed.

use super::fields;
use crate::classify;
use crate::model::{Class, Delivery, EnhancedStatus, Event, Line, Status, Text};
use crate::scan::{self, Cursor};
use memchr::memmem;

pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let Some(rest) = text.strip_prefix(b"to=").filter(|_| !queue_id.is_empty()) else { return false };
    let Some(event) = to(queue_id, Cursor::new(rest)) else { return false };
    *line = Line::Event(event);
    true
}

fn to<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Event<'a>> {
    let mut delivery = Delivery { goes_unsaid: true, ..Delivery::new(queue_id, Status::Deferred) };
    (delivery.envelope_recipient, delivery.recipients) = fields::recipients(&mut text);
    let mut reply = None;
    while text.eat(b", ") {
        if text.eat(b"ctladdr=") {
            fields::address(&mut text)?;
            // The user and group that it is delivered as.
            if text.eat(b" (") {
                text.until(b')')?;
            }
        } else if text.eat(b"delay=") {
            delivery.delay = Some(fields::delay(&mut text)?);
        } else if text.eat(b"xdelay=") {
            fields::delay(&mut text)?;
        } else if text.eat(b"dsn=") {
            delivery.dsn = EnhancedStatus::parse(before_comma(&mut text));
        } else if text.eat(b"mailer=") {
            delivery.transport = Text(before_comma(&mut text));
        } else if text.eat(b"relay=") {
            delivery.relay = fields::peer(before_comma(&mut text));
        } else if text.eat(b"pri=") || text.eat(b"tls_verify=") || text.eat(b"ntries=") || text.eat(b"quarantine=") {
            before_comma(&mut text);
        } else if text.eat(b"reply=") {
            reply = Some(text.rest);
            break;
        } else if text.eat(b"stat=") {
            break;
        } else {
            return None;
        }
    }
    delivery.delay?;
    match reply {
        Some(reply) => with_reply(&mut delivery, reply)?,
        None => with_stat(&mut delivery, text.rest),
    }
    Some(Event::Delivery(delivery))
}

/// What stands before the next field.
fn before_comma<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let end = memmem::find(text.rest, b", ").unwrap_or(text.rest.len());
    let (value, rest) = text.rest.split_at(end);
    text.rest = rest;
    value
}

/// `550 5.1.1 text, stat=User unknown`: the text is the remote's, and so may be all behind it.
fn with_reply<'a>(delivery: &mut Delivery<'a>, reply: &'a [u8]) -> Option<()> {
    let stat = |words: &[u8]| memmem::find(reply, words);
    let (status, end) = match delivery.dsn?.class {
        2 => (Status::Sent, stat(b", stat=Sent")),
        4 => (Status::Deferred, stat(b", stat=Deferred")),
        _ => (Status::Bounced, memmem::rfind(reply, b", stat=")),
    };
    delivery.status = status;
    delivery.diagnostic = Text(&reply[..end.unwrap_or(reply.len())]);
    delivery.reply_code = scan::reply(reply).0;
    if status != Status::Sent {
        delivery.class = Some(classify::by_code(delivery.dsn, delivery.reply_code));
    }
    Some(())
}

fn with_stat<'a>(delivery: &mut Delivery<'a>, stat: &'a [u8]) {
    delivery.diagnostic = Text(stat);
    if let Some(rest) = stat.strip_prefix(b"Sent") {
        delivery.status = if delivery.transport.0 == b"discard" { Status::Discarded } else { Status::Sent };
        let said = rest.strip_prefix(b" (").unwrap_or(rest);
        let said = said.strip_suffix(b")").unwrap_or(said);
        delivery.diagnostic = Text(said);
        delivery.queued_as = queued_as(said);
    } else if let Some(rest) = stat.strip_prefix(b"Deferred") {
        delivery.status = Status::Deferred;
        delivery.diagnostic = Text(rest.strip_prefix(b": ").unwrap_or(stat));
        delivery.reply_code = scan::reply(&delivery.diagnostic).0;
        delivery.class = Some(class(delivery, stat));
    } else if stat == b"discarded" {
        delivery.status = Status::Discarded;
    } else if stat.starts_with(b"queued") || stat.starts_with(b"quarantine") {
        delivery.status = Status::Deferred;
        delivery.untried = true;
    } else {
        delivery.status = Status::Bounced;
        delivery.class = Some(class(delivery, stat));
    }
}

/// `6AO6SnRR001078 Message accepted for delivery`, as Sendmail says it; `Ok: queued as X`, as Postfix does.
fn queued_as(said: &[u8]) -> Text<'_> {
    if let Some(at) = memmem::find(said, b" Message accepted for delivery") {
        let (_, id) = scan::last_word(&said[..at]);
        return Text(id);
    }
    let (before, word) = scan::last_word(said);
    Text(if before.ends_with(b"queued as") { word } else { b"" })
}

/// By Sendmail's own words (sysexits.c) and the system's, where there is no reply.
fn class(delivery: &Delivery<'_>, stat: &[u8]) -> Class {
    const WORDS: &[(&[u8], Class)] = &[
        (b"User unknown", Class::RecipientUnknown),
        (b"Host unknown", Class::DomainInvalid),
        (b"Name server: ", Class::DomainInvalid),
        (b"Local configuration error", Class::RoutingLoop),
        (b"Connection timed out", Class::Timeout),
        (b"Connection refused", Class::Connection),
        (b"Connection reset", Class::Connection),
        (b"No route to host", Class::Connection),
        (b"Network is unreachable", Class::Connection),
        (b"TLS", Class::Tls),
        (b"Message exceeds maximum fixed size", Class::MessageTooLarge),
    ];
    let said = WORDS.iter().find(|(words, _)| scan::contains(stat, words)).map(|(_, class)| *class);
    said.unwrap_or_else(|| classify::by_code(delivery.dsn, delivery.reply_code))
}
