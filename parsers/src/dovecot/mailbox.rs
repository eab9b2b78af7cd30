//! What became of local deliveries, by LMTP, LDA and Sieve: `lmtp(b@corp.example)<664><sess>: msgid=<1@isp.example>: saved
//! mail to INBOX`, `lda(b)<664><sess>: sieve: msgid=<1@isp.example>: stored mail into mailbox 'Junk'`.
//!
//! A result is a verdict on the message, by its message-id: the server's own line tells the delivery. The id is its sender's
//! and may say anything; Dovecot's words are what follows the last `>: ` that such words follow.

use crate::model::{Check, ContentVerdict, Event, Line, Text};
use memchr::{memchr, memmem};

/// Dovecot's words, and the word used here; nothing where nothing was delivered.
const RESULTS: &[(&[u8], &str)] = &[
    (b"saved mail to ", "saved"),
    (b"stored mail into mailbox ", "saved"),
    (b"fileinto action: stored mail into mailbox ", "saved"),
    (b"save failed to ", "failed"),
    (b"failed to store into mailbox ", "failed"),
    (b"fileinto action: failed to store into mailbox ", "failed"),
    (b"forwarded to ", "forwarded"),
    (b"redirect action: forwarded to ", "forwarded"),
    (b"failed to forward to ", "failed"),
    (b"redirect action: failed to forward to ", "failed"),
    (b"rejected", "rejected"),
    (b"discarded duplicate forward to ", "duplicate"),
    (b"discarded duplicate ", "duplicate"),
    (b"marked message to be discarded", "discarded"),
    (b"discard action: marked message to be discarded", "discarded"),
    (b"sent vacation response to ", ""),
    (b"vacation action: sent vacation response to ", ""),
    (b"discarded vacation reply to ", ""),
    (b"vacation action: discarded vacation reply to ", ""),
    (b"vacation action: discarded duplicate vacation response to ", ""),
];

/// What a service of that name (`lmtp(b@corp.example)<664><sess>`) says of a message.
pub fn parse<'a>(service: &'a [u8], said: &'a [u8]) -> Option<Line<'a>> {
    // Before 2.3 the session stands between the service and the result.
    let from = if said.starts_with(b"msgid=") { 0 } else { memmem::find(said, b": msgid=").map(|at| at + 2)? };
    let named = &said[from + 6..];
    let (message_id, result) = match named.strip_prefix(b"<") {
        Some(inner) => bracketed(inner)?,
        None => (&b""[..], result(&named[memmem::find(named, b": ")? + 2..])?),
    };
    if result.is_empty() {
        return Some(Line::Ignored("an automatic answer"));
    }
    let verdict = ContentVerdict {
        message_id: Text(message_id),
        envelope_recipient: Text(user(service)),
        ..ContentVerdict::new("dovecot", Check::Delivery, result)
    };
    Some(Line::Event(Event::Verdict(verdict)))
}

/// The id within its brackets, and the result behind it.
fn bracketed(inner: &[u8]) -> Option<(&[u8], &'static str)> {
    let mut end = inner.len();
    loop {
        end = memmem::rfind(&inner[..end], b">: ")?;
        if let Some(result) = result(&inner[end + 3..]) {
            return Some((&inner[..end], result));
        }
    }
}

fn result(said: &[u8]) -> Option<&'static str> {
    RESULTS.iter().find(|(words, _)| said.starts_with(words)).map(|(_, result)| *result)
}

/// Whose mailbox it is: `lmtp(b@corp.example)<664><sess>`, `lmtp(664, b@corp.example)`, `lda(b)`.
fn user(service: &[u8]) -> &[u8] {
    let Some(open) = memchr(b'(', service) else { return b"" };
    let inner = &service[open + 1..];
    let inner = &inner[..memmem::rfind(inner, b")").unwrap_or(inner.len())];
    match memmem::find(inner, b", ") {
        Some(comma) if inner[..comma].iter().all(u8::is_ascii_digit) => &inner[comma + 2..],
        None if inner.iter().all(u8::is_ascii_digit) => b"",
        _ => inner,
    }
}
