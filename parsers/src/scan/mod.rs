//! A cursor over bytes, and the small readers that every MTA needs. No regular expressions, no allocation.

pub mod json;
pub mod listing;
pub mod shape;

use crate::model::{EnhancedStatus, Micros, Peer, Text};
use memchr::{memchr, memchr2, memmem, memrchr};

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
        let (value, count) = digits(self.rest);
        if (1..8).contains(&count) {
            self.rest = &self.rest[count..];
            return Some(u64::from(value));
        }
        let count = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let value = number(&self.rest[..count])?;
        self.rest = &self.rest[count..];
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

/// Up to eight digits at the front: their value and how many they are. Eight bytes at a time: a loop that ends where the
/// digits end would be guessed wrong once a number.
#[inline]
#[must_use]
pub fn digits(text: &[u8]) -> (u32, usize) {
    let Some(word) = text.first_chunk::<8>() else {
        let count = text.iter().take_while(|c| c.is_ascii_digit()).count();
        return (text[..count].iter().fold(0, |value, c| value * 10 + u32::from(c - b'0')), count);
    };
    // Digits become 0 to 9; of the first byte that is none, the high bit is set below (what comes after it may be wrong).
    let values = u64::from_le_bytes(*word) ^ 0x3030_3030_3030_3030;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = if others == 0 { 8 } else { others.trailing_zeros() as usize / 8 };
    if count == 0 {
        return (0, 0);
    }
    // The last digit goes to the last byte; leading zeros come in. Then pairs, and pairs of pairs.
    let aligned = values << (64 - 8 * count);
    let pairs = aligned.wrapping_mul(10).wrapping_add(aligned >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    ((low.wrapping_add(high) >> 32) as u32, count)
}

/// All digits, and not too large.
#[must_use]
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |value, c| c.is_ascii_digit().then(|| value * 10 + u64::from(c - b'0')))
}

/// Decimal seconds such as `0.33` or `63495`, in microseconds; takes the digits and the point. Nothing that an MTA waits
/// for takes ten million seconds.
#[inline]
pub fn seconds(text: &mut Cursor<'_>) -> Option<Micros> {
    const SCALE: [i64; 8] = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1, 0];
    let (whole, count) = digits(text.rest);
    if count == 0 || count == 8 {
        return None;
    }
    let mut rest = &text.rest[count..];
    let mut micros = i64::from(whole) * 1_000_000;
    if let [b'.', after @ ..] = rest {
        let (fraction, count) = digits(after);
        // Finer than microseconds is not kept.
        let (fraction, kept) = if count > 6 { digits(&after[..6]) } else { (fraction, count) };
        micros += i64::from(fraction) * SCALE[kept];
        rest = &after[count..];
        while let [b'0'..=b'9', more @ ..] = rest {
            rest = more;
        }
    }
    text.rest = rest;
    Some(micros)
}

/// `name[ip]:port`, `name[ip]`, `[ip]:port`, `name[private/socket]`; takes what belongs to it.
///
/// The name `unknown` is no name, and what is no address between the brackets is no ip.
#[inline]
pub fn peer<'a>(cursor: &mut Cursor<'a>) -> Option<Peer<'a>> {
    let text = cursor.rest;
    let open = memchr2(b'[', b' ', text)?;
    if text[open] == b' ' {
        return None;
    }
    let close = open + 1 + memchr(b']', &text[open + 1..])?;
    let name = &text[..open];
    let inside = ip(&text[open + 1..close]);
    let mut rest = &text[close + 1..];
    let mut port = 0;
    if let [b':', digits @ ..] = rest {
        let (value, count) = self::digits(digits);
        if count > 0
            && let Ok(value) = u16::try_from(value)
        {
            port = value;
            rest = &digits[count..];
        }
    }
    cursor.rest = rest;
    Some(Peer { name: Text(if name == b"unknown" { b"" } else { name }), ip: Text(inside), port })
}

const ADDRESS: u8 = 1;
const SEPARATOR: u8 = 2;

/// What an IP address is written with.
static ADDRESS_BYTES: [u8; 256] = {
    let mut table = [0; 256];
    let bytes = b"0123456789abcdefABCDEF%.:";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = if at < 23 { ADDRESS } else { ADDRESS | SEPARATOR };
        at += 1;
    }
    table
};

/// The address itself, or nothing where it is none (`unknown`, a socket's path).
#[inline]
#[must_use]
pub fn ip(text: &[u8]) -> &[u8] {
    // Without a branch a byte: what stands where in an address can't be guessed.
    let (mut all, mut any) = (ADDRESS, 0);
    for c in text {
        let kinds = ADDRESS_BYTES[*c as usize];
        all &= kinds;
        any |= kinds;
    }
    if all == ADDRESS && any & SEPARATOR != 0 && text.len() <= 45 { text } else { b"" }
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

/// Splits `4jYXyH6xTcz1XQCP: text` as programs beside a server write it, whatever that server's ids look like.
#[must_use]
pub fn labelled(text: &[u8]) -> Option<(Text<'_>, &[u8])> {
    let end = memmem::find(&text[..text.len().min(40)], b": ")?;
    let id = &text[..end];
    let plain = id.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'-') && id.iter().any(u8::is_ascii_digit);
    (plain && id.len() >= 5).then_some((Text(id), &text[end + 2..]))
}

/// Points such as `-1.899` or `6.3`, in thousandths; takes the digits.
pub fn points(text: &mut Cursor<'_>) -> Option<i64> {
    let negative = text.eat(b"-");
    let thousandths = seconds(text)? / 1000;
    Some(if negative { -thousandths } else { thousandths })
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
        let read = |text| {
            let mut cursor = Cursor::new(text);
            seconds(&mut cursor).map(|value| (value, cursor.rest))
        };
        assert_eq!(read(b"0.33, "), Some((330_000, &b", "[..])));
        assert_eq!(read(b"63495"), Some((63_495_000_000, &b""[..])));
        assert_eq!(read(b"0.1234567/"), Some((123_456, &b"/"[..])));
        assert_eq!(read(b"1.2.3"), Some((1_200_000, &b".3"[..])));
        assert_eq!(read(b"1.123456789012345, "), Some((1_123_456, &b", "[..])));
        assert_eq!(read(b"1234567890123456789"), None);
        assert_eq!(read(b"-1"), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn digits_are_those_at_the_front() {
        for text in [
            "",
            "0",
            "7x",
            "12 ",
            "1234567",
            "12345678",
            "123456789",
            "99999999",
            "x1",
            "1\u{ff}2",
            "00000001",
            "/1234567",
            ":1234567",
            "42]: text",
        ] {
            let count = text.bytes().take(8).take_while(u8::is_ascii_digit).count();
            assert_eq!(digits(text.as_bytes()), (text[..count].parse().unwrap_or(0), count), "{text}");
        }
        for c in 0..=255_u8 {
            let count = usize::from(c.is_ascii_digit()) * 8;
            assert_eq!(digits(&[b'1', b'2', c, c, c, c, c, c, c]).1, if count > 0 { 8 } else { 2 }, "{c}");
        }
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
