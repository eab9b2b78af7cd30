//! A cursor over bytes, and the small readers that every MTA needs. No regular expressions, no allocation.

use crate::model::{EnhancedStatus, Micros, Peer, Text};
use memchr::{memchr, memmem, memrchr};

/// A place in a text; every reader takes from the front.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Takes `literal` if it stands here.
    #[inline]
    pub fn eat(&mut self, literal: &[u8]) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes what stands before `end`, and `end` itself.
    #[inline]
    pub fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let at = memchr(end, self.rest)?;
        let taken = &self.rest[..at];
        self.rest = &self.rest[at + 1..];
        Some(taken)
    }

    /// Takes what stands before `end`, and `end` itself.
    pub fn until_literal(&mut self, end: &[u8]) -> Option<&'a [u8]> {
        let at = memmem::find(self.rest, end)?;
        let taken = &self.rest[..at];
        self.rest = &self.rest[at + end.len()..];
        Some(taken)
    }

    /// Takes a run of digits as a number; `None`, and nothing taken, where there is none or it is too large.
    pub fn number(&mut self) -> Option<u64> {
        let digits = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let value = number(&self.rest[..digits])?;
        self.rest = &self.rest[digits..];
        Some(value)
    }

    /// Takes `<...>` and gives what is inside; see [`angled_end`].
    #[inline]
    pub fn angled(&mut self) -> Option<&'a [u8]> {
        let inner = self.rest.strip_prefix(b"<")?;
        let end = angled_end(inner)?;
        self.rest = &inner[end + 1..];
        Some(&inner[..end])
    }
}

/// The position of the `>` that closes an address which began just before `inner`. A quoted local part (RFC 5321
/// section 4.1.2) may hold any character, `>` too; a quote that is not closed in front of `@` or `>` is no such part.
#[inline]
#[must_use]
pub fn angled_end(inner: &[u8]) -> Option<usize> {
    if inner.first() == Some(&b'"')
        && let Some(close) = closing_quote(inner)
    {
        match inner.get(close + 1) {
            Some(b'>') => return Some(close + 1),
            Some(b'@') => return memchr(b'>', &inner[close..]).map(|end| close + end),
            _ => {}
        }
    }
    memchr(b'>', inner)
}

/// The position of the `"` that closes the one at the start.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
}

/// All digits, and not too large.
#[must_use]
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |value, c| c.is_ascii_digit().then(|| value * 10 + u64::from(c - b'0')))
}

/// Decimal seconds such as `0.33` or `63495`, in microseconds.
#[inline]
#[must_use]
pub fn decimal_seconds(text: &[u8]) -> Option<Micros> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let point = text.iter().position(|c| *c == b'.').unwrap_or(text.len());
    let digits = |value: i64, c: &u8| c.is_ascii_digit().then(|| value * 10 + i64::from(c - b'0'));
    let whole = text[..point].iter().try_fold(0, digits)?;
    let (mut micros, mut scale) = (whole.checked_mul(1_000_000)?, 100_000);
    for c in text.get(point + 1..).unwrap_or_default() {
        micros += i64::from(c.is_ascii_digit().then(|| c - b'0')?) * scale;
        scale /= 10;
    }
    Some(micros)
}

/// `name[ip]:port`, `name[ip]`, `[ip]:port`, `name[private/socket]`; takes what belongs to it.
///
/// The name `unknown` is no name, and what is no address between the brackets is no ip.
#[inline]
pub fn peer<'a>(cursor: &mut Cursor<'a>) -> Option<Peer<'a>> {
    let open = memchr(b'[', cursor.rest)?;
    let close = open + memchr(b']', &cursor.rest[open..])?;
    let (name, inside) = (&cursor.rest[..open], &cursor.rest[open + 1..close]);
    if memchr(b' ', name).is_some() {
        return None;
    }
    cursor.rest = &cursor.rest[close + 1..];
    let mut port = 0;
    if let Some(after) = cursor.rest.strip_prefix(b":") {
        let digits = after.iter().take(5).take_while(|c| c.is_ascii_digit()).count();
        if let Some(value) = number(&after[..digits]).and_then(|value| u16::try_from(value).ok()) {
            port = value;
            cursor.rest = &after[digits..];
        }
    }
    Some(Peer { name: Text(if name == b"unknown" { b"" } else { name }), ip: Text(ip(inside)), port })
}

/// The address itself, or nothing where it is none (`unknown`, a socket's path).
#[inline]
#[must_use]
pub fn ip(text: &[u8]) -> &[u8] {
    let looks = !text.is_empty() && text.len() <= 45 && text.iter().all(|c| c.is_ascii_hexdigit() || matches!(c, b'.' | b':' | b'%'));
    let whole = looks && text.iter().any(|c| matches!(c, b'.' | b':'));
    if whole { text } else { b"" }
}

/// The SMTP reply code and the enhanced code that a reply begins with: `550 5.1.1 text`, `550-5.7.1 text`, `5.7.1 text`.
#[must_use]
pub fn reply(text: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
    let code = match text {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] if !matches!(rest.first(), Some(c) if !matches!(c, b' ' | b'-')) => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => None,
    };
    let after = if code.is_some() { text.get(4..).unwrap_or_default() } else { text };
    (code, EnhancedStatus::parse(after))
}

/// The last word of a text, and what stands before it.
#[must_use]
pub fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    memrchr(b' ', text).map_or((&[][..], text), |at| (&text[..at], &text[at + 1..]))
}

/// Whether `needle` occurs.
#[must_use]
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    memmem::find(text, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_seconds_are_exact() {
        assert_eq!(decimal_seconds(b"0.33"), Some(330_000));
        assert_eq!(decimal_seconds(b"63495"), Some(63_495_000_000));
        assert_eq!(decimal_seconds(b"0.1234567"), Some(123_456));
        assert_eq!(decimal_seconds(b"1.2.3"), None);
        assert_eq!(decimal_seconds(b"-1"), None);
        assert_eq!(decimal_seconds(b""), None);
    }

    #[test]
    fn a_quoted_local_part_may_hold_the_closing_bracket() {
        let mut cursor = Cursor::new(br#"<"a>, status=sent b"@d>, relay=none"#);
        assert_eq!(cursor.angled(), Some(&br#""a>, status=sent b"@d"#[..]));
        assert_eq!(cursor.rest, b", relay=none");
    }

    #[test]
    fn peers() {
        let read = |text| peer(&mut Cursor::new(text)).unwrap();
        assert_eq!(read(b"h[2001:db8::1]:25"), Peer { name: Text(b"h"), ip: Text(b"2001:db8::1"), port: 25 });
        assert_eq!(read(b"unknown[unknown]"), Peer::default());
        assert_eq!(read(b"mail[private/dovecot-lmtp]"), Peer { name: Text(b"mail"), ..Peer::default() });
        assert!(peer(&mut Cursor::new(b"two words[192.0.2.1]")).is_none());
    }

    #[test]
    fn replies() {
        let (code, dsn) = reply(b"550-5.7.26 not authenticated");
        assert_eq!((code, dsn.unwrap().to_string().as_str()), (Some(550), "5.7.26"));
        assert_eq!(reply(b"5500 x"), (None, None));
        assert_eq!(reply(b"421"), (Some(421), None));
    }
}
