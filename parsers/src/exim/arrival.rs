//! Arrival lines: `<= a@b.example H=mx [192.0.2.1] P=esmtp S=409 id=x@b.example T="subject" for c@d.example`. One line says
//! all of it: client, log-in, sender, size, message-id.
//!
//! `(=` is a message that was taken although the client was told that it was refused (`control = fakereject`).

use super::fields;
use crate::model::{Accepted, Addresses, Event, Line, Text};
use crate::near::{find, find_words};
use crate::scan::Cursor;

/// Reads what stands behind the flag.
#[inline]
pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    *line = Line::Event(Event::Accepted(Accepted { queue_id, ..Accepted::default() }));
    let Line::Event(Event::Accepted(accepted)) = line else { return false };
    fields(accepted, Cursor::new(text)).is_some()
}

#[inline]
fn fields<'a>(accepted: &mut Accepted<'a>, mut text: Cursor<'a>) -> Option<()> {
    accepted.envelope_sender = Text(sender(&mut text)?);
    while !text.rest.is_empty() {
        if !text.eat(b" ") {
            return None;
        }
        match text.rest {
            [b'H', b'=', rest @ ..] => {
                text.rest = rest;
                let host = fields::host(&mut text)?;
                (accepted.client, accepted.helo) = (host.peer, host.helo);
            }
            [b'P', b'=', rest @ ..] => {
                text.rest = rest;
                accepted.protocol = Text(fields::word(&mut text));
            }
            [b'S', b'=', rest @ ..] => {
                text.rest = rest;
                let mut size = Cursor::new(fields::word(&mut text));
                accepted.size_bytes = size.number().filter(|_| size.rest.is_empty());
            }
            [b'i', b'd', b'=', rest @ ..] | [b'i', b'd', b'*', b'=', rest @ ..] => {
                text.rest = rest;
                accepted.message_id = Text(message_id(&mut text));
            }
            [b'T', b'=', rest @ ..] => {
                text.rest = rest;
                accepted.subject = Text(fields::quoted(&mut text).unwrap_or_else(|| std::mem::take(&mut text.rest)));
            }
            [b'R', b'=', rest @ ..] => {
                text.rest = rest;
                accepted.parent_queue_id = Text(fields::word(&mut text));
            }
            [b'A', b'=', rest @ ..] => {
                text.rest = rest;
                accepted.auth = Some(fields::auth(fields::word(&mut text)));
            }
            [b'U', b'=', rest @ ..] => {
                text.rest = rest;
                ident(&mut text);
            }
            // The sender before rewriting, then the recipients, end the line.
            [b'f', b'r', b'o', b'm', b' ', rest @ ..] => {
                text.rest = rest;
                fields::sender(&mut text)?;
            }
            [b'f', b'o', b'r', b' ', rest @ ..] => {
                accepted.recipients = Addresses(Text(rest));
                break;
            }
            [b'X', b'=', ..] => accepted.tls = fields::secured(&mut text),
            _ => fields::skip(&mut text)?,
        }
    }
    accepted.local = accepted.client.absent();
    // Every message came by some protocol, if only `local`; before 4.0 some had a size alone.
    (!accepted.protocol.is_empty() || accepted.size_bytes.is_some()).then_some(())
}

/// Takes the sender, whose local part may be in quotes and hold blanks.
fn sender<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let whole = text.rest;
    if whole.first() == Some(&b'"') {
        fields::quoted(text)?;
    }
    fields::word(text);
    let sender = &whole[..whole.len() - text.rest.len()];
    (!sender.is_empty()).then_some(sender)
}

/// Takes a message-id, which may hold blanks: it ends where a field follows.
#[inline]
fn message_id<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let whole = text.rest;
    loop {
        text.rest = &text.rest[find(text.rest, b' ').unwrap_or(text.rest.len())..];
        let known: [&[u8]; 7] = [b" T=\"", b" for ", b" from <", b" Q=", b" RT=", b" SPF=", b" DMARC="];
        if text.rest.is_empty() || known.iter().any(|field| text.rest.starts_with(field)) {
            return &whole[..whole.len() - text.rest.len()];
        }
        text.rest = &text.rest[1..];
    }
}

/// Takes the local user's name or what the client's ident server said, up to the next field: it may hold blanks.
fn ident(text: &mut Cursor<'_>) {
    let end = find_words(text.rest, b" P=").unwrap_or(0);
    let first = find(text.rest, b' ').unwrap_or(text.rest.len());
    let more = end > first && !text.rest[first..end].contains(&b'=');
    text.rest = &text.rest[if more { end } else { first }..];
}
