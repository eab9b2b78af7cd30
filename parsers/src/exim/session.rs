//! SMTP sessions: who connected and left, who could not log in, which connections broke off.
//!
//! `plain_server authenticator failed for (helo) [192.0.2.1]: 535 Incorrect authentication data (set_id=alice)`,
//! `SMTP command timeout on connection from mx [192.0.2.1] D=8s`, `SMTP connection from mx [192.0.2.1] closed by QUIT`.

use super::{fields, reject};
use crate::model::{AuthFailure, Cause, Commands, Connect, Disconnect, Event, LostConnection, Peer, Stage, Text};
use crate::near::find_words;
use crate::scan::Cursor;
use memchr::memmem;

/// Reads a line without a message id.
pub fn parse(text: &[u8]) -> Option<Event<'_>> {
    match text.first()? {
        b'S' => smtp(text),
        b'T' => tls(text),
        b'u' => disconnection(text),
        b'n' => no_mail(text),
        _ => None,
    }
    .or_else(|| authenticator(text))
}

/// The same, of a session in the midst of a message.
pub fn of_message<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    match parse(text)? {
        Event::LostConnection(lost) => Some(Event::LostConnection(LostConnection { queue_id, ..lost })),
        other => Some(other),
    }
}

/// `NAME authenticator failed for HOST: 535 reason (set_id=user)`
fn authenticator(text: &[u8]) -> Option<Event<'_>> {
    const WORDS: &[u8] = b" authenticator failed for ";
    let at = find_words(&text[..text.len().min(128)], WORDS)?;
    let mechanism = &text[..at];
    let mut cursor = Cursor::new(&text[at + WORDS.len()..]);
    let client = reject::from(&mut cursor)?.peer;
    if mechanism.contains(&b' ') || !(cursor.eat(b": ") || cursor.rest.is_empty()) {
        return None;
    }
    let (mut reason, mut user) = (cursor.rest, &b""[..]);
    if let Some(at) = memmem::rfind(reason, b" (set_id=") {
        let inside = &reason[at + 9..];
        user = inside.strip_suffix(b")").unwrap_or(inside);
        reason = &reason[..at];
    }
    Some(Event::AuthFailure(AuthFailure {
        queue_id: Text(b""),
        client,
        mechanism: Text(mechanism),
        user: Text(user),
        reason: Text(reason),
    }))
}

fn lost<'a>(client: Peer<'a>, stage: Option<Stage>, cause: Cause, diagnostic: &'a [u8]) -> Event<'a> {
    Event::LostConnection(LostConnection { queue_id: Text(b""), client, peer: Peer::default(), stage, cause, diagnostic: Text(diagnostic) })
}

/// Lines that begin with `SMTP`.
fn smtp(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if cursor.eat(b"SMTP connection ") {
        return connection(behind_from(cursor)?);
    }
    if cursor.eat(b"SMTP command timeout on ") {
        cursor.eat(b"TLS ");
        return timeout(cursor, None, text);
    }
    if cursor.eat(b"SMTP data timeout (message abandoned) on ") {
        return timeout(cursor, Some(Stage::Data), text);
    }
    if cursor.eat(b"SMTP call from ") {
        let client = reject::from(&mut cursor)?.peer;
        return cursor.rest.starts_with(b" dropped: ").then(|| lost(client, None, Cause::Lost, &cursor.rest[10..]));
    }
    reject::synchronization(text)
}

