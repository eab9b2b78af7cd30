//! The time of a line: RFC 3339, seconds or milliseconds since 1970, or a format of strftime(3).

use crate::model::{Calendar, Micros};
use chrono::{DateTime, Datelike as _, NaiveDateTime, Timelike as _};

/// How the time is written.
pub enum Stamp {
    Rfc3339,
    /// Seconds, with a fraction or without; milliseconds where the number is too large for seconds.
    Epoch,
    Strftime(String),
}

impl Stamp {
    /// `rfc3339`, `epoch`, or a strftime format with at least a day and an hour.
    pub fn named(text: &str) -> Option<Self> {
        match text {
            "rfc3339" => Some(Self::Rfc3339),
            "epoch" => Some(Self::Epoch),
            _ => {
                let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
                let whole =
                    has(&["%Y", "%F", "%s", "%c"]) && has(&["%d", "%F", "%j", "%e", "%s", "%c"]) && has(&["%H", "%T", "%s", "%I", "%c"]);
                whole.then(|| Self::Strftime(text.to_owned()))
            }
        }
    }

    /// The time, or nothing where it is none. A stamp without a zone is in the log's.
    pub fn read(&self, text: &[u8], calendar: &mut dyn Calendar) -> Option<Micros> {
        let text = std::str::from_utf8(text).ok()?.trim();
        match self {
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros()),
            Self::Epoch => {
                const IN_SECONDS: f64 = 1e11;
                let number: f64 = text.parse().ok().filter(|number| (0.0..1e15).contains(number))?;
                #[allow(clippy::cast_possible_truncation)] // below 1e18
                Some((if number < IN_SECONDS { number * 1e6 } else { number * 1e3 }).round() as Micros)
            }
            Self::Strftime(format) => match DateTime::parse_from_str(text, format) {
                Ok(time) => Some(time.timestamp_micros()),
                Err(_) => local(NaiveDateTime::parse_from_str(text, format).ok()?, calendar),
            },
        }
    }
}

fn local(time: NaiveDateTime, calendar: &mut dyn Calendar) -> Option<Micros> {
    let hour = calendar.local_hour(Some(time.year()), time.month(), time.day(), time.hour())?;
    let within = i64::from(time.minute() * 60 + time.second());
    Some((hour + within) * 1_000_000 + i64::from(time.nanosecond() / 1000 % 1_000_000))
}
