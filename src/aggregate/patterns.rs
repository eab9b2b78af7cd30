//! Recurring failures and refusals: one row a template, with what a reader asks next: how often, since when, whom it
//! concerns, and two of them word by word.

use super::Merge;
use super::failures::Classes;
use super::table::{Row, Table, parted};
use super::template::template;
use super::timeline::{Tally, Timeline};
use mailscope_parsers::model::{Class, Micros, Stage};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Templates that are kept before the rare ones go.
const MANY: usize = 3500;
/// Whom each concerns is told of no more than so many domains or clients.
const CONCERNED: usize = 112;
const EXAMPLES: usize = 2;
/// An example is cut here.
const LONGEST: usize = 600;

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A delivery that failed for now or for good.
    Delivery,
    /// A client or message that was turned away.
    Reject(Stage),
}

/// One text, where and when.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub source: Source,
    pub time: Micros,
    pub host: &'a [u8],
    pub text: &'a [u8],
    /// What is the same for texts that have the same template; 0 where it is not known.
    pub skeleton: u64,
    pub class: Class,
    /// The recipient's domain of a delivery, the client of a reject.
    pub concerned: &'a [u8],
    pub count: u64,
}

/// A verbatim text; ordered by time, so that the first ones stay.
pub type Verbatim = (Micros, Box<[u8]>, Box<[u8]>);

/// What is known of one template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatternRow {
    pub count: u64,
    pub seen: Option<(Micros, Micros)>,
    /// A template can be classed in several ways: providers mean different things by the same words.
    pub classes: Classes,
    /// Domains or clients. None where there were too many: which of them would stay depends on how the log was split.
    pub concerned: Option<Table<u64>>,
    pub timeline: Timeline<Tally>,
    pub examples: Vec<Verbatim>,
}

impl Default for PatternRow {
    fn default() -> Self {
        let (count, seen, classes, examples) = (0, None, Classes::default(), Vec::new());
        Self { count, seen, classes, concerned: Some(Table::new(CONCERNED)), timeline: Timeline::default(), examples }
    }
}

impl PatternRow {
    fn count(&mut self, said: &Said<'_>) {
        self.count += said.count;
        self.seen = Some(self.seen.map_or((said.time, said.time), |(first, last)| (first.min(said.time), last.max(said.time))));
        self.classes.add(said.class, said.count);
        self.timeline.at(said.time).add(said.count);
    }

    fn show(&mut self, said: &Said<'_>) {
        if !said.concerned.is_empty()
            && let Some(concerned) = &mut self.concerned
        {
            *concerned.row(said.concerned) += said.count;
            self.concerned.take_if(|concerned| !concerned.is_exact());
        }
        self.example(said.time, said.host, said.text);
    }

    fn example(&mut self, time: Micros, host: &[u8], text: &[u8]) {
        let text = &text[..text.len().min(LONGEST)];
        let earlier = |known: &Verbatim| (time, host, text) < (known.0, &*known.1, &*known.2);
        if self.examples.len() < EXAMPLES || self.examples.last().is_some_and(earlier) {
            // Two that say the same, word by word, show no more than one.
            if let Some(same) = self.examples.iter().position(|known| *known.2 == *text) {
                if !earlier(&self.examples[same]) {
                    return;
                }
                self.examples.remove(same);
            }
            self.examples.push((time, host.into(), text.into()));
            self.examples.sort_unstable();
            self.examples.truncate(EXAMPLES);
        }
    }

    /// The most frequent class; of equal ones the first name.
    #[must_use]
    pub fn class(&self) -> Class {
        self.classes.top().unwrap_or(Class::Unknown)
    }
}

impl Merge for PatternRow {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.seen = match (self.seen, other.seen) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        self.classes.merge(other.classes);
        self.concerned = self.concerned.take().zip(other.concerned).map(|(mut concerned, more)| {
            concerned.merge(more, |_, _| ());
            concerned
        });
        self.concerned.take_if(|concerned| !concerned.is_exact());
        self.timeline.merge(other.timeline);
        other.examples.iter().for_each(|(time, host, text)| self.example(*time, host, text));
    }
}

impl Row for PatternRow {
    fn weight(&self) -> u64 {
        self.count
    }
}

/// Rows by source and template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Patterns {
    rows: Table<PatternRow>,
    #[serde(skip)]
    recent: Recent,
    #[serde(skip)]
    scratch: Vec<u8>,
    #[serde(skip)]
    key: Vec<u8>,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { rows: Table::new(MANY), recent: Recent::default(), scratch: Vec::new(), key: Vec::new() }
    }
}

/// The rows of skeletons that came before. Only as long as no row is dropped.
#[derive(Clone, Debug, Default)]
struct Recent(Vec<(u64, Source, u32)>);

impl Recent {
    const PLACES: usize = 1 << 13;

    fn get(&self, said: &Said<'_>) -> Option<u32> {
        let (skeleton, source, place) = *self.0.get(said.skeleton as usize % Self::PLACES)?;
        (said.skeleton != 0 && (skeleton, source) == (said.skeleton, said.source)).then_some(place)
    }

    fn put(&mut self, said: &Said<'_>, place: u32) {
        if said.skeleton != 0 {
            self.0.resize(Self::PLACES, (0, Source::Delivery, 0));
            self.0[said.skeleton as usize % Self::PLACES] = (said.skeleton, said.source, place);
        }
    }
}

