//! Where mail does not get through: providers that block or slow us, block lists, authentication, and hosts that can't be
//! reached.

use super::{Facts, Finding, Severity, When, names, number, percent, text};
use crate::aggregate::{Course, Failing};
use mailscope_parsers::classify::list_named;
use mailscope_parsers::model::{Class, Side};
use std::collections::BTreeMap;

/// Fewer failed attempts than this are everyday.
const SOME: u64 = 20;
/// Of all attempts to a destination.
const SHARE: f64 = 0.1;
/// So many destinations are no accident of one.
const SEVERAL: usize = 5;

/// Failed attempts of one class at one destination.
struct At<'a> {
    destination: String,
    course: &'a Course,
    /// All attempts to that destination.
    attempts: u64,
}

impl At<'_> {
    fn is_much(&self) -> bool {
        self.course.count >= SOME && self.course.count as f64 >= SHARE * self.attempts as f64
    }
}

type ByClass<'a> = BTreeMap<&'static str, Vec<At<'a>>>;

pub fn find(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    let by_class = by_class(facts);
    blocklisted(facts, &by_class, all);
    authentication(facts, &by_class, all);
    REFUSALS.iter().for_each(|refusal| refuses(facts, &by_class, *refusal, all));
    unreachable(facts, &by_class, all);
}

fn by_class<'a>(facts: &'a Facts<'_>) -> ByClass<'a> {
    let mut attempts: BTreeMap<&[u8], u64> = BTreeMap::new();
    for (name, row) in facts.tables.providers.iter().chain(facts.tables.domains.iter()) {
        *attempts.entry(name).or_default() +=
            row.delivered + row.failures().get(Failing::Bounced) + row.failures().get(Failing::DeferredAttempts);
    }
    let mut by_class = ByClass::new();
    for (class, destination, course) in facts.summary.ledger.causes.failing.iter() {
        let Some(class) = Class::ALL.iter().find(|known| known.name().as_bytes() == class) else { continue };
        let attempts = attempts.get(destination).copied().unwrap_or(0).max(course.count);
        by_class.entry(class.name()).or_default().push(At { destination: text(destination), course, attempts });
    }
    for rows in by_class.values_mut() {
        rows.sort_by(|a, b| b.course.count.cmp(&a.course.count).then_with(|| a.destination.cmp(&b.destination)));
    }
    by_class
}

