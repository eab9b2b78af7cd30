//! What each line says by itself: lines, attempts, rejects, log-ins, TLS, sessions, complaints.

use super::Merge;
use super::clients::{Did, Visit};
use super::courses::Courses;
use super::days::Days;
use super::rows::{HostRow, TextRow};
use super::table::Table;
use super::template::template;
use super::timeline::Timeline;
use crate::pipeline::{NO_TIME, Seen};
use mailscope_parsers::model::{
    Accepted, Action, AuthFailure, By, Check, Class, Delivery, Direction, EnhancedStatus, Event, Line, Micros, Peer, Reject, Secured,
    Severity, Stage, Status, Trust, Unrecognized, Verdict,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Distinct keys that a list may hold before the light ones go.
pub(super) const MANY: usize = 57_000;
const SOME: usize = 4096;
/// Unrecognized lines shown for each reason.
const EXAMPLES: usize = 5;

/// An unrecognized line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Example {
    pub time: Micros,
    pub host: Box<[u8]>,
    pub text: Box<[u8]>,
}

/// A count for each key; the first few keys are found at once, and they are the frequent ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "K: Deserialize<'de> + Ord"))]
pub struct Tally<K> {
    front: Vec<(K, u64)>,
    rest: BTreeMap<K, u64>,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { front: Vec::new(), rest: BTreeMap::new() }
    }
}

impl<K: Ord> Tally<K> {
    const FRONT: usize = 16;

    #[inline]
    pub fn add(&mut self, key: K, count: u64) {
        if let Some((_, sum)) = self.front.iter_mut().find(|(known, _)| *known == key) {
            *sum += count;
        } else if self.front.len() < Self::FRONT {
            self.front.push((key, count));
        } else {
            *self.rest.entry(key).or_default() += count;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.front.iter().map(|(key, count)| (key, *count)).chain(self.rest.iter().map(|(key, count)| (key, *count)))
    }
}

/// Attempts by status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Attempts {
    pub total: u64,
    pub sent: u64,
    pub deferred: u64,
    pub bounced: u64,
}

/// TLS sessions of one direction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sessions {
    pub sessions: u64,
    pub by_version: BTreeMap<Box<[u8]>, u64>,
    pub by_trust: BTreeMap<Trust, u64>,
}

impl Sessions {
    fn add(&mut self, version: &[u8], trust: Option<Trust>, count: u64) {
        self.sessions += count;
        if let Some(trust) = trust {
            *self.by_trust.entry(trust).or_default() += count;
        }
        if let Some(known) = self.by_version.get_mut(version) {
            *known += count;
        } else if self.by_version.len() < 32 {
            self.by_version.insert(version.into(), count);
        }
    }
}

/// What was turned away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rejects {
    pub total: u64,
    pub warnings: u64,
    pub by_stage: BTreeMap<Stage, u64>,
    pub by_class: BTreeMap<Class, u64>,
    pub by_dsn: BTreeMap<EnhancedStatus, u64>,
    pub by: BTreeMap<By, u64>,
    pub actions: BTreeMap<Action, u64>,
}

/// How often which program found what: by, check, result.
type Verdicts = BTreeMap<(&'static str, Check, &'static str), u64>;

