//! What a postmaster should know first: at most seven sentences, each with its evidence, since when, whose move it is and
//! the next step. Nothing is found on a server where mail flows.
//!
//! In go the summary and its patterns, out come findings in order of weight. A detector is a function; it decides by
//! numbers alone and says them.

mod baseline;
mod destinations;
mod flow;
mod recipients;
mod server;
mod spell;

pub use baseline::Baseline;

use super::build::Tables;
use super::lists::text;
use super::patterns::Found;
use super::timeline::spread;
use crate::aggregate::{self, Counted, Course, Summary, Timeline};
use crate::input::Zone;
use crate::numbers;
use mailscope_parsers::model::{Class, Micros, Side};
use serde::{Deserialize, Serialize};
use spell::Tried;
use std::collections::BTreeMap;

/// No more sentences than a reader takes in.
const MOST: usize = 7;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Mail does not flow as it should, and somebody has to act.
    Critical,
    Warning,
    Notice,
}

/// One sentence and what stands behind it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which detector: a word that stays the same.
    pub finding: &'static str,
    pub severity: Severity,
    pub title: String,
    pub evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The end, where it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip_serializing_if = "is_nobody")]
    pub side: Side,
    pub action: String,
    /// How many recipients, attempts or clients it concerns: of two equally severe ones the heavier stands first.
    #[serde(skip)]
    weight: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_nobody(side: &Side) -> bool {
    *side == Side::Nobody
}

/// The words that `finding` can be, for `--fail-on` and the documentation.
pub const FINDINGS: &[&str] = &[
    "destination_refuses",
    "blocklisted",
    "authentication_fails",
    "recipients_unknown",
    "domain_invalid",
    "log_ins_fail",
    "bounce_rate",
    "queue_grows",
    "delay_in_stage",
    "destination_unreachable",
    "nothing_reachable",
    "local_errors",
    "worse_than_baseline",
];

/// What the detectors look at.
pub struct Facts<'a> {
    pub summary: &'a Summary,
    pub tables: &'a Tables,
    pub patterns: &'a [Found],
    /// The window, where it has any end.
    pub span: Option<(Micros, Micros)>,
    pub buckets: &'a BTreeMap<i64, aggregate::Bucket>,
    pub bucket_s: i64,
    pub zone: Zone,
}

/// When it began and, if it is over, ended.
#[derive(Clone, Debug, Default)]
struct When {
    since: Option<String>,
    until: Option<String>,
    /// Of all attempts in that time.
    share: f64,
}

impl Facts<'_> {
    fn stamp(&self, time: Micros) -> String {
        self.zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
    }

    /// What failed beside all that was tried, bucket by bucket.
    fn tried(&self, failed: &BTreeMap<i64, u64>) -> Vec<Tried> {
        let all = |bucket: &aggregate::Bucket| bucket.delivered + bucket.deferred_attempts + bucket.bounced;
        let of = |(from, bucket): (&i64, &aggregate::Bucket)| Tried { failed: failed.get(from).copied().unwrap_or(0), all: all(bucket) };
        self.buckets.iter().map(of).collect()
    }

    /// All that failed for this reason, wherever it did.
    fn class(&self, class: Class) -> Vec<&Course> {
        self.summary.ledger.causes.classes.get(&class).into_iter().collect()
    }

    /// Since when, by the change of the rate; where the rate is even, since the first time it was seen.
    fn when(&self, courses: &[&Course]) -> When {
        self.when_of(courses.iter().map(|course| &course.timeline), |failed| failed.lasting.get() + failed.passing.get())
    }

    fn when_of<'t, B: Counted + 't>(&self, timelines: impl Iterator<Item = &'t Timeline<B>>, count: impl Fn(&B) -> u64) -> When {
        let failed = spread(timelines, count, self.bucket_s, self.zone);
        self.when_series(&self.tried(&failed), failed.keys().next().copied())
    }

    fn when_series(&self, series: &[Tried], first: Option<i64>) -> When {
        let starts: Vec<i64> = self.buckets.keys().copied().collect();
        let stamp = |from: i64| self.stamp(from * 1_000_000);
        let share = |series: &[Tried]| {
            let (failed, all) = series.iter().fold((0, 0), |(failed, all), tried| (failed + tried.failed, all + tried.all));
            failed as f64 / all.max(failed).max(1) as f64
        };
        match spell::spell(series) {
            Some(spell) => {
                // What ended only just before the log did may go on.
                let over = spell.until + 1 < starts.len();
                When {
                    since: starts.get(spell.from).map(|from| stamp(*from)),
                    until: starts.get(spell.until).filter(|_| over).map(|from| stamp(*from)),
                    share: share(&series[spell.from..spell.until]),
                }
            }
            None => When { since: first.map(stamp), until: None, share: share(series) },
        }
    }
}

/// All that is to be said, the weightiest first.
#[must_use]
pub fn find(facts: &Facts<'_>, baseline: Option<&Baseline>) -> Vec<Finding> {
    let mut all = Vec::new();
    destinations::find(facts, &mut all);
    recipients::find(facts, &mut all);
    server::find(facts, &mut all);
    flow::find(facts, &mut all);
    if let Some(baseline) = baseline {
        baseline.find(facts, &mut all);
    }
    all.sort_by(|a, b| (a.severity, b.weight, a.finding, &a.title).cmp(&(b.severity, a.weight, b.finding, &b.title)));
    all.truncate(MOST);
    all
}

/// A number with its noun: `1 domain`, `1,200 recipients`.
fn number(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", numbers::count(count))
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// The first few names of a list, and how many more.
fn names(all: &[String]) -> String {
    const SHOWN: usize = 3;
    let first = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{first} and {} more", all.len() - SHOWN) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(number(1, "domain"), "1 domain");
        assert_eq!(number(1_234_567, "recipient"), "1,234,567 recipients");
        assert_eq!(names(&["a", "b", "c", "d", "e"].map(str::to_owned)), "a, b, c and 2 more");
    }
}
