//! Summaries to the published shape.

use super::findings::{Baseline, Facts};
use super::lists::{self, approximate, delay, rounded, sorted, text};
use super::*;
use crate::aggregate::{self, Failing, Summary, Table, provider};
use crate::input::Zone;
use crate::pipeline::{NO_TIME, both};
use mailscope_parsers::model::{Class, Micros};

/// What only the reading of the input knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputFacts {
    pub files: u64,
    pub bytes: u64,
}

const KINDS: [Kind; 7] = [Kind::Connection, Kind::Authentication, Kind::Response, Kind::Relay, Kind::Timeout, Kind::Blocklist, Kind::Tls];

/// What is left when a report is made. Taking the largest tables apart costs more than the report itself: who is about to
/// end forgets it.
pub struct Rest(#[allow(dead_code)] Summary, #[allow(dead_code)] Tables);

/// Builds the report of everything that was counted; lists end at `top` rows.
#[must_use]
pub fn build(mut summary: Summary, input: InputFacts, baseline: Option<&Baseline>, top: usize, zone: Zone) -> (Report, Rest) {
    let tables = Tables::of(&mut summary);
    let report = with_facts(&mut summary, &tables, zone, |facts| {
        let (findings, mut report) = both(|| findings::find(facts, baseline), || of_parts(facts, input, top));
        report.findings = findings;
        report
    });
    (report, Rest(summary, tables))
}

/// What a postmaster should know of what was counted, and no more.
#[must_use]
pub fn findings(mut summary: Summary, zone: Zone) -> Vec<Finding> {
    let tables = Tables::of(&mut summary);
    with_facts(&mut summary, &tables, zone, |facts| findings::find(facts, None))
}

fn with_facts<T>(summary: &mut Summary, tables: &Tables, zone: Zone, make: impl FnOnce(&Facts<'_>) -> T) -> T {
    let patterns = patterns::found(&mut summary.ledger.causes.patterns);
    let summary = &*summary;
    let span = window(summary);
    let bucket_s = timeline::bucket_s(span);
    let buckets = timeline::buckets(&tables.timeline, until(summary, span), zone);
    make(&Facts { summary, tables, patterns: &patterns, span, buckets: &buckets, bucket_s, zone })
}

/// All of it but the findings.
fn of_parts(facts: &Facts<'_>, input: InputFacts, top: usize) -> Report {
    let Facts { summary, tables, span, bucket_s, zone, .. } = *facts;
    let (lines, mail) = (&summary.lines, &summary.mail);
    let stamp = |time: Micros| zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false);
    let mut other = BTreeMap::new();
    let mut rows = Lists { top, other: &mut other, approximate: BTreeMap::new() };
    let ([domains, providers, relays], [senders, sender_domains, auth_users]) = both(
        || {
            [("domain", &tables.domains), ("provider", &tables.providers), ("relay", &tables.relays)]
                .map(|(key, table)| List::of(key, table, top))
        },
        || {
            [
                ("sender", &summary.ledger.senders.rows),
                ("sender_domain", &tables.sender_domains),
                ("auth_user", &summary.ledger.accounts.rows),
            ]
            .map(|(key, table)| List::of(key, table, top))
        },
    );
    let domains = rows.mail("domains", domains);
    let providers = rows.mail("providers", providers);
    let relays = rows.mail("relays", relays);
    let senders = rows.mail("senders", senders);
    let sender_domains = rows.mail("sender_domains", sender_domains);
    let auth_users = rows.mail("auth_users", auth_users);
    let (clients, beyond) = lists::clients(&summary.ledger.clients.rows, top);
    rows.note("clients", beyond, approximate(&summary.ledger.clients.rows));
    let problems = problems(lines, &mut rows, &stamp);
    let (patterns, reasons, unclassified) = recurring(facts, &mut rows, &stamp);
    let dsn = dsn(lines, &mut rows);
    let heat = timeline::heat(&summary.ledger.causes.failing, top, bucket_s, zone);
    rows.note("heat", None, approximate(&summary.ledger.causes.failing.rows));
    let approximate = rows.approximate;
    Report {
        schema: "mailscope.report/1",
        window: Window { from: span.map(|(from, _)| stamp(from)), to: span.map(|(_, to)| stamp(to)) },
        input: Input {
            files: input.files,
            bytes: input.bytes,
            lines: lines.lines,
            events: lines.events,
            ignored: lines.ignored,
            unrecognized: lines.unrecognized_lines(),
            overlong: lines.overlong,
            stray: lines.days.extent().map_or(0, |extent| extent.stray),
            by_parser: lines.by_parser.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        },
        messages: messages(mail),
        recipients: recipients(&mail.recipients),
        attempts: attempts(summary),
        rates: rates(summary),
        delay: TotalDelay {
            total: delay(&mail.delay.all()),
            stages: Stages {
                before_qmgr: delay(&mail.stages.before_qmgr.all()),
                in_qmgr: delay(&mail.stages.in_qmgr.all()),
                conn_setup: delay(&mail.stages.conn_setup.all()),
                transmission: delay(&mail.stages.transmission.all()),
            },
        },
        rejects: rejects(&lines.rejects, reasons),
        auth: Auth {
            failures: lines.auth_failures,
            successes: mail.auth_successes,
            failed_users: sorted(&lines.auth_users).into_iter().take(top).map(|(user, count)| (text(user), *count)).collect(),
        },
        postscreen: words(&lines.postscreen, |verdict| verdict.name().to_owned()),
        verdicts: verdicts(lines),
        tls: Tls { inbound: sessions(&lines.inbound), outbound: sessions(&lines.outbound) },
        connections: Connections { inbound: lines.connections, lost: lines.lost, timeout: lines.timeout },
        problems,
        kinds: kinds(summary),
        classes: classes(summary),
        dsn,
        domains,
        providers,
        relays,
        senders,
        sender_domains,
        auth_users,
        clients,
        hosts: hosts(lines),
        distinct: Distinct {
            senders: mail.distinct_senders.count(),
            sender_domains: mail.distinct_sender_domains.count(),
            recipients: mail.distinct_recipients.count(),
            recipient_domains: summary.ledger.domains.distinct.count(),
            clients: summary.ledger.clients.distinct.count(),
        },
        bucket_s,
        timeline: timeline::rows(facts.buckets, zone),
        heat,
        patterns,
        findings: Vec::new(),
        unclassified,
        unrecognized: unrecognized(lines, top, &stamp),
        other,
        approximate,
    }
}

/// The window asked for, its open ends at the first and the last line.
fn window(summary: &Summary) -> Option<(Micros, Micros)> {
    let extent = summary.lines.days.extent();
    let from = summary.window.since.or(extent.map(|extent| extent.first))?;
    let to = summary.window.until.or(extent.map(|extent| extent.last))?;
    Some((from, to))
}

/// The window ends before `until`: no bucket begins there.
fn until(summary: &Summary, span: Option<(Micros, Micros)>) -> Option<(Micros, Micros)> {
    span.map(|(from, to)| (from, if summary.window.until.is_some() { (to - 1).max(from) } else { to }))
}

/// The tables that are put together from what lines and lives say.
pub struct Tables {
    pub domains: Table<aggregate::MailRow>,
    relays: Table<aggregate::MailRow>,
    pub providers: Table<aggregate::MailRow>,
    sender_domains: Table<aggregate::MailRow>,
    timeline: aggregate::Timeline,
}

impl Tables {
    fn of(summary: &mut Summary) -> Self {
        let Summary { lines, mail, ledger, .. } = summary;
        let causes = &ledger.causes;
        let taken = |table: &mut Table<aggregate::MailRow>| std::mem::replace(table, Table::new(0));
        let mut domains = taken(&mut ledger.domains.rows);
        let (mut relays, mut providers) = (taken(&mut ledger.relays.rows), taken(&mut ledger.relays.providers));
        let mut sender_domains = taken(&mut ledger.senders.domains);
        both(
            || {
                for (domain, attempts) in causes.deferred_domains.iter() {
                    domains.row(domain).failures_mut().add(Failing::DeferredAttempts, *attempts);
                }
                domains.dropped.failures_mut().add(Failing::DeferredAttempts, causes.deferred_domains.dropped);
                for (relay, attempts) in causes.deferred_relays.iter() {
                    let heir = |relay: &[u8], row: &aggregate::MailRow| providers.row(provider(relay).as_bytes()).add(row);
                    relays.row_or_leave(relay, heir).0.failures_mut().add(Failing::DeferredAttempts, *attempts);
                }
                relays.dropped.failures_mut().add(Failing::DeferredAttempts, causes.deferred_relays.dropped);
                for (relay, row) in relays.iter() {
                    providers.row(provider(relay).as_bytes()).add(row);
                }
            },
            || {
                for (sender, row) in ledger.senders.rows.iter() {
                    sender_domains.row(aggregate::sender_domain(sender)).add(row);
                }
            },
        );
        let mut timeline = std::mem::take(&mut lines.timeline);
        timeline.merge(std::mem::take(&mut mail.timeline));
        Self { domains, relays, providers, sender_domains, timeline }
    }
}

/// Lists as they grow, and what is said beside them.
struct Lists<'a> {
    top: usize,
    other: &'a mut BTreeMap<&'static str, Other>,
    approximate: BTreeMap<&'static str, Approximate>,
}

