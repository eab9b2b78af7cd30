//! Times and durations as text, written often: what a zone's offset is gets asked once for each stretch of time.

use crate::input::Zone;
use chrono::Offset as _;
use mailscope_parsers::model::Micros;
use std::cell::Cell;

/// No zone changes its offset but at a whole quarter of an hour.
const QUARTER_S: i64 = 900;

/// Writes times in a zone, as RFC 3339 with the digits that are there: whole seconds, three or six.
#[derive(Debug)]
pub struct Stamps {
    zone: Zone,
    /// Quarters of an hour that were asked for, by their last digit.
    known: [Cell<Quarter>; 4],
}

/// What all times of a quarter of an hour have in common.
#[derive(Clone, Copy, Debug)]
struct Quarter {
    /// Its number since 1970; none has the least.
    number: i64,
    /// How many seconds the zone is ahead of UTC.
    offset_s: i64,
    /// `2026-11-01T09:`; nothing in years that are not written with four digits, or where an hour may begin within.
    hour: [u8; 14],
    /// `+01:00`
    offset: [u8; 6],
}

impl Quarter {
    const NONE: Self = Self { number: i64::MIN, offset_s: 0, hour: [0; 14], offset: [0; 6] };

    fn new(number: i64, zone: Zone) -> Self {
        let begin_s = number.saturating_mul(QUARTER_S);
        let offset_s = i64::from(zone.local(begin_s.saturating_mul(1_000_000)).offset().fix().local_minus_utc());
        let local_s = begin_s.saturating_add(offset_s);
        let (year, month, day) = date(local_s.div_euclid(86_400));
        let mut quarter = Self { number, offset_s, ..Self::NONE };
        // Before there were zones, hours began at any second.
        if (0..=9999).contains(&year) && offset_s % QUARTER_S == 0 {
            let mut hour = Vec::with_capacity(14);
            digits(&mut hour, year, 4, 0);
            digits(&mut hour, month, 2, b'-');
            digits(&mut hour, day, 2, b'-');
            digits(&mut hour, local_s.rem_euclid(86_400) / 3600, 2, b'T');
            hour.push(b':');
            let mut offset = Vec::with_capacity(6);
            digits(&mut offset, offset_s.abs() / 3600, 2, if offset_s < 0 { b'-' } else { b'+' });
            digits(&mut offset, offset_s.abs() / 60 % 60, 2, b':');
            quarter.hour.copy_from_slice(&hour);
            quarter.offset.copy_from_slice(&offset);
        }
        quarter
    }
}

impl Stamps {
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self { zone, known: std::array::from_fn(|_| Cell::new(Quarter::NONE)) }
    }

    #[inline]
    fn quarter(&self, second: i64) -> Quarter {
        let number = second.div_euclid(QUARTER_S);
        let known = &self.known[number.rem_euclid(4) as usize];
        if known.get().number != number {
            known.set(Quarter::new(number, self.zone));
        }
        known.get()
    }

    /// Microseconds since 1970 by the zone's clock.
    #[must_use]
    pub fn local(&self, time: Micros) -> Micros {
        time + self.quarter(time.div_euclid(1_000_000)).offset_s * 1_000_000
    }

    pub fn write(&self, to: &mut Vec<u8>, time: Micros) {
        let (second, micros) = (time.div_euclid(1_000_000), time.rem_euclid(1_000_000));
        let quarter = self.quarter(second);
        if quarter.hour[0] == 0 {
            to.extend(self.zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false).bytes());
            return;
        }
        let of_hour = (second + quarter.offset_s).rem_euclid(3600);
        to.extend_from_slice(&quarter.hour);
        digits(to, of_hour / 60, 2, 0);
        digits(to, of_hour % 60, 2, b':');
        if micros % 1000 != 0 {
            digits(to, micros, 6, b'.');
        } else if micros != 0 {
            digits(to, micros / 1000, 3, b'.');
        }
        to.extend_from_slice(&quarter.offset);
    }

    #[must_use]
    pub fn text(&self, time: Micros) -> String {
        let mut text = Vec::with_capacity(32);
        self.write(&mut text, time);
        String::from_utf8(text).unwrap_or_default()
    }
}

/// A number with leading zeros, behind a mark.
fn digits(to: &mut Vec<u8>, number: i64, width: usize, mark: u8) {
    if mark != 0 {
        to.push(mark);
    }
    fill(to, number.unsigned_abs(), width);
}

/// A number as it is.
pub fn integer(to: &mut Vec<u8>, number: u64) {
    if number < 10 {
        return to.push(b'0' + number as u8);
    }
    fill(to, number, number.checked_ilog10().unwrap_or(0) as usize + 1);
}

fn fill(to: &mut Vec<u8>, number: u64, width: usize) {
    let from = to.len();
    to.resize(from + width, b'0');
    let mut rest = number;
    for digit in to[from..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
}

/// Year, month and day of a day since 1970, by the Gregorian calendar: in years that begin in March a leap day is the last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// Seconds without needless digits: `0.33`, `12`.
pub fn seconds(to: &mut Vec<u8>, micros: Micros, decimal: u8) {
    if micros < 0 {
        to.push(b'-');
    }
    integer(to, micros.unsigned_abs() / 1_000_000);
    let rest = micros.unsigned_abs() % 1_000_000;
    if rest > 0 {
        to.push(decimal);
        // Most logs say no more than hundredths.
        if rest.is_multiple_of(10_000) {
            fill(to, rest / 10_000, 2);
        } else {
            fill(to, rest, 6);
        }
        while to.last() == Some(&b'0') {
            to.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_those_of_chrono() {
        for zone in ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "-09:30"] {
            let zone: Zone = zone.parse().unwrap();
            let stamps = Stamps::new(zone);
            // Steps of a bit less than half a day, over changes of the clock, leap days and centuries, with all kinds of fractions.
            for step in 0..100_000_i64 {
                let time = step * 41_234_567_000 + [0, 1000, 123_456][step.rem_euclid(3) as usize];
                let expected = zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false);
                assert_eq!(stamps.text(time), expected);
            }
        }
    }

    #[test]
    fn integers_are_written_whole() {
        for number in [0, 7, 10, 99, 100, 65_535, u64::MAX] {
            let mut to = b"x".to_vec();
            integer(&mut to, number);
            assert_eq!(to, format!("x{number}").into_bytes());
        }
    }

    #[test]
    fn seconds_end_with_a_digit_that_counts() {
        let written = |micros| {
            let mut to = Vec::new();
            seconds(&mut to, micros, b'.');
            String::from_utf8(to).unwrap()
        };
        let all = [0, 330_000, 12_000_000, 1, 100_000_000, -1_500_000].map(written);
        assert_eq!(all, ["0", "0.33", "12", "0.000001", "100", "-1.5"]);
    }
}
