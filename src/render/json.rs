//! JSON in which no character can change what a terminal shows: those that JSON allows bare are escaped too.

use super::is_unsafe;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// A formatter whose strings are safe to show.
struct Safe<F>(F);

/// Writes what is not safe as `\uXXXX`.
fn safe_fragment<W: ?Sized + Write>(to: &mut W, fragment: &str) -> io::Result<()> {
    let mut from = 0;
    for (at, c) in fragment.char_indices().filter(|(_, c)| is_unsafe(*c)) {
        to.write_all(&fragment.as_bytes()[from..at])?;
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            write!(to, "\\u{unit:04x}")?;
        }
        from = at + c.len_utf8();
    }
    to.write_all(&fragment.as_bytes()[from..])
}

impl Formatter for Safe<CompactFormatter> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\x7f') { to.write_all(fragment.as_bytes()) } else { safe_fragment(to, fragment) }
    }
}

impl Formatter for Safe<PrettyFormatter<'_>> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        safe_fragment(to, fragment)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}

/// One object on one line.
///
/// # Errors
/// Where it can't be written.
pub fn line<W: Write, T: Serialize>(mut to: W, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut to, Safe(CompactFormatter)))?;
    to.write_all(b"\n")
}

/// An indented document, without a last line break.
///
/// # Errors
/// Where it can't be written.
pub fn pretty<W: Write, T: Serialize>(to: W, value: &T) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Safe(PrettyFormatter::new())))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_and_comes_back_whole() {
        let text = "\x1b[31m \u{9b}0m \u{202e}abc \u{7f} grüße 用户 😀";
        for bytes in [
            {
                let mut to = Vec::new();
                line(&mut to, &text).unwrap();
                to
            },
            {
                let mut to = Vec::new();
                pretty(&mut to, &[text]).unwrap();
                to
            },
        ] {
            let json = String::from_utf8(bytes).unwrap();
            assert!(!json.trim_end().contains(|c| is_unsafe(c) && c != '\n'), "{json:?}");
            let back: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert!(back == serde_json::json!(text) || back == serde_json::json!([text]));
        }
    }
}
