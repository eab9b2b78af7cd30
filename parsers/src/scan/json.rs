//! JSON as far as a queue listing needs it: one value after the other, borrowed where nothing is escaped. Bytes that are
//! not UTF-8 pass through; whatever is not JSON is `None`.

use memchr::memchr2;
use std::borrow::Cow;

/// Values nest no deeper than this.
const DEEPEST: u32 = 32;

/// A place in front of a value.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    pub rest: &'a [u8],
}

impl<'a> Json<'a> {
    #[inline]
    fn blanks(&mut self) {
        // Mostly there is one, or none.
        if let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.first().is_some_and(|c| *c > b' ') {
            return;
        }
        let count = self.rest.iter().take_while(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.rest = &self.rest[count..];
    }

    /// Takes a mark of JSON's grammar, and blanks before it.
    #[inline]
    fn eat(&mut self, mark: u8) -> bool {
        self.blanks();
        match self.rest.split_first() {
            Some((first, rest)) if *first == mark => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes an object; `field` is called in front of each value and takes it.
    pub fn object(&mut self, mut field: impl FnMut(&[u8], &mut Self) -> Option<()>) -> Option<()> {
        if !self.eat(b'{') {
            return None;
        }
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            let name = self.string()?;
            if !self.eat(b':') {
                return None;
            }
            field(&name, self)?;
            if self.eat(b'}') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// Takes an array; `item` is called in front of each value and takes it.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.eat(b'[') {
            return None;
        }
        if self.eat(b']') {
            return Some(());
        }
        loop {
            item(self)?;
            if self.eat(b']') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// Takes a string.
    pub fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        if !self.eat(b'"') {
            return None;
        }
        let at = memchr2(b'"', b'\\', self.rest)?;
        if self.rest[at] == b'"' {
            let text = &self.rest[..at];
            self.rest = &self.rest[at + 1..];
            return Some(Cow::Borrowed(text));
        }
        self.escaped().map(Cow::Owned)
    }

    fn escaped(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let at = memchr2(b'"', b'\\', self.rest)?;
            text.extend_from_slice(&self.rest[..at]);
            let mark = self.rest[at];
            self.rest = &self.rest[at + 1..];
            if mark == b'"' {
                return Some(text);
            }
            let (escape, rest) = self.rest.split_first()?;
            self.rest = rest;
            match escape {
                b'n' => text.push(b'\n'),
                b't' => text.push(b'\t'),
                b'r' => text.push(b'\r'),
                b'b' => text.push(8),
                b'f' => text.push(12),
                b'u' => {
                    let c = self.code_point()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => text.push(*other),
            }
        }
    }

    /// What follows `\u`; two halves of a surrogate pair are one character, half a pair is none.
    fn code_point(&mut self) -> Option<char> {
        let first = self.unit()?;
        if (0xd800..0xdc00).contains(&first)
            && let Some(after) = self.rest.strip_prefix(b"\\u")
        {
            let mut ahead = Self { rest: after };
            let second = ahead.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                self.rest = ahead.rest;
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        let unit = digits.iter().try_fold(0, |value, c| Some(value * 16 + char::from(*c).to_digit(16)?))?;
        self.rest = &self.rest[4..];
        Some(unit)
    }

    /// Takes a whole number that is not negative.
    pub fn integer(&mut self) -> Option<u64> {
        self.blanks();
        let mut digits = super::Cursor::new(self.rest);
        let value = digits.number()?;
        self.rest = digits.rest;
        Some(value)
    }

    /// Takes any value.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.blanks();
        match self.rest.first()? {
            b'{' => self.object(|_, value| value.skip_at(depth + 1)),
            b'[' => self.array(|value| value.skip_at(depth + 1)),
            b'"' => self.string().map(|_| ()),
            _ => {
                let count = self.rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'+' | b'.')).count();
                self.rest = &self.rest[count..];
                (count > 0).then_some(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Option<String> {
        Json { rest: text.as_bytes() }.string().map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn strings_are_borrowed_or_unescaped() {
        assert!(matches!(Json { rest: br#""plain" "# }.string(), Some(Cow::Borrowed(b"plain"))));
        assert_eq!(string(r#""a\"b\\c\/d\n\u00e9\ud83d\ude00\ud83d!""#).unwrap(), "a\"b\\c/d\né😀\u{fffd}!");
        for cut in [r#""a"#, r#""a\"#, r#""a\u00"#, r#""a\ud83d\u"#, "a"] {
            assert_eq!(string(cut), None, "{cut}");
        }
    }

    #[test]
    fn values_are_skipped_and_depth_is_bounded() {
        let mut json = Json { rest: br#" {"a": [1, -2.5e3, null, {"b": "}"}], "c": true} rest"# };
        json.skip().unwrap();
        assert_eq!(json.rest, b" rest");
        assert!(Json { rest: &[b'['; 100_000] }.skip().is_none());
        for cut in [&b"{"[..], b"{\"a\"", b"{\"a\":", b"{\"a\":1", b"[1", b"[1,", b""] {
            assert!(Json { rest: cut }.skip().is_none());
        }
    }
}
