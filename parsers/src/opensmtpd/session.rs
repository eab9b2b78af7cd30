//! Sessions: clients that come (`smtp`), servers that are gone to (`mta`). A line names its session, not its client.

use super::fields::{self, field};
use crate::classify;
use crate::model::{
    Accepted, Action, AuthFailure, By, Cause, Class, Connect, Direction, Disconnect, Event, Line, LostConnection, Other, Peer, Queued,
    Reject, Stage, Text, Tls, Trust,
};
use crate::scan::{self, Cursor, contains};
use memchr::{memchr, memmem};

pub fn smtp<'a>(what: &[u8], text: Cursor<'a>) -> Option<Line<'a>> {
    let event = match what {
        b"connected" => connected(text)?,
        b"disconnected" | b"closed" => disconnected(text)?,
        b"message" => message(text)?,
        b"envelope" => envelope(text)?,
        b"tls" | b"starttls" => tls(Direction::Inbound, text)?,
        b"failed-command" => failed(text)?,
        b"bad-input" => refusal(Stage::Unknown, fields::to_the_end(text.rest.strip_prefix(b"result=")?)),
        b"authentication" => authentication(text)?,
        b"client-cert-check" | b"cert-check" => return text.rest.starts_with(b"result=").then_some(Line::Ignored("a certificate's check")),
        _ => return None,
    };
    Some(Line::Event(event))
}

pub fn mta<'a>(what: &[u8], text: Cursor<'a>) -> Option<Line<'a>> {
    match what {
        b"connecting" => text.rest.starts_with(b"address=").then_some(Line::Ignored("an outbound session")),
        b"connected" => text.rest.is_empty().then_some(Line::Ignored("an outbound session")),
        b"disconnected" | b"closed" => text.rest.starts_with(b"reason=").then_some(Line::Ignored("an outbound session")),
        b"server-cert-check" | b"cert-check" => text.rest.starts_with(b"result=").then_some(Line::Ignored("a certificate's check")),
        b"host-rejects-all-mails" => Some(Line::Event(Event::Other(Other { queue_id: Text(b""), text: Text(b"host-rejects-all-mails") }))),
        b"tls" | b"starttls" => tls(Direction::Outbound, text).map(Line::Event),
        b"error" => {
            let reason = text.rest.strip_prefix(b"reason=")?;
            let cause = if contains(reason, b"imeout") || contains(reason, b"imed out") { Cause::Timeout } else { Cause::Lost };
            Some(Line::Event(lost(cause, reason)))
        }
        _ => None,
    }
}

fn lost(cause: Cause, diagnostic: &[u8]) -> Event<'_> {
    let none = Text(b"");
    let diagnostic = Text(diagnostic);
    Event::LostConnection(LostConnection { queue_id: none, client: Peer::default(), peer: Peer::default(), stage: None, cause, diagnostic })
}

/// `address=192.0.2.100 host=app1.corp.example`; `address=local` is a program of this host, `host=<unknown>` no name.
fn connected(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let ip = scan::ip(field(&mut text, b"address")?);
    let name = field(&mut text, b"host")?;
    let known = name != b"unknown" && scan::ip(name).is_empty();
    Some(Event::Connect(Connect { client: Peer { name: Text(if known { name } else { b"" }), ip: Text(ip), port: 0 } }))
}