/// The counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lines {
    pub lines: u64,
    pub events: u64,
    pub ignored: u64,
    pub unrecognized: BTreeMap<Unrecognized, (u64, BTreeSet<Example>)>,
    pub programs_without_parser: Table<u64>,
    #[serde(deserialize_with = "names")]
    pub by_parser: BTreeMap<&'static str, u64>,
    pub overlong: u64,
    pub days: Days,
    pub attempts: Attempts,
    pub rejects: Rejects,
    pub auth_failures: u64,
    pub postscreen: BTreeMap<Verdict, u64>,
    /// By program, check and result.
    #[serde(deserialize_with = "verdicts")]
    pub verdicts: Verdicts,
    pub inbound: Sessions,
    pub outbound: Sessions,
    pub connections: u64,
    pub lost: u64,
    pub timeout: u64,
    pub problems: Table<TextRow>,
    /// Failed log-ins by account (`user`) and network (`network`).
    pub break_ins: Courses,
    pub dsn: Tally<EnhancedStatus>,
    pub auth_users: Table<u64>,
    pub hosts: Table<HostRow>,
    pub timeline: Timeline,
    #[serde(skip)]
    scratch: Vec<u8>,
    #[serde(skip)]
    key: Vec<u8>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            lines: 0,
            events: 0,
            ignored: 0,
            unrecognized: BTreeMap::new(),
            programs_without_parser: Table::new(SOME),
            by_parser: BTreeMap::new(),
            overlong: 0,
            days: Days::default(),
            attempts: Attempts::default(),
            rejects: Rejects::default(),
            auth_failures: 0,
            postscreen: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            inbound: Sessions::default(),
            outbound: Sessions::default(),
            connections: 0,
            lost: 0,
            timeout: 0,
            problems: Table::new(SOME),
            break_ins: Courses::default(),
            dsn: Tally::default(),
            auth_users: Table::new(MANY),
            hosts: Table::new(SOME),
            timeline: Timeline::default(),
            scratch: Vec::new(),
            key: Vec::new(),
        }
    }
}

impl Lines {
    /// No list is longer from now on.
    pub fn limit(&mut self, rows: usize) {
        self.programs_without_parser.limit(rows);
        self.problems.limit(rows);
        self.break_ins.limit(rows);
        self.auth_users.limit(rows);
        self.hosts.limit(rows);
    }

