//! The journal and the syslog of one host say the same: where both are given for one time, all would count twice.
//!
//! In come the logs with what is known of them, out go warnings, and whether any two of them are of one time. Nothing is merged.

use super::order::Log;
use mailscope_parsers::model::Micros;

/// Stamps without a fraction touch others of their second.
const TOUCH: Micros = 1_000_000;

/// One warning for each journal that shares a host and a time with a log of lines.
pub fn warnings(logs: &[Log]) -> Vec<String> {
    let journals = logs.iter().filter(|log| log.is_journal);
    journals
        .filter_map(|journal| {
            let twin = logs.iter().filter(|log| !log.is_journal).find(|log| overlap(journal, log))?;
            let host = shared_host(journal, twin)?;
            Some(format!(
                "{} and {} are of one time and of one host, {}: what is in both counts twice; give one of them",
                journal.path.display(),
                twin.path.display(),
                String::from_utf8_lossy(host)
            ))
        })
        .collect()
}

/// Whether two logs of lines are, in part, of one time, as far as their ends are known.
pub fn are_of_one_time(logs: &[Log]) -> bool {
    let span = |log: &Log| Some((log.first?, log.last.filter(|_| !log.is_journal)?));
    let mut spans: Vec<(Micros, Micros)> = logs.iter().filter_map(span).collect();
    spans.sort_unstable();
    spans.windows(2).any(|pair| share(pair[0], pair[1]))
}

fn shared_host<'a>(one: &'a Log, other: &Log) -> Option<&'a [u8]> {
    one.hosts.iter().find(|host| other.hosts.contains(host)).map(Vec::as_slice)
}

/// A log whose end is not known is taken to go on.
fn overlap(one: &Log, other: &Log) -> bool {
    let span = |log: &Log| Some((log.first?, log.last.unwrap_or(Micros::MAX)));
    let (Some(one_span), Some(other_span)) = (span(one), span(other)) else { return false };
    share(one_span, other_span) && shared_host(one, other).is_some()
}

/// Whether two spans of time have more in common than that they touch.
fn share(one: (Micros, Micros), other: (Micros, Micros)) -> bool {
    one.1.min(other.1).saturating_sub(one.0.max(other.0)) > TOUCH
}
