//! Sessions: who connects and is lost, TLS, log-ins, commands that look like an attack.

use super::fields;
use crate::model::{
    AuthFailure, Cause, Connect, Direction, Event, LostConnection, Other, Peer, Problem, Removal, Removed, Severity, Stage, Text, Tls,
    Trust,
};
use crate::scan::{self, Cursor};
use memchr::{memchr, memmem};

pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    match text.first()? {
        b'S' if cursor.eat(b"STARTTLS=") => tls(cursor),
        b'A' if cursor.eat(b"AUTH failure (") => auth_failure(queue_id, cursor),
        b'A' if cursor.eat(b"AUTH=server, relay=") => {
            memmem::find(cursor.rest, b", authid=").map(|_| Event::Other(Other { queue_id, text: Text(text) }))
        }
        b'c' if cursor.eat(b"connect from ") => Some(Event::Connect(Connect { client: fields::peer(cursor.rest) })),
        b'd' if text == b"discarded" => Some(Event::Removed(Removed { queue_id, how: Removal::Discarded })),
        b'd' if cursor.eat(b"done; delay=") && !queue_id.is_empty() => Some(Event::Removed(Removed { queue_id, how: Removal::Done })),
        b'l' if cursor.eat(b"lost input channel from ") => lost(queue_id, cursor),
        b't' if cursor.eat(b"timeout waiting for input from ") => timeout(queue_id, cursor),
        b'c' if cursor.eat(b"collect: ") => broken_off(queue_id, text, cursor),
        b'S' if cursor.eat(b"SYSERR(") => {
            let end = memmem::find(cursor.rest, b"): ")?;
            Some(problem(queue_id, Severity::Error, &cursor.rest[end + 3..]))
        }
        b'L' if cursor.eat(b"Losing ") => Some(problem(queue_id, Severity::Error, text)),
        _ => of_client(queue_id, text),
    }
}

fn problem<'a>(queue_id: Text<'a>, severity: Severity, text: &'a [u8]) -> Event<'a> {
    Event::Problem(Problem { queue_id, severity, text: Text(text) })
}

/// `client, relay=mx.b.example., version=TLSv1.3, verify=OK, cipher=X, bits=256/256`. `verify=OK` means that a known
/// authority signed the certificate, not that the name is right; DANE says `TRUSTED`.
fn tls(mut text: Cursor<'_>) -> Option<Event<'_>> {
    let direction = match fields::value(&mut text) {
        b"server" => Direction::Inbound,
        b"client" => Direction::Outbound,
        _ => return None,
    };
    if !text.eat(b"relay=") {
        return None;
    }
    let peer = fields::peer(fields::value(&mut text));
    if !text.eat(b"version=") {
        return None;
    }
    let tls_version = Text(fields::value(&mut text));
    if !text.eat(b"verify=") {
        return None;
    }
    let trust = match fields::value(&mut text) {
        b"TRUSTED" => Trust::Verified,
        b"OK" => Trust::Trusted,
        b"NO" | b"NOT" | b"NONE" => Trust::Anonymous,
        _ => Trust::Untrusted,
    };
    if !text.eat(b"cipher=") {
        return None;
    }
    let cipher = Text(fields::value(&mut text));
    let bits = if text.eat(b"bits=") { text.number().and_then(|bits| u16::try_from(bits).ok()) } else { None };
    Some(Event::Tls(Tls { direction, peer, trust, tls_version, cipher, bits }))
}

/// `LOGIN): authentication failure (-13) SASL(-13): text, user=a, relay=h [ip]`. The user may write `, relay=` too.
fn auth_failure<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Event<'a>> {
    let mechanism = Text(text.until_literal(b"): ")?);
    let relay = memmem::rfind(text.rest, b", relay=")?;
    let (said, client) = (&text.rest[..relay], fields::peer(&text.rest[relay + 8..]));
    let (reason, user) = match memmem::find(said, b", user=") {
        Some(at) => (&said[..at], &said[at + 7..]),
        None => (said, &b""[..]),
    };
    Some(Event::AuthFailure(AuthFailure { queue_id, client, mechanism, user: Text(user), reason: Text(reason) }))
}

