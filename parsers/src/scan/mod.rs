//! A cursor over bytes, and the small readers that every MTA needs. No regular expressions, no allocation.

pub mod json;
pub mod listing;
pub mod shape;

use crate::model::{EnhancedStatus, Micros, Peer, Text};
use crate::near::{self, between, find, find_any, find_words, rfind};
use wide::u8x16;

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
        let at = find(self.rest, end)?;
        let taken = &self.rest[..at];
        self.rest = &self.rest[at + 1..];
        Some(taken)
    }

    /// Takes what stands before `end`, and `end` itself.
    pub fn until_literal(&mut self, end: &[u8]) -> Option<&'a [u8]> {
        let at = find_words(self.rest, end)?;
        let taken = &self.rest[..at];
        self.rest = &self.rest[at + end.len()..];
        Some(taken)
    }

    /// Takes a run of digits as a number; `None`, and nothing taken, where there is none or it is too large.
    #[inline(always)]
    pub fn number(&mut self) -> Option<u64> {
        const POWERS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];
        let (value, count) = digits(self.rest);
        if (1..8).contains(&count) {
            self.rest = &self.rest[count..];
            return Some(u64::from(value));
        }
        // Seconds since 1970 have ten.
        if count == 8
            && let (more, count) = digits(&self.rest[8..])
            && count < 8
        {
            self.rest = &self.rest[8 + count..];
            return Some(u64::from(value) * POWERS[count] + u64::from(more));
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
            Some(b'@') => return find(&inner[close..], b'>').map(|end| close + end),
            _ => {}
        }
    }
    find(inner, b'>')
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

/// Eight times the digit 0.
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// The lowest bit of each byte.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Up to eight digits at the front: their value and how many they are. Eight bytes at a time: a loop that ends where the
/// digits end would be guessed wrong once a number.
#[inline]
#[must_use]
pub fn digits(text: &[u8]) -> (u32, usize) {
    let Some(word) = text.first_chunk::<8>() else {
        let count = text.iter().take_while(|c| c.is_ascii_digit()).count();
        return (text[..count].iter().fold(0, |value, c| value * 10 + u32::from(c - b'0')), count);
    };
    let values = u64::from_le_bytes(*word) ^ ZEROS;
    let count = no_digits(values).trailing_zeros() as usize / 8;
    if count == 0 { (0, 0) } else { (decimal(values, count), count) }
}

/// Of bytes in which digits have become 0 to 9, the high bit of the first that is none (what comes after it may be wrong).
#[inline]
fn no_digits(values: u64) -> u64 {
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH
}

/// The number that the first bytes, 1 to 8 of them and each 0 to 9, are.
#[inline]
fn decimal(values: u64, count: usize) -> u32 {
    // The last digit goes to the last byte; leading zeros come in. Then pairs, and pairs of pairs.
    let aligned = values << (64 - 8 * count);
    let pairs = aligned.wrapping_mul(10).wrapping_add(aligned >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32) as u32
}

/// The high bit of each byte that is at least so much. What comes after a byte beyond ASCII may be wrong.
#[inline]
fn at_least(word: u64, least: u8) -> u64 {
    word.wrapping_add(EACH * u64::from(0x80 - least))
}

/// The letters at the front of eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letters {
    /// How many they are: 0 to 8.
    pub count: usize,
    /// A bit for each that is a capital, a bit for each that is none, and a bit for each that is no hexadecimal digit; those
    /// of the first letter are the lowest.
    pub capitals: u64,
    pub smalls: u64,
    pub beyond_hex: u64,
}

