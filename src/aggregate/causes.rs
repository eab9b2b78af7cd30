//! Why lines failed, for many of them at a time: by class, by text, by where it happened.

use super::Merge;
use super::courses::{Course, Courses, Happened};
use super::lines::{MANY, row_key};
use super::patterns::{Patterns, Said, Source};
use super::table::{AT_A_TIME, Table};
use crate::pipeline::Seen;
use mailscope_parsers::classify::provider_of;
use mailscope_parsers::model::{Action, Class, Delivery, Event, Line, Reject, Status, domain_of};
use mailscope_parsers::near::have_capitals;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Why lines failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Causes {
    /// Failures and refusals by template.
    pub patterns: Patterns,
    /// Failed attempts by class, and by provider or, where none is known, recipient domain.
    pub failing: Courses,
    /// Failed attempts by class.
    pub classes: BTreeMap<Class, Course>,
    /// Deferred attempts of each recipient domain and each relay.
    pub deferred_domains: Table<u64>,
    pub deferred_relays: Table<u64>,
}

impl Default for Causes {
    fn default() -> Self {
        Self {
            patterns: Patterns::default(),
            failing: Courses::default(),
            classes: BTreeMap::new(),
            deferred_domains: Table::new(MANY),
            deferred_relays: Table::new(MANY),
        }
    }
}

/// An attempt that failed, for now or for good.
struct Attempt<'s, 'a> {
    seen: &'s Seen<'a>,
    delivery: &'s Delivery<'a>,
    domain: Cow<'a, [u8]>,
}

impl<'s, 'a> Attempt<'s, 'a> {
    /// Adds those that a line tells, one for each recipient; none where nothing was tried, or nothing failed.
    fn add_of(seen: &'s Seen<'a>, delivery: &'s Delivery<'a>, to: &mut Vec<Self>) {
        if !matches!(delivery.status, Status::Bounced | Status::Deferred) || delivery.untried {
            return;
        }
        let recipients = delivery.recipients.or_only(delivery.envelope_recipient).filter(|recipient| !recipient.is_empty());
        to.extend(recipients.map(|recipient| Self { seen, delivery, domain: lower(domain_of(recipient.0)) }));
    }

    fn class(&self) -> Class {
        self.delivery.class.unwrap_or(Class::Unknown)
    }

    fn said(&self) -> Said<'_> {
        let Self { seen, delivery, domain } = self;
        said(seen, Source::Delivery, &delivery.diagnostic, self.class(), domain)
    }

    fn happened(&self) -> Happened<'_> {
        let provider = self.seen.told.map_or_else(|| provider_of(&self.delivery.relay.name), |told| told.provider);
        let whose = provider.map_or_else(|| row_key(&self.domain), str::as_bytes);
        let permanent = self.delivery.status == Status::Bounced;
        Happened { why: self.class().name(), whose, time: self.seen.record.time, count: self.seen.count.into(), permanent }
    }
}

/// What a client was refused with.
fn refused<'s>(seen: &'s Seen<'_>, reject: &'s Reject<'_>) -> Said<'s> {
    let client = &reject.client;
    let concerned = if client.ip.is_empty() { &client.name } else { &client.ip };
    said(seen, Source::Reject(reject.stage), &reject.diagnostic, reject.class.unwrap_or(Class::Unknown), concerned)
}

fn said<'s>(seen: &'s Seen<'_>, source: Source, text: &'s [u8], class: Class, concerned: &'s [u8]) -> Said<'s> {
    let Seen { record, told, count, .. } = *seen;
    let skeleton = told.map_or(0, |told| told.skeleton);
    Said { source, time: record.time, host: record.host.0, text, skeleton, class, concerned, count: count.into() }
}

fn lower(domain: &[u8]) -> Cow<'_, [u8]> {
    if have_capitals(domain) { Cow::Owned(domain.to_ascii_lowercase()) } else { Cow::Borrowed(domain) }
}

impl Causes {
    /// No list is longer from now on.
    pub fn limit(&mut self, rows: usize) {
        self.patterns.limit(rows);
        self.failing.limit(rows);
        [&mut self.deferred_domains, &mut self.deferred_relays].into_iter().for_each(|table| table.limit(rows));
    }

    /// Counts why these lines failed, where they did. Each list is gone through for all of them before the next: its rows
    /// would have to be fetched again.
    pub(super) fn count<'s, 'a: 's>(&mut self, lines: impl Iterator<Item = &'s Seen<'a>>) {
        let (mut attempts, mut refusals) = (Vec::with_capacity(AT_A_TIME), Vec::with_capacity(AT_A_TIME));
        for seen in lines {
            match &seen.line {
                Line::Event(Event::Delivery(delivery)) => Attempt::add_of(seen, delivery, &mut attempts),
                Line::Event(Event::Reject(reject)) if reject.action == Action::Reject => refusals.push(refused(seen, reject)),
                _ => {}
            }
        }
        // Not as one chain: it does not tell how long it is.
        let mut said: Vec<Said<'_>> = Vec::with_capacity(attempts.len() + refusals.len());
        said.extend(attempts.iter().map(Attempt::said));
        said.append(&mut refusals);
        self.patterns.see(&said);
        let happened: Vec<Happened<'_>> = attempts.iter().map(Attempt::happened).collect();
        self.failing.add_all(&happened);
        let each = attempts.iter().zip(&happened);
        each.for_each(|(attempt, one)| self.classes.entry(attempt.class()).or_default().see(one.time, one.count, one.permanent));
        let deferred: SmallVec<[&Attempt<'_, '_>; AT_A_TIME]> =
            attempts.iter().filter(|attempt| attempt.delivery.status == Status::Deferred).collect();
        let add = |attempt: &&Attempt<'_, '_>, sum: &mut u64| *sum += u64::from(attempt.seen.count);
        self.deferred_domains.count(&deferred, |attempt| row_key(&attempt.domain), |_| (), add);
        self.deferred_domains.settle(|_, _| ());
        self.deferred_relays.count(&deferred, |attempt| row_key(&attempt.delivery.relay.name), |_| (), add);
        self.deferred_relays.settle(|_, _| ());
    }

    /// Failed attempts by class, of bounces (`true`) and of deferrals.
    #[must_use]
    pub fn class_attempts(&self) -> BTreeMap<(Class, bool), u64> {
        let both =
            |(class, course): (&Class, &Course)| [((*class, true), course.permanent), ((*class, false), course.count - course.permanent)];
        self.classes.iter().flat_map(both).filter(|(_, count)| *count > 0).collect()
    }
}

impl Merge for Causes {
    fn merge(&mut self, other: Self) {
        self.patterns.merge(other.patterns);
        self.failing.merge(other.failing);
        for (class, course) in other.classes {
            self.classes.entry(class).or_default().merge(course);
        }
        self.deferred_domains.merge(other.deferred_domains, |_, _| ());
        self.deferred_relays.merge(other.deferred_relays, |_, _| ());
    }
}
