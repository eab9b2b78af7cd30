//! Local time and the years that syslog leaves out.
//!
//! A yearless stamp belongs to the year that brings it nearest to the line before it, so New Year passes by itself, a
//! line that comes a little late at New Year stays in the old year, and 29 February falls in a leap year.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Datelike, FixedOffset, Local, NaiveDate, NaiveDateTime, TimeZone, Utc};
use mailscope_parsers::model::{Calendar, Micros};
use std::str::FromStr;

/// The zone of local stamps and of everything that is printed.
#[derive(Clone, Copy, Debug)]
pub enum Zone {
    /// The machine's own (`TZ`, /etc/localtime).
    Local,
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

impl FromStr for Zone {
    type Err = anyhow::Error;

    /// `local`, `UTC`, `Europe/Berlin`, `+02:00`.
    fn from_str(text: &str) -> Result<Self> {
        if text.eq_ignore_ascii_case("local") {
            return Ok(Self::Local);
        }
        if text.starts_with(['+', '-']) {
            return text.parse().map(Self::Fixed).with_context(|| format!("{text} is no offset such as +02:00"));
        }
        match text.parse() {
            Ok(zone) => Ok(Self::Named(zone)),
            Err(_) => bail!("no time zone is called {text}; names look like Europe/Berlin, UTC or +02:00"),
        }
    }
}

impl Zone {
    /// Seconds since 1970 UTC of a local time. Where a clock was set back the earlier of the two; where it was set
    /// forward, as if it had not been.
    #[must_use]
    pub fn utc(self, local: NaiveDateTime) -> i64 {
        let hour = chrono::TimeDelta::hours(1);
        let before = || self.instants(local - hour).map(|(earlier, _)| earlier + 3600);
        self.instants(local).map(|(earlier, _)| earlier).or_else(before).unwrap_or_else(|| local.and_utc().timestamp())
    }

    /// How much later the second of the two times is that a local time stands for, where a clock was set back.
    fn fold(self, local: NaiveDateTime) -> Option<Micros> {
        self.instants(local).filter(|(earlier, later)| later > earlier).map(|(earlier, later)| (later - earlier) * 1_000_000)
    }

    /// The earliest and the latest time, in seconds since 1970 UTC, that a local time stands for.
    fn instants(self, local: NaiveDateTime) -> Option<(i64, i64)> {
        match self {
            Self::Local => instants(Local, local),
            Self::Named(zone) => instants(zone, local),
            Self::Fixed(zone) => instants(zone, local),
        }
    }

    /// The local time, with its offset, of an instant.
    #[must_use]
    pub fn local(self, time: Micros) -> DateTime<FixedOffset> {
        let utc = DateTime::from_timestamp_micros(time).unwrap_or_default();
        match self {
            Self::Local => utc.with_timezone(&Local).fixed_offset(),
            Self::Named(zone) => utc.with_timezone(&zone).fixed_offset(),
            Self::Fixed(zone) => utc.with_timezone(&zone),
        }
    }
}

/// Zones differ in which of two times they call the earlier one, and take the end of the hour that comes twice for a part of it:
/// a time is one that shows as this local time.
fn instants<Z: TimeZone>(zone: Z, local: NaiveDateTime) -> Option<(i64, i64)> {
    let shows = |time: &DateTime<Z>| zone.from_utc_datetime(&time.naive_utc()).naive_local() == local;
    let found = zone.from_local_datetime(&local);
    let times = [found.clone().earliest(), found.latest()].map(|time| time.filter(shows).map(|time| time.timestamp()));
    let times = times.into_iter().flatten();
    Some((times.clone().min()?, times.max()?))
}

/// Works out stamps, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub zone: Zone,
    /// The time, in seconds since 1970 UTC, that the next yearless stamp should be near.
    pub near: i64,
    /// The time of the line before, if there was one.
    last: Micros,
    /// The hour that was asked for last comes twice: its second pass is so much later.
    fold: Option<Micros>,
}

