//! Alerts: what is wrong by the rules of the configuration, since when, and when it is over.
//!
//! In: lines as the pipeline read them, findings and patterns as they are looked for now and then, and the time. Out:
//! changes (it fires, it is over), which an [`Outbox`] makes messages of. Everything is judged by the time of the log, over
//! windows that slide with it; how time goes on while nothing is logged, who calls says. It never asks for the time, waits
//! or sends.

mod counted;
mod message;
mod normal;
mod outbox;
mod rule;
mod state;

pub use message::{Form, Letter};
pub use normal::{DAYS, FEWEST};
pub use outbox::{Manner, Outbox};
pub use rule::{By, Condition, Direction, Limits, Measure, Rule};

use crate::aggregate::Patterns;
use crate::live::Counts;
use crate::pipeline::{NO_TIME, Seen};
use crate::report::{Finding, Severity};
use counted::Counted;
use mailscope_parsers::model::{Line, Micros};
use normal::Normal;
use serde::{Deserialize, Serialize};
use state::{Reading, State, Turn};
use std::collections::BTreeMap;

/// While lines come, they are judged so often by their own time, however fast they come.
const EVERY: Micros = 60_000_000;
/// While none come, so often: rows by key change once a minute then, and take more time than anything else of a quiet log.
const QUIET: Micros = 5_000_000;
/// No line is believed that is so far ahead of the others and of the clock: it would make all that follow old.
const AHEAD: Micros = 3_600_000_000;
/// Things that one rule can fire about at once; more are not told apart.
const KEYS: usize = 50;
/// Patterns that are looked at.
const PATTERNS: usize = 100;
/// Longer keys are cut.
const LONGEST: usize = 200;

/// It fires, or it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub alert: String,
    /// What about: a domain, a provider ...; empty for the whole.
    pub key: String,
    pub severity: Severity,
    pub text: String,
    pub since: Micros,
    /// When it was over.
    pub until: Option<Micros>,
    /// Where it is told; everywhere, if nothing is named.
    pub channels: Vec<String>,
}

/// What outlives the program: kept in the state file.
#[derive(Default, Serialize, Deserialize)]
pub struct Memory {
    counted: Counted,
    /// The first time that was counted.
    begun: Option<Micros>,
    normal: Normal,
    /// Pending and firing, by rule and key.
    states: BTreeMap<(String, String), State>,
    /// What each channel is still to be told, by its name: it waits to go with others, or for the channel to work again.
    pub untold: BTreeMap<String, Vec<Change>>,
}

/// A pattern of failures.
struct Pattern {
    template: String,
    count: u64,
    first: Micros,
    last: Micros,
}

/// The rules, and what is known for them.
pub struct Alerts {
    rules: Vec<Rule>,
    pub memory: Memory,
    patterns: Vec<Pattern>,
    findings: Vec<Finding>,
    /// The latest time, and the latest that was judged.
    now: Micros,
    judged: Micros,
    /// Lines came since.
    is_new: bool,
    /// Times up to here can be.
    believed: Micros,
    changes: Vec<Change>,
}

impl Alerts {
    /// With the time that it is now, as long as no line says another.
    #[must_use]
    pub fn new(rules: Vec<Rule>, memory: Memory, now: Micros) -> Self {
        let mut alerts = Self {
            rules: Vec::new(),
            memory,
            patterns: Vec::new(),
            findings: Vec::new(),
            now: NO_TIME,
            judged: NO_TIME,
            is_new: false,
            believed: now.saturating_add(AHEAD),
            changes: Vec::new(),
        };
        alerts.memory.begun.get_or_insert(now);
        alerts.follow(rules);
        alerts
    }

