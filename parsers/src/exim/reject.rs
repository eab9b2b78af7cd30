//! What is turned away before the queue: by ACLs at each stage, by `local_scan()`, for size, syntax and number.
//!
//! `H=mx [192.0.2.1] X=TLS1.3:... F=<a@b> rejected RCPT <c@d>: relay not permitted`, with a message id from DATA on;
//! `rejected EHLO from [192.0.2.1]: syntactically invalid argument(s): !`; `Connection from [192.0.2.1] refused: too many
//! connections`. Each goes to the main log and to the reject log.

use super::fields::{self, Host};
use super::{class, reply};
use crate::model::{Action, Auth, By, Event, Line, Other, Reject, Stage, Text};
use crate::near::{find, find_words};
use crate::scan::Cursor;

/// The fields in front of the verdict.
#[derive(Clone, Copy, Debug, Default)]
struct Front<'a> {
    host: Host<'a>,
    protocol: &'a [u8],
    sender: &'a [u8],
    recipient: &'a [u8],
    auth: Option<Auth<'a>>,
}

/// Reads a line behind its message id, if it has one.
#[inline]
pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    let mut cursor = Cursor::new(text);
    let front = front(&mut cursor);
    let verdict = cursor.rest;
    let reject = match verdict {
        [b'r', b'e', b'j', b'e', b'c', b't', b'e', b'd', b' ', ..] => rejected(front, Cursor::new(&verdict[9..])),
        [b't', ..] => {
            let mut said = Cursor::new(verdict);
            let known = said.eat(b"temporarily rejected ") || said.eat(b"tmp-reject from cutthrough ");
            if known { rejected(front, said) } else { refused(front, verdict) }
        }
        [b'd', ..] => dropped(front, verdict),
        [b'R' | b'M', ..] => discarded(front, verdict),
        _ => refused(front, verdict),
    };
    if let Some(reject) = reject {
        return Some(Line::Event(Event::Reject(Reject { queue_id, ..reject })));
    }
    let fronted = verdict.len() < text.len();
    (fronted && remark(verdict)).then_some(Line::Event(Event::Other(Other { queue_id, text: Text(text) })))
}

/// Lines that begin like a reject and are a remark: of the `warn` verb, and of a verification that decides nothing alone.
fn remark(verdict: &[u8]) -> bool {
    verdict.starts_with(b"Warning: ") || verdict.starts_with(b"sender verify fail for ") || verdict.starts_with(b"sender verify defer for ")
}

/// Takes the fields in front of a verdict.
fn front<'a>(text: &mut Cursor<'a>) -> Front<'a> {
    let mut front = Front::default();
    loop {
        let before = *text;
        let mut next = *text;
        match next.rest {
            [b'H', b'=', rest @ ..] => {
                next.rest = rest;
                let Some(host) = fields::host(&mut next) else { return front };
                front.host = host;
            }
            [b'F', b'=', rest @ ..] => {
                next.rest = rest;
                let Some(sender) = fields::sender(&mut next) else { return front };
                front.sender = sender;
            }
            [b'P', b'=', rest @ ..] if rest.first() != Some(&b'<') => {
                next.rest = rest;
                front.protocol = fields::word(&mut next);
            }
            [b'A', b'=', rest @ ..] => {
                next.rest = rest;
                front.auth = Some(fields::auth(fields::word(&mut next)));
            }
            rest if key(rest) => {
                if fields::skip(&mut next).is_none() {
                    return front;
                }
            }
            // A recipient that was to be passed on at once (cutthrough).
            rest if rest.first().is_some_and(|c| *c != b'<') && recipient(rest) => front.recipient = fields::word(&mut next),
            _ => return front,
        }
        if !next.eat(b" ") {
            *text = before;
            return front;
        }
        *text = next;
    }
}

