//! Delivery lines: smtp, lmtp, local, virtual, pipe, error, discard, and qmgr's and cleanup's own (log_adhoc(3)).
//!
//! `Q: to=<a@b>, orig_to=<c>, relay=h[ip]:port, conn_use=2, delay=0.3, delays=a/b/c/d, tls=..., dsn=2.0.0, status=sent (text)`

use crate::classify;
use crate::model::{Delays, Delivery, EnhancedStatus, Event, Line, Peer, Record, Status, Text};
use crate::near::{find, rfind};
use crate::scan::{self, Cursor};
use std::hint::cold_path;

#[inline(always)]
pub fn parse<'a>(record: &Record<'a>, queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let mut text = Cursor::new(text);
    if !text.eat(b"to=") {
        return false;
    }
    *line = Line::Event(Event::Delivery(Delivery { transport: transport(record.program.0), ..Delivery::new(queue_id, Status::Sent) }));
    let Line::Event(Event::Delivery(delivery)) = line else { return false };
    fields(delivery, text).is_some()
}

/// Reads the fields in whatever order they come; those of every Postfix first.
#[inline]
fn fields<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>) -> Option<()> {
    delivery.envelope_recipient = Text(recipient(&mut text)?);
    if text.eat(b"orig_to=") {
        delivery.original_recipient = Text(recipient(&mut text)?);
    }
    loop {
        let before = text.rest.len();
        if text.eat(b"relay=") {
            delivery.relay = relay(&mut text)?;
        }
        if text.eat(b"delay=") {
            delivery.delay = scan::seconds(&mut text);
            end_value(&mut text)?;
        }
        if text.eat(b"delays=") {
            delivery.delays = delays(&mut text);
            end_value(&mut text)?;
        }
        if text.eat(b"dsn=") {
            delivery.dsn = dsn(&mut text)?;
        }
        if text.eat(b"status=") {
            return finish(delivery, text);
        }
        if text.rest.len() == before {
            cold_path();
            // conn_use, tls, and what a newer Postfix may add
            let key = text.until(b'=')?;
            if !key.iter().all(|c| c.is_ascii_lowercase() || *c == b'_') {
                return None;
            }
            value(&mut text)?;
        }
    }
}

/// What is left of a value, and the `, ` after it.
#[inline]
fn end_value(text: &mut Cursor<'_>) -> Option<()> {
    if text.eat(b", ") { Some(()) } else { value(text).map(|_| ()) }
}

/// Takes `<address>, `; very old versions wrote no brackets. Since 3.5 an address is written as in SMTP, so that one
/// with `>` or `, ` in it has quotes; before, it ends where a field follows.
#[inline(always)]
fn recipient<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let Some(inner) = text.rest.strip_prefix(b"<") else {
        cold_path();
        return text.until_literal(b", ");
    };
    let mut end = scan::angled_end(inner)?;
    while !field_follows(&inner[end + 1..]) {
        end += 1 + find(&inner[end + 1..], b'>')?;
    }
    text.rest = &inner[end + 3..];
    Some(&inner[..end])
}

#[inline]
fn field_follows(rest: &[u8]) -> bool {
    rest.starts_with(b", relay=") || rest.starts_with(b", orig_to=") || rest.starts_with(b", delay=") || rest.starts_with(b", status=")
}

/// Takes a value and the `, ` after it.
#[inline]
fn value<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let value = text.until(b',')?;
    text.eat(b" ").then_some(value)
}

/// Takes a relay. `none` is no relay; `local`, `virtual` and a pipe's service are names without an address.
#[inline]
fn relay<'a>(text: &mut Cursor<'a>) -> Option<Peer<'a>> {
    if text.eat(b"none, ") {
        return Some(Peer::default());
    }
    let whole = *text;
    if let Some(peer) = scan::peer(text).filter(|_| text.eat(b", ")) {
        return Some(peer);
    }
    cold_path();
    *text = whole;
    let value = value(text)?;
    Some(scan::peer(&mut Cursor::new(value)).unwrap_or(Peer { name: Text(value), ..Peer::default() }))
}

