//! What is turned away or treated specially: `ruleset=check_rcpt, arg1=..., relay=h [ip], reject=550 5.7.1 text`,
//! `Milter: data, reject=451 4.7.1 text`, `<a@b.example>... User unknown`.
//!
//! A refusal is told in one line. The `to=` line that follows a message refused at its end is the end of that message
//! (see `delivery`).

use super::fields;
use crate::classify;
use crate::model::{Action, By, Class, Event, Other, Peer, Reject, Stage, Text};
use crate::scan::{self, Cursor};
use memchr::memmem;

pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    if cursor.eat(b"ruleset=") {
        return ruleset(queue_id, text, cursor);
    }
    if cursor.eat(b"tcpwrappers (") {
        return wrapped(queue_id, cursor);
    }
    let reject = if cursor.eat(b"Milter: ") {
        milter(queue_id, cursor)?
    } else if cursor.eat(b"milter=") {
        quarantined(queue_id, cursor)?
    } else {
        words(queue_id, text)?
    };
    Some(Event::Reject(reject))
}

/// `h, 203.0.113.16) rejection`: what tcpd's library says.
fn wrapped<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Event<'a>> {
    let (name, ip) = (text.until_literal(b", ")?, text.until_literal(b") rejection")?);
    let client = Peer { name: Text(name), ip: Text(scan::ip(ip)), port: 0 };
    Some(Event::Reject(Reject { client, class: Some(Class::Policy), ..refusal(queue_id, Stage::Connect, By::Smtpd) }))
}

fn refusal(queue_id: Text<'_>, stage: Stage, by: By) -> Reject<'_> {
    Reject {
        queue_id,
        stage,
        action: Action::Reject,
        by,
        client: Peer::default(),
        reply_code: None,
        dsn: None,
        diagnostic: Text(b""),
        envelope_sender: Text(b""),
        envelope_recipient: Text(b""),
        helo: Text(b""),
        protocol: Text(b""),
        auth: None,
        class: None,
    }
}

/// Reads `reject=550 5.7.1 text`, `discard`, `quarantine=reason`; `None` for anything else.
fn verdict<'a>(reject: &mut Reject<'a>, text: &'a [u8]) -> Option<()> {
    if let Some(said) = text.strip_prefix(b"reject=") {
        reject.diagnostic = Text(said);
        (reject.reply_code, reject.dsn) = scan::reply(said);
        reject.class = Some(class(reject, said));
    } else if let Some(reason) = text.strip_prefix(b"quarantine=") {
        reject.action = Action::Quarantine;
        reject.diagnostic = Text(reason);
    } else if text == b"discard" {
        reject.action = Action::Discard;
    } else {
        return None;
    }
    Some(())
}

fn class(reject: &Reject<'_>, said: &[u8]) -> Class {
    if scan::contains(said, b"Relaying ") {
        return Class::RelayDenied;
    }
    if scan::contains(said, b"rate limit") || scan::contains(said, b"Too many open connections") {
        return Class::RateLimited;
    }
    if scan::contains(said, b"User unknown") {
        return Class::RecipientUnknown;
    }
    classify::by_code(reject.dsn, reject.reply_code)
}

/// `check_rcpt, arg1=<a@b.example>, arg2=..., relay=h [ip], reject=...`. An argument is the client's, and the text behind
/// may name a relay too: the verdict is what follows the first relay that a verdict follows.
fn ruleset<'a>(queue_id: Text<'a>, whole: &'a [u8], mut text: Cursor<'a>) -> Option<Event<'a>> {
    let name = fields::value(&mut text);
    let stage = match name {
        b"check_relay" => Stage::Connect,
        b"tls_client" => Stage::Starttls,
        b"check_mail" => Stage::Mail,
        b"check_rcpt" | b"check_compat" => Stage::Rcpt,
        b"check_data" => Stage::Data,
        b"check_eoh" | b"check_eom" => Stage::EndOfMessage,
        b"check_vrfy" | b"check_expn" => Stage::Vrfy,
        b"check_etrn" => Stage::Etrn,
        // This server's own rules for servers that it delivers to, and whether a client may name an author: nobody is turned away.
        b"tls_server" | b"tls_rcpt" | b"try_tls" | b"srv_features" | b"greet_pause" | b"trust_auth" => Stage::Unknown,
        // Rules of one's own that look at a header.
        _ => Stage::Header,
    };
    let mut reject = refusal(queue_id, stage, By::Smtpd);
    let first = if text.eat(b"arg1=") { fields::address(&mut text) } else { None };
    match stage {
        Stage::Rcpt => reject.envelope_recipient = Text(first.unwrap_or_default()),
        Stage::Mail => reject.envelope_sender = Text(first.unwrap_or_default()),
        _ => {}
    }
    let at = memmem::find(text.rest, b"relay=")?;
    text.rest = &text.rest[at + 6..];
    let words: [&[u8]; 3] = [b", reject=", b", quarantine=", b", discard"];
    let end = words.iter().filter_map(|words| memmem::find(text.rest, words)).min()?;
    reject.client = fields::peer(&text.rest[..end]);
    verdict(&mut reject, &text.rest[end + 2..])?;
    if stage == Stage::Unknown {
        return Some(Event::Other(Other { queue_id, text: Text(whole) }));
    }
    Some(Event::Reject(reject))
}

