//! Delivery lines: `=>` delivered, `->` one more recipient of the same delivery, `>>` cutthrough, `*>` suppressed by `-N`,
//! `**` failed, `==` deferred.
//!
//! `=> bob@a.example R=dnslookup T=remote_smtp H=mx.a.example [192.0.2.1] X=TLS1.3:... CV=yes C="250 OK" QT=2s DT=1s`,
//! `** bob@a.example R=dnslookup T=remote_smtp H=...: SMTP error from remote mail server after RCPT TO:<...>: 550 ... DT=0s`,
//! `== bob@a.example R=dnslookup T=remote_smtp defer (110): Connection timed out H=... DT=5s: SMTP timeout after DATA`.

use super::address::{self, Address};
use super::{class, fields, id, reply};
use crate::model::{Delivery, Event, Line, Status, Text};
use crate::near::{find, find_words};
use crate::scan::{Cursor, contains, last_word};

/// Reads what stands behind the flag, whose first two bytes are given.
#[inline(always)]
pub fn parse<'a>(queue_id: Text<'a>, flag: [u8; 2], text: &'a [u8], line: &mut Line<'a>) -> bool {
    let status = match &flag {
        b"**" => Status::Bounced,
        b"==" => Status::Deferred,
        b"*>" => Status::Discarded,
        _ => Status::Sent,
    };
    // Nobody got it: -N only pretends.
    *line = Line::Event(Event::Delivery(Delivery { untried: status == Status::Discarded, ..Delivery::new(queue_id, status) }));
    let Line::Event(Event::Delivery(delivery)) = line else { return false };
    let text = Cursor::new(text);
    if status == Status::Sent && all_discarded(&text) {
        (delivery.status, delivery.diagnostic) = (Status::Discarded, Text(text.rest));
        return true;
    }
    let read = recipient(delivery, text).is_some();
    if &flag == b"->" {
        // One more recipient of the session that the first one's line tells.
        delivery.tls = None;
    }
    if delivery.delay.is_none() && delivery.status == Status::Sent {
        delivery.born = id::birth_second(&queue_id).map(|second| second * 1_000_000);
    }
    read
}

#[inline]
fn recipient<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>) -> Option<()> {
    let address = address::take(&mut text)?;
    (delivery.envelope_recipient, delivery.original_recipient) = address.recipients();
    match delivery.status {
        Status::Bounced => failed(delivery, text),
        Status::Deferred => deferred(delivery, text),
        _ => sent(delivery, text, address),
    }
}

/// All recipients were thrown away, by the system filter, an ACL or `local_scan()`.
#[inline]
fn all_discarded(text: &Cursor<'_>) -> bool {
    let rest = text.rest;
    rest.starts_with(b"blackhole ") && (contains(rest, b" discarded recipients)") || rest.starts_with(b"blackhole *"))
        || rest.starts_with(b"discarded (")
}

fn sent<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>, address: Address<'a>) -> Option<()> {
    let mut goes_on = false;
    while text.eat(b" ") {
        match text.rest {
            [b'H', b'=', ..] => {
                let whole = text.rest;
                place(delivery, &mut text)?;
                // `[192.0.2.1]*`: over the connection, and with the TLS, of an earlier delivery.
                goes_on = whole[..whole.len() - text.rest.len()].ends_with(b"*");
            }
            [b'X', b'=', ..] => delivery.tls = fields::secured(&mut text).filter(|_| !goes_on),
            [b'C', b'=', rest @ ..] => {
                text.rest = rest;
                delivery.diagnostic = Text(fields::quoted(&mut text).unwrap_or_else(|| std::mem::take(&mut text.rest)));
            }
            [b'Q', b'T', b'=', rest @ ..] => {
                text.rest = rest;
                delivery.delay = fields::duration(fields::word(&mut text));
            }
            // What a shadow transport said of its own failure ends the line.
            [b'S', b'T', b'=', ..] => {
                fields::skip_value(&mut text);
                if text.rest.starts_with(b" (") {
                    text.rest = b"";
                }
            }
            _ => place(delivery, &mut text)?,
        }
    }
    if address.first == b":blackhole:" || delivery.transport.0 == b"**bypassed**" {
        delivery.status = Status::Discarded;
    }
    (delivery.reply_code, delivery.dsn) = reply::codes(delivery.diagnostic.0);
    delivery.queued_as = Text(queued_as(delivery.diagnostic.0));
    // A transport that runs a command may say what it wrote.
    matches!(text.rest, [] | [b':', ..]).then_some(())
}

/// Under which id the next server has it: `250 2.0.0 Ok: queued as 4F1B2`, and Exim's `250 OK id=1xVjd0-00005d-17`.
fn queued_as(reply: &[u8]) -> &[u8] {
    let (before, word) = last_word(reply);
    if before.ends_with(b"queued as") {
        return word;
    }
    word.strip_prefix(b"id=").filter(|word| id::is_id(word)).unwrap_or_default()
}