/// What stands behind `from `; with the selector `connection_id` the connection's number stands before that.
fn behind_from(mut text: Cursor<'_>) -> Option<Cursor<'_>> {
    if text.rest.starts_with(b"Ci=") {
        fields::word(&mut text);
        text.eat(b" ");
    }
    text.eat(b"from ").then_some(text)
}

/// Which connection nothing was heard of any more: `connection from HOST`.
fn timeout<'a>(mut text: Cursor<'a>, stage: Option<Stage>, line: &'a [u8]) -> Option<Event<'a>> {
    if !text.eat(b"connection ") {
        return None;
    }
    Some(lost(reject::from(&mut behind_from(text)?)?.peer, stage, Cause::Timeout, line))
}

/// What stands behind `SMTP connection from `.
fn connection(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let client = reject::from(&mut text)?.peer;
    if text.eat(b" (via inetd)") && text.rest.starts_with(b" D=") {
        text.rest = &text.rest[1..];
        fields::skip(&mut text)?;
    }
    let rest = text.rest;
    if rest.is_empty() || rest.starts_with(b" (TCP/IP connection count = ") {
        return Some(Event::Connect(Connect { client }));
    }
    if rest == b" closed by DROP in ACL" {
        return Some(lost(client, None, Cause::Lost, &rest[1..]));
    }
    if rest.starts_with(b" closed by ") {
        return Some(Event::Disconnect(Disconnect { client, commands: Commands::default() }));
    }
    let stage = rest.starts_with(b" lost while reading message data").then_some(Stage::Data);
    let known = stage.is_some() || rest == b" lost" || rest.starts_with(b" lost D=") || rest.starts_with(b" lost (error: ");
    known.then(|| lost(client, stage, Cause::Lost, &rest[1..]))
}

/// `TLS error on connection from HOST (SSL_accept): reason`: an inbound handshake that failed.
fn tls(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b"TLS error on connection ") {
        return None;
    }
    let mut cursor = behind_from(cursor)?;
    let client = reject::from(&mut cursor)?.peer;
    let reason = cursor.rest.strip_prefix(b" ").or_else(|| cursor.rest.strip_prefix(b": "))?;
    Some(lost(client, Some(Stage::Starttls), Cause::Lost, reason))
}

/// `unexpected disconnection while reading SMTP command from HOST (error: reason) D=8s`
fn disconnection(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if !(cursor.eat(b"unexpected disconnection while reading SMTP command from ")
        || cursor.eat(b"unexpected disconnection while reading SMTP command on connection from "))
    {
        return None;
    }
    let client = reject::from(&mut cursor)?.peer;
    Some(lost(client, None, Cause::Lost, text))
}

/// `no MAIL in SMTP connection from HOST D=1s C=EHLO,QUIT`
fn no_mail(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b"no MAIL in ") {
        return None;
    }
    // `TLS `, `TFO `, `TFO* `
    if !cursor.rest.starts_with(b"SMTP ") {
        cursor.until(b' ')?;
    }
    if !cursor.eat(b"SMTP connection from ") {
        return None;
    }
    Some(Event::Disconnect(Disconnect { client: reject::from(&mut cursor)?.peer, commands: Commands::default() }))
}

/// `H=mx.a.example [192.0.2.1] Connection refused`, `H=...: SMTP timeout after DATA: Connection timed out`: what happened at
/// one of several hosts of a message's recipients. What comes of it is on a delivery line.
pub fn outbound<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b"H=") {
        return None;
    }
    let peer = reject::from(&mut cursor)?.peer;
    let words = cursor.rest.strip_prefix(b": ").or_else(|| cursor.rest.strip_prefix(b" "))?;
    let event = |stage, cause| {
        let client = Peer::default();
        Some(Event::LostConnection(LostConnection { queue_id, client, peer, stage, cause, diagnostic: Text(words) }))
    };
    const UNREACHED: [&[u8]; 6] = [
        b"Connection refused",
        b"No route to host",
        b"Network is unreachable",
        b"Host is down",
        b"Connection reset by peer",
        b"Network Error",
    ];
    if UNREACHED.contains(&words) {
        return event(Some(Stage::Connect), Cause::Lost);
    }
    if words.starts_with(b"Connection timed out") || words == b"Operation timed out" {
        return event(Some(Stage::Connect), Cause::Timeout);
    }
    if let Some(after) = words.strip_prefix(b"SMTP timeout after ").or_else(|| words.strip_prefix(b"LMTP timeout after ")) {
        return event(command(after), Cause::Timeout);
    }
    let after = words.strip_prefix(b"Remote host closed connection in response to ")?;
    event(command(after), Cause::Lost)
}

/// The command that a remote host did not answer.
fn command(words: &[u8]) -> Option<Stage> {
    let words = words.strip_prefix(b"pipelined ").unwrap_or(words);
    if words.starts_with(b"initial connection") {
        return Some(Stage::Connect);
    }
    if words.starts_with(b"end of data") || words.starts_with(b"sending data block") {
        return Some(Stage::EndOfMessage);
    }
    Some(reject::stage_of(words)).filter(|stage| *stage != Stage::Unknown)
}