/// A list of mail by key: its rows up to the top, and what is said of the others.
struct List {
    rows: Vec<MailRow>,
    other: Option<Other>,
    approximate: Option<Approximate>,
}

impl List {
    fn of(key: &'static str, table: &Table<aggregate::MailRow>, top: usize) -> Self {
        let (rows, other) = lists::mail(key, table, top);
        Self { rows, other, approximate: approximate(table) }
    }
}

impl Lists<'_> {
    fn note(&mut self, list: &'static str, other: Option<Other>, approximate: Option<Approximate>) {
        self.other.extend(other.map(|other| (list, other)));
        self.approximate.extend(approximate.map(|approximate| (list, approximate)));
    }

    fn mail(&mut self, name: &'static str, list: List) -> Vec<MailRow> {
        self.note(name, list.other, list.approximate);
        list.rows
    }

    /// Notes how many rows of a list of counts are beyond the top, and their sum.
    fn counts(&mut self, list: &'static str, counts: impl ExactSizeIterator<Item = u64>, table: Option<(u64, u64)>) {
        let (keys, dropped) = table.unwrap_or_default();
        let rows = (counts.len().saturating_sub(self.top)) as u64 + keys;
        let count = counts.skip(self.top).sum::<u64>() + dropped;
        if rows > 0 {
            let sum = if list == "dsn" { OtherSum::Attempts { attempts: count } } else { OtherSum::Count { count } };
            self.other.insert(list, Other { rows, sum });
        }
    }
}

