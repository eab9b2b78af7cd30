//! smtpd's sessions: who connects, what is accepted, how it ends. Rejects are in `reject`.

use super::{Daemon, is_queue_id, put, reject, tls};
use crate::model::{Accepted, Auth, Cause, Commands, Connect, Disconnect, Event, Line, LostConnection, Other, Peer, Stage, Text};
use crate::scan::{self, Cursor};

/// `Q: client=name[ip], sasl_method=PLAIN, sasl_username=u, orig_queue_id=Q, orig_client=name[ip]`.
#[inline(always)]
pub fn accepted<'a>(queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let mut text = Cursor::new(text);
    if !text.eat(b"client=") {
        return false;
    }
    let Some(client) = scan::peer(&mut text) else { return false };
    *line = Line::Event(Event::Accepted(Accepted { queue_id, client, ..Accepted::default() }));
    let Line::Event(Event::Accepted(accepted)) = line else { return false };
    text.rest.is_empty() || more(&mut text, accepted).is_some()
}

/// What may follow the client.
fn more<'a>(text: &mut Cursor<'a>, accepted: &mut Accepted<'a>) -> Option<()> {
    let mut auth = Auth::default();
    while text.eat(b", ") {
        let key = text.until(b'=')?;
        let value = field_value(text);
        match key {
            b"sasl_method" => auth.method = Text(value),
            b"sasl_username" => auth.user = Text(value),
            // MAIL FROM's AUTH= is any client's word and may hold fields of its own. It comes with a login, fields of
            // XFORWARD with a content filter, so that nothing real follows it.
            b"sasl_sender" => break,
            b"orig_queue_id" => accepted.original_queue_id = Text(if is_queue_id(value) { value } else { b"" }),
            b"orig_client" => accepted.original_client = scan::peer(&mut Cursor::new(value)).unwrap_or_default(),
            _ => return None,
        }
    }
    accepted.auth = (auth != Auth::default()).then_some(auth);
    Some(())
}

/// A login name may hold `, `: the value ends where a known field follows.
fn field_value<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let mut at = 0;
    while let Some(comma) = memchr::memchr(b',', &text.rest[at..]) {
        at += comma;
        let after = &text.rest[at..];
        if [&b", sasl_"[..], b", orig_queue_id=", b", orig_client="].iter().any(|key| after.starts_with(key)) {
            break;
        }
        at += 1;
    }
    let end = if text.rest[at..].starts_with(b", ") { at } else { text.rest.len() };
    let value = &text.rest[..end];
    text.rest = &text.rest[end..];
    value
}

/// Lines of smtpd without a queue id.
#[inline(always)]
pub fn plain<'a>(text: &'a [u8], line: &mut Line<'a>) -> bool {
    let mut cursor = Cursor::new(text);
    if cursor.eat(b"connect from ") {
        let Some(client) = scan::peer(&mut cursor).filter(|_| cursor.rest.is_empty()) else { return false };
        *line = Line::Event(Event::Connect(Connect { client }));
        return true;
    }
    if cursor.eat(b"disconnect from ") {
        let Some(client) = scan::peer(&mut cursor) else { return false };
        let commands = if cursor.eat(b" ") { cursor.rest } else { b"" };
        let last = scan::last_word(commands).1;
        let counted = last.starts_with(b"commands=") || last.starts_with(b"notes=");
        if !counted && !cursor.rest.is_empty() {
            return false;
        }
        *line = Line::Event(Event::Disconnect(Disconnect { client, commands: Commands(Text(commands)) }));
        return true;
    }
    if cursor.eat(b"NOQUEUE: ") {
        return no_queue(cursor.rest, line);
    }
    let rare = session(Text(b""), text).or_else(|| tls::inbound(text)).or_else(|| reject::parse(Daemon::Smtpd, Text(b""), text));
    put(rare, line)
}

/// qmqpd(8) has the same sessions, and nothing else of smtpd.
pub fn qmqp<'a>(text: &'a [u8], line: &mut Line<'a>) -> bool {
    if let Some(text) = text.strip_prefix(b"NOQUEUE: ") {
        return put(super::queue::qmqp(Text(b""), text), line);
    }
    let session = text.starts_with(b"connect from ") || text.starts_with(b"disconnect from ");
    session && plain(text, line)
}

#[inline]
fn no_queue<'a>(text: &'a [u8], line: &mut Line<'a>) -> bool {
    let none = Text(b"");
    // In front of a before-queue filter the message has no queue file of its own; it arrives once more behind the filter.
    if text.starts_with(b"client=") {
        let whole = accepted(none, text, line);
        return whole && put(Some(Event::Other(Other { queue_id: none, text: Text(text) })), line);
    }
    if matches!(text.first(), Some(b'l' | b't')) {
        return put(session(none, text), line);
    }
    put(reject::parse(Daemon::Smtpd, none, text), line)
}

/// `lost connection after RCPT from name[ip]`, `timeout after DATA (5 bytes) from ...`; since 3.10 with the queue id or
/// NOQUEUE in front.
pub fn session<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    let mut data = false;
    let cause = if cursor.eat(b"lost connection after ") {
        Some(Cause::Lost)
    } else if cursor.eat(b"timeout after ") {
        Some(Cause::Timeout)
    } else if cursor.eat(b"improper command pipelining after ") {
        data = true;
        None
    } else if cursor.eat(b"too many errors after ") || cursor.eat(b"bare <LF> received after ") {
        None
    } else {
        return None;
    };
    let stage = stage(cursor.until(b' ')?)?;
    if cursor.eat(b"(") {
        cursor.eat(b"approximately ");
        cursor.number()?;
        if !cursor.eat(b" bytes) ") {
            return None;
        }
    }
    if !cursor.eat(b"from ") {
        return None;
    }
    let client = scan::peer(&mut cursor)?;
    // Since 2.9 with what the client sent too early.
    if !(cursor.rest.is_empty() || (data && cursor.eat(b":"))) {
        return None;
    }
    Some(match cause {
        Some(cause) => Event::LostConnection(LostConnection {
            queue_id,
            client,
            peer: Peer::default(),
            stage: Some(stage),
            cause,
            diagnostic: Text(b""),
        }),
        None => Event::Other(Other { queue_id, text: Text(text) }),
    })
}

/// The command, as smtpd names where it is (smtpd_cmd_table, and `CONNECT`, `END-OF-MESSAGE`); `None` for other words.
pub fn stage(word: &[u8]) -> Option<Stage> {
    Some(match word {
        b"RCPT" => Stage::Rcpt,
        b"CONNECT" => Stage::Connect,
        b"HELO" | b"EHLO" | b"LHLO" => Stage::Helo,
        b"STARTTLS" => Stage::Starttls,
        b"AUTH" => Stage::Auth,
        b"MAIL" => Stage::Mail,
        b"DATA" => Stage::Data,
        b"BDAT" => Stage::Bdat,
        b"END-OF-MESSAGE" | b"." => Stage::EndOfMessage,
        b"VRFY" => Stage::Vrfy,
        b"ETRN" => Stage::Etrn,
        b"RSET" => Stage::Rset,
        b"NOOP" => Stage::Noop,
        b"QUIT" => Stage::Quit,
        b"HELP" | b"XCLIENT" | b"XFORWARD" | b"UNKNOWN" => Stage::Unknown,
        _ => return None,
    })
}
