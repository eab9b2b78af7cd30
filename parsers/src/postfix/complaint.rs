//! `warning:`, `error:`, `fatal:`, `panic:` (msg(3postfix)): what Postfix says of itself, in any words. A failed login
//! is a kind of its own.

use crate::model::{AuthFailure, Event, Problem, Severity, Text};
use crate::scan::{self, Cursor};
use memchr::memmem;

/// A complaint of any program.
#[inline]
pub fn parse(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    let severity = match text.first()? {
        b'w' if cursor.eat(b"warning: ") => Severity::Warning,
        b'e' if cursor.eat(b"error: ") => Severity::Error,
        b'f' if cursor.eat(b"fatal: ") => Severity::Fatal,
        b'p' if cursor.eat(b"panic: ") => Severity::Panic,
        _ => return None,
    };
    if let Some(failure) = authentication_failure(cursor.rest) {
        return Some(Event::AuthFailure(failure));
    }
    // NOQUEUE has letters of neither alphabet.
    let queue_id = super::queue_id(cursor.rest).map_or(Text(b""), |(id, _)| id);
    Some(Event::Problem(Problem { queue_id, severity, text: Text(cursor.rest) }))
}

/// `unknown[192.0.2.1]: SASL LOGIN authentication failed: reason, sasl_username=root`, `... authentication aborted`.
///
/// The mechanism and the user are the client's words, the reason is the server's: the first `, sasl_username=` is the
/// real one.
fn authentication_failure(text: &[u8]) -> Option<AuthFailure<'_>> {
    let mut text = Cursor::new(text);
    let client = scan::peer(&mut text)?;
    if !text.eat(b": SASL ") {
        return None;
    }
    let mechanism = Text(text.until_literal(b" authentication ")?);
    if text.rest == b"aborted" {
        return Some(AuthFailure { queue_id: Text(b""), client, mechanism, user: Text(b""), reason: Text(b"authentication aborted") });
    }
    if !text.eat(b"failed:") {
        return None;
    }
    text.eat(b" ");
    let (mut reason, mut user) = (text.rest, &b""[..]);
    if let Some(at) = memmem::find(reason, b", sasl_username=") {
        user = &reason[at + 16..];
        reason = &reason[..at];
    }
    let user = if user == b"(unavailable)" { b"" } else { user };
    Some(AuthFailure { queue_id: Text(b""), client, mechanism, user: Text(user), reason: Text(reason) })
}
