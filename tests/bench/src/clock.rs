//! Log time: microseconds since the start of the log, and their two ways of being written.

use std::fmt::Write as _;

/// Microseconds since the start of the log.
pub type Micros = u64;

pub const MILLI: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;
pub const HOUR: Micros = 3_600 * SECOND;
pub const DAY: Micros = 24 * HOUR;

/// 2026-11-01 00:00:00 UTC.
pub const START: u64 = 1_793_491_200;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How the start of a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `Nov 24 06:31:15 mail `
    Bsd,
    /// `2026-11-24T06:31:15.245456+00:00 mail `
    Rfc3339,
}

/// A point of time, taken apart.
pub struct Civil {
    pub year: u64,
    pub month: u64,
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
}

/// Unix seconds to the calendar (Howard Hinnant's `civil_from_days`, for dates after 1970).
#[must_use]
pub fn civil(unix: u64) -> Civil {
    let days = unix / 86_400 + 719_468;
    let (era, doe) = (days / 146_097, days % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    Civil {
        year: yoe + era * 400 + u64::from(month <= 2),
        month,
        day: doy - (153 * mp + 2) / 5 + 1,
        hour: unix / 3_600 % 24,
        minute: unix / 60 % 60,
        second: unix % 60,
    }
}

/// The calendar to Unix seconds, the inverse of [`civil`].
#[must_use]
pub fn unix(at: &Civil) -> u64 {
    let year = at.year - u64::from(at.month <= 2);
    let (era, yoe) = (year / 400, year % 400);
    let mp = (at.month + 9) % 12;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * mp + 2) / 5 + at.day - 1;
    (era * 146_097 + doe - 719_468) * 86_400 + at.hour * 3_600 + at.minute * 60 + at.second
}

/// `Nov 24 06:31:15`
#[must_use]
pub fn bsd(unix: u64) -> String {
    let c = civil(unix);
    let month = MONTHS[(c.month - 1) as usize];
    format!("{month} {:2} {:02}:{:02}:{:02}", c.day, c.hour, c.minute, c.second)
}

/// The number of an English month's short name, 1 to 12.
#[must_use]
pub fn month_number(name: &str) -> Option<u64> {
    MONTHS.iter().position(|m| *m == name).map(|at| at as u64 + 1)
}

/// `2026-11-24T06:31:15`
#[must_use]
pub fn iso(unix: u64) -> String {
    let c = civil(unix);
    format!("{}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// `20261124063115`, as in the message ids that Postfix makes.
#[must_use]
pub fn compact(unix: u64) -> String {
    let c = civil(unix);
    format!("{}{:02}{:02}{:02}{:02}{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// The start of a line. The part that changes once a second is formatted once a second.
pub struct Stamps {
    style: Style,
    second: u64,
    text: String,
}

impl Stamps {
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, second: u64::MAX, text: String::new() }
    }

    /// Everything up to the program's name, with the blank before it.
    pub fn of(&mut self, at: Micros) -> &str {
        let second = at / SECOND;
        if second != self.second {
            self.second = second;
            self.text = match self.style {
                Style::Bsd => format!("{} mail ", bsd(START + second)),
                Style::Rfc3339 => format!("{}.", iso(START + second)),
            };
        }
        if self.style == Style::Rfc3339 {
            self.text.truncate(20);
            let _ = write!(self.text, "{:06}+00:00 mail ", at % SECOND);
        }
        &self.text
    }

    /// How long [`Stamps::of`] is, for the pacing.
    #[must_use]
    pub fn width(style: Style) -> u64 {
        match style {
            Style::Bsd => 21,
            Style::Rfc3339 => 38,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles() {
        let at = (23 * 86_400 + 6 * 3_600 + 31 * 60 + 15) * SECOND + 245_456;
        assert_eq!(Stamps::new(Style::Bsd).of(at), "Nov 24 06:31:15 mail ");
        assert_eq!(Stamps::new(Style::Rfc3339).of(at), "2026-11-24T06:31:15.245456+00:00 mail ");
        assert_eq!(Stamps::new(Style::Bsd).of(0), "Nov  1 00:00:00 mail ");
        for style in [Style::Bsd, Style::Rfc3339] {
            assert_eq!(Stamps::new(style).of(at).len() as u64, Stamps::width(style));
        }
    }

    #[test]
    fn the_calendar_has_an_inverse() {
        for day in 0..20_000 {
            let at = day * 86_400 + day;
            assert_eq!(unix(&civil(at)), at);
        }
    }
}