impl Letters {
    /// All of them at once: a loop that ends where the word ends would be guessed wrong once a word.
    #[inline]
    #[must_use]
    pub fn of(bytes: &[u8; 8]) -> Self {
        const SMALL: u64 = EACH << 5;
        let word = u64::from_le_bytes(*bytes);
        let at_least = |least: u8| at_least(word | SMALL, least);
        let letters = at_least(b'a') & !at_least(b'z' + 1) & !word & HIGH;
        let count = (letters ^ HIGH).trailing_zeros() as usize / 8;
        let these = u64::MAX.checked_shr(64 - 8 * count as u32).unwrap_or(0);
        Self { count, capitals: !word & SMALL & these, smalls: word & SMALL & these, beyond_hex: at_least(b'g') & HIGH & these }
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

/// Decimal seconds such as `0.33` or `63495`, in microseconds; takes the digits and the point. Nothing that an MTA waits
/// for takes ten million seconds.
#[inline(always)]
pub fn seconds(text: &mut Cursor<'_>) -> Option<Micros> {
    let (micros, length) = text.rest.first_chunk::<8>().and_then(short_seconds).or_else(|| long_seconds(text.rest))?;
    text.rest = &text.rest[length..];
    Some(micros)
}

/// Microseconds to a unit of the last of so many digits behind the point.
const SCALE: [i64; 8] = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1, 0];

/// Seconds that end within eight bytes, as most do: the digits on both sides of the point are one number. Gives how many
/// bytes they are, too.
#[inline(always)]
fn short_seconds(word: &[u8; 8]) -> Option<(Micros, usize)> {
    let values = u64::from_le_bytes(*word) ^ ZEROS;
    let others = no_digits(values);
    let whole = others.trailing_zeros() as usize / 8;
    if whole == 0 || whole == 8 {
        return None;
    }
    // Whether there is a fraction can't be guessed: without one the same is worked out of no digits.
    let has_point = usize::from(word[whole] == b'.');
    let behind = (others >> (8 * whole + 7)) >> 1;
    if has_point != 0 && behind == 0 {
        return None;
    }
    let fraction = behind.trailing_zeros() as usize / 8 * has_point;
    let point = u64::MAX << (8 * whole);
    let joined = (values & !point) | ((values >> (8 * has_point)) & point);
    let digits = i64::from(decimal(joined, whole + fraction));
    Some((digits * SCALE[fraction & 7], whole + has_point + fraction))
}

/// The same, however long they are.
fn long_seconds(text: &[u8]) -> Option<(Micros, usize)> {
    let (whole, count) = digits(text);
    if count == 0 || count == 8 {
        return None;
    }
    let mut micros = i64::from(whole) * SCALE[0];
    let mut length = count;
    if let [b'.', after @ ..] = &text[count..] {
        let (fraction, count) = digits(after);
        // Finer than microseconds is not kept.
        let (fraction, kept) = if count > 6 { digits(&after[..6]) } else { (fraction, count) };
        micros += i64::from(fraction) * SCALE[kept];
        length += 1 + after.iter().take_while(|c| c.is_ascii_digit()).count();
    }
    Some((micros, length))
}

/// `name[ip]:port`, `name[ip]`, `[ip]:port`, `name[private/socket]`; takes what belongs to it.
///
/// The name `unknown` is no name, and what is no address between the brackets is no ip.
#[inline(always)]
pub fn peer<'a>(cursor: &mut Cursor<'a>) -> Option<Peer<'a>> {
    let text = cursor.rest;
    let open = find_any(text, [b'[', b' '])?;
    if text[open] == b' ' {
        return None;
    }
    let close = open + 1 + find(&text[open + 1..], b']')?;
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

/// The address itself, or nothing where it is none (`unknown`, a socket's path): told by what addresses are written with.
#[inline]
#[must_use]
pub fn ip(text: &[u8]) -> &[u8] {
    let (mut address, mut separators) = (u8x16::splat(0xFF), u8x16::ZERO);
    near::sixteens(text, |bytes| {
        address &= address_bytes(bytes);
        separators |= bytes.simd_eq(u8x16::splat(b'.')) | bytes.simd_eq(u8x16::splat(b':'));
    });
    let is_one = text.len() <= 45 && address.to_bitmask() == 0xFFFF && separators.to_bitmask() != 0;
    if is_one { text } else { b"" }
}

/// How many upper-case hexadecimal digits sixteen bytes begin with.
#[inline]
#[must_use]
pub fn hex_digits(bytes: &[u8; 16]) -> usize {
    let bytes = u8x16::new(*bytes);
    let hex = between(bytes, b'0', b'9') | between(bytes, b'A', b'F');
    (!hex.to_bitmask()).trailing_zeros() as usize
}

/// A bit for each of sixteen bytes that is a letter or a digit of ASCII, the first one lowest.
#[inline]
#[must_use]
pub fn alphanumerics(bytes: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*bytes);
    (between(bytes, b'0', b'9') | between(bytes | u8x16::splat(0x20), b'a', b'z')).to_bitmask()
}

/// Hexadecimal digits, colons, points, and the sign before an interface.
#[inline(always)]
fn address_bytes(bytes: u8x16) -> u8x16 {
    let digits = between(bytes, b'0', b':');
    let letters = between(bytes | u8x16::splat(0x20), b'a', b'f');
    digits | letters | bytes.simd_eq(u8x16::splat(b'.')) | bytes.simd_eq(u8x16::splat(b'%'))
}

/// The SMTP reply code and the enhanced code that a reply begins with: `550 5.1.1 text`, `550-5.7.1 text`, `5.7.1 text`.
#[must_use]
pub fn reply(text: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
    let code = reply_code(text);
    let after = if code.is_some() { text.get(4..).unwrap_or_default() } else { text };
    (code, EnhancedStatus::parse(after))
}

