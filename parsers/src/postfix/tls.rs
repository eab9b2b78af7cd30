//! TLS sessions (TLS_README): `Trusted TLS connection established to h[ip]:25: TLSv1.3 with cipher C (256/256 bits) ...`.

use crate::model::{Direction, Event, Text, Tls, Trust};
use crate::scan::{self, Cursor};

/// A client's session with smtpd or tlsproxy.
pub fn inbound(text: &[u8]) -> Option<Event<'_>> {
    session(text, b"from ", Direction::Inbound)
}

/// Our session with a remote host.
pub fn outbound(text: &[u8]) -> Option<Event<'_>> {
    session(text, b"to ", Direction::Outbound)
}

#[inline]
fn session<'a>(text: &'a [u8], preposition: &[u8], direction: Direction) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    let trust = match text.first()? {
        b'A' if cursor.eat(b"Anonymous ") => Trust::Anonymous,
        b'U' if cursor.eat(b"Untrusted ") => Trust::Untrusted,
        b'T' if cursor.eat(b"Trusted ") => Trust::Trusted,
        b'V' if cursor.eat(b"Verified ") => Trust::Verified,
        _ => return None,
    };
    if !cursor.eat(b"TLS connection ") || !(cursor.eat(b"established ") || cursor.eat(b"reused ")) || !cursor.eat(preposition) {
        return None;
    }
    let peer = scan::peer(&mut cursor)?;
    // Since 3.4 with the name that the client asked for (SNI).
    if direction == Direction::Inbound && cursor.eat(b" to ") {
        let name = cursor.until_literal(b": ")?;
        if memchr::memchr(b' ', name).is_some() {
            return None;
        }
    } else if !cursor.eat(b": ") {
        return None;
    }
    let tls_version = Text(cursor.until(b' ')?);
    if !cursor.eat(b"with cipher ") {
        return None;
    }
    let cipher = Text(cursor.until(b' ')?);
    let bits = bits(&mut cursor)?;
    // TLS 1.3 goes on with how keys were agreed on and certificates signed.
    let details = [&b" key-exchange "[..], b" server-signature ", b" client-signature "].iter().any(|words| cursor.rest.starts_with(words));
    (cursor.rest.is_empty() || details).then_some(Event::Tls(Tls { direction, peer, trust, tls_version, cipher, bits }))
}

/// Takes `(256/256 bits)`, used and possible.
#[allow(clippy::option_option)] // unreadable, too large, there
fn bits(cursor: &mut Cursor<'_>) -> Option<Option<u16>> {
    if !cursor.eat(b"(") {
        return None;
    }
    let used = cursor.number()?;
    if cursor.eat(b"/") {
        cursor.number()?;
    }
    cursor.eat(b" bits)").then(|| used.try_into().ok())
}
