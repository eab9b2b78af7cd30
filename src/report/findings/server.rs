//! What concerns this server itself: log-ins that are tried, and its own errors.

use super::{Facts, Finding, Severity, When, number, text};
use crate::aggregate::Course;
use mailscope_parsers::model::{Class, Micros, Side};

/// So few failed log-ins are forgotten passwords.
const SOME: u64 = 20;
/// From so many at once it is no single guesser.
const MANY: u64 = 200;

pub fn find(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    log_ins(facts, all);
    errors(facts, all);
}

fn log_ins(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    let of = |kind: &str| {
        let mut rows: Vec<(&[u8], &Course)> = facts
            .summary
            .lines
            .break_ins
            .iter()
            .filter(|(why, ..)| *why == kind.as_bytes())
            .map(|(_, whose, course)| (whose, course))
            .collect();
        rows.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
        rows
    };
    let (users, networks) = (of("user"), of("network"));
    let total = facts.summary.lines.auth_failures;
    let user = users.first().filter(|(_, course)| course.count >= SOME);
    let network = networks.first().filter(|(_, course)| course.count >= SOME);
    let heavier = |a: &(&[u8], &Course), b: &(&[u8], &Course)| a.1.count >= b.1.count;
    let (title, courses, action): (String, Vec<&Course>, &str) = match (user, network) {
        (Some(user), network) if network.is_none_or(|network| heavier(user, network)) => (
            format!("{} failed for the account {}", number(user.1.count, "log-in"), text(user.0)),
            vec![user.1],
            "ask its owner whether a device has an old password; if not, somebody guesses: limit log-ins by address, and check that the password is strong",
        ),
        (_, Some(network)) => (
            format!("{} failed from the network {}", number(network.1.count, "log-in"), text(network.0)),
            vec![network.1],
            "somebody guesses passwords: block the network at the firewall, and see that fail2ban or the like watches this log",
        ),
        _ if total >= MANY => (
            format!("{} failed, from {}", number(total, "log-in"), number(networks.len() as u64, "network")),
            networks.iter().map(|(_, course)| *course).collect(),
            "many addresses guess a little each: limit log-ins by account, and offer log-in on the submission ports only",
        ),
        _ => return,
    };
    let count: u64 = courses.iter().map(|course| course.count).sum();
    let When { since, until, .. } = facts.when(&courses);
    all.push(Finding {
        finding: "log_ins_fail",
        severity: Severity::Notice,
        title,
        evidence: format!(
            "{} in all, against {} and from {}",
            number(total, "failed log-in"),
            number(users.len() as u64, "account"),
            number(networks.len() as u64, "network")
        ),
        since,
        until,
        side: Side::Nobody,
        action: action.to_owned(),
        weight: count,
    });
}

/// Texts that say that a disk is full.
const FULL: &[&str] = &["no space left on device", "disk quota exceeded", "insufficient system storage", "disk full", "space shortage"];

fn errors(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    let mut fatal = 0;
    let mut full = 0;
    let mut seen: Option<(Micros, Micros)> = None;
    let mut example = None;
    for (key, row) in facts.summary.lines.problems.iter() {
        let said = text(key).replace('\0', ": ");
        let lower = said.to_ascii_lowercase();
        let is_full = FULL.iter().any(|full| lower.contains(full));
        // What a user of sendmail(1) got wrong is no error of the server.
        let is_fatal = (lower.starts_with("fatal ") || lower.starts_with("panic ")) && !lower.contains("/sendmail: ");
        if !is_full && !is_fatal {
            continue;
        }
        fatal += if is_fatal { row.count } else { 0 };
        full += if is_full { row.count } else { 0 };
        seen = match (seen, row.seen) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        if example.as_ref().is_none_or(|(count, known)| (row.count, known) > (*count, &said)) {
            example = Some((row.count, said));
        }
    }
    let failing = facts.class(Class::LocalError);
    let local: u64 = failing.iter().map(|course| course.count).sum();
    if fatal + full == 0 && local < SOME {
        return;
    }
    let title = match (full, fatal) {
        (1.., _) => "This server has run out of disk space".to_owned(),
        (0, 1..) => format!("This server reports {}", number(fatal, "fatal error")),
        _ => format!("{} failed for errors of this server's own", number(local, "attempt")),
    };
    let said = example.map_or_else(String::new, |(_, text)| format!("; most often: {text}"));
    let when =
        if fatal + full > 0 { When { since: seen.map(|(first, _)| facts.stamp(first)), ..When::default() } } else { facts.when(&failing) };
    all.push(Finding {
        finding: "local_errors",
        severity: if full > 0 || local >= SOME { Severity::Critical } else { Severity::Warning },
        title,
        evidence: match fatal + full {
            0 => format!("{} with the class {}", number(local, "attempt"), Class::LocalError.name()),
            complaints => format!("{}, {} failed for local errors{said}", number(complaints, "complaint"), number(local, "attempt")),
        },
        since: when.since,
        until: when.until,
        side: Side::Sender,
        action: if full > 0 {
            "free space where the queue and the mailboxes lie, then see that the queue drains".to_owned()
        } else {
            "read the complaints below: the first one is usually the cause of the others".to_owned()
        },
        weight: fatal + full + local,
    });
}