    /// Other rules from now on. What fires by a rule that is still there goes on; by one that is gone it is over.
    pub fn follow(&mut self, rules: Vec<Rule>) {
        for ((name, key), state) in self.memory.states.iter().filter(|((name, _), state)| state.is_firing && !has(&rules, name)) {
            let gone = self.rules.iter().find(|rule| rule.name == *name);
            self.changes.extend(gone.map(|rule| change(rule, key, state, Some(self.now))));
        }
        let keys = rules.iter().filter_map(|rule| if let Condition::Rate { by, .. } = rule.condition { Some(by) } else { None });
        self.memory.counted.ask_for(keys);
        self.memory.states.retain(|(name, _), _| has(&rules, name));
        self.rules = rules;
    }

    /// Whether a rule needs to know the findings, or the patterns.
    #[must_use]
    pub fn needs(&self) -> (bool, bool) {
        let has = |wanted: fn(&Condition) -> bool| self.rules.iter().any(|rule| wanted(&rule.condition));
        (has(|condition| matches!(condition, Condition::Finding { .. })), has(|condition| matches!(condition, Condition::Pattern { .. })))
    }

    /// Takes one line.
    pub fn see(&mut self, seen: &Seen<'_>) {
        if self.rules.is_empty() {
            return;
        }
        let time = seen.record.time;
        let Line::Event(event) = &seen.line else { return };
        let is_first = self.memory.counted.last(Measure::Lines).is_none();
        if is_first && time != NO_TIME {
            // From here on the log says what time it is.
            (self.now, self.judged) = (time, NO_TIME);
        }
        if time == NO_TIME || time > self.believed.max(self.now.saturating_add(AHEAD)) {
            return;
        }
        self.is_new = true;
        let counts = self.memory.counted.see(seen, event);
        self.memory.normal.add(time, &counts);
        let begun = self.memory.begun.get_or_insert(time);
        *begun = time.min(*begun);
        if time > self.now {
            self.now = time;
            if time.saturating_sub(self.judged) >= EVERY {
                self.judge();
            }
        }
    }

    /// Takes the time as it goes on by itself: the log's, and the clock's.
    pub fn tick(&mut self, now: Micros, clock: Micros) {
        self.believed = clock.saturating_add(AHEAD);
        self.now = self.now.max(now);
        if self.is_new || self.now.saturating_sub(self.judged) >= QUIET {
            self.judge();
        }
    }

    /// Takes the findings as they are now.
    pub fn found(&mut self, findings: Vec<Finding>) {
        self.findings = findings;
    }

    /// Looks for patterns that are new.
    pub fn look(&mut self, patterns: &Patterns) {
        let windows = self
            .rules
            .iter()
            .filter_map(|rule| if let Condition::Pattern { window_s, .. } = rule.condition { Some(window_s) } else { None });
        let Some(longest_s) = windows.max() else { return };
        let since = self.now - longest_s * 1_000_000;
        let recent = patterns.iter().filter_map(|(_, template, row)| {
            let (first, last) = row.seen.filter(|(_, last)| *last > since)?;
            let fires = |template: &str| self.memory.states.keys().any(|(_, key)| key == template);
            let template = cut(&String::from_utf8_lossy(template));
            (first > since || fires(&template)).then_some(Pattern { template, count: row.count, first, last })
        });
        let mut recent: Vec<Pattern> = recent.collect();
        recent.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
        recent.truncate(PATTERNS);
        self.patterns = recent;
    }

    /// The latest time of the log; `None` where it said nothing yet.
    #[must_use]
    pub fn latest(&self) -> Option<Micros> {
        self.memory.counted.last(Measure::Lines)
    }

    /// What has changed since this was asked last.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// All that fires now, as it was told.
    #[must_use]
    pub fn firing(&self) -> Vec<Change> {
        let states = self.memory.states.iter().filter(|(_, state)| state.is_firing);
        states
            .filter_map(|((name, key), state)| Some(change(self.rules.iter().find(|rule| rule.name == *name)?, key, state, None)))
            .collect()
    }

