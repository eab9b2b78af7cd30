//! Times and days as people type them.

use crate::aggregate::Window;
use crate::input::Zone;
use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime};
use mailscope_parsers::model::Micros;
use nom::{
    Parser,
    branch::alt,
    character::complete::{char, i64, one_of},
    combinator::{all_consuming, opt},
    sequence::preceded,
};

/// The clock and the zone that words like `yesterday` need.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub time: Micros,
    pub zone: Zone,
}

impl Now {
    fn today(self) -> NaiveDate {
        self.zone.local(self.time).date_naive()
    }

    fn midnight(self, day: NaiveDate) -> Micros {
        self.zone.utc(day.and_time(NaiveTime::MIN)) * 1_000_000
    }

    /// A point in time: a day means its beginning.
    ///
    /// # Errors
    /// Where the text is no time, with examples of what is.
    pub fn instant(self, text: &str) -> Result<Micros> {
        if text.eq_ignore_ascii_case("now") {
            return Ok(self.time);
        }
        if let Some(ago) = ago(text) {
            return Ok(self.time - ago);
        }
        if let Some(day) = self.day_of(text) {
            return Ok(self.midnight(day));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(time.timestamp_micros());
        }
        let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
        if let Some(local) = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()) {
            return Ok(self.zone.utc(local) * 1_000_000);
        }
        bail!("{text:?} is no time; write 2026-11-23, \"2026-11-23 14:30\", 2026-11-23T14:30:00+01:00, today, yesterday, -2h or -7d")
    }

    fn day_of(self, text: &str) -> Option<NaiveDate> {
        match text.to_ascii_lowercase().as_str() {
            "today" => Some(self.today()),
            "yesterday" => self.today().checked_sub_days(Days::new(1)),
            date => date.parse().ok(),
        }
    }

    /// `--day`: a day, the last week (Monday to Sunday), or the time since so long ago.
    ///
    /// # Errors
    /// Where the text is none of these.
    pub fn day(self, text: &str) -> Result<Window> {
        if let Some(ago) = ago(text) {
            return Ok(Window { since: Some(self.time - ago), until: None });
        }
        let days = |first: NaiveDate, count: u64| {
            let end = first.checked_add_days(Days::new(count)).context("a date too far away")?;
            Ok(Window { since: Some(self.midnight(first)), until: Some(self.midnight(end)) })
        };
        if text.eq_ignore_ascii_case("last-week") {
            let back = u64::from(self.today().weekday().num_days_from_monday()) + 7;
            return days(self.today().checked_sub_days(Days::new(back)).context("a date too far away")?, 7);
        }
        match self.day_of(text) {
            Some(day) => days(day, 1),
            None => bail!("{text:?} is no day; write today, yesterday, 2026-11-23, last-week or -2h"),
        }
    }
}

/// `-2h`: so many microseconds ago. Units s, m, h, d, w.
fn ago(text: &str) -> Option<Micros> {
    let number = preceded(char::<&str, nom::error::Error<&str>>('-'), i64);
    let unit = alt((one_of("smhdw"), one_of("SMHDW")));
    let (_, (count, unit, _)) = all_consuming((number, unit, opt(char(' ')))).parse(text).ok()?;
    let seconds = unit_s(unit.to_ascii_lowercase())?;
    (0..=1_000_000).contains(&count).then(|| count * seconds * 1_000_000)
}

/// The seconds of a unit of time: s, m, h, d, w.
pub fn unit_s(unit: char) -> Option<i64> {
    Some(match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tuesday, 2026-11-24 12:00 UTC, seen from Berlin.
    fn now() -> Now {
        Now { time: 1_795_521_600_000_000, zone: "Europe/Berlin".parse().unwrap() }
    }

    fn at(time: Option<Micros>) -> String {
        now().zone.local(time.unwrap()).to_rfc3339()
    }

    #[test]
    fn instants() {
        let instant = |text: &str| at(Some(now().instant(text).unwrap()));
        assert_eq!(instant("2026-11-23"), "2026-11-23T00:00:00+01:00");
        assert_eq!(instant("2026-11-23 14:30"), "2026-11-23T14:30:00+01:00");
        assert_eq!(instant("2026-11-23T14:30:00Z"), "2026-11-23T15:30:00+01:00");
        assert_eq!(instant("yesterday"), "2026-11-23T00:00:00+01:00");
        assert_eq!(instant("-2h"), "2026-11-24T11:00:00+01:00");
        for wrong in ["", "soon", "-2", "-h", "2026-13-01", "-9223372036854775807w"] {
            assert!(now().instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days() {
        let day = |text: &str| now().day(text).map(|w| (at(w.since), w.until.map(|until| at(Some(until))))).unwrap();
        assert_eq!(day("yesterday"), ("2026-11-23T00:00:00+01:00".into(), Some("2026-11-24T00:00:00+01:00".into())));
        assert_eq!(day("2026-03-29"), ("2026-03-29T00:00:00+01:00".into(), Some("2026-03-30T00:00:00+02:00".into())));
        assert_eq!(day("last-week"), ("2026-11-16T00:00:00+01:00".into(), Some("2026-11-23T00:00:00+01:00".into())));
        assert_eq!(day("-2h"), ("2026-11-24T11:00:00+01:00".into(), None));
        assert!(now().day("someday").is_err());
    }
}
