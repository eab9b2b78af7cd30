//! Stamps in a format of the user's own, chrono's strftime: `%Y %b %d %H:%M:%S%.3f`.
//!
//! In comes a line, out goes the same line with a stamp that the envelope reads, RFC 3339 or, where the format has no
//! year, RFC 3164. A line that does not begin with such a stamp comes out as it came in. The format is taken apart once.

use super::entry::{write_date_time, write_micros};
use chrono::format::{Item, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, Datelike as _};
use std::fmt::Write as _;

/// A stamp is no longer.
const LONGEST: usize = 128;

/// A format, taken apart.
#[derive(Clone, Debug)]
pub struct TimeFormat {
    items: Vec<Item<'static>>,
}

/// Why a format can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFormat {
    Unknown,
    Incomplete,
}

impl BadFormat {
    /// The reason in words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "holds a % that stands for nothing",
            Self::Incomplete => "does not say month, day, hour and minute",
        }
    }
}

impl TimeFormat {
    /// Takes a format apart.
    ///
    /// # Errors
    /// Where it is none, or does not say enough.
    pub fn new(format: &str) -> Result<Self, BadFormat> {
        let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| BadFormat::Unknown)?;
        let format = Self { items };
        // What it writes it must read, and with all that a stamp needs.
        let some = DateTime::from_timestamp_micros(1_795_501_875_834_252).ok_or(BadFormat::Unknown)?;
        let mut written = String::new();
        write!(written, "{}", some.format_with_items(format.items.iter())).map_err(|_| BadFormat::Unknown)?;
        if format.stamp(written.as_bytes(), &mut Vec::new()).is_some() { Ok(format) } else { Err(BadFormat::Incomplete) }
    }

    /// Appends the line, without a line break.
    pub fn line(&self, line: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        match self.stamp(line, out) {
            Some(length) => out.extend_from_slice(line[length..].trim_ascii_start()),
            None => {
                out.truncate(before);
                out.extend_from_slice(line);
            }
        }
    }

    /// Appends the stamp that the line begins with; gives the length it had.
    fn stamp(&self, line: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let head = &line[..line.len().min(LONGEST)];
        let text = match std::str::from_utf8(head) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        };
        let mut parsed = Parsed::new();
        let rest = parse_and_remainder(&mut parsed, text, self.items.iter()).ok()?;
        write(&parsed, out).then_some(text.len() - rest.len())
    }
}

fn write(parsed: &Parsed, out: &mut Vec<u8>) -> bool {
    let nanos = parsed.nanosecond().unwrap_or_default();
    if let Some(seconds) = parsed.timestamp() {
        return seconds.checked_mul(1_000_000).is_some_and(|micros| write_micros(micros + i64::from(nanos) / 1000, out));
    }
    let Ok(time) = parsed.to_naive_time() else { return false };
    let date = match parsed.to_naive_date() {
        Ok(date) => (Some(date.year()), date.month(), date.day()),
        Err(_) => match (parsed.month(), parsed.day()) {
            (Some(month @ 1..=12), Some(day)) => (None, month, day),
            _ => return false,
        },
    };
    write_date_time(date, time, parsed.offset(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(format: &str, line: &str) -> String {
        let mut out = Vec::new();
        TimeFormat::new(format).unwrap().line(line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn stamps_become_those_of_syslog() {
        for (format, line, written) in [
            ("%Y %b %d %H:%M:%S%.3f", "2026 Nov 24 06:31:15.834 mail p[1]: x", "2026-11-24T06:31:15.834000 mail p[1]: x"),
            ("[%d/%b/%Y:%H:%M:%S %z]", "[24/Nov/2026:06:31:15 +0100] p: x", "2026-11-24T06:31:15.000000+01:00 p: x"),
            ("%m/%d %I:%M %p", "11/24 06:31 PM mail p: x", "Nov 24 18:31:00.000000 mail p: x"),
            ("%s%.f", "1795501875.5 mail p: x", "2026-11-24T06:31:15.500000Z mail p: x"),
            ("%Y-%j %T", "2026-328 06:31:15 mail p: x", "2026-11-24T06:31:15.000000 mail p: x"),
            ("%Y %b %d %T", "Nov 24 06:31:15 mail p: x", "Nov 24 06:31:15 mail p: x"),
            ("%Y %b %d %T", "", ""),
        ] {
            assert_eq!(turned(format, line), written, "{format}");
        }
    }

    #[test]
    fn formats_that_say_too_little_are_refused() {
        for format in ["%Q", "%", "%Y %b %d %"] {
            assert_eq!(TimeFormat::new(format).unwrap_err(), BadFormat::Unknown, "{format}");
        }
        for format in ["", "%H:%M:%S", "%Y-%m-%d", "%Y %H:%M", "text"] {
            assert_eq!(TimeFormat::new(format).unwrap_err(), BadFormat::Incomplete, "{format}");
        }
    }
}