fn problems(lines: &aggregate::Lines, rows: &mut Lists<'_>, stamp: &impl Fn(Micros) -> String) -> Vec<Problem> {
    let all = sorted(&lines.problems);
    rows.counts("problems", all.iter().map(|(_, row)| row.count), Some((lines.problems.dropped_keys, lines.problems.dropped.count)));
    all.into_iter()
        .take(rows.top)
        .map(|(key, row)| {
            let end = memchr::memchr(0, key).unwrap_or(key.len());
            let severity = memchr::memchr(b' ', key).unwrap_or(end).min(end);
            let seen = row.seen.filter(|(first, _)| *first != NO_TIME);
            Problem {
                severity: text(&key[..severity]),
                program: text(key.get(severity + 1..end).unwrap_or_default()),
                template: text(key.get(end + 1..).unwrap_or_default()),
                count: row.count,
                first: seen.map(|(first, _)| stamp(first)),
                last: seen.map(|(_, last)| stamp(last)),
            }
        })
        .collect()
}

/// Patterns of deliveries, reasons of rejects, and the texts of both that no rule knows.
fn recurring(facts: &Facts<'_>, rows: &mut Lists<'_>, stamp: &impl Fn(Micros) -> String) -> (Vec<Pattern>, Vec<Reason>, Vec<Template>) {
    let (deliveries, rejects): (Vec<_>, Vec<_>) = facts.patterns.iter().partition(|found| found.stage.is_empty());
    let (keys, dropped, error) = facts.summary.ledger.causes.patterns.dropped();
    if keys > 0 {
        rows.approximate.insert("patterns", Approximate { dropped_keys: keys, error });
    }
    rows.counts("patterns", deliveries.iter().map(|found| found.row.count), Some((keys, dropped)));
    rows.counts("reasons", rejects.iter().map(|found| found.row.count), None);
    let pattern = |found: &&patterns::Found| patterns::pattern(found, facts.bucket_s, facts.zone, stamp);
    let patterns = deliveries.iter().take(rows.top).map(pattern).collect();
    let reasons = rejects.iter().take(rows.top).map(|found| patterns::reason(found)).collect();
    let mut unclassified = patterns::unclassified(facts.patterns);
    rows.counts("unclassified", unclassified.iter().map(|row| row.count), None);
    unclassified.truncate(rows.top);
    (patterns, reasons, unclassified)
}

