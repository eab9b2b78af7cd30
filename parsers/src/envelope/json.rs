//! Just enough of RFC 8259 for log records: the members of one object, read in place.
//!
//! In comes the text of one object, out go its keys and values, still escaped. Bytes that are no UTF-8 pass: what remote
//! servers say is in any encoding. Nested values are stepped over, whatever their depth, without recursion.

use crate::scan::{Cursor, number};
use memchr::{memchr, memchr2};

/// A member's value, without its quotes or brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Escaped as it stands; [`unescape`] reads it.
    Text(&'a [u8]),
    Number(&'a [u8]),
    /// What stands between the brackets.
    Array(&'a [u8]),
    /// With its braces.
    Object(&'a [u8]),
    /// `true`, `false`, `null`.
    Word,
}

/// Calls `each` for every member, in order. `false` where the text is no object; what was given before is worth nothing
/// then.
pub fn members<'a>(object: &'a [u8], mut each: impl FnMut(&'a [u8], Value<'a>)) -> bool {
    walk(object.trim_ascii(), &mut each).is_some()
}

fn walk<'a>(object: &'a [u8], each: &mut impl FnMut(&'a [u8], Value<'a>)) -> Option<()> {
    let mut rest = Cursor::new(object.strip_prefix(b"{")?);
    skip_blanks(&mut rest);
    if rest.rest == b"}" {
        return Some(());
    }
    loop {
        skip_blanks(&mut rest);
        let key = text(&mut rest)?;
        skip_blanks(&mut rest);
        if !rest.eat(b":") {
            return None;
        }
        skip_blanks(&mut rest);
        each(key, value(&mut rest)?);
        skip_blanks(&mut rest);
        if rest.rest == b"}" {
            return Some(());
        }
        if !rest.eat(b",") {
            return None;
        }
    }
}

/// The values of an array's inside; ends early where it is damaged.
pub fn items<'a>(inside: &'a [u8], mut each: impl FnMut(Value<'a>)) {
    let mut rest = Cursor::new(inside);
    loop {
        skip_blanks(&mut rest);
        let Some(item) = value(&mut rest) else { return };
        each(item);
        skip_blanks(&mut rest);
        if !rest.eat(b",") {
            return;
        }
    }
}

fn skip_blanks(text: &mut Cursor<'_>) {
    text.rest = text.rest.trim_ascii_start();
}

/// Takes a string and gives what stands between its quotes.
fn text<'a>(rest: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let inside = rest.rest.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside[at] == b'"' {
            rest.rest = &inside[at + 1..];
            return Some(&inside[..at]);
        }
        at += 2;
    }
}

fn value<'a>(rest: &mut Cursor<'a>) -> Option<Value<'a>> {
    match rest.rest.first()? {
        b'"' => text(rest).map(Value::Text),
        b'{' => nested(rest).map(Value::Object),
        b'[' => nested(rest).map(|array| Value::Array(&array[1..array.len() - 1])),
        _ => {
            let ends = |c: &u8| matches!(c, b',' | b'}' | b']') || c.is_ascii_whitespace();
            let end = rest.rest.iter().position(ends).unwrap_or(rest.rest.len());
            let (word, after) = rest.rest.split_at(end);
            rest.rest = after;
            match word {
                b"true" | b"false" | b"null" => Some(Value::Word),
                [b'-' | b'0'..=b'9', ..] => Some(Value::Number(word)),
                _ => None,
            }
        }
    }
}

/// Takes an array or object to the bracket that closes it.
fn nested<'a>(rest: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let whole = rest.rest;
    let (mut inner, mut depth) = (Cursor::new(whole), 0_usize);
    loop {
        match inner.rest.first()? {
            b'"' => {
                text(&mut inner)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        inner.rest = &inner.rest[1..];
        if depth == 0 {
            rest.rest = inner.rest;
            return Some(&whole[..whole.len() - inner.rest.len()]);
        }
    }
}

/// Appends what an escaped string stands for. An escape that is none stays as it is; half a surrogate pair becomes
/// U+FFFD.
pub fn unescape(text: &[u8], to: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        to.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let plain = match rest.first() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(c @ (b'"' | b'\\' | b'/')) => *c,
            Some(b'u') => {
                if let Some((character, length)) = code_point(rest) {
                    to.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = &rest[length..];
                } else {
                    to.push(b'\\');
                }
                continue;
            }
            _ => {
                to.push(b'\\');
                continue;
            }
        };
        to.push(plain);
        rest = &rest[1..];
    }
    to.extend_from_slice(rest);
}

/// The character of `uXXXX`, with a second escape where the first is half of a pair, and how long it is.
fn code_point(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = text.get(5..).and_then(|more| more.strip_prefix(b"\\")).and_then(unit)
        && (0xDC00..0xE000).contains(&second)
    {
        let both = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER), 11));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, c| Some(value * 16 + (*c as char).to_digit(16)?))
}

/// The byte that an item of an array of bytes is.
pub fn byte(item: Value<'_>) -> Option<u8> {
    match item {
        Value::Number(digits) => number(digits)?.try_into().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(object: &str) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        let is_object = members(object.as_bytes(), |key, value| {
            found.push((String::from_utf8_lossy(key).into_owned(), format!("{value:?}").split('(').next().unwrap().to_owned()));
        });
        is_object.then_some(found)
    }

    #[test]
    fn members_of_every_kind() {
        let found = read(r#" { "a" : "x\"}", "b":-1.5e3,"c":[1,{"d":"]"}] ,"e":{"f":[{}]}, "g":null } "#).unwrap();
        let expected = [("a", "Text"), ("b", "Number"), ("c", "Array"), ("e", "Object"), ("g", "Word")];
        assert_eq!(found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(read("{}"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_object() {
        for text in
            ["", "{", "[]", "{\"a\":1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}}", "{\"a\":1}{", "{\"a\":x}", "{\"a\\", "{a:1}"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"{\"a\":[".repeat(100_000)), None);
    }

    #[test]
    fn escapes() {
        let read = |text: &str| {
            let mut to = Vec::new();
            unescape(text.as_bytes(), &mut to);
            String::from_utf8(to).unwrap()
        };
        assert_eq!(read(r#"\u003cadmin\/x\u003e \"\\\n"#), "<admin/x> \"\\\n");
        assert_eq!(read(r"\ud83d\ude00 \ud83d \ude00x \u00e9"), "\u{1f600} \u{fffd} \u{fffd}x \u{e9}");
        assert_eq!(read(r"\u12 \q \"), r"\u12 \q \");
    }

    #[test]
    fn arrays_of_bytes() {
        let mut bytes = Vec::new();
        items(b"51, 53 ,255,256,\"x\"", |item| bytes.push(byte(item)));
        assert_eq!(bytes, [Some(51), Some(53), Some(255), None, None]);
    }
}
