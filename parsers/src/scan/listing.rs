//! What the queue listings of all servers share: lines, columns, and dates without a year.

use super::number;
use crate::model::Arrival;
use memchr::memchr;

/// The lines of a text, without their ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// Takes the next column: what stands before a blank, and the blanks after it.
pub fn column<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr(b' ', rest).unwrap_or(rest.len());
    let (column, after) = rest.split_at(end);
    *rest = after.trim_ascii_start();
    column
}

/// `[Mon ]Feb 24 13:35:18`, or without seconds, the columns of asctime(3) without the year. Takes them.
pub fn date(rest: &mut &[u8], has_seconds: bool) -> Option<Arrival> {
    const MONTHS: [&[u8]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let mut ahead = *rest;
    let mut word = column(&mut ahead);
    if [&b"Mon"[..], b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].contains(&word) {
        word = column(&mut ahead);
    }
    let month = MONTHS.iter().position(|month| *month == word)? as u32 + 1;
    let day = number(column(&mut ahead)).filter(|day| (1..=31).contains(day))? as u32;
    let mut time = column(&mut ahead).split(|c| *c == b':');
    let mut part = |below: u64| number(time.next()?).filter(|value| *value < below).map(|value| value as u32);
    let (hour, minute) = (part(24)?, part(60)?);
    let second = if has_seconds { part(61)? } else { 0 };
    if time.next().is_some() {
        return None;
    }
    *rest = ahead;
    Some(Arrival::Local { month, day, hour, minute, second })
}

/// The address inside `<...>`, or all of it where it has none; `MAILER-DAEMON` is how listings show the null sender.
#[must_use]
pub fn sender(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"<").map_or(text, |inner| inner.strip_suffix(b">").unwrap_or(inner));
    if inner == b"MAILER-DAEMON" { b"" } else { inner }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_asctime() {
        let mut rest = &b"Mon Feb  4 13:35:18  a@b.example"[..];
        assert_eq!(date(&mut rest, true), Some(Arrival::Local { month: 2, day: 4, hour: 13, minute: 35, second: 18 }));
        assert_eq!(rest, b"a@b.example");
        assert!(date(&mut &b"Nov 24 06:30"[..], false).is_some());
        for wrong in [&b""[..], b"Mon", b"Mon Feb", b"Foo 1 00:00", b"Feb 32 00:00", b"Feb 1 24:00", b"Feb 1 1:00:00", b"Feb 1 x"] {
            assert_eq!(date(&mut &*wrong, false), None);
        }
    }

    #[test]
    fn lines_end_in_any_way() {
        assert_eq!(lines(b"a\r\n\nb").collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
    }
}