fn dsn(lines: &aggregate::Lines, rows: &mut Lists<'_>) -> Vec<DsnRow> {
    let mut all: Vec<DsnRow> = lines.dsn.iter().map(|(dsn, attempts)| DsnRow { dsn: dsn.to_string(), attempts }).collect();
    all.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.dsn.cmp(&b.dsn)));
    rows.counts("dsn", all.iter().map(|row| row.attempts), None);
    all.truncate(rows.top);
    all
}

fn unrecognized(lines: &aggregate::Lines, top: usize, stamp: &impl Fn(Micros) -> String) -> Vec<Unrecognized> {
    let row =
        |(reason, (count, examples)): (&mailscope_parsers::model::Unrecognized, &(u64, std::collections::BTreeSet<aggregate::Example>))| {
            Unrecognized {
                reason: reason.reason(),
                count: *count,
                programs: if *reason == mailscope_parsers::model::Unrecognized::Program {
                    sorted(&lines.programs_without_parser).into_iter().take(top).map(|(program, count)| (text(program), *count)).collect()
                } else {
                    Counts::new()
                },
                examples: examples
                    .iter()
                    .map(|example| Example {
                        time: (example.time != NO_TIME).then(|| stamp(example.time)),
                        host: text(&example.host),
                        text: text(&example.text),
                    })
                    .collect(),
            }
        };
    let mut rows: Vec<Unrecognized> = lines.unrecognized.iter().map(row).collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(b.reason)));
    rows
}

fn messages(mail: &aggregate::Mail) -> Messages {
    let (messages, outcomes) = (&mail.messages, &mail.notification_outcomes);
    Messages {
        received: messages.received,
        notifications: messages.notifications,
        reinjected: messages.reinjected,
        queue_files: messages.queue_files,
        size_bytes: messages.size_bytes,
        removed: messages.removed,
        removed_unseen: messages.removed_unseen,
        open: messages.open,
        abandoned: messages.abandoned,
        notification_outcomes: NotificationOutcomes {
            delivered: outcomes.delivered,
            bounced: outcomes.bounced,
            expired: outcomes.expired,
            deferred: outcomes.deferred,
        },
    }
}

fn recipients(counts: &aggregate::Recipients) -> Recipients {
    Recipients {
        delivered: counts.delivered,
        forwarded: counts.forwarded,
        handed_off: counts.handed_off,
        bounced: counts.bounced,
        expired: counts.expired,
        discarded: counts.discarded,
        deleted: counts.deleted,
        deferred: counts.deferred,
        ever_deferred: counts.ever_deferred,
    }
}

fn attempts(summary: &Summary) -> Attempts {
    let counts = &summary.lines.attempts;
    Attempts { total: counts.total, sent: counts.sent, deferred: counts.deferred, bounced: counts.bounced, expired: summary.mail.expiries }
}