/// Takes an enhanced code; mostly each of its parts is one digit.
#[inline]
fn dsn(text: &mut Cursor<'_>) -> Option<Option<EnhancedStatus>> {
    if let Some((code, [b',', b' ', rest @ ..])) = text.rest.split_at_checked(5)
        && let Some(dsn) = EnhancedStatus::of_digits(code)
    {
        text.rest = rest;
        return Some(Some(dsn));
    }
    cold_path();
    Some(EnhancedStatus::parse(value(text)?))
}

/// `delays=a/b/c/d`: before the queue manager, in it, connection setup, transmission.
#[inline]
fn delays(text: &mut Cursor<'_>) -> Option<Delays> {
    let before_qmgr = scan::seconds(text)?;
    let mut next = || if text.eat(b"/") { scan::seconds(text) } else { None };
    Some(Delays { before_qmgr, in_qmgr: next()?, conn_setup: next()?, transmission: next()? })
}

/// `postfix/relay/smtp` delivers through smtp.
#[inline(always)]
fn transport(program: &[u8]) -> Text<'_> {
    rfind(program, b'/').map_or(Text(b""), |slash| Text(&program[slash + 1..]))
}

/// Reads the status and the text in parentheses, which is the remote's and may say anything.
#[inline]
fn finish<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>) -> Option<()> {
    let word = if text.eat(b"sent ") { b"sent" } else { text.until(b' ').unwrap_or_else(|| std::mem::take(&mut text.rest)) };
    let inner = match text.rest.split_first() {
        Some((b'(', inner)) => inner,
        Some(_) => return None,
        None => b"",
    };
    let diagnostic = inner.strip_suffix(b")").unwrap_or(inner);
    delivery.diagnostic = Text(diagnostic);
    delivery.status = match word.strip_suffix(b"-but-not-cached").unwrap_or(word) {
        b"sent" => Status::Sent,
        // soft_bounce = yes: it bounced, and will be tried again.
        b"deferred" | b"SOFTBOUNCE" => Status::Deferred,
        b"bounced" => Status::Bounced,
        b"expired" | b"expired," => Status::Expired,
        b"deliverable" => Status::Deliverable,
        b"undeliverable" => Status::Undeliverable,
        _ => return None,
    };
    delivery.reply_code = reply_code(diagnostic);
    match delivery.status {
        Status::Sent => taken(delivery),
        Status::Deferred | Status::Bounced | Status::Expired | Status::Undeliverable => {
            delivery.class = Some(classify::by_code(delivery.dsn, delivery.reply_code));
        }
        _ => {}
    }
    Some(())
}

/// What `sent` really was: only discard(8) takes mail without a relay; `forwarded as` is an alias's new queue file.
#[inline(always)]
fn taken(delivery: &mut Delivery<'_>) {
    let (before, word) = scan::last_word(delivery.diagnostic.0);
    if delivery.reply_code.is_some() {
        if before.ends_with(b"queued as") {
            delivery.queued_as = Text(word);
        }
    } else if before == b"forwarded as" {
        delivery.queued_as = Text(word);
        delivery.status = Status::Forwarded;
    } else if delivery.relay.absent() && matches!(delivery.transport.0, b"discard" | b"") {
        delivery.status = Status::Discarded;
    }
}

/// The remote's reply code: `250 2.0.0 Ok`, `host h[ip] said: 550 5.1.1 ...`, `host h[ip] refused to talk to me: 554 ...`.
///
/// Only where Postfix's own words say that a remote host spoke: the output of a command may say anything.
#[inline(always)]
fn reply_code(diagnostic: &[u8]) -> Option<u16> {
    let mut text = Cursor::new(diagnostic);
    if text.rest.first().is_some_and(u8::is_ascii_digit) {
        return scan::reply_code(diagnostic);
    }
    text.eat(b"delivery temporarily suspended: ");
    text.eat(b"Protocol error: ");
    let remote = text.eat(b"host ")
        || text.eat(b"TLS is required, but host ")
        || text.eat(b"SASL authentication failed; server ")
        || text.eat(b"SASL [CACHED] authentication failed; server ")
        || text.eat(b"delivery via ");
    if !remote {
        return None;
    }
    scan::peer(&mut text)?;
    let said = text.eat(b" said: ") || text.eat(b" refused to talk to me: ") || text.eat(b" refused to start TLS: ") || text.eat(b": ");
    if said { scan::reply_code(text.rest) } else { None }
}
