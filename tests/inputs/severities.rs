//! Logs of what is grave, which a syslog daemon writes beside the log of everything.

use super::{TIME, sample};
use crate::support::{directory, file, gzipped, report_on, set_time};
use serde_json::Value;

/// The parts of the report that differ, but for how much was read.
fn differing(one: &Value, other: &Value) -> Vec<String> {
    let parts = one.as_object().expect("a report").iter().filter(|(name, _)| !matches!(name.as_str(), "input" | "hosts"));
    parts.filter(|(name, part)| other[name.as_str()] != **part).map(|(name, _)| name.clone()).collect()
}

fn has(line: &[u8], word: &str) -> bool {
    line.windows(word.len()).any(|place| place == word.as_bytes())
}

/// The lines of a log in which a word stands.
fn with(word: &str, log: &[u8]) -> Vec<u8> {
    log.split_inclusive(|c| *c == b'\n').filter(|line| has(line, word)).flatten().copied().collect()
}

#[test]
fn what_stands_in_the_log_of_everything_counts_once() {
    let directory = directory();
    let (log, grave) = (sample(), with("warning:", &sample()));
    assert!(grave.split(|c| *c == b'\n').count() > 20);
    let all = file(&directory, "mail.log", &log);
    let warnings = file(&directory, "mail.warn", &grave);
    let packed = file(&directory, "mail.err.2.gz", gzipped(&with("fatal:", &log)));
    [&all, &warnings, &packed].into_iter().for_each(|path| set_time(path, TIME));
    let expected = report_on(&[&all], &["--tz", "UTC"]);
    for files in [[&all, &warnings, &packed], [&packed, &warnings, &all]] {
        assert_eq!(differing(&expected, &report_on(&files, &["--tz", "UTC"])), [""; 0]);
    }
    // Under another name it is a log like any other.
    let other = file(&directory, "other.log", &grave);
    set_time(&other, TIME);
    assert!(differing(&expected, &report_on(&[&all, &other], &["--tz", "UTC"])).contains(&"problems".to_owned()));
}

#[test]
fn what_a_log_of_warnings_has_is_not_counted_again_from_a_log_of_errors() {
    let directory = directory();
    let (warned, fatal) = (with("warning:", &sample()), with("fatal:", &sample()));
    assert!(!fatal.is_empty());
    let both: Vec<u8> =
        sample().split_inclusive(|c| *c == b'\n').filter(|line| has(line, "warning:") || has(line, "fatal:")).flatten().copied().collect();
    let files = [("whole.log", both.clone()), ("mail.warn", both), ("mail.warning", warned), ("mail.err", fatal)];
    let [whole, all, warnings, errors] = files.map(|(name, bytes)| file(&directory, name, bytes));
    [&whole, &all, &warnings, &errors].into_iter().for_each(|path| set_time(path, TIME));
    let expected = report_on(&[&whole], &["--tz", "UTC"]);
    for files in [[&all, &errors], [&errors, &all], [&warnings, &errors]] {
        assert_eq!(differing(&expected, &report_on(&files, &["--tz", "UTC"])), [""; 0], "{files:?}");
    }
}

#[test]
fn what_the_log_of_everything_has_lost_counts() {
    let directory = directory();
    let log = sample();
    let (grave, rest) = (with("warning:", &log), log.split_inclusive(|c| *c == b'\n'));
    let lost: Vec<u8> = rest.filter(|line| with("warning:", line).is_empty()).flatten().copied().collect();
    let [whole, lost, warnings] =
        [("whole.log", log), ("mail.log", lost), ("mail.warn", grave)].map(|(name, bytes)| file(&directory, name, bytes));
    [&whole, &lost, &warnings].into_iter().for_each(|path| set_time(path, TIME));
    let [whole, both] = [vec![&whole], vec![&lost, &warnings]].map(|files| report_on(&files, &["--tz", "UTC"]));
    assert_eq!(differing(&whole, &both), [""; 0]);
}