fn rates(summary: &Summary) -> Rates {
    let share = |part: u64, whole: u64| (whole > 0).then(|| rounded(part as f64 / whole as f64));
    let (lines, mail) = (&summary.lines, &summary.mail);
    Rates {
        bounce: share(mail.bad, mail.good + mail.bad),
        deferral: share(lines.attempts.deferred, lines.attempts.total),
        reject: share(lines.rejects.total, lines.rejects.total + mail.messages.received),
    }
}

fn rejects(counts: &aggregate::Rejects, reasons: Vec<Reason>) -> Rejects {
    Rejects {
        total: counts.total,
        warnings: counts.warnings,
        by_stage: words(&counts.by_stage, |stage| stage.name().to_owned()),
        by_class: words(&counts.by_class, |class| class.name().to_owned()),
        by_dsn: words(&counts.by_dsn, ToString::to_string),
        by: words(&counts.by, |by| by.name().to_owned()),
        actions: words(&counts.actions, |action| action.name().to_owned()),
        reasons,
    }
}

/// The most frequent of each program first.
fn verdicts(lines: &aggregate::Lines) -> Vec<Verdict> {
    let mut all: Vec<Verdict> =
        lines.verdicts.iter().map(|((by, check, result), count)| Verdict { by, check: check.name(), result, count: *count }).collect();
    all.sort_by(|a, b| (a.by, a.check).cmp(&(b.by, b.check)).then(b.count.cmp(&a.count)).then(a.result.cmp(b.result)));
    all
}

fn sessions(counts: &aggregate::Sessions) -> Sessions {
    Sessions {
        sessions: counts.sessions,
        by_version: words(&counts.by_version, |version| text(version)),
        by_trust: words(&counts.by_trust, |trust| trust.name().to_owned()),
    }
}

fn words<K>(counts: &BTreeMap<K, u64>, name: impl Fn(&K) -> String) -> Counts {
    counts.iter().map(|(key, count)| (name(key), *count)).collect()
}

fn kinds(summary: &Summary) -> Vec<KindRow> {
    let sum = |counts: &mut dyn Iterator<Item = (Class, u64)>, kind: Kind| {
        counts.filter(|(class, _)| class.kind() == kind).map(|(_, count)| count).sum::<u64>()
    };
    let rows = KINDS.map(|kind| KindRow {
        kind,
        recipients: sum(&mut summary.mail.class_recipients.iter().map(|((class, _), count)| (*class, *count)), kind),
        attempts: sum(&mut summary.ledger.causes.classes.iter().map(|(class, course)| (*class, course.count)), kind),
        rejects: sum(&mut summary.lines.rejects.by_class.iter().map(|(class, count)| (*class, *count)), kind),
    });
    let mut rows: Vec<KindRow> = rows.into_iter().filter(|row| row.recipients + row.attempts + row.rejects > 0).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.recipients + row.attempts + row.rejects));
    rows
}

fn classes(summary: &Summary) -> Vec<ClassRow> {
    let (recipients, attempts) = (&summary.mail.class_recipients, summary.ledger.causes.class_attempts());
    let keys: std::collections::BTreeSet<(Class, bool)> = recipients.keys().chain(attempts.keys()).copied().collect();
    let row = |key: (Class, bool)| ClassRow {
        class: key.0.name(),
        permanence: if key.1 { Permanence::Permanent } else { Permanence::Transient },
        side: key.0.side(),
        recipients: recipients.get(&key).copied().unwrap_or(0),
        attempts: attempts.get(&key).copied().unwrap_or(0),
    };
    let mut rows: Vec<ClassRow> = keys.into_iter().map(row).collect();
    rows.sort_by(|a, b| {
        (b.recipients, b.attempts).cmp(&(a.recipients, a.attempts)).then_with(|| (a.class, a.permanence).cmp(&(b.class, b.permanence)))
    });
    rows
}

fn hosts(lines: &aggregate::Lines) -> Vec<HostRow> {
    let row = |(host, counts): (&[u8], &aggregate::HostRow)| HostRow {
        host: text(host),
        lines: counts.lines,
        received: counts.received,
        delivered: counts.delivered,
        bounced: counts.bounced,
    };
    sorted(&lines.hosts).into_iter().map(row).collect()
}