    /// Counts one line that lies in the window, but for why it failed (that is for `causes`), and for what a client did,
    /// which is returned.
    #[inline(always)]
    pub fn see<'a>(&mut self, seen: &Seen<'a>) -> Option<Visit<'a>> {
        self.lines += 1;
        self.overlong += u64::from(seen.overlong);
        if seen.record.time != NO_TIME {
            self.days.see(seen.record.time);
        }
        match &seen.line {
            Line::Event(event) => {
                self.events += 1;
                return self.event(seen, event);
            }
            Line::Ignored(_) => self.ignored += 1,
            Line::Unrecognized(reason) => self.unrecognized(seen, *reason),
        }
        None
    }

    /// Adds the lines that a worker counted for one parser and one host in a row.
    pub fn count(&mut self, parser: &'static str, host: &[u8], lines: u64) {
        if !parser.is_empty() {
            *self.by_parser.entry(parser).or_default() += lines;
        }
        if !host.is_empty() {
            self.hosts.row(host).lines += lines;
        }
    }

    #[cold]
    fn unrecognized(&mut self, seen: &Seen<'_>, reason: Unrecognized) {
        let (count, examples) = self.unrecognized.entry(reason).or_default();
        *count += 1;
        if reason == Unrecognized::Program {
            *self.programs_without_parser.row(&seen.record.program) += 1;
        }
        let text = &seen.raw[..seen.raw.len().min(400)];
        if examples.len() < EXAMPLES
            || examples.last().is_some_and(|last| (seen.record.time, &*seen.record.host, text) < (last.time, &*last.host, &*last.text))
        {
            examples.insert(Example { time: seen.record.time, host: (*seen.record.host).into(), text: text.into() });
            while examples.len() > EXAMPLES {
                examples.pop_last();
            }
        }
    }

    #[inline(always)]
    fn event<'a>(&mut self, seen: &Seen<'a>, event: &Event<'a>) -> Option<Visit<'a>> {
        let count = u64::from(seen.count);
        let visit = |client: &Peer<'a>, did| Some(Visit { time: seen.record.time, ip: client.ip.0, name: client.name.0, did, count });
        match event {
            Event::Delivery(delivery) if delivery.recipients.absent() => self.delivery(seen, delivery, count),
            Event::Delivery(delivery) => delivery.each().for_each(|one| self.delivery(seen, &one, count)),
            Event::Connect(connect) => {
                self.connections += count;
                return visit(&connect.client, Did::Connected);
            }
            Event::Reject(reject) => {
                let is_rejected = self.reject(seen, reject, count);
                return visit(&reject.client, Did::WasRejected).filter(|_| is_rejected);
            }
            Event::LostConnection(lost) if !lost.client.absent() => match lost.cause {
                mailscope_parsers::model::Cause::Lost => self.lost += count,
                mailscope_parsers::model::Cause::Timeout => self.timeout += count,
            },
            Event::Tls(tls) => self.sessions(tls.direction).add(&tls.tls_version, Some(tls.trust), count),
            Event::Accepted(Accepted { tls: Some(tls), .. }) => self.secured(Direction::Inbound, tls, count),
            Event::AuthFailure(failure) => {
                self.auth_failure(seen.record.time, failure, count);
                return visit(&failure.client, Did::FailedToLogIn);
            }
            Event::Postscreen(postscreen) => *self.postscreen.entry(postscreen.verdict).or_default() += count,
            Event::Verdict(verdict) => *self.verdicts.entry((verdict.by, verdict.check, verdict.result)).or_default() += count,
            Event::Problem(problem) => self.problem(seen, problem.severity, &problem.text, count),
            _ => {}
        }
        None
    }

    fn auth_failure(&mut self, time: Micros, failure: &AuthFailure<'_>, count: u64) {
        self.auth_failures += count;
        if !failure.client.ip.is_empty() {
            self.break_ins.add("network", network(&failure.client.ip), time, count, true);
        }
        if !failure.user.is_empty() {
            *self.auth_users.row(&failure.user) += count;
            self.break_ins.add("user", &failure.user, time, count, true);
        }
    }

    #[inline(always)]
    fn delivery(&mut self, seen: &Seen<'_>, delivery: &Delivery<'_>, count: u64) {
        if delivery.status.is_probe() || delivery.envelope_recipient.is_empty() || delivery.untried {
            return;
        }
        self.attempts.total += count;
        if let Some(tls) = &delivery.tls {
            self.secured(Direction::Outbound, tls, count);
        }
        if let Some(dsn) = delivery.dsn {
            self.dsn.add(dsn, count);
        }
        match delivery.status {
            Status::Sent | Status::Forwarded | Status::Discarded => self.attempts.sent += count,
            Status::Bounced => self.attempts.bounced += count,
            Status::Deferred => {
                self.attempts.deferred += count;
                self.timeline.at(seen.record.time).deferred_attempts += count;
            }
            _ => {}
        }
    }

    /// Whether it was turned away.
    fn reject(&mut self, seen: &Seen<'_>, reject: &Reject<'_>, count: u64) -> bool {
        match reject.action {
            Action::Reject => {}
            Action::RejectWarning => {
                self.rejects.warnings += count;
                return false;
            }
            other => {
                *self.rejects.actions.entry(other).or_default() += count;
                return false;
            }
        }
        self.rejects.total += count;
        *self.rejects.by_stage.entry(reject.stage).or_default() += count;
        *self.rejects.by.entry(reject.by).or_default() += count;
        let class = reject.class.unwrap_or(Class::Unknown);
        *self.rejects.by_class.entry(class).or_default() += count;
        if let Some(dsn) = reject.dsn {
            *self.rejects.by_dsn.entry(dsn).or_default() += count;
        }
        self.timeline.at(seen.record.time).rejected += count;
        true
    }

    fn sessions(&mut self, direction: Direction) -> &mut Sessions {
        if direction == Direction::Inbound { &mut self.inbound } else { &mut self.outbound }
    }

    fn secured(&mut self, direction: Direction, tls: &Secured, count: u64) {
        self.sessions(direction).add(tls.version.name().as_bytes(), tls.trust, count);
    }

    /// Rows are kept under `severity program NUL template`.
    fn problem(&mut self, seen: &Seen<'_>, severity: Severity, text: &[u8], count: u64) {
        template(text, &mut self.scratch);
        self.key.clear();
        self.key.extend_from_slice(severity.name().as_bytes());
        self.key.push(b' ');
        self.key.extend_from_slice(&seen.record.program);
        self.key.push(0);
        self.key.extend_from_slice(&self.scratch);
        self.problems.row(&self.key).see(seen.record.time, count);
    }

    pub fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.events += other.events;
        self.ignored += other.ignored;
        for (reason, (count, examples)) in other.unrecognized {
            let mine = self.unrecognized.entry(reason).or_default();
            mine.0 += count;
            mine.1.extend(examples);
            while mine.1.len() > EXAMPLES {
                mine.1.pop_last();
            }
        }
        self.programs_without_parser.merge(other.programs_without_parser, |_, _| ());
        add(&mut self.by_parser, other.by_parser);
        self.overlong += other.overlong;
        self.days.merge(other.days);
        self.attempts.merge(other.attempts);
        self.rejects.merge(other.rejects);
        self.auth_failures += other.auth_failures;
        add(&mut self.postscreen, other.postscreen);
        add(&mut self.verdicts, other.verdicts);
        self.inbound.merge(other.inbound);
        self.outbound.merge(other.outbound);
        self.connections += other.connections;
        self.lost += other.lost;
        self.timeout += other.timeout;
        self.problems.merge(other.problems, |_, _| ());
        self.break_ins.merge(other.break_ins);
        other.dsn.iter().for_each(|(dsn, count)| self.dsn.add(*dsn, count));
        self.auth_users.merge(other.auth_users, |_, _| ());
        self.hosts.merge(other.hosts, |_, _| ());
        self.timeline.merge(other.timeline);
    }

    /// How many lines could not be read.
    #[must_use]
    pub fn unrecognized_lines(&self) -> u64 {
        self.unrecognized.values().map(|(count, _)| count).sum()
    }
}

