//! Deliveries: `mta delivery evpid=7dca74376f9bd7ac from=<a@b.example> to=<c@d.example> rcpt=<-> source="192.0.2.25"
//! relay="198.51.100.10 (mx.d.example)" delay=0s result="Ok" stat="250 2.0.0 OK"`, and the queue's own
//! `relay: Expire for 7ceeab9c5758dbca: from=<a@b.example>, to=<c@d.example>, rcpt=<->, delay=1m40s, stat=Envelope expired`.
//!
//! `to` is the address that it is delivered to, `rcpt` the one that the client gave, where they differ.

use super::fields::{self, field};
use crate::classify;
use crate::model::{Class, Delivery, Event, Peer, Removal, Removed, Status, Text};
use crate::scan::{self, Cursor, contains};
use memchr::memchr;

/// The fields of a session's delivery line.
pub fn parse<'a>(transport: Text<'a>, mut text: Cursor<'a>) -> Option<Event<'a>> {
    let queue_id = fields::message(field(&mut text, b"evpid")?)?;
    let mut delivery = Delivery { transport, goes_unsaid: true, ..Delivery::new(queue_id, Status::Deferred) };
    addresses(&mut delivery, &mut text)?;
    field(&mut text, b"user");
    field(&mut text, b"method");
    field(&mut text, b"source");
    if let Some(relay) = field(&mut text, b"relay") {
        delivery.relay = peer(relay);
    }
    delivery.delay = fields::delay(field(&mut text, b"delay")?);
    let result = field(&mut text, b"result")?;
    delivery.diagnostic = Text(fields::to_the_end(text.rest.strip_prefix(b"stat=")?));
    outcome(&mut delivery, result)?;
    Some(Event::Delivery(delivery))
}

fn addresses<'a>(delivery: &mut Delivery<'a>, text: &mut Cursor<'a>) -> Option<()> {
    delivery.envelope_sender = fields::sender(field(text, b"from")?);
    delivery.envelope_recipient = Text(field(text, b"to")?);
    if let Some(original) = field(text, b"rcpt") {
        delivery.original_recipient = fields::original(original, &delivery.envelope_recipient);
    }
    Some(())
}

fn outcome(delivery: &mut Delivery<'_>, result: &[u8]) -> Option<()> {
    delivery.status = match result {
        b"Ok" => Status::Sent,
        b"TempFail" => Status::Deferred,
        b"PermFail" | b"Loop" => Status::Bounced,
        b"Discard" => Status::Discarded,
        b"Expire" | b"Expired" => Status::Expired,
        _ => return None,
    };
    let (reply_code, dsn) = scan::reply(&delivery.diagnostic);
    (delivery.reply_code, delivery.dsn) = (reply_code, dsn);
    match delivery.status {
        Status::Sent => delivery.queued_as = queued_as(delivery.diagnostic.0),
        // Nobody was asked: the last attempt's words stand.
        Status::Expired => delivery.untried = true,
        Status::Deferred | Status::Bounced => delivery.class = Some(class(delivery)),
        _ => {}
    }
    Some(())
}

/// `198.51.100.10 (mx.d.example)`, `2001:db8::1 (2001:db8::1)`; a name that is the address is none.
fn peer(relay: &[u8]) -> Peer<'_> {
    let open = memchr(b'(', relay).unwrap_or(relay.len());
    let ip = scan::ip(relay[..open].trim_ascii());
    let name = relay.get(open + 1..).and_then(|rest| rest.strip_suffix(b")")).unwrap_or_default();
    Peer { name: Text(if scan::ip(name).is_empty() { name } else { b"" }), ip: Text(ip), port: 0 }
}

/// `250 2.0.0 7dca7437 Message accepted for delivery`, as OpenSMTPD says it; `queued as X`, as Postfix does.
fn queued_as(said: &[u8]) -> Text<'_> {
    if let Some(at) = memchr::memmem::find(said, b" Message accepted for delivery") {
        return Text(scan::last_word(&said[..at]).1);
    }
    let (before, word) = scan::last_word(said);
    Text(if before.ends_with(b"queued as") { word } else { b"" })
}

/// By the reply, else by OpenSMTPD's own words (`mta.c`, `mda.c`).
fn class(delivery: &Delivery<'_>) -> Class {
    const WORDS: &[(&[u8], Class)] = &[
        (b"Domain does not exist", Class::DomainInvalid),
        (b"No MX found for domain", Class::DomainInvalid),
        (b"MX lookup", Class::DomainInvalid),
        (b"Loop detected", Class::RoutingLoop),
        (b"TLS", Class::Tls),
        (b"timeout", Class::Timeout),
        (b"Timeout", Class::Timeout),
        (b"Network error", Class::Connection),
        (b"Connection", Class::Connection),
        (b"unreachable", Class::Connection),
        (b"Error (", Class::LocalError),
    ];
    let by_code = classify::by_code(delivery.dsn, delivery.reply_code);
    if by_code != Class::Unknown || delivery.reply_code.is_some() {
        return by_code;
    }
    WORDS.iter().find(|(words, _)| contains(&delivery.diagnostic, words)).map_or(Class::Unknown, |(_, class)| *class)
}

/// What the queue does by itself, and (before 6.0) the deliveries: `relay: Ok for 7ceeab9c5758dbca: session=..., from=...`.
pub fn queue(text: &[u8]) -> Option<Event<'_>> {
    let mut text = Cursor::new(text);
    let transport = text.until_literal(b": ").filter(|word| matches!(*word, b"relay" | b"delivery" | b"bounce"))?;
    let result = text.until_literal(b" for ")?;
    let queue_id = fields::message(text.until_literal(b": ")?)?;
    if result == b"Remove" {
        return Some(Event::Removed(Removed { queue_id, how: Removal::Deleted }));
    }
    let transport = Text(if transport == b"relay" {
        b"mta"
    } else if transport == b"delivery" {
        b"mda"
    } else {
        transport
    });
    let mut delivery = Delivery { transport, goes_unsaid: true, ..Delivery::new(queue_id, Status::Deferred) };
    field(&mut text, b"session");
    addresses(&mut delivery, &mut text)?;
    field(&mut text, b"user");
    field(&mut text, b"method");
    field(&mut text, b"source");
    if let Some(rest) = text.rest.strip_prefix(b"relay=") {
        text.rest = rest;
        delivery.relay = peer(text.until_literal(b", ")?);
    }
    delivery.delay = fields::delay(field(&mut text, b"delay")?);
    delivery.diagnostic = Text(text.rest.strip_prefix(b"stat=")?);
    outcome(&mut delivery, result)?;
    Some(Event::Delivery(delivery))
}