/// The SMTP reply code alone.
#[inline]
#[must_use]
pub fn reply_code(text: &[u8]) -> Option<u16> {
    match text {
        [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] if !matches!(rest.first(), Some(c) if !matches!(c, b' ' | b'-')) => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => None,
    }
}

/// The last word of a text, and what stands before it.
#[must_use]
#[inline(always)]
pub fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    rfind(text, b' ').map_or((&[][..], text), |at| (&text[..at], &text[at + 1..]))
}

/// Splits `4jYXyH6xTcz1XQCP: text` as programs beside a server write it, whatever that server's ids look like.
#[must_use]
pub fn labelled(text: &[u8]) -> Option<(Text<'_>, &[u8])> {
    let end = find_words(&text[..text.len().min(40)], b": ")?;
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
    find_words(text, needle).is_some()
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
    fn numbers_have_up_to_eighteen_digits() {
        for digits in 1..19 {
            let text = format!("{} ", "123456789012345678".get(..digits).unwrap());
            let mut cursor = Cursor::new(text.as_bytes());
            assert_eq!((cursor.number(), cursor.rest), (text.trim_end().parse().ok(), &b" "[..]), "{text}");
        }
        assert_eq!((Cursor::new(b"x").number(), Cursor::new(b"1234567890123456789").number()), (None, None));
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
    fn letters_are_those_at_the_front() {
        for text in [
            "abcdefgh",
            "ABCDEFGH",
            "User unk",
            "a1bcdefg",
            "1abcdefg",
            "no\u{e9}ab  ",
            "@abcdefg",
            "[abcdefg",
            "`abcdefg",
            "{abcdefg",
            "z{aaaaaa",
        ] {
            let bytes: &[u8; 8] = text.as_bytes().first_chunk().unwrap();
            let word = &bytes[..bytes.iter().take_while(|c| c.is_ascii_alphabetic()).count()];
            let found = Letters::of(bytes);
            let count = |is: fn(&u8) -> bool| word.iter().filter(|c| is(c)).count() as u32;
            assert_eq!(
                (found.count, found.capitals.count_ones(), found.smalls.count_ones(), found.beyond_hex.count_ones()),
                (word.len(), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(|c| !c.is_ascii_hexdigit())),
                "{text}"
            );
            assert_eq!(found.capitals & 0xFF != 0, word.first().is_some_and(u8::is_ascii_uppercase), "{text}");
        }
        for c in 0..=255_u8 {
            assert_eq!(Letters::of(&[c; 8]).count, if c.is_ascii_alphabetic() { 8 } else { 0 }, "{c}");
            assert_eq!(alphanumerics(&[c; 16]), if c.is_ascii_alphanumeric() { 0xFFFF } else { 0 }, "{c}");
            let is_hex = c.is_ascii_digit() || (b'A'..=b'F').contains(&c);
            assert!((0..16).all(|at| {
                let mut bytes = *b"09AF1B2C3D4E5678";
                bytes[at] = c;
                hex_digits(&bytes) == if is_hex { 16 } else { at }
            }));
        }
    }

    #[test]
    fn a_quoted_local_part_may_hold_the_closing_bracket() {
        let mut cursor = Cursor::new(br#"<"a>, status=sent b"@d>, relay=none"#);
        assert_eq!(cursor.angled(), Some(&br#""a>, status=sent b"@d"#[..]));
        assert_eq!(cursor.rest, b", relay=none");
    }

    #[test]
    fn addresses_are_told_by_what_they_are_written_with() {
        let kinds = |c: u8| (b"0123456789abcdefABCDEF%.:".contains(&c), c == b'.' || c == b':');
        for address in [
            "192.0.2.1",
            "255.255.255.255",
            "1.1.1.1",
            "2001:db8::1",
            "2001:db8:1111:2222:3333:4444:5555:6666",
            "2001:db8:1111:2222:3333:4444:5555:6666%interface0",
            "fe80::1%eth0",
            "::1",
            "12345678",
            "1234.567",
            "1234567/",
            "192.0.2.x",
            "",
        ] {
            let is_one = address.bytes().all(|c| kinds(c).0) && address.bytes().any(|c| kinds(c).1);
            assert_eq!(ip(address.as_bytes()) == address.as_bytes(), is_one || address.is_empty(), "{address}");
        }
        for length in [3, 7, 8, 12, 15, 16, 17, 31, 32, 33, 40, 45, 46] {
            for c in 0..=255_u8 {
                for at in 0..length {
                    let mut address = vec![b'1'; length];
                    (address[length / 2], address[at]) = (b':', c);
                    let is_one = length <= 45 && kinds(c).0 && (at != length / 2 || kinds(c).1);
                    assert_eq!(ip(&address).len(), if is_one { length } else { 0 }, "{c} at {at} of {length}");
                }
            }
        }
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
