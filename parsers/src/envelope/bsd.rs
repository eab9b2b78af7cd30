//! RFC 3164 section 4.1.2, `Nov 24 06:31:15`: local time, no year. Days below ten may be padded with a blank or not.

use super::{Hour, within_hour};
use crate::model::{Calendar, Micros};
use crate::scan::Cursor;
use memchr::memchr;

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Takes the stamp and the blank after it.
#[inline]
pub fn stamp(hour: &mut Hour, line: &mut Cursor<'_>, calendar: &mut dyn Calendar) -> Option<Micros> {
    if hour.begins(line.rest) {
        line.rest = &line.rest[hour.len..];
    } else {
        let colon = memchr(b':', &line.rest[..line.rest.len().min(16)])?;
        let prefix = &line.rest[..colon];
        let start = read_hour(prefix, calendar)?;
        hour.learn(prefix, start);
        line.rest = &line.rest[colon..];
    }
    let micros = within_hour(line)?;
    line.eat(b" ").then_some(hour.start * 1_000_000 + micros)
}

fn read_hour(prefix: &[u8], calendar: &mut dyn Calendar) -> Option<i64> {
    let mut prefix = Cursor::new(prefix);
    let month = month(prefix.rest.get(..3)?)?;
    prefix.rest = &prefix.rest[3..];
    if !prefix.eat(b" ") {
        return None;
    }
    prefix.eat(b" ");
    let day = prefix.number()?.try_into().ok()?;
    if !prefix.eat(b" ") || prefix.rest.len() != 2 {
        return None;
    }
    let hour = prefix.number()?.try_into().ok()?;
    (prefix.rest.is_empty() && hour < 24).then(|| calendar.local_hour(None, month, day, hour))?
}

/// `Nov` is 11.
fn month(name: &[u8]) -> Option<u32> {
    MONTHS.chunks_exact(3).position(|month| month.eq_ignore_ascii_case(name)).and_then(|at| u32::try_from(at + 1).ok())
}
