//! Failures over time, by what they have in common: where they happen, why, whose mail or account it is. From these a
//! reader learns since when.

use super::Merge;
use super::table::{AT_A_TIME, Row, Table, parted};
use super::timeline::{Counted, Tally, Timeline};
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::ops::Range;

/// Courses of one kind that are kept before the light ones go.
const MANY: usize = 3500;

/// When something happened, and how often.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Course {
    pub count: u64,
    /// Of these for good.
    pub permanent: u64,
    pub timeline: Timeline<Failed>,
}

/// What failed in one bucket: for good, and what may yet succeed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Failed {
    pub lasting: Tally,
    pub passing: Tally,
}

impl Merge for Failed {
    fn merge(&mut self, other: Self) {
        self.lasting.merge(other.lasting);
        self.passing.merge(other.passing);
    }
}

/// One of thousands of rows.
impl Counted for Failed {
    const MOST_QUARTERS: u32 = 200;
    const AT_HAND: usize = 2;
}

impl Course {
    pub fn see(&mut self, time: Micros, count: u64, permanent: bool) {
        self.count += count;
        let failed = self.timeline.at(time);
        if permanent {
            self.permanent += count;
            failed.lasting.add(count);
        } else {
            failed.passing.add(count);
        }
    }
}

impl Merge for Course {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.permanent += other.permanent;
        self.timeline.merge(other.timeline);
    }
}

impl Row for Course {
    fn weight(&self) -> u64 {
        self.count
    }

    /// When they happened, is asked of rows alone.
    fn leave(self, dropped: &mut Self) {
        dropped.count += self.count;
        dropped.permanent += self.permanent;
    }
}

/// Something of which there are courses.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'h> {
    pub why: &'h str,
    pub whose: &'h [u8],
    pub time: Micros,
    pub count: u64,
    pub permanent: bool,
}

/// Courses by two words: why, and whose or where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Courses {
    pub rows: Table<Course>,
    /// Of what is added, one behind the other.
    #[serde(skip)]
    keys: Vec<u8>,
}

impl Default for Courses {
    fn default() -> Self {
        Self { rows: Table::new(MANY), keys: Vec::new() }
    }
}

impl Courses {
    /// Keeps fewer rows than a list that has so many: one of these is as large as several of others.
    pub fn limit(&mut self, rows: usize) {
        self.rows.limit(rows / 10);
    }

    pub fn add(&mut self, why: &str, whose: &[u8], time: Micros, count: u64, permanent: bool) {
        self.add_all(&[Happened { why, whose, time, count, permanent }]);
    }

    /// Adds what happened.
    pub fn add_all(&mut self, all: &[Happened<'_>]) {
        let keys = &mut self.keys;
        keys.clear();
        let mut placed: SmallVec<[_; AT_A_TIME]> = SmallVec::new();
        for one in all {
            let start = keys.len();
            keys.extend_from_slice(one.why.as_bytes());
            keys.push(0);
            keys.extend_from_slice(one.whose);
            placed.push((start..keys.len(), one));
        }
        let key = |(place, _): &(Range<usize>, _)| &self.keys[place.clone()];
        self.rows.count(&placed, key, |_| (), |(_, one), course| course.see(one.time, one.count, one.permanent));
        self.rows.settle(|_, _| ());
    }

    /// Why, whose, and the course.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], &Course)> {
        self.rows.iter().map(|(key, course)| {
            let (why, whose) = parted(key);
            (why, whose, course)
        })
    }

    pub fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
    }
}