/// Verdicts, as they are stored: who and what, in few words that are read once.
fn verdicts<'de, D: Deserializer<'de>>(from: D) -> Result<Verdicts, D::Error> {
    let verdicts = BTreeMap::<(String, Check, String), u64>::deserialize(from)?;
    Ok(verdicts.into_iter().map(|((by, check, result), count)| ((&*by.leak(), check, &*result.leak()), count)).collect())
}

/// Names of parsers, as they are stored. They are few, and read once.
fn names<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<&'static str, u64>, D::Error> {
    let names = BTreeMap::<String, u64>::deserialize(from)?;
    Ok(names.into_iter().map(|(name, lines)| (&*name.leak(), lines)).collect())
}

/// The network of an address: its first three parts, or the first four of IPv6.
fn network(ip: &[u8]) -> &[u8] {
    if ip.contains(&b':') {
        let ends = ip.iter().enumerate().filter(|(_, c)| **c == b':').map(|(at, _)| at);
        return &ip[..ends.take(4).last().unwrap_or(ip.len())];
    }
    &ip[..ip.iter().rposition(|c| *c == b'.').unwrap_or(ip.len())]
}

/// An address without a domain, and a relay without a name, are `(none)`.
pub(super) fn row_key(name: &[u8]) -> &[u8] {
    if name.is_empty() { b"(none)" } else { name }
}

fn add<K: Ord>(mine: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, count) in other {
        *mine.entry(key).or_default() += count;
    }
}

impl Merge for Attempts {
    fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.sent += other.sent;
        self.deferred += other.deferred;
        self.bounced += other.bounced;
    }
}

impl Merge for Rejects {
    fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.warnings += other.warnings;
        add(&mut self.by_stage, other.by_stage);
        add(&mut self.by_class, other.by_class);
        add(&mut self.by_dsn, other.by_dsn);
        add(&mut self.by, other.by);
        add(&mut self.actions, other.actions);
    }
}

impl Merge for Sessions {
    fn merge(&mut self, other: Self) {
        self.sessions += other.sessions;
        add(&mut self.by_version, other.by_version);
        add(&mut self.by_trust, other.by_trust);
    }
}
