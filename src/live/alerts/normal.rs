//! What is normal at an hour of the day, learned from the same hour on earlier days.
//!
//! The middle value of these days is what is expected, and the middle deviation from it how much they differ: one bad day
//! moves neither. The last sixty minutes are made of parts of two hours of the clock, here and on the earlier days, so that
//! nothing jumps when an hour is full. An hour without a line is not known, and counts for nothing.

use super::rule::{Direction, Measure};
use crate::live::Counts;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOUR: Micros = 3_600_000_000;
/// Days that are remembered.
pub const DAYS: i64 = 28;
/// With fewer days nothing is normal.
pub const FEWEST: usize = 3;

/// Counts by hour.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Normal {
    hours: BTreeMap<i64, Counts>,
}

/// What was expected, and how it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    pub value: f64,
    pub expected: f64,
    /// How many times further away than usual; negative where it is less.
    pub times: f64,
}

impl Deviation {
    /// So far, in this direction.
    #[must_use]
    pub fn is_beyond(&self, times: f64, direction: Direction) -> bool {
        match direction {
            Direction::More => self.times > times,
            Direction::Less => -self.times > times,
            Direction::Both => self.times.abs() > times,
        }
    }
}

impl Normal {
    pub fn add(&mut self, time: Micros, counts: &Counts) {
        let hour = time.div_euclid(HOUR);
        if let Some(known) = self.hours.get_mut(&hour) {
            known.add(counts);
            return;
        }
        self.hours.insert(hour, *counts);
        if let Some((newest, _)) = self.hours.last_key_value() {
            let oldest = newest - DAYS * 24 - 1;
            self.hours = self.hours.split_off(&oldest);
        }
    }

    /// How far the last hour is from the same hour on the days before; `None` while too few of them are known.
    #[must_use]
    pub fn deviation(&self, now: Micros, measure: Measure, days: i64) -> Option<Deviation> {
        let (hour, part) = (now.div_euclid(HOUR), now.rem_euclid(HOUR) as f64 / HOUR as f64);
        let count = |hour: i64| self.hours.get(&hour).map(|counts| measure.parts(counts, counts).0 as f64);
        // The hour before the first whole one began in the middle of something.
        let first = *self.hours.first_key_value()?.0;
        let begun = (hour - 1 > first).then(|| count(hour - 1).unwrap_or(0.0))?;
        let value = count(hour).unwrap_or(0.0) + (1.0 - part) * begun;
        let on = |day: i64| {
            (hour - day * 24 - 1 > first).then(|| Some(part * count(hour - day * 24)? + (1.0 - part) * count(hour - day * 24 - 1)?))
        };
        let mut earlier: Vec<f64> = (1..=days.min(DAYS)).filter_map(|day| on(day).flatten()).collect();
        if earlier.len() < FEWEST {
            return None;
        }
        let expected = median(&mut earlier);
        let mut away: Vec<f64> = earlier.iter().map(|value| (value - expected).abs()).collect();
        // Of a normal distribution, the middle deviation is 0.6745 of the standard one. Counts differ by their root at least.
        let usual = (median(&mut away) * 1.4826).max(expected.sqrt()).max(expected * 0.05).max(1.0);
        Some(Deviation { value, expected, times: (value - expected) / usual })
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of a mail server: a hundred an hour by night, a thousand by day.
    fn learned(days: i64, odd: impl Fn(i64) -> u64) -> Normal {
        let mut normal = Normal::default();
        for hour in 0..days * 24 {
            let usual = if (8..18).contains(&(hour % 24)) { 1000 } else { 100 };
            normal.add(hour * HOUR, &Counts { delivered: (usual + hour as u64 % 7) * odd(hour) / 100, ..Counts::default() });
        }
        normal
    }

    fn deviation(normal: &Normal, now: Micros) -> Option<Deviation> {
        normal.deviation(now, Measure::Delivered, 14)
    }

    #[test]
    fn the_hour_of_the_day_counts() {
        let normal = learned(8, |_| 100);
        for hour in [7 * 24 + 3, 7 * 24 + 12, 7 * 24 + 9] {
            let found = deviation(&normal, hour * HOUR - 1).expect("a week is known");
            assert!(found.times.abs() < 1.0, "{hour}: {found:?}");
        }
    }

    #[test]
    fn one_bad_day_is_not_normal() {
        // Nothing was delivered on the fifth day; on the last one a tenth, for two hours.
        let normal = learned(8, |hour| {
            if hour / 24 == 4 {
                0
            } else if hour >= 7 * 24 + 11 {
                10
            } else {
                100
            }
        });
        let at = |hour: i64| deviation(&normal, (7 * 24 + hour) * HOUR - 1).expect("a week is known");
        assert!(at(10).times.abs() < 1.0, "{:?}", at(10));
        assert!(at(13).times < -8.0 && at(13).is_beyond(8.0, Direction::Less) && !at(13).is_beyond(8.0, Direction::More), "{:?}", at(13));
        assert!(deviation(&learned(2, |_| 100), 48 * HOUR - 1).is_none(), "two days are too few");
    }

    #[test]
    fn a_month_is_remembered() {
        let normal = learned(60, |_| 100);
        assert!(normal.hours.len() as i64 <= DAYS * 24 + 2);
    }
}
