//! RFC 3339 and its relatives: `2026-11-24T06:31:15.834252+00:00`, with a blank for `T`, a comma for the point, `+0200`
//! or no zone at all (then it is local time). Exim writes ` +0200`.

use super::{Hour, exim, within_hour};
use crate::model::{Calendar, Micros};
use crate::scan::{Cursor, number};

/// Takes the stamp and the blank after it.
#[inline]
pub fn stamp(hour: &mut Hour, line: &mut Cursor<'_>, calendar: &mut dyn Calendar) -> Option<Micros> {
    let prefix = line.rest.get(..13)?;
    let mut after = Cursor::new(&line.rest[13..]);
    let micros = within_hour(&mut after)?;
    let offset = zone(&mut after)?;
    if !after.eat(b" ") {
        return None;
    }
    line.rest = after.rest;
    let start = match offset {
        // Hours with and without a zone may alternate: they are remembered under different prefixes.
        Some(offset) => {
            if !hour.begins(marked_prefix(prefix, b'z').as_slice()) {
                hour.learn(&marked_prefix(prefix, b'z')[..14], utc_hour(fields(prefix)?)?);
            }
            hour.start - offset
        }
        None => {
            if !hour.begins(marked_prefix(prefix, b'l').as_slice()) {
                let (year, month, day, h) = fields(prefix)?;
                let start = calendar.local_hour(Some(year), month, day, h)?;
                hour.learn(&marked_prefix(prefix, b'l')[..14], start);
            }
            hour.start
        }
    };
    Some(start * 1_000_000 + micros)
}

/// The prefix with a mark that tells what its hour was worked out for.
#[inline]
fn marked_prefix(prefix: &[u8], mark: u8) -> [u8; 16] {
    let mut marked = [0; 16];
    marked[..13].copy_from_slice(&prefix[..13]);
    marked[13] = mark;
    marked
}

/// The zone's offset east of UTC in seconds: `Z`, `+02:00`, `+0200`, `+02`. The inner value is `None` where there is none.
#[inline]
#[allow(clippy::option_option)] // unreadable, absent, there
fn zone(line: &mut Cursor<'_>) -> Option<Option<i64>> {
    let sign = match line.rest.first() {
        Some(b'Z' | b'z') => {
            line.rest = &line.rest[1..];
            return Some(Some(0));
        }
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(b' ') if exim::has_zone(line.rest) => {
            line.rest = &line.rest[1..];
            if line.rest[0] == b'-' { -1 } else { 1 }
        }
        _ => return Some(None),
    };
    let mut after = Cursor::new(&line.rest[1..]);
    let hours = two(&mut after)?;
    after.eat(b":");
    let minutes = if after.rest.first().is_some_and(u8::is_ascii_digit) { two(&mut after)? } else { 0 };
    line.rest = after.rest;
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60)))
}

fn two(line: &mut Cursor<'_>) -> Option<i64> {
    let value = number(line.rest.get(..2)?)?;
    line.rest = &line.rest[2..];
    i64::try_from(value).ok()
}

/// Year, month, day and hour of `2026-11-24T06`.
fn fields(prefix: &[u8]) -> Option<(i32, u32, u32, u32)> {
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', _, _] = prefix else { return None };
    let part = |from: usize, to: usize| number(&prefix[from..to])?.try_into().ok();
    let (year, month, day, hour) = (number(&prefix[..4])?.try_into().ok()?, part(5, 7)?, part(8, 10)?, part(11, 13)?);
    (hour < 24).then_some((year, month, day, hour))
}

fn utc_hour((year, month, day, hour): (i32, u32, u32, u32)) -> Option<i64> {
    Some(chrono::NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, 0, 0)?.and_utc().timestamp())
}