    /// Judges everything by what is known now.
    fn judge(&mut self) {
        if self.now <= self.judged {
            return;
        }
        (self.judged, self.is_new) = (self.now, false);
        for rule in &self.rules {
            let mut readings = self.readings(rule);
            readings.retain(|reading| reading.enters || reading.stays);
            let known: Vec<String> = self.memory.states.keys().filter(|(name, _)| *name == rule.name).map(|(_, key)| key.clone()).collect();
            for key in &known {
                let reading = readings.iter().find(|reading| reading.key == *key);
                step(rule, key, reading, self.now, &mut self.memory.states, &mut self.changes);
            }
            let room = KEYS.saturating_sub(known.len());
            let new = readings.iter().filter(|reading| reading.enters && !known.contains(&reading.key));
            for reading in new.take(room) {
                step(rule, &reading.key, Some(reading), self.now, &mut self.memory.states, &mut self.changes);
            }
        }
    }

    /// What a rule is about now.
    fn readings(&self, rule: &Rule) -> Vec<Reading> {
        match &rule.condition {
            Condition::Finding { words, least } => self.of_findings(words, *least),
            Condition::Rate { measure, by, only, window_s, limits, at_least } => {
                let rate = Rate { measure: *measure, by: *by, window_s: *window_s, limits: *limits, at_least: *at_least };
                self.of_rates(&rate, only)
            }
            Condition::Silence { measure, length } => {
                let since = self.memory.counted.last(*measure).or(self.memory.begun).unwrap_or(self.now);
                let silent = self.now - since >= *length;
                let text = format!("nothing {} for {}", what(*measure), minutes((self.now - since) / 1_000_000));
                vec![Reading { key: String::new(), enters: silent, stays: silent, text }]
            }
            Condition::Queue { window_s, limits } => {
                let grown = self.memory.counted.all(self.now, *window_s).growth();
                let text = format!("{grown} more messages came into the queue than left it in {}", minutes(*window_s));
                vec![reading("", grown as f64, *limits, text)]
            }
            Condition::Pattern { at_least, window_s, learning_s } => self.of_patterns(*at_least, *window_s, *learning_s),
            Condition::Normal { measure, direction, times, days } => {
                let Some(found) = self.memory.normal.deviation(self.now, *measure, *days) else { return Vec::new() };
                let text =
                    format!("{:.0} {} in the last hour; at this time of day {:.0} are normal", found.value, what(*measure), found.expected);
                let (enters, stays) = (found.is_beyond(*times, *direction), found.is_beyond(*times / 2.0, *direction));
                vec![Reading { key: String::new(), enters, stays, text }]
            }
        }
    }

    /// Findings of one kind are one thing, however many there are of it.
    fn of_findings(&self, words: &[String], least: Severity) -> Vec<Reading> {
        let wanted = |finding: &&Finding| {
            finding.until.is_none() && finding.severity <= least && (words.is_empty() || words.iter().any(|word| word == finding.finding))
        };
        let mut readings: Vec<Reading> = Vec::new();
        for finding in self.findings.iter().filter(wanted) {
            match readings.iter_mut().find(|reading| reading.key == finding.finding) {
                Some(reading) => reading.text = format!("{}; {}", reading.text, finding.title),
                None => {
                    let text = format!("{}: {}", finding.title, finding.evidence);
                    readings.push(Reading { key: finding.finding.to_owned(), enters: true, stays: true, text });
                }
            }
        }
        readings
    }

    fn of_rates(&self, rate: &Rate, only: &[String]) -> Vec<Reading> {
        let all = self.memory.counted.all(self.now, rate.window_s);
        if rate.by == By::All {
            return vec![rate.reading("", &all, &all)];
        }
        let whole = |own: &Counts| if rate.by == By::Class { all } else { *own };
        let mut rows = self.memory.counted.by(rate.by, self.now, rate.window_s, |own| rate.is_worth_it(own, &whole(own)));
        rows.retain(|(key, _)| only.is_empty() || only.iter().any(|name| is_of(key, name)));
        let part = |counts: &Counts| rate.measure.parts(counts, counts).0;
        rows.sort_by(|a, b| part(&b.1).cmp(&part(&a.1)).then_with(|| a.0.cmp(&b.0)));
        rows.iter().map(|(key, own)| rate.reading(key, own, &whole(own))).collect()
    }

