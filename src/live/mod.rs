//! What a log that is being written is like now: rates and rows over sliding windows, the last failures, patterns that are
//! new or grow, findings as they come and go, the screen that shows all of it, the counters for Prometheus, and alerts.
//!
//! In: lines as the pipeline read them, and the running sums. Everything is made of buckets by the time of the log and is
//! bounded, however busy the log. It never reads a file, asks for the time or prints: who calls says what time it is.

pub mod alerts;
mod destinations;
mod metrics;
mod screen;
mod sliding;
mod stream;

pub use destinations::Destinations;
pub use metrics::Metrics;
pub use screen::{Pressed, Screen};
pub use sliding::{Counts, Sliding};
pub use stream::{Failure, Stream};

use crate::aggregate::Patterns;
use crate::pipeline::{NO_TIME, Seen};
use crate::report::{Finding, Severity};
use mailscope_parsers::model::{Class, Event, Line, Micros, Status, Text};

/// A pattern that began within this time is new.
const NEW: Micros = 15 * 60 * 1_000_000;

/// Everything that the screen shows.
#[derive(Default)]
pub struct Live {
    pub lines: u64,
    pub rates: Sliding,
    pub providers: Destinations,
    pub domains: Destinations,
    pub stream: Stream,
    pub patterns: Vec<Trend>,
    pub findings: Vec<Shown>,
    /// The latest time of the log.
    pub now: Micros,
}

/// A pattern of failures that is new or happens more often than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    pub template: String,
    pub is_new: bool,
    /// In the last quarter of an hour.
    pub count: u64,
}

/// A finding, while it is so.
#[derive(Clone, Debug)]
pub struct Shown {
    pub finding: &'static str,
    pub severity: Severity,
    pub title: String,
    pub since: Option<String>,
    pub is_over: bool,
}

impl Live {
    /// Takes one line; `text` puts it in one sentence, and is asked only where it is news.
    pub fn see(&mut self, seen: &Seen<'_>, text: impl FnOnce() -> Option<String>) {
        self.lines += 1;
        let Line::Event(event) = &seen.line else { return };
        let time = seen.record.time;
        if time == NO_TIME {
            return;
        }
        self.now = self.now.max(time);
        let times = u64::from(seen.count);
        self.rates.at(time).add(&Counts::of(event, times));
        if let Event::Delivery(delivery) = event
            && !delivery.status.is_probe()
            && !delivery.envelope_recipient.is_empty()
        {
            self.providers.provider(time, delivery, times);
            self.domains.domain(time, delivery, times);
        }
        if let Some(text) = text() {
            let (class, permanent) = kind(event);
            let queue_id = match event {
                Event::Delivery(delivery) => delivery.queue_id,
                Event::Reject(reject) => reject.queue_id,
                _ => Text(b""),
            };
            let queue_id = String::from_utf8_lossy(&queue_id).into_owned();
            self.stream.push(Failure { time, class, permanent, text, queue_id });
        }
    }

    /// Says in the stream what has no line in the log.
    pub fn say(&mut self, text: String) {
        self.stream.push(Failure { time: self.now, class: None, permanent: false, text, queue_id: String::new() });
    }

    /// Finds the patterns that are new or grow.
    pub fn trends(&mut self, patterns: &Patterns) {
        let quarter = |row: &crate::aggregate::PatternRow, quarters_ago: i64| -> u64 {
            let (from, to) = (self.now - (quarters_ago + 1) * NEW, self.now - quarters_ago * NEW);
            row.timeline.iter().filter(|(begin, _)| (from + 1..=to).contains(&(begin * 1_000_000))).map(|(_, count)| count.get()).sum()
        };
        let trend = |template: &[u8], row: &crate::aggregate::PatternRow| {
            let count = quarter(row, 0);
            let is_new = row.seen.is_some_and(|(first, _)| first > self.now - NEW);
            let before = (1..4).map(|ago| quarter(row, ago)).sum::<u64>();
            let grows = count >= 5 && count * 3 > before * 2;
            (count > 0 && (is_new || grows)).then(|| Trend { template: String::from_utf8_lossy(template).into_owned(), is_new, count })
        };
        let mut trends: Vec<Trend> = patterns.iter().filter_map(|(_, template, row)| trend(template, row)).collect();
        trends.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
        trends.truncate(50);
        self.patterns = trends;
    }

    /// Takes the findings as they are now; says in the stream which of them are new and which are gone.
    pub fn found(&mut self, findings: &[Finding]) {
        let new: Vec<Shown> = findings
            .iter()
            .map(|finding| Shown {
                finding: finding.finding,
                severity: finding.severity,
                title: finding.title.clone(),
                since: finding.since.clone(),
                is_over: finding.until.is_some(),
            })
            .collect();
        let is_among = |one: &Shown, all: &[Shown]| all.iter().any(|other| (one.finding, one.is_over) == (other.finding, other.is_over));
        let opened = new.iter().filter(|one| !one.is_over && !is_among(one, &self.findings)).map(|one| format!("finding: {}", one.title));
        let closed = self.findings.iter().filter(|one| !one.is_over && !is_among(one, &new)).map(|one| format!("no longer: {}", one.title));
        let said: Vec<String> = opened.chain(closed).collect();
        said.into_iter().for_each(|text| self.say(text));
        self.findings = new;
    }
}

/// The class of what went wrong, and whether it did for good.
fn kind(event: &Event<'_>) -> (Option<Class>, bool) {
    match event {
        Event::Delivery(delivery) => (delivery.class, delivery.status != Status::Deferred),
        Event::Reject(reject) => (reject.class, reject.reply_code.is_none_or(|code| code >= 500)),
        Event::AuthFailure(_) => (Some(Class::Credentials), true),
        _ => (None, false),
    }
}
