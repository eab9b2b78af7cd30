//! header_checks(5), body_checks(5), milter_header_checks and MIME errors, as cleanup(8) logs them:
//! `reject: header Subject: text from name[ip]; from=<a> to=<b> proto=ESMTP helo=<c>: reply`.
//!
//! The matched header is the sender's text and stands first, so it may hold a whole list of fields; the real one is the
//! last. A later one inside a value that is still open (a quoted address, a HELO name) is that value's.

use super::context::{self, Context};
use super::reject::Said;
use crate::model::{Action, By, Event, Stage, Text};
use crate::scan::{self, Cursor, angled_end};
use memchr::{memchr, memmem, memrchr};

/// Whether the words after the action are those of a content check.
pub fn begins(rest: &[u8]) -> bool {
    rest.starts_with(b"header ") || rest.starts_with(b"body ") || rest.starts_with(b"mime-error ")
}

/// Reads what stands after the action.
pub fn parse<'a>(queue_id: Text<'a>, by: By, action: Action, rest: &'a [u8]) -> Option<Event<'a>> {
    let (head, fields) = split(rest)?;
    let body = rest.starts_with(b"body ") || rest.starts_with(b"mime-error improper use of 8-bit data in message body");
    let stage = if body { Stage::Body } else { Stage::Header };
    let from = memmem::rfind(head, b" from ")?;
    let client = scan::peer(&mut Cursor::new(&head[from + 6..])).unwrap_or_default();
    let (context, said) = read(fields);
    let dsn = scan::reply(said).1;
    let diagnostic = if said.is_empty() { &head[..from] } else { said };
    let by = if by == By::Milter { by } else { By::Cleanup };
    Some(Said { queue_id, by, action, stage, client, reply_code: None, dsn, diagnostic }.event(context))
}

/// Splits at the `;` after the client.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = next(text, 0)?;
    while let Some(later) = next(text, at + 1) {
        if is_open(&text[at + 1..later]) {
            break;
        }
        at = later;
    }
    Some((&text[..at], &text[at + 1..]))
}

/// The next `;` between a client and a list of fields (or its end).
fn next(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from += memchr(b';', text.get(from..)?)?;
        let after = &text[from + 1..];
        let fields =
            after.is_empty() || [&b" from=<"[..], b" to=<", b" proto=", b" helo=<", b": "].iter().any(|field| after.starts_with(field));
        if fields && follows_client(&text[..from]) {
            return Some(from);
        }
        from += 1;
    }
}

/// `... from name[ip]`, `... from local`, `... from unknown`.
fn follows_client(text: &[u8]) -> bool {
    let Some(blank) = memrchr(b' ', text) else { return false };
    let client = &text[blank + 1..];
    let named = matches!(client, b"local" | b"unknown") || (memchr(b'[', client).is_some() && memchr(b']', client).is_some());
    named && text[..blank].ends_with(b" from")
}

/// Whether a list that begins here is still within a value where the text ends.
fn is_open(fields: &[u8]) -> bool {
    let mut cursor = Cursor::new(fields);
    loop {
        cursor.eat(b" ");
        if cursor.eat(b"proto=") {
            context::word(&mut cursor);
            continue;
        }
        if !(cursor.eat(b"from=<") || cursor.eat(b"to=<") || cursor.eat(b"helo=<")) {
            return false;
        }
        match angled_end(cursor.rest) {
            Some(end) if closes(cursor.rest, end) => cursor.rest = &cursor.rest[end + 1..],
            _ => return true,
        }
    }
}

/// Not at a `>` inside of quotes that are still open.
fn closes(inner: &[u8], end: usize) -> bool {
    inner.first() != Some(&b'"') || inner[1..end].contains(&b'"')
}

/// The fields, and what the check's action says after them.
fn read(fields: &[u8]) -> (Context<'_>, &[u8]) {
    let (mut context, mut cursor) = (Context::default(), Cursor::new(fields));
    loop {
        if cursor.eat(b": ") {
            return (context, cursor.rest);
        }
        cursor.eat(b" ");
        if cursor.eat(b"from=<") {
            context.sender = Some(context::open_address(&mut cursor));
        } else if cursor.eat(b"to=<") {
            let recipient = context::open_address(&mut cursor);
            // A MIME error is found before there is a recipient to name.
            context.recipient = if recipient == b"unknown" { b"" } else { recipient };
        } else if cursor.eat(b"proto=") {
            let mut word = context::word(&mut cursor);
            if let Some(shorter) = word.strip_suffix(b":") {
                word = shorter;
                cursor.rest = &fields[fields.len() - cursor.rest.len() - 1..];
            }
            context.protocol = word;
        } else if cursor.eat(b"helo=<") {
            let end = helo_end(cursor.rest);
            context.helo = context::take(&mut cursor, end);
        } else {
            return (context, b"");
        }
    }
}

/// A HELO name is free text, and so is what follows it. It ends at the first `>: ` after which brackets are in balance:
/// a name with a `>` of its own would leave one over.
fn helo_end(text: &[u8]) -> usize {
    // How many `>` lack their `<` in what was passed, going backwards.
    let mut open = 0_usize;
    let mut end = None;
    for (at, c) in text.iter().enumerate().rev() {
        if open == 0 && text[at..].starts_with(b">: ") {
            end = Some(at);
        }
        match c {
            b'>' => open += 1,
            b'<' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    end.or_else(|| memrchr(b'>', text)).unwrap_or(text.len())
}