    fn of_patterns(&self, at_least: u64, window_s: i64, learning_s: i64) -> Vec<Reading> {
        let since = self.now - window_s * 1_000_000;
        let learned = self.memory.begun.map_or(NO_TIME, |begun| begun.saturating_add(learning_s * 1_000_000));
        let reading = |pattern: &Pattern| Reading {
            key: pattern.template.clone(),
            enters: pattern.first > since.max(learned) && pattern.count >= at_least,
            stays: pattern.last > since,
            text: format!("never said before, {} times since: {}", pattern.count, pattern.template),
        };
        self.patterns.iter().map(reading).collect()
    }
}

/// A rate to be judged.
struct Rate {
    measure: Measure,
    by: By,
    window_s: i64,
    limits: Limits,
    at_least: u64,
}

impl Rate {
    /// Whether it can be above a limit at all.
    fn is_worth_it(&self, own: &Counts, whole: &Counts) -> bool {
        let (part, of) = self.measure.parts(own, whole);
        part as f64 / of.unwrap_or(1).max(1) as f64 > self.limits.clear
    }

    fn reading(&self, key: &str, own: &Counts, whole: &Counts) -> Reading {
        let time = minutes(self.window_s);
        match self.measure.parts(own, whole) {
            (part, None) => reading(key, part as f64, self.limits, format!("{part} {} in {time}", what(self.measure))),
            (part, Some(of)) => {
                let enough = of >= self.at_least.max(1);
                let share = if enough { part as f64 / of as f64 } else { 0.0 };
                let text = format!("{:.1} % {} in {time}: {part} of {of}", share * 100.0, what(self.measure));
                Reading { enters: enough && share > self.limits.above, ..reading(key, share, self.limits, text) }
            }
        }
    }
}

fn reading(key: &str, value: f64, limits: Limits, text: String) -> Reading {
    Reading { key: cut(key), enters: value > limits.above, stays: value > limits.clear, text }
}

/// Takes a reading, and notes what is to be told.
fn step(
    rule: &Rule,
    key: &str,
    reading: Option<&Reading>,
    now: Micros,
    states: &mut BTreeMap<(String, String), State>,
    changes: &mut Vec<Change>,
) {
    let at = (rule.name.clone(), key.to_owned());
    let state = states.entry(at.clone()).or_insert_with(|| State::new(now));
    match state.take(now, reading, rule.hold, rule.release) {
        Turn::Same => {}
        Turn::Fires => changes.push(change(rule, key, state, None)),
        Turn::Resolves => {
            changes.push(change(rule, key, state, Some(now)));
            states.remove(&at);
        }
        Turn::Gone => {
            states.remove(&at);
        }
    }
}

fn change(rule: &Rule, key: &str, state: &State, until: Option<Micros>) -> Change {
    Change {
        alert: rule.name.clone(),
        key: key.to_owned(),
        severity: rule.severity,
        text: state.text.clone(),
        since: state.since,
        until,
        channels: rule.channels.clone(),
    }
}

fn has(rules: &[Rule], name: &str) -> bool {
    rules.iter().any(|rule| rule.name == name)
}

/// Whether the key is that name, or lies below that domain.
fn is_of(key: &str, name: &str) -> bool {
    let (key, name) = (key.to_lowercase(), name.to_lowercase());
    key == name || key.strip_suffix(&name).is_some_and(|before| before.ends_with(['.', '@']))
}

fn cut(key: &str) -> String {
    key.chars().take(LONGEST).collect()
}

/// As it stands in a sentence.
const fn what(measure: Measure) -> &'static str {
    match measure {
        Measure::Lines => "logged",
        Measure::Received => "received",
        Measure::Delivered => "delivered",
        Measure::Deferred | Measure::DeferralRate => "deferred",
        Measure::Bounced | Measure::BounceRate => "bounced",
        Measure::Rejected | Measure::RejectRate => "rejected",
        Measure::AuthFailures => "failed log-ins",
    }
}

fn minutes(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests;