/// `h [ip] to MTA after rcpt`.
fn lost<'a>(queue_id: Text<'a>, text: Cursor<'a>) -> Option<Event<'a>> {
    let after = memmem::rfind(text.rest, b" after ")?;
    let to = memmem::rfind(&text.rest[..after], b" to ")?;
    let stage = match &text.rest[after + 7..] {
        b"startup" => Stage::Connect,
        b"helo" => Stage::Helo,
        b"auth" => Stage::Auth,
        b"starttls" => Stage::Starttls,
        b"mail" => Stage::Mail,
        b"rcpt" => Stage::Rcpt,
        b"data" => Stage::Data,
        b"rset" => Stage::Rset,
        b"vrfy" | b"expn" => Stage::Vrfy,
        b"noop" => Stage::Noop,
        _ => Stage::Unknown,
    };
    let client = fields::peer(&text.rest[..to]);
    Some(Event::LostConnection(LostConnection {
        queue_id,
        client,
        peer: Peer::default(),
        stage: Some(stage),
        cause: Cause::Lost,
        diagnostic: Text(b""),
    }))
}

/// `mx.b.example. during client RCPT` (a server that was delivered to), `h during server cmd read` (a client).
fn timeout<'a>(queue_id: Text<'a>, text: Cursor<'a>) -> Option<Event<'a>> {
    let during = memmem::rfind(text.rest, b" during ")?;
    let (name, doing) = (fields::peer(&text.rest[..during]), &text.rest[during + 8..]);
    let ours = doing.starts_with(b"client ");
    if !ours && !doing.starts_with(b"server ") && !doing.starts_with(b"message collect") {
        return None;
    }
    let stage = match doing {
        b"client greeting" | b"client initial connection" => Some(Stage::Connect),
        b"client HELO" | b"client EHLO" => Some(Stage::Helo),
        b"client STARTTLS" => Some(Stage::Starttls),
        b"client AUTH" => Some(Stage::Auth),
        b"client MAIL" => Some(Stage::Mail),
        b"client RCPT" => Some(Stage::Rcpt),
        b"client DATA 354" => Some(Stage::Data),
        b"client DATA status" => Some(Stage::EndOfMessage),
        b"client QUIT" => Some(Stage::Quit),
        _ => None,
    };
    let (client, peer) = if ours { (Peer::default(), name) } else { (name, Peer::default()) };
    Some(Event::LostConnection(LostConnection { queue_id, client, peer, stage, cause: Cause::Timeout, diagnostic: Text(doing) }))
}

/// A message whose client went away: `collect: premature EOM: unexpected close`.
fn broken_off<'a>(queue_id: Text<'a>, text: &'a [u8], mut collect: Cursor<'a>) -> Option<Event<'a>> {
    if collect.eat(b"premature EOM: ") || collect.eat(b"unexpected close on connection from ") {
        let client = memchr(b',', collect.rest).map_or(Peer::default(), |end| fields::peer(&collect.rest[..end]));
        let (stage, cause, diagnostic) = (Some(Stage::Data), Cause::Lost, Text(text));
        return Some(Event::LostConnection(LostConnection { queue_id, client, peer: Peer::default(), stage, cause, diagnostic }));
    }
    let known = collect.eat(b"relay=") || collect.eat(b"I/O error on connection from ") || collect.eat(b"timeout waiting for input");
    known.then_some(Event::Other(Other { queue_id, text: Text(text) }))
}

/// Words about a client: `h [ip] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`, `h [ip]: VRFY a [rejected]`.
fn of_client<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    if let Some(end) = memmem::find(text, b" did not issue ") {
        let client = fields::peer(&text[..end]);
        return (!client.absent()).then_some(Event::Other(Other { queue_id, text: Text(text) }));
    }
    let words: [&[u8]; 2] = [b"rejecting commands from ", b"rejecting server HELO from "];
    if words.iter().any(|words| text.starts_with(words)) && (scan::contains(text, b" due to ")) {
        return Some(Event::Other(Other { queue_id, text: Text(text) }));
    }
    let colon = memmem::find(text, b"]: ").or_else(|| memmem::find(text, b"] (may be forged): "))?;
    let (_, said) = text[colon..].split_at(memmem::find(&text[colon..], b": ")? + 2);
    const COMMANDS: &[&[u8]] = &[b"VRFY ", b"EXPN ", b"ETRN ", b"vrfy ", b"expn ", b"etrn "];
    const ATTACKS: &[&[u8]] =
        &[b"possible SMTP attack: command=", b"probable open proxy: command=", b"SMTP violation, ", b"Possible SMTP RCPT flood, "];
    if COMMANDS.iter().any(|words| said.starts_with(words)) {
        return Some(Event::Other(Other { queue_id, text: Text(text) }));
    }
    ATTACKS.iter().any(|words| said.starts_with(words)).then(|| problem(queue_id, Severity::Warning, text))
}