/// What is said of one destination, what of several, and what to do.
type Refusal = (Class, &'static str, &'static str, &'static str);

const REFUSALS: &[Refusal] = &[
    (
        Class::RateLimited,
        "slows us down: too much mail or too many connections",
        "slow us down: too much mail or too many connections",
        "send to it more slowly: fewer connections at once and a pause between messages for this destination; find out who sends so much",
    ),
    (
        Class::Reputation,
        "refuses our address for its reputation",
        "refuse our address for its reputation",
        "look up the sending address at the provider's postmaster pages, stop what earned it (an account or form that is misused), then ask for a review",
    ),
    (
        Class::SpamContent,
        "takes our mail for spam",
        "take our mail for spam",
        "look at the messages that were refused: their sender, links and attachments; one account may be misused",
    ),
    (
        Class::Policy,
        "refuses our mail by its own policy",
        "refuse our mail by their own policy",
        "read the reply: it names the rule; ask the receiving side where it does not",
    ),
    (
        Class::SenderRejected,
        "refuses our senders' addresses",
        "refuse our senders' addresses",
        "check that the senders' domains exist, have an MX or address record, and take mail back",
    ),
    (
        Class::RelayDenied,
        "does not take mail for the domains that we send there",
        "don't take mail for the domains that we send there",
        "check the MX records of these domains and our own transport maps: mail goes to a host that is not responsible",
    ),
    (
        Class::ReceiverUnavailable,
        "has temporary trouble of its own",
        "have temporary trouble of their own",
        "nothing to do here: mail waits and is tried again; write to the receiving side if it lasts",
    ),
];

fn refuses(facts: &Facts<'_>, by_class: &ByClass<'_>, (class, one, many, action): Refusal, all: &mut Vec<Finding>) {
    let rows: Vec<&At<'_>> = by_class.get(class.name()).into_iter().flatten().filter(|row| row.is_much()).collect();
    if rows.is_empty() {
        return;
    }
    let Sum { failed, permanent, attempts } = Sum::of(&rows);
    let severe = class.side() == Side::Sender && (permanent >= SOME || failed * 2 >= attempts);
    let When { since, until, .. } = facts.when(&rows.iter().map(|row| row.course).collect::<Vec<_>>());
    all.push(Finding {
        finding: "destination_refuses",
        severity: if severe { Severity::Critical } else { Severity::Warning },
        title: format!("{} {}", destinations(&rows), if rows.len() == 1 { one } else { many }),
        evidence: format!("{failed} of {} failed with class {} ({permanent} for good)", number(attempts, "attempt"), class.name()),
        since,
        until,
        side: class.side(),
        action: action.to_owned(),
        weight: failed,
    });
}

/// What several destinations add up to.
struct Sum {
    failed: u64,
    permanent: u64,
    attempts: u64,
}

impl Sum {
    fn of(rows: &[&At<'_>]) -> Self {
        Self {
            failed: rows.iter().map(|row| row.course.count).sum(),
            permanent: rows.iter().map(|row| row.course.permanent).sum(),
            attempts: rows.iter().map(|row| row.attempts).sum(),
        }
    }
}

fn destinations(rows: &[&At<'_>]) -> String {
    names(&rows.iter().map(|row| row.destination.clone()).collect::<Vec<_>>())
}

/// A list is named in the replies.
fn blocklisted(facts: &Facts<'_>, by_class: &ByClass<'_>, all: &mut Vec<Finding>) {
    const FEW: u64 = 5;
    let mut lists: BTreeMap<&str, Vec<&crate::aggregate::PatternRow>> = BTreeMap::new();
    for found in facts.patterns.iter().filter(|found| found.stage.is_empty() && found.row.class() == Class::Reputation) {
        if let Some(list) = list_named(&found.template) {
            lists.entry(list).or_default().push(&found.row);
        }
    }
    for (list, rows) in lists {
        let count: u64 = rows.iter().map(|row| row.count).sum();
        if count < FEW {
            continue;
        }
        let when = facts.when_of(rows.iter().map(|row| &row.timeline), |count| count.get());
        let reputation = by_class.get(Class::Reputation.name()).map_or(&[][..], Vec::as_slice);
        let at: Vec<String> = reputation.iter().map(|row| row.destination.clone()).collect();
        all.push(Finding {
            finding: "blocklisted",
            severity: if count * 100 >= facts.summary.lines.attempts.total { Severity::Critical } else { Severity::Warning },
            title: format!("An address of ours is on the block list {list}"),
            evidence: format!("{} refused with its name, at {}", number(count, "attempt"), names(&at)),
            since: when.since,
            until: when.until,
            side: Side::Sender,
            action: format!(
                "look the address up at {list}, stop what put it there (a misused account, an infected machine), then ask for removal"
            ),
            weight: count,
        });
    }
}

/// SPF, DKIM, DMARC: the same cause at every receiver, so one sentence.
fn authentication(facts: &Facts<'_>, by_class: &ByClass<'_>, all: &mut Vec<Finding>) {
    let Some(rows) = by_class.get(Class::Authentication.name()) else { return };
    let courses = facts.class(Class::Authentication);
    let count: u64 = courses.iter().map(|course| course.count).sum();
    if count < SOME || (count * 200 < facts.summary.lines.attempts.total && !rows.iter().any(At::is_much)) {
        return;
    }
    let when = facts.when(&courses);
    let at: Vec<String> = rows.iter().map(|row| row.destination.clone()).collect();
    all.push(Finding {
        finding: "authentication_fails",
        severity: Severity::Critical,
        title: "Receivers refuse our mail because SPF, DKIM or DMARC fails".to_owned(),
        evidence: format!("{} refused, at {}", number(count, "attempt"), names(&at)),
        since: when.since,
        until: when.until,
        side: Side::Sender,
        action: "check the SPF record and the DKIM signature of the sender domains in these replies, and that this server's address has a name; forwarded mail needs SRS or ARC".to_owned(),
        weight: count,
    });
}

/// Classes that say that a host was not reached, and what is said of one destination and of several.
const UNREACHED: &[(Class, &str, &str)] = &[
    (Class::Connection, "can't be connected to", "can't be connected to"),
    (Class::Timeout, "does not answer", "don't answer"),
    (Class::Tls, "and this server don't agree on TLS", "and this server don't agree on TLS"),
    (Class::RoutingLoop, "sends mail in a loop", "send mail in a loop"),
];

/// One destination that can't be reached is theirs; many at once are ours.
fn unreachable(facts: &Facts<'_>, by_class: &ByClass<'_>, all: &mut Vec<Finding>) {
    let attempts = facts.summary.lines.attempts.total;
    let rows: Vec<&At<'_>> = UNREACHED.iter().flat_map(|(class, ..)| by_class.get(class.name()).into_iter().flatten()).collect();
    let courses: Vec<&Course> = UNREACHED.iter().flat_map(|(class, ..)| facts.class(*class)).collect();
    let count: u64 = courses.iter().map(|course| course.count).sum();
    let mut at: Vec<&str> = rows.iter().map(|row| row.destination.as_str()).collect();
    at.sort_unstable();
    at.dedup();
    let of_one = rows.iter().map(|row| row.course.count).max().unwrap_or(0);
    let when = facts.when(&courses);
    if at.len() >= SEVERAL && count >= 5 * SOME && when.share >= 0.5 && of_one * 2 < count {
        all.push(Finding {
            finding: "nothing_reachable",
            severity: Severity::Critical,
            title: format!(
                "Many destinations can't be reached ({}): the fault is probably on this side",
                number(at.len() as u64, "destination")
            ),
            evidence: format!("{}, {} of all, failed to connect", number(count, "attempt"), percent(count, attempts)),
            since: when.since,
            until: when.until,
            side: Side::Sender,
            action: "check this server's network, resolver, outgoing port 25 and certificates before anything else".to_owned(),
            weight: count,
        });
        return;
    }
    for (class, one, many) in UNREACHED {
        let rows = by_class.get(class.name()).into_iter().flatten();
        let rows: Vec<&At<'_>> = rows.filter(|row| row.course.count >= SOME && row.course.count * 2 >= row.attempts).collect();
        if rows.is_empty() {
            continue;
        }
        let Sum { failed, attempts, .. } = Sum::of(&rows);
        let When { since, until, .. } = facts.when(&rows.iter().map(|row| row.course).collect::<Vec<_>>());
        all.push(Finding {
            finding: "destination_unreachable",
            severity: Severity::Warning,
            title: format!("{} {}", destinations(&rows), if rows.len() == 1 { one } else { many }),
            evidence: format!("{failed} of {} failed", number(attempts, "attempt")),
            since,
            until,
            side: Side::Network,
            action: "other destinations work: their side; check the MX records, and write to the postmaster by another way if it lasts"
                .to_owned(),
            weight: failed,
        });
    }
}
