//! When the lines were written, by days: from the first line to the last, except for strays.
//!
//! A clock that was wrong for a moment, or a line of another year that was copied in, would stretch the window of a report
//! over months in which nothing is. Such lines count like others, but the window does not go to them.

use super::Merge;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY: Micros = 86_400_000_000;
/// More days than any log has: further lines are added to the nearest one.
const MOST: usize = 4096;
/// With fewer lines, each one matters.
const FEW: u64 = 10;

/// The lines of one day.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Day {
    lines: u64,
    first: Micros,
    last: Micros,
}

impl Merge for Day {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Lines by their day, in UTC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Days {
    days: BTreeMap<i64, Day>,
    /// The day of the line before, not in `days` yet.
    current: Option<(i64, Day)>,
}

/// What the window is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub first: Micros,
    pub last: Micros,
    /// Lines far from all others.
    pub stray: u64,
}

impl Days {
    #[inline]
    pub fn see(&mut self, time: Micros) {
        match &mut self.current {
            Some((number, day)) if (0..DAY).contains(&(time - *number * DAY)) => {
                day.merge(Day { lines: 1, first: time, last: time });
            }
            _ => self.begin(time),
        }
    }

    #[cold]
    fn begin(&mut self, time: Micros) {
        self.settle();
        self.current = Some((time.div_euclid(DAY), Day { lines: 1, first: time, last: time }));
    }

    fn settle(&mut self) {
        if let Some((number, day)) = self.current.take() {
            self.put(number, day);
        }
    }

    fn put(&mut self, number: i64, day: Day) {
        if self.days.len() >= MOST && !self.days.contains_key(&number) {
            let before = self.days.range(..number).next_back().map(|(known, _)| *known);
            if let Some(known) = before.or_else(|| self.days.keys().next().copied()).and_then(|nearest| self.days.get_mut(&nearest)) {
                known.merge(day);
            }
            return;
        }
        self.days.entry(number).and_modify(|known| known.merge(day)).or_insert(day);
    }

    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        other.days.into_iter().for_each(|(number, day)| self.put(number, day));
    }

    /// From the first line to the last; `None` where no line has a time. What is left out at either end are so few lines
    /// (one of ten and more, or one in a thousand) that lie further from the rest than the rest is long.
    #[must_use]
    pub fn extent(&self) -> Option<Extent> {
        let mut all = self.clone();
        all.settle();
        let mut days: &[Day] = &all.days.into_values().collect::<Vec<_>>();
        let lines: u64 = days.iter().map(|day| day.lines).sum();
        let mut stray = 0;
        let allowed = if lines < FEW { 0 } else { (lines / 1000).max(1) };
        loop {
            let (first, last) = (days.first()?.first, days.last()?.last);
            let Some((at, gap)) = widest_gap(days) else { return Some(Extent { first, last, stray }) };
            let (before, after) = days.split_at(at);
            let count = |days: &[Day]| days.iter().map(|day| day.lines).sum::<u64>();
            let (lesser, rest) = if count(before) <= count(after) { (before, after) } else { (after, before) };
            let long = rest[rest.len() - 1].last - rest[0].first;
            if stray + count(lesser) > allowed || gap <= DAY.max(long) {
                return Some(Extent { first, last, stray });
            }
            stray += count(lesser);
            days = rest;
        }
    }
}

/// Behind which day nothing was logged for longest, and how long.
fn widest_gap(days: &[Day]) -> Option<(usize, Micros)> {
    let gaps = days.windows(2).enumerate().map(|(at, two)| (at + 1, two[1].first - two[0].last));
    gaps.max_by_key(|(at, gap)| (*gap, std::cmp::Reverse(*at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Micros = 3_600_000_000;

    fn of(times: impl Iterator<Item = Micros>) -> Days {
        let mut days = Days::default();
        times.for_each(|time| days.see(time));
        days
    }

    fn extent(times: impl Iterator<Item = Micros>) -> (Micros, Micros, u64) {
        let Extent { first, last, stray } = of(times).extent().expect("lines");
        (first / HOUR, last / HOUR, stray)
    }

    #[test]
    fn a_line_of_another_year_is_a_stray() {
        let day = |n: i64| (0..24).map(move |hour| (n * 24 + hour) * HOUR);
        assert_eq!(extent(day(100)), (2400, 2423, 0));
        assert_eq!(extent(day(100).chain([465 * DAY])), (2400, 2423, 1));
        assert_eq!(extent([3 * DAY].into_iter().chain(day(100))), (2400, 2423, 1));
        // Two are too many of so few.
        assert_eq!(extent([3 * DAY, 465 * DAY].into_iter().chain(day(100))).2, 1);
        // A week's silence in a month is nothing.
        assert_eq!(extent((0..20).chain(27..30).flat_map(day)), (0, 719, 0));
        assert_eq!(extent((0..20).map(|week| week * 7 * DAY)), (0, 19 * 7 * 24, 0));
        assert_eq!(extent([DAY, 400 * DAY].into_iter()), (24, 9600, 0));
        assert_eq!(Days::default().extent(), None);
    }

    #[test]
    fn order_and_split_make_no_difference() {
        let times: Vec<Micros> = (0..500).map(|n| n * 37 % 29 * DAY + n * 1_000_000 - 3 * DAY).chain([4000 * DAY]).collect();
        let whole = of(times.iter().copied()).extent();
        for cut in [1, 100, 499] {
            let (one, other) = times.split_at(cut);
            let mut parts = of(other.iter().rev().copied());
            parts.merge(of(one.iter().copied()));
            assert_eq!(parts.extent(), whole);
        }
    }

    #[test]
    fn days_are_bounded() {
        let days = of((0..10_000).map(|n| n * 7 * DAY));
        assert!(days.days.len() <= MOST);
        assert_eq!(days.extent().map(|extent| (extent.first, extent.last)), Some((0, 69_993 * DAY)));
    }
}
