//! Courier: whom its SMTP server refused, and who could not log in there or at its IMAP and POP3 servers.
//!
//! `error,relay=::ffff:203.0.113.16,port=43632,from=<a@isp.example>,to=<b@corp.example>: 550 User unknown.` and
//! `error,relay=::ffff:203.0.113.16,msg="535 Authentication failed.",cmd: AUTH LOGIN bob`. Addresses are the client's and may
//! hold the words around them; a reply follows the last `>: `. `LOGIN FAILED, user=bob, ip=[::ffff:203.0.113.16]` may be of any
//! program whose name has `imap` or `pop3` in it.

use crate::Parser;
use crate::classify;
use crate::model::{Action, AuthFailure, By, Class, Connect, Event, Line, Peer, Record, Reject, Stage, Text, Unrecognized};
use crate::scan::{self, Cursor};
use memchr::{memchr, memmem};

pub const PARSER: Parser = Parser { name: "courier", reads: "Courier: refusals of its SMTP server, failed log-ins", parse };

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    let (program, text) = (record.program.0, Cursor::new(record.text.0));
    let mailbox = scan::contains(program, b"imap") || scan::contains(program, b"pop3");
    if mailbox && let Some(failure) = login(text) {
        *line = Line::Event(Event::AuthFailure(failure));
        return true;
    }
    if !matches!(program, b"courieresmtpd" | b"esmtpd") {
        return false;
    }
    let read = started(text).or_else(|| error(text));
    *line = read.map_or(Line::Unrecognized(Unrecognized::Text), Line::Event);
    true
}

/// `LOGIN FAILED, user=bob, ip=[::ffff:203.0.113.16]`, `LOGIN FAILED, method=PLAIN, ip=[...]`.
fn login(mut text: Cursor<'_>) -> Option<AuthFailure<'_>> {
    if !text.eat(b"LOGIN FAILED, ") {
        return None;
    }
    let at = memmem::rfind(text.rest, b", ip=[")?;
    let (said, ip) = (&text.rest[..at], Cursor::new(&text.rest[at + 6..]).until(b']')?);
    let (user, mechanism) = match said.strip_prefix(b"user=") {
        Some(user) => (user, &b""[..]),
        None => (&b""[..], said.strip_prefix(b"method=")?),
    };
    let (client, reason) = (peer(ip), Text(b"LOGIN FAILED"));
    Some(AuthFailure { queue_id: Text(b""), client, mechanism: Text(mechanism), user: Text(user), reason })
}

fn peer(ip: &[u8]) -> Peer<'_> {
    Peer { ip: Text(scan::ip(ip)), ..Peer::default() }
}

/// `started,ip=[::ffff:203.0.113.16],port=[43632]`.
fn started(mut text: Cursor<'_>) -> Option<Event<'_>> {
    if !text.eat(b"started,ip=[") {
        return None;
    }
    Some(Event::Connect(Connect { client: peer(text.until(b']')?) }))
}

fn error(mut text: Cursor<'_>) -> Option<Event<'_>> {
    if !text.eat(b"error,relay=") {
        return None;
    }
    let client = peer(text.until(b',')?);
    for key in [&b"port="[..], b"ident="] {
        if text.eat(key) {
            text.until(b',')?;
        }
    }
    if text.eat(b"msg=\"") {
        let said = text.until(b'"')?;
        let rest = text.rest.strip_prefix(b",cmd: ")?;
        return Some(told(client, said, rest));
    }
    if !text.eat(b"from=<") {
        return None;
    }
    let at = memmem::rfind(text.rest, b">: ")?;
    let (addresses, said) = (&text.rest[..at], &text.rest[at + 3..]);
    let (sender, recipient) = match memmem::find(addresses, b">,to=<") {
        Some(at) => (&addresses[..at], &addresses[at + 6..]),
        None => (addresses, &b""[..]),
    };
    let stage = if memmem::find(addresses, b">,to=<").is_some() { Stage::Rcpt } else { Stage::Mail };
    let mut reject = refusal(client, stage, said);
    reject.envelope_sender = Text(if sender.is_empty() { b"<>" } else { sender });
    reject.envelope_recipient = Text(recipient);
    Some(Event::Reject(reject))
}

/// An answer to a command: 535 is a failed log-in.
fn told<'a>(client: Peer<'a>, said: &'a [u8], command: &'a [u8]) -> Event<'a> {
    if said.starts_with(b"535") {
        // What follows may be a password, in base 64 or plain: only the mechanism and a name are taken.
        let mechanism = command.strip_prefix(b"AUTH ").map_or(&b""[..], |rest| &rest[..memchr(b' ', rest).unwrap_or(rest.len())]);
        return Event::AuthFailure(AuthFailure {
            queue_id: Text(b""),
            client,
            mechanism: Text(mechanism),
            user: Text(b""),
            reason: Text(said),
        });
    }
    Event::Reject(refusal(client, Stage::Unknown, said))
}

fn refusal<'a>(client: Peer<'a>, stage: Stage, said: &'a [u8]) -> Reject<'a> {
    let (reply_code, dsn) = scan::reply(said);
    let class = if scan::contains(said, b"User ") && scan::contains(said, b"unknown") {
        Class::RecipientUnknown
    } else {
        classify::by_code(dsn, reply_code)
    };
    let none = Text(b"");
    Reject {
        queue_id: none,
        stage,
        action: Action::Reject,
        by: By::Smtpd,
        client,
        reply_code,
        dsn,
        diagnostic: Text(said),
        envelope_sender: none,
        envelope_recipient: none,
        helo: none,
        protocol: none,
        auth: None,
        class: Some(class),
    }
}