const HALF_A_YEAR_S: i64 = 180 * 86_400;
/// Lines of one log may be so late, at most, without being of the hour's second pass.
const LATE: Micros = 600_000_000;
/// A line further back than that is from another time altogether.
const STRAY: Micros = 9_000_000_000;

impl Clock {
    #[must_use]
    pub fn new(zone: Zone, near: i64) -> Self {
        Self { zone, near, last: Micros::MIN, fold: None }
    }

    /// The same, where lines were read before.
    #[must_use]
    pub fn behind(self, last: Micros) -> Self {
        Self { last, ..self }
    }

    /// Whether the hour of the last stamp comes twice.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.fold.is_some()
    }

    /// The time of the line before.
    #[must_use]
    pub fn last(&self) -> Micros {
        self.last
    }

    /// The time of a line, now that the lines before it are known. In the hour that comes twice where a clock is set
    /// back, a line that would lie well before the one before it is of the second pass.
    #[inline]
    #[must_use]
    pub fn settle(&mut self, mut time: Micros) -> Micros {
        if let Some(later) = self.fold {
            let back = self.last.saturating_sub(time);
            if (LATE + 1..STRAY).contains(&back) {
                time += later;
            }
        }
        self.last = time;
        time
    }
}

impl Calendar for Clock {
    fn local_hour(&mut self, year: Option<i32>, month: u32, day: u32, hour: u32) -> Option<i64> {
        let zone = self.zone;
        let local = |year| NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, 0, 0);
        let at = |year| Some(zone.utc(local(year)?));
        self.near = match year {
            Some(year) => at(year)?,
            None => {
                let around = DateTime::<Utc>::from_timestamp(self.near, 0)?.year();
                let distance = |time: &i64| (time - self.near).abs();
                // No other year is nearer than half a year; eight years hold a leap year, at 1900 and 2100 too.
                let usual = at(around).filter(|time| distance(time) < HALF_A_YEAR_S);
                usual.or_else(|| (around - 8..=around + 8).filter_map(at).min_by_key(distance))?
            }
        };
        self.fold = DateTime::<Utc>::from_timestamp(self.near, 0).and_then(|time| zone.fold(local(time.year())?));
        Some(self.near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(near: &str) -> Clock {
        Clock::new("UTC".parse().unwrap(), near.parse::<DateTime<Utc>>().unwrap().timestamp())
    }

    fn day(seconds: i64) -> String {
        DateTime::from_timestamp(seconds, 0).unwrap().date_naive().to_string()
    }

    #[test]
    fn new_year_passes_by_itself_and_late_lines_stay_behind() {
        let mut clock = clock("2026-12-31T23:00:00Z");
        assert_eq!(day(clock.local_hour(None, 12, 31, 23).unwrap()), "2026-12-31");
        assert_eq!(day(clock.local_hour(None, 1, 1, 0).unwrap()), "2027-01-01");
        assert_eq!(day(clock.local_hour(None, 12, 31, 23).unwrap()), "2026-12-31");
    }

    #[test]
    fn leap_day_needs_a_leap_year() {
        assert_eq!(day(clock("2026-03-01T00:00:00Z").local_hour(None, 2, 29, 1).unwrap()), "2028-02-29");
        assert_eq!(day(clock("2024-03-05T00:00:00Z").local_hour(None, 2, 29, 1).unwrap()), "2024-02-29");
        assert!(clock("2024-03-05T00:00:00Z").local_hour(None, 2, 30, 1).is_none());
    }

    #[test]
    fn zones() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let noon = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap().and_hms_opt(12, 0, 0).unwrap();
        assert_eq!(berlin.local(berlin.utc(noon) * 1_000_000).to_rfc3339(), "2026-07-01T12:00:00+02:00");
        let skipped = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap().and_hms_opt(2, 30, 0).unwrap();
        assert_eq!(berlin.local(berlin.utc(skipped) * 1_000_000).to_rfc3339(), "2026-03-29T03:30:00+02:00");
        assert!("Mars/Olympus".parse::<Zone>().is_err());
    }
}