/// Whether a field begins here: `KEY=` or `DS`.
fn key(text: &[u8]) -> bool {
    let end = text.iter().position(|c| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    (1..8).contains(&end) && text[0].is_ascii_uppercase() && text.get(end) == Some(&b'=') || text.starts_with(b"DS ")
}

/// `c@d F=<a@b>`
fn recipient(text: &[u8]) -> bool {
    let end = find(text, b' ').unwrap_or(text.len());
    text[..end].contains(&b'@') && text[end..].starts_with(b" F=<")
}

fn reject<'a>(front: Front<'a>, stage: Stage, said: &'a [u8]) -> Reject<'a> {
    let (reply_code, dsn) = match reply::of_message(said) {
        (None, None) => reply::codes(said),
        codes => codes,
    };
    Reject {
        queue_id: Text(b""),
        stage,
        action: Action::Reject,
        by: By::Smtpd,
        client: front.host.peer,
        reply_code,
        dsn,
        diagnostic: Text(said),
        envelope_sender: Text(front.sender),
        envelope_recipient: Text(front.recipient),
        helo: front.host.helo,
        protocol: Text(front.protocol),
        auth: front.auth,
        class: Some(class::of(said, dsn, reply_code)),
    }
}

/// What stands behind `rejected `.
fn rejected<'a>(mut front: Front<'a>, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    let plain: [(&[u8], Stage); 9] = [
        (b"after DATA PRDR", Stage::EndOfMessage),
        (b"after DATA", Stage::EndOfMessage),
        (b"during MIME ACL checks", Stage::EndOfMessage),
        (b"by local_scan()", Stage::EndOfMessage),
        (b"by non-SMTP-start ACL", Stage::Unknown),
        (b"by non-SMTP ACL", Stage::Unknown),
        (b"connection in \"connect\" ACL", Stage::Connect),
        (b"DATA", Stage::Data),
        (b"STARTTLS", Stage::Starttls),
    ];
    if let Some((words, stage)) = plain.iter().find(|(words, _)| text.rest.starts_with(words)) {
        return Some(reject(front, *stage, said(&text.rest[words.len()..])?));
    }
    if text.eat(b"RCPT ") {
        front.recipient = address(&mut text)?;
        return Some(reject(front, Stage::Rcpt, said(text.rest)?));
    }
    if text.eat(b"MAIL FROM:") {
        front.sender = address(&mut text)?;
        return behind(front, Stage::Mail, text);
    }
    if text.eat(b"from ") && text.rest.starts_with(b"<") {
        front.sender = address(&mut text)?;
        return behind(front, Stage::EndOfMessage, text);
    }
    if text.eat(b"MAIL command") {
        return behind(front, Stage::Mail, text);
    }
    if text.eat(b"connection from ") {
        front.host = from(&mut text)?;
        return Some(reject(front, Stage::Connect, said(text.rest)?));
    }
    command(front, text)
}

/// `EHLO or HELO x: message`, `MAIL <a@b>: message`, `EHLO from HOST: message`, `VRFY x`.
fn command<'a>(mut front: Front<'a>, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    let commands: [(&[u8], Stage); 14] = [
        (b"XCLIENT", Stage::Unknown),
        (b"WELLKNOWN", Stage::Unknown),
        (b"DKIM", Stage::EndOfMessage),
        (b"EHLO or HELO", Stage::Helo),
        (b"EHLO", Stage::Helo),
        (b"HELO", Stage::Helo),
        (b"MAIL", Stage::Mail),
        (b"VRFY", Stage::Vrfy),
        (b"EXPN", Stage::Vrfy),
        (b"ETRN", Stage::Etrn),
        (b"AUTH", Stage::Auth),
        (b"QUIT", Stage::Quit),
        (b"ATRN", Stage::Etrn),
        (b"RCPT", Stage::Rcpt),
    ];
    let (words, stage) = commands.iter().find(|(words, _)| text.rest.starts_with(words))?;
    text.rest = &text.rest[words.len()..];
    if text.eat(b" from ") {
        front.host = from(&mut text)?;
        return Some(reject(front, *stage, said(text.rest)?));
    }
    text.eat(b" ");
    match stage {
        Stage::Mail => front.sender = address(&mut text)?,
        Stage::Helo => front.host.helo = Text(argument(&mut text)),
        _ => drop(argument(&mut text)),
    }
    Some(reject(front, *stage, said(text.rest)?))
}

/// ` H=HOST U=ident: message`, behind a verdict.
fn behind<'a>(mut front: Front<'a>, stage: Stage, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    while text.eat(b" ") {
        if text.eat(b"H=") {
            front.host = fields::host(&mut text)?;
        } else {
            fields::skip(&mut text)?;
        }
    }
    Some(reject(front, stage, said(text.rest)?))
}

/// Takes a host without `H=`, and the fields behind it; a local caller is only a name.
pub fn from<'a>(text: &mut Cursor<'a>) -> Option<Host<'a>> {
    text.eat(b"H=");
    let host = fields::host(text)?;
    let mut next = *text;
    while next.eat(b" ") && key(next.rest) && fields::skip(&mut next).is_some() {
        *text = next;
    }
    Some(host)
}

/// Takes `<a@b>`, or an address without brackets.
fn address<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    if text.rest.first() == Some(&b'<') { fields::sender(text) } else { Some(argument(text)) }
}

/// Takes what a client gave, up to the message.
fn argument<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let end = find_words(text.rest, b": ").unwrap_or(text.rest.len());
    let (argument, rest) = text.rest.split_at(end);
    text.rest = rest;
    argument
}

/// The message of an ACL, if it has one.
fn said(text: &[u8]) -> Option<&[u8]> {
    match text {
        [] | [b':'] | [b' '] => Some(b""),
        [b':', b' ', said @ ..] => Some(said),
        _ => None,
    }
}

/// `dropped by 'connect' ACL: message`
fn dropped<'a>(front: Front<'a>, verdict: &'a [u8]) -> Option<Reject<'a>> {
    let rest = verdict.strip_prefix(b"dropped by '")?;
    let mut text = Cursor::new(rest);
    let stage = match text.until(b'\'')? {
        b"connect" => Stage::Connect,
        b"helo" => Stage::Helo,
        b"mail" => Stage::Mail,
        b"rcpt" => Stage::Rcpt,
        b"data" => Stage::EndOfMessage,
        _ => Stage::Unknown,
    };
    if text.eat(b" ACL") { Some(reject(front, stage, said(text.rest)?)) } else { None }
}