/// `connect: host=[ip], addr=ip, rejecting commands`, `helo=x, reject=550 text`, `from=<a>, reject=...`, `to=<a>, discard`,
/// `data, reject=...`.
fn milter<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    let mut reject = refusal(queue_id, Stage::EndOfMessage, By::Milter);
    if text.eat(b"connect: host=") {
        reject.stage = Stage::Connect;
        let name = text.until_literal(b", addr=")?;
        let ip = text.until_literal(b", ")?;
        reject.client = Peer { name: fields::peer(name).name, ip: Text(scan::ip(ip)), port: 0 };
        reject.diagnostic = Text(text.rest);
        return matches!(text.rest, b"rejecting commands" | b"temp failing commands").then_some(reject);
    }
    if text.eat(b"helo=") {
        reject.stage = Stage::Helo;
        reject.helo = Text(text.until_literal(b", ")?);
    } else if text.eat(b"from=") {
        reject.stage = Stage::Mail;
        reject.envelope_sender = Text(fields::address(&mut text)?);
        text.eat(b", ");
    } else if text.eat(b"to=") {
        reject.stage = Stage::Rcpt;
        reject.envelope_recipient = Text(fields::address(&mut text)?);
        text.eat(b", ");
    } else if text.eat(b"header=") {
        reject.stage = Stage::Header;
        text.until_literal(b", ")?;
    } else {
        // `data, `, `eoh, `
        text.until_literal(b", ")?;
    }
    verdict(&mut reject, text.rest)?;
    Some(reject)
}

/// `NAME, quarantine=reason`. Whatever else a milter did is told in a line of `Milter:`; at high log levels in both.
fn quarantined<'a>(queue_id: Text<'a>, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    let mut reject = refusal(queue_id, Stage::EndOfMessage, By::Milter);
    text.until_literal(b", ")?;
    text.rest.starts_with(b"quarantine=").then_some(())?;
    verdict(&mut reject, text.rest)?;
    Some(reject)
}

/// Errors of a session that are logged in words, without their code.
fn words<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Reject<'a>> {
    let mut reject = refusal(queue_id, Stage::Rcpt, By::Smtpd);
    reject.diagnostic = Text(text);
    let mut cursor = Cursor::new(text);
    if cursor.rest.first() == Some(&b'<')
        && let Some(address) = cursor.angled()
        && cursor.eat(b"... ")
    {
        const WORDS: &[(&[u8], Class)] = &[
            (b"User unknown", Class::RecipientUnknown),
            (b"No such user here", Class::RecipientUnknown),
            (b"Relaying denied", Class::RelayDenied),
            (b"Mailbox disabled for this recipient", Class::MailboxDisabled),
        ];
        reject.envelope_recipient = Text(address);
        reject.diagnostic = Text(cursor.rest);
        // Other words may be the administrator's (access map, mailer table), but just as well about an alias: they are shown.
        reject.class = Some(WORDS.iter().find(|(words, _)| cursor.rest.starts_with(words))?.1);
        return Some(reject);
    }
    reject.class = Some(match text {
        b"Too many recipients" => Class::RateLimited,
        _ if cursor.eat(b"message size (") => {
            cursor.number()?;
            (cursor.eat(b") exceeds maximum (") && cursor.number().is_some() && cursor.rest == b")").then_some(())?;
            reject.stage = Stage::EndOfMessage;
            Class::MessageTooLarge
        }
        _ => return None,
    });
    Some(reject)
}
