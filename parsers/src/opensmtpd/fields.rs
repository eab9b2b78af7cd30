//! Values: `<address>`, `"quoted"`, plain words, times such as `1m40s`, ids.

use crate::model::{Micros, Text};
use crate::scan::{Cursor, contains};
use memchr::memchr;

/// Takes `key=value` and the blank (or `, `) after it. `None` where another key stands here.
pub fn field<'a>(text: &mut Cursor<'a>, key: &[u8]) -> Option<&'a [u8]> {
    let rest = text.rest.strip_prefix(key)?.strip_prefix(b"=")?;
    text.rest = rest;
    let value = match rest {
        [b'<', ..] => text.angled()?,
        [b'"', inner @ ..] => {
            let end = memchr(b'"', inner)?;
            text.rest = &inner[end + 1..];
            &inner[..end]
        }
        _ => {
            let end = rest.iter().position(|c| matches!(c, b' ' | b',')).unwrap_or(rest.len());
            text.rest = &rest[end..];
            &rest[..end]
        }
    };
    text.eat(b",");
    text.eat(b" ");
    Some(value)
}

/// `"text"` to the end of the line, whatever is in it; without quotes, all of it.
pub fn to_the_end(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"").unwrap_or(text);
    if inner.len() < text.len() { inner.strip_suffix(b"\"").unwrap_or(inner) } else { text }
}

/// `0s`, `21s`, `1m40s`, `2h3m4s`, `4d3h2m1s`.
pub fn delay(text: &[u8]) -> Option<Micros> {
    let mut text = Cursor::new(text);
    let mut seconds = 0_u64;
    while !text.rest.is_empty() {
        let number = text.number()?.min(1_000_000);
        let (unit, rest) = text.rest.split_first()?;
        text.rest = rest;
        seconds += number
            * match unit {
                b'd' => 86_400,
                b'h' => 3600,
                b'm' => 60,
                b's' => 1,
                _ => return None,
            };
    }
    i64::try_from(seconds).ok().map(|seconds| seconds * 1_000_000)
}

/// The id of the message that an envelope, or a message, is named by.
pub fn message(id: &[u8]) -> Option<Text<'_>> {
    let hex = id.iter().all(u8::is_ascii_hexdigit);
    (hex && matches!(id.len(), 8 | 16)).then(|| Text(&id[..8]))
}

/// An address; the null sender is `<>`, and `-` is none.
pub fn sender(address: &[u8]) -> Text<'_> {
    Text(if address.is_empty() { b"<>" } else { address })
}

/// The address before it was expanded, if that is another one.
pub fn original<'a>(address: &'a [u8], envelope: &[u8]) -> Text<'a> {
    let said = address != b"-" && !address.eq_ignore_ascii_case(envelope) && !contains(address, b" ");
    Text(if said { address } else { b"" })
}