/// Takes a field that all delivery lines have: sender, router, transport, host.
#[inline]
fn place<'a>(delivery: &mut Delivery<'a>, text: &mut Cursor<'a>) -> Option<()> {
    match text.rest {
        [b'T', b'=', rest @ ..] => {
            text.rest = rest;
            delivery.transport = Text(fields::word(text));
        }
        [b'H', b'=', rest @ ..] => {
            text.rest = rest;
            delivery.relay = fields::host(text)?.peer;
        }
        [b'F', b'=', rest @ ..] => {
            text.rest = rest;
            delivery.envelope_sender = Text(fields::sender(text)?);
        }
        [b'P', b'=', rest @ ..] => {
            text.rest = rest;
            fields::sender(text)?;
        }
        [b'R', b'=', rest @ ..] => {
            text.rest = rest;
            fields::word(text);
        }
        _ => fields::skip(text)?,
    }
    Some(())
}

/// Given up without having been tried once more.
const GIVEN_UP: [&[u8]; 2] = [b"retry timeout exceeded", b" have been failing for a long time"];

fn failed<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>) -> Option<()> {
    while text.eat(b" ") && text.rest.first() != Some(&b':') {
        place(delivery, &mut text)?;
    }
    delivery.diagnostic = Text(message(text.rest)?);
    if GIVEN_UP.iter().any(|words| contains(&delivery.diagnostic, words)) && !reply::is_remote(&delivery.diagnostic) {
        delivery.status = Status::Expired;
        return Some(());
    }
    judge(delivery);
    Some(())
}

/// What stands behind `: ` (and a blank before it, since 4.97), without the `DT=` that ends it.
fn message(rest: &[u8]) -> Option<&[u8]> {
    if rest.is_empty() {
        return Some(rest);
    }
    let message = rest.strip_prefix(b":")?;
    let message = message.strip_prefix(b" ").unwrap_or(message);
    let (before, word) = last_word(message);
    let timed = word.strip_prefix(b"DT=").is_some_and(|time| fields::duration(time).is_some());
    Some(if timed { before } else { message })
}

fn deferred<'a>(delivery: &mut Delivery<'a>, mut text: Cursor<'a>) -> Option<()> {
    // Routed or not: `R=x T=y defer (`, `R=x defer (`, `routing defer (`, `defer (`.
    loop {
        if !text.eat(b" ") {
            return None;
        }
        if text.eat(b"defer (") || text.eat(b"routing defer (") {
            break;
        }
        place(delivery, &mut text)?;
    }
    let errno = text.until(b')')?;
    let from_words = text.rest;
    let words = if errno.starts_with(b"-") || errno == b"0" { b"" } else { system_error(&mut text) };
    if !words.is_empty() && text.rest.starts_with(b": ") {
        // Nothing stands between the system's words and Exim's.
        text.rest = from_words;
    }
    while text.eat(b" ") && text.rest.first() != Some(&b':') {
        place(delivery, &mut text)?;
    }
    let said = message(text.rest)?;
    delivery.diagnostic = Text(if said.is_empty() { words } else { said });
    delivery.untried = untried(&delivery.diagnostic);
    judge(delivery);
    Some(())
}

/// Takes what the system calls the error: `: Connection timed out`. A host or a message follows.
fn system_error<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let Some(rest) = text.rest.strip_prefix(b": ") else { return b"" };
    let words = find_words(rest, b": ").map_or(rest, |end| &rest[..end]);
    let end = [&b" H="[..], b" DT="].iter().filter_map(|field| find_words(words, field)).min().unwrap_or(words.len());
    text.rest = &rest[end..];
    &rest[..end]
}

/// Whether nobody was asked, because it was not time to ask or because the message was only queued.
fn untried(diagnostic: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] = [
        b"retry time not reached",
        b"Retry time not yet reached",
        b"first-pass only routing due to -odqs",
        b"domain matches queue_smtp_domains, or -odqs set",
        b"domain matches queue_domains, or -odqs set",
        b"domain is in queue_domains",
        b"remote deliveries suppressed",
        b"domain is held",
        b"local delivery only",
        b"concurrency limit reached for transport",
    ];
    find(diagnostic, b' ').is_some() && WORDS.iter().any(|words| diagnostic.starts_with(words))
}

/// The remote's codes, and the class that they give.
fn judge(delivery: &mut Delivery<'_>) {
    (delivery.reply_code, delivery.dsn) = reply::of_message(&delivery.diagnostic);
    if !delivery.untried {
        delivery.class = Some(class::of(delivery.diagnostic.0, delivery.dsn, delivery.reply_code));
    }
}