/// `RCPT <a@b>: discarded by RCPT ACL: message`: the client was told that it was taken.
fn discarded<'a>(mut front: Front<'a>, verdict: &'a [u8]) -> Option<Reject<'a>> {
    let mut text = Cursor::new(verdict);
    let stage = if text.eat(b"RCPT ") { Stage::Rcpt } else { Stage::Mail };
    if stage == Stage::Mail && !text.eat(b"MAIL ") {
        return refused(front, verdict);
    }
    let address = address(&mut text)?;
    if !(text.eat(b": discarded by ") && text.until_literal(b" ACL").is_some()) {
        return None;
    }
    if stage == Stage::Rcpt {
        front.recipient = address
    } else {
        front.sender = address
    }
    Some(Reject { action: Action::Discard, class: None, ..reject(front, stage, said(text.rest)?) })
}

/// Verdicts that begin with their reason.
fn refused<'a>(mut front: Front<'a>, verdict: &'a [u8]) -> Option<Reject<'a>> {
    let mut text = Cursor::new(verdict);
    if text.eat(b"Connection from ") {
        front.host = from(&mut text)?;
        let known = text.eat(b" refused: ");
        return known.then(|| reject(front, Stage::Connect, text.rest));
    }
    if text.eat(b"refused connection from ") {
        front.host = from(&mut text)?;
        return matches!(text.rest, [] | [b' ', b'(', ..]).then(|| reject(front, Stage::Connect, verdict));
    }
    if text.eat(b"too many recipients: excess ") {
        let known = text.eat(b"temporarily rejected: ") || text.eat(b"rejected: ");
        if !known || !text.eat(b"sender=") {
            return None;
        }
        front.sender = fields::sender(&mut text)?;
        return behind(front, Stage::Rcpt, text).map(|reject| Reject { diagnostic: Text(b"too many recipients"), ..reject });
    }
    if text.eat(b"VRFY failed for ") {
        let end = find_words(text.rest, b" H=").or_else(|| find_words(text.rest, b" U="))?;
        text.rest = &text.rest[end..];
        return behind(front, Stage::Vrfy, text).map(|reject| Reject { diagnostic: Text(verdict), ..reject });
    }
    unqualified(front, text)
}

/// `unqualified sender rejected: <a> H=HOST (command)`
fn unqualified<'a>(mut front: Front<'a>, mut text: Cursor<'a>) -> Option<Reject<'a>> {
    let verdict = text.rest;
    if !text.eat(b"unqualified ") {
        return None;
    }
    let stage = match text.until_literal(b" rejected: ")? {
        b"sender" => Stage::Mail,
        b"recipient" => Stage::Rcpt,
        b"verify" => Stage::Vrfy,
        _ => return None,
    };
    let address = fields::sender(&mut text)?;
    if stage == Stage::Mail {
        front.sender = address
    } else {
        front.recipient = address
    }
    if text.eat(b" ") && text.eat(b"H=") {
        front.host = fields::host(&mut text)?;
    }
    Some(reject(front, stage, verdict))
}

/// `SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "RSET" H=HOST
/// next input="..."`: the client did not wait for its turn.
pub fn synchronization(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b"SMTP protocol synchronization error (") {
        return None;
    }
    cursor.until_literal(b"): rejected")?;
    let diagnostic = &text[..text.len() - cursor.rest.len()];
    let mut front = Front::default();
    let stage = if cursor.eat(b" connection from ") {
        Stage::Connect
    } else {
        cursor.eat(b" ");
        // What the client sent is quoted as it came: its own quotes too.
        let end = find_words(cursor.rest, b"\" H=").map_or(0, |end| end + 1);
        let command = &cursor.rest[..end];
        cursor.rest = &cursor.rest[end..];
        cursor.eat(b" ");
        stage_of(command.strip_prefix(b"\"").unwrap_or(command))
    };
    if cursor.rest.starts_with(b"H=") {
        front.host = from(&mut cursor)?;
    }
    Some(Event::Reject(Reject { class: Some(crate::model::Class::ContentFormat), ..reject(front, stage, diagnostic) }))
}

/// The stage of a command as the client sent it.
pub fn stage_of(command: &[u8]) -> Stage {
    let is = |word: &[u8]| command.len() >= word.len() && command[..word.len()].eq_ignore_ascii_case(word);
    let commands: [(&[u8], Stage); 13] = [
        (b"EHLO", Stage::Helo),
        (b"HELO", Stage::Helo),
        (b"STARTTLS", Stage::Starttls),
        (b"AUTH", Stage::Auth),
        (b"MAIL", Stage::Mail),
        (b"RCPT", Stage::Rcpt),
        (b"DATA", Stage::Data),
        (b"BDAT", Stage::Bdat),
        (b"RSET", Stage::Rset),
        (b"VRFY", Stage::Vrfy),
        (b"ETRN", Stage::Etrn),
        (b"NOOP", Stage::Noop),
        (b"QUIT", Stage::Quit),
    ];
    commands.iter().find(|(word, _)| is(word)).map_or(Stage::Unknown, |(_, stage)| *stage)
}