impl Patterns {
    pub fn limit(&mut self, rows: usize) {
        self.rows.limit(rows);
    }

    /// Counts texts, each step for all of them before the next: the rows lie far apart, and what must be waited for is waited
    /// for together.
    pub fn see(&mut self, all: &[Said<'_>]) {
        let known: SmallVec<[Option<u32>; 64]> = all.iter().map(|said| self.recent.get(said)).collect();
        // One of those before may have been the same.
        let place = |(said, known): (&Said<'_>, Option<u32>)| known.or_else(|| self.recent.get(said)).unwrap_or_else(|| self.find(said));
        let places: SmallVec<[u32; 64]> = all.iter().zip(known).map(place).collect();
        let placed = || all.iter().zip(&places);
        placed().for_each(|(said, place)| self.rows.at(*place as usize).count(said));
        placed().for_each(|(said, place)| self.rows.at(*place as usize).show(said));
        let before = self.rows.dropped_keys;
        self.rows.settle(|_, _| ());
        if self.rows.dropped_keys != before {
            // The others have moved.
            self.recent = Recent::default();
        }
    }

    /// The place of the row that a text belongs to.
    fn find(&mut self, said: &Said<'_>) -> u32 {
        template(said.text, &mut self.scratch);
        self.key.clear();
        self.key.extend_from_slice(match said.source {
            Source::Delivery => b"",
            Source::Reject(stage) => stage.name().as_bytes(),
        });
        self.key.push(0);
        self.key.extend_from_slice(&self.scratch);
        let place = self.rows.place(&self.key).0 as u32;
        self.recent.put(said, place);
        place
    }

    pub fn merge(&mut self, other: Self) {
        self.recent = Recent::default();
        self.rows.merge(other.rows, |_, _| ());
    }

    /// The rows by stage (empty for failed deliveries) and template.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], &PatternRow)> {
        self.rows.iter().map(|(key, row)| {
            let (stage, template) = parted(key);
            (stage, template, row)
        })
    }

    /// The rows themselves; what was dropped stays known.
    pub fn take_rows(&mut self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>, PatternRow)> {
        self.recent = Recent::default();
        self.rows.take_rows().map(|(key, row)| {
            let (stage, template) = parted(&key);
            (stage.to_vec(), template.to_vec(), row)
        })
    }

    /// What is known of the templates that were dropped, all together, and how many and by how much a row can be too low.
    #[must_use]
    pub fn dropped(&self) -> (u64, u64, u64) {
        (self.rows.dropped_keys, self.rows.dropped.count, self.rows.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailscope_parsers::classify::Classifier;

    fn said(time: Micros, text: &str) -> Said<'_> {
        let (class, skeleton) = (Class::MailboxFull, Classifier::built_in().skeleton(text.as_bytes()));
        Said { source: Source::Delivery, time, host: b"mail", text: text.as_bytes(), skeleton, class, concerned: b"example.org", count: 1 }
    }

    #[test]
    fn rows_do_not_depend_on_order_or_split() {
        let texts: Vec<String> = (0..50).map(|n| format!("552 5.2.2 <user{n}@example.org>: mailbox full ({n})")).collect();
        let of = |range: std::ops::Range<usize>| {
            let mut patterns = Patterns::default();
            range.rev().for_each(|n| patterns.see(&[said(n as i64 * 1_000_000, &texts[n])]));
            patterns
        };
        let (whole, mut parts) = (of(0..50), of(20..50));
        parts.merge(of(0..20));
        for patterns in [whole, parts] {
            let mut patterns = patterns;
            let rows: Vec<_> = patterns.take_rows().collect();
            assert_eq!(rows.len(), 1);
            let (stage, template, row) = &rows[0];
            assert_eq!(stage, b"");
            assert_eq!(String::from_utf8_lossy(template), "552 5.2.2 <*>: mailbox full (*)");
            assert_eq!((row.count, row.seen, row.class()), (50, Some((0, 49_000_000)), Class::MailboxFull));
            assert_eq!(row.examples.iter().map(|example| example.0).collect::<Vec<_>>(), [0, 1_000_000]);
        }
    }

    #[test]
    fn many_at_a_time_are_counted_as_one_by_one() {
        let texts: Vec<String> = (0..200).map(|n| format!("55{} 5.2.2 <user{n}@example.org>: mailbox full", n % 3)).collect();
        let all: Vec<Said<'_>> = texts.iter().enumerate().map(|(n, text)| said(n as i64 * 1_000_000, text)).collect();
        let (mut one_by_one, mut together) = (Patterns::default(), Patterns::default());
        all.iter().for_each(|said| one_by_one.see(std::slice::from_ref(said)));
        together.see(&all);
        let rows = |patterns: &mut Patterns| {
            let mut rows: Vec<_> = patterns.take_rows().map(|(_, template, row)| (template, row.count, row.seen, row.examples)).collect();
            rows.sort();
            rows
        };
        let together = rows(&mut together);
        assert_eq!((together.len(), rows(&mut one_by_one)), (3, together));
    }

    #[test]
    fn the_same_words_are_no_second_example() {
        let mut patterns = Patterns::default();
        for time in [5, 3, 4, 3] {
            patterns.see(&[said(time, "no such user")]);
        }
        patterns.see(&[said(9, "no such user")]);
        assert_eq!(patterns.take_rows().next().unwrap().2.examples.iter().map(|example| example.0).collect::<Vec<_>>(), [3]);
    }
}
