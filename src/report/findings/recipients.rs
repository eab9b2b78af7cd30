//! Mail to people who are not there: told apart by cause, since each has another cure.

use super::{Facts, Finding, Severity, number, percent, text};
use crate::aggregate::Course;
use mailscope_parsers::model::{Class, Side};

/// So few unknown recipients are typing errors.
const SOME: u64 = 50;
/// Bounce rates above which providers begin to block, and so few recipients that a rate says nothing.
const HIGH: f64 = 0.05;
const RAISED: f64 = 0.02;
const ENOUGH: u64 = 100;

pub fn find(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    unknown(facts, all);
    domains(facts, all);
    bounce_rate(facts, all);
}

fn unknown(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    let class = Class::RecipientUnknown;
    let mail = &facts.summary.mail;
    let finished = mail.good + mail.bad;
    // Notifications to senders that don't exist are another matter.
    let is_one = |why: &[u8], sender: &[u8]| why == class.name().as_bytes() && sender != b"<>";
    let failed = &facts.summary.ledger.senders.failed;
    let all_senders = failed.iter().filter(|(why, sender, _)| is_one(why, sender));
    let mut senders: Vec<(&[u8], &Course)> = all_senders.map(|(_, sender, course)| (sender, course)).collect();
    // Not the sum of the senders: the light ones may be gone.
    let notified = failed.iter().filter(|(why, sender, _)| *why == class.name().as_bytes() && *sender == b"<>");
    let notified: u64 = notified.map(|(.., course)| course.count).sum();
    let count = mail.class_recipients.get(&(class, true)).map_or(0, |all| all.saturating_sub(notified));
    if count < SOME || count * 50 < finished {
        return;
    }
    senders.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
    let one = senders.first().filter(|(_, course)| course.count * 2 >= count);
    let courses: Vec<&Course> = match one {
        Some((_, course)) => vec![*course],
        None => senders.iter().map(|(_, course)| *course).collect(),
    };
    let when = facts.when(&courses);
    let (title, action) = match one {
        Some((sender, course)) => (
            format!("{} sent to {} that don't exist", text(sender), number(course.count, "recipient")),
            "one sender's list is old or bought, or the account is misused: stop it, and remove these addresses before it sends again",
        ),
        None => (
            format!("{} don't exist", number(count, "recipient")),
            "no single sender: look for an old list that several use, a form that anybody can fill in, or a directory that is out of date",
        ),
    };
    all.push(Finding {
        finding: "recipients_unknown",
        severity: Severity::Warning,
        title,
        evidence: format!(
            "{} of {} bounced as unknown, from {}",
            count,
            number(finished, "recipient"),
            if failed.rows.is_exact() { number(senders.len() as u64, "sender") } else { "thousands of senders".to_owned() }
        ),
        since: when.since,
        until: when.until,
        side: Side::Sender,
        action: action.to_owned(),
        weight: count,
    });
}

/// A domain that is gone takes all its recipients with it.
fn domains(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    const FEW: u64 = 20;
    let class = Class::DomainInvalid.name();
    let mut gone: Vec<(&[u8], &Course)> = facts
        .summary
        .ledger
        .causes
        .failing
        .iter()
        .filter(|(why, _, course)| *why == class.as_bytes() && course.count >= FEW)
        .map(|(_, domain, course)| (domain, course))
        .collect();
    gone.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
    let delivered = |domain: &[u8]| facts.tables.domains.iter().find(|(name, _)| *name == domain).map_or(0, |(_, row)| row.delivered);
    for (domain, course) in gone.into_iter().filter(|(domain, course)| course.count > delivered(domain)).take(2) {
        let when = facts.when(&[course]);
        all.push(Finding {
            finding: "domain_invalid",
            severity: Severity::Warning,
            title: format!("DNS does not know where mail for {} goes", text(domain)),
            evidence: format!("{} failed with class {class}", number(course.count, "attempt")),
            since: when.since,
            until: when.until,
            side: Side::Recipient,
            action: "look up its MX and address records from outside and from here: if they differ, it is our resolver; if the domain is gone, take it off the lists".to_owned(),
            weight: course.count,
        });
    }
}

fn bounce_rate(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    let mail = &facts.summary.mail;
    let (bad, finished) = (mail.bad, mail.good + mail.bad);
    let rate = bad as f64 / finished.max(1) as f64;
    if finished < ENOUGH || rate < RAISED {
        return;
    }
    let failed: std::collections::BTreeMap<i64, u64> =
        facts.buckets.iter().filter(|(_, bucket)| bucket.bounced > 0).map(|(from, bucket)| (*from, bucket.bounced)).collect();
    let when = facts.when_series(&facts.tried(&failed), failed.keys().next().copied());
    let most = mail
        .class_recipients
        .iter()
        .filter(|((_, permanent), _)| *permanent)
        .max_by_key(|((class, _), count)| (**count, std::cmp::Reverse(class.name())));
    let mostly = most.map_or_else(String::new, |((class, _), count)| format!(", mostly {} ({count})", class.name()));
    all.push(Finding {
        finding: "bounce_rate",
        severity: if rate >= HIGH { Severity::Critical } else { Severity::Warning },
        title: format!("{} of all recipients bounce", percent(bad, finished)),
        evidence: format!("{} of {} failed for good{mostly}", bad, number(finished, "recipient")),
        since: when.since,
        until: when.until,
        side: Side::Sender,
        action: "providers block senders that bounce more than two to five in a hundred: look at the classes and senders below, and clean the lists".to_owned(),
        weight: bad,
    });
}