fn disconnected(text: Cursor<'_>) -> Option<Event<'_>> {
    let reason = fields::to_the_end(text.rest.strip_prefix(b"reason=")?);
    Some(match reason {
        b"quit" => Event::Disconnect(Disconnect { client: Peer::default(), commands: Default::default() }),
        b"timeout" => lost(Cause::Timeout, reason),
        _ => lost(Cause::Lost, reason),
    })
}

/// `msgid=7dca7437 size=571 nrcpt=1 proto=ESMTP`; before 6.4 with `address`, `host`, `from` and `to`, and `ndest`.
fn message(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let mut accepted = Accepted::default();
    if let Some(ip) = field(&mut text, b"address") {
        let name = field(&mut text, b"host")?;
        accepted.client = Peer { name: Text(if name == b"unknown" { b"" } else { name }), ip: Text(scan::ip(ip)), port: 0 };
    }
    accepted.queue_id = fields::message(field(&mut text, b"msgid")?)?;
    if let Some(sender) = field(&mut text, b"from") {
        accepted.envelope_sender = fields::sender(sender);
        field(&mut text, b"to");
    }
    accepted.size_bytes = scan::number(field(&mut text, b"size")?);
    let nrcpt = field(&mut text, b"nrcpt").or_else(|| field(&mut text, b"ndest"))?;
    accepted.nrcpt = scan::number(nrcpt).and_then(|count| u32::try_from(count).ok());
    accepted.protocol = Text(field(&mut text, b"proto")?);
    Some(Event::Accepted(accepted))
}

/// `evpid=7dca74376f9bd7ac from=<a@b.example> to=<c@d.example>`: its message has this sender.
fn envelope(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let queue_id = fields::message(field(&mut text, b"evpid")?)?;
    let envelope_sender = fields::sender(field(&mut text, b"from")?);
    text.rest.starts_with(b"to=<").then_some(Event::Queued(Queued { queue_id, envelope_sender, size_bytes: 0, nrcpt: 0 }))
}

/// `ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256`, before 6.4 `ciphers="version=TLSv1.2, cipher=X, bits=256"`. What came of
/// the certificate stands in a line of its own.
fn tls(direction: Direction, mut text: Cursor<'_>) -> Option<Event<'_>> {
    field(&mut text, b"address");
    field(&mut text, b"host");
    let ciphers = field(&mut text, b"ciphers")?;
    let (separator, named) = if ciphers.starts_with(b"version=") { (b',', true) } else { (b':', false) };
    let value = |part: &'_ [u8]| memchr(b'=', part).filter(|_| named).map_or(0, |at| at + 1);
    let mut parts = ciphers.split(|c| *c == separator).map(|part| &part[value(part)..]);
    let (tls_version, cipher) = (Text(parts.next()?), Text(parts.next()?));
    let bits = parts.next().and_then(scan::number).and_then(|bits| u16::try_from(bits).ok());
    Some(Event::Tls(Tls { direction, peer: Peer::default(), trust: Trust::Untrusted, tls_version, cipher, bits }))
}

/// `user=alice result=permfail`, with the client where the version logs it.
fn authentication(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let whole = text.rest;
    let user = Text(field(&mut text, b"user")?);
    let ip = field(&mut text, b"address").unwrap_or_default();
    field(&mut text, b"host");
    let result = field(&mut text, b"result")?;
    Some(if result == b"ok" {
        Event::Other(Other { queue_id: Text(b""), text: Text(whole) })
    } else {
        let client = Peer { ip: Text(scan::ip(ip)), ..Peer::default() };
        Event::AuthFailure(AuthFailure { queue_id: Text(b""), client, mechanism: Text(b""), user, reason: Text(result) })
    })
}

/// `command="RCPT TO:<a@b.example>" result="550 Invalid recipient: <a@b.example>"`. The command is the client's, quotes
/// and all: the result is what follows the last `" result="`.
fn failed(text: Cursor<'_>) -> Option<Event<'_>> {
    let inner = text.rest.strip_prefix(b"command=\"")?;
    let end = memmem::rfind(inner, b"\" result=\"")?;
    let (command, result) = (&inner[..end], &inner[end + 10..]);
    let result = result.strip_suffix(b"\"").unwrap_or(result);
    let word = command.split(|c| *c == b' ').next()?;
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if is(b"AUTH") {
        let mechanism = Text(command.split(|c| *c == b' ').nth(1).unwrap_or_default());
        let failure = AuthFailure { queue_id: Text(b""), client: Peer::default(), mechanism, user: Text(b""), reason: Text(result) };
        return Some(Event::AuthFailure(failure));
    }
    const STAGES: &[(&[u8], Stage)] = &[
        (b"HELO", Stage::Helo),
        (b"EHLO", Stage::Helo),
        (b"STARTTLS", Stage::Starttls),
        (b"MAIL", Stage::Mail),
        (b"RCPT", Stage::Rcpt),
        (b"DATA", Stage::Data),
        (b"VRFY", Stage::Vrfy),
        (b"EXPN", Stage::Vrfy),
        (b"ETRN", Stage::Etrn),
        (b"RSET", Stage::Rset),
        (b"NOOP", Stage::Noop),
        // The message itself was refused.
        (b"", Stage::EndOfMessage),
    ];
    let stage = STAGES.iter().find(|(name, _)| is(name)).map_or(Stage::Unknown, |(_, stage)| *stage);
    let Event::Reject(mut reject) = refusal(stage, result) else { return None };
    let address = memmem::find(command, b"<").and_then(|at| Cursor::new(&command[at..]).angled());
    match stage {
        Stage::Mail => reject.envelope_sender = fields::sender(address?),
        Stage::Rcpt => reject.envelope_recipient = Text(address.unwrap_or_default()),
        _ => {}
    }
    Some(Event::Reject(reject))
}

/// What the client was told.
fn refusal(stage: Stage, said: &[u8]) -> Event<'_> {
    const WORDS: &[(&[u8], Class)] = &[
        (b"Invalid recipient", Class::RecipientUnknown),
        (b"Message too big", Class::MessageTooLarge),
        (b"oop detected", Class::RoutingLoop),
        (b"Too many recipients", Class::RateLimited),
        (b"Invalid command", Class::ContentFormat),
    ];
    let (reply_code, dsn) = scan::reply(said);
    let by_words = WORDS.iter().find(|(words, _)| contains(said, words)).map(|(_, class)| *class);
    Event::Reject(Reject {
        queue_id: Text(b""),
        stage,
        action: Action::Reject,
        by: By::Smtpd,
        client: Peer::default(),
        reply_code,
        dsn,
        diagnostic: Text(said),
        envelope_sender: Text(b""),
        envelope_recipient: Text(b""),
        helo: Text(b""),
        protocol: Text(b""),
        auth: None,
        class: Some(by_words.unwrap_or_else(|| classify::by_code(dsn, reply_code))),
    })
}
