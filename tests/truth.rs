//! The report and the rows against what really happened. The samples come with a record that the clients, the remote
//! hosts and the mailboxes kept; no log was read for it. Where the record is silent, a few plain lines of this file count
//! the text of the log.

use crate::support::{directory, figure, objects, row, run_on, samples, set_time, text, unpacked};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// A sample with the file time that its log had, which tells the year of its stamps.
struct Sample {
    path: PathBuf,
    /// The log itself, unpacked.
    text: Vec<u8>,
    /// Its part of `truth/expected.json`.
    expected: Value,
    directory: TempDir,
}

fn sample(name: &str) -> Sample {
    let directory = directory();
    let path = directory.path().join(name);
    fs::copy(samples().join(name), &path).expect("a sample");
    let all: Value = serde_json::from_slice(&fs::read(samples().join("truth/expected.json")).expect("expected.json")).expect("JSON");
    let expected = [name, "mail.log"].iter().map(|name| all[name].clone()).find(|value| !value.is_null()).expect("expectations");
    set_time(&path, expected["file_time"].as_u64().expect("a time"));
    Sample { text: unpacked(&path), path, expected, directory }
}

/// What is looked at of an exported row.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    queue_id: String,
    first_queue_id: String,
    message_id: String,
    envelope_recipient: String,
    original_recipient: String,
    outcome: String,
    status: String,
}

impl Sample {
    fn report(&self) -> Value {
        let ran = run_on(&["report", "--format", "json", "--top", "5000", "--tz", "UTC"], &[&self.path]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
        ran.report()
    }

    fn rows(&self, table: &str) -> Vec<Told> {
        let rows = run_on(&["export", table, "--format", "jsonl", "--tz", "UTC"], &[&self.path]).ok();
        rows.lines().map(|row| serde_json::from_str(row).unwrap_or_else(|error| panic!("{error} in {row}"))).collect()
    }
}

/// The totals of one sample, each within what the record allows.
fn assert_totals(sample: &Sample, report: &Value) {
    let wrong: Vec<String> = sample.expected["totals"]
        .as_object()
        .expect("totals")
        .iter()
        .filter_map(|(name, expected)| {
            let (got, min, max) = (figure(report, name).as_u64(), expected["min"].as_u64(), expected["max"].as_u64());
            (got.is_none() || got < min || got > max).then(|| format!("{name} = {got:?}, should be {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every line is counted once, and none of these is unknown.
fn assert_lines(sample: &Sample, report: &Value) {
    let input = |name: &str| report["input"][name].as_u64().expect("a count");
    assert_eq!(input("lines"), sample.text.iter().filter(|byte| **byte == b'\n').count() as u64);
    assert_eq!(input("lines"), input("events") + input("ignored") + input("unrecognized"));
    assert_eq!(input("unrecognized"), 0, "{}", report["unrecognized"]);
    assert_eq!(input("bytes"), sample.text.len() as u64);
}

#[test]
fn totals_of_the_small_server() {
    let sample = sample("mail.log");
    let report = sample.report();
    assert_totals(&sample, &report);
    assert_lines(&sample, &report);
}

#[test]
fn totals_of_postfix_3_10() {
    let sample = sample("postfix-3.10.log.gz");
    let report = sample.report();
    assert_totals(&sample, &report);
    assert_lines(&sample, &report);
}

#[test]
fn totals_across_a_years_end() {
    let sample = sample("new-year.log");
    let report = sample.report();
    assert_totals(&sample, &report);
    assert_lines(&sample, &report);
    for end in ["from", "to"] {
        let day = sample.expected["window"][end].as_str().expect("a day");
        assert!(report["window"][end].as_str().is_some_and(|time| time.starts_with(day)), "{}", report["window"]);
    }
}

#[test]
fn the_year_that_is_given_wins_over_the_files_time() {
    let sample = sample("new-year.log");
    set_time(&sample.path, 1_000_000_000);
    let ran = run_on(&["report", "--format", "json", "--tz", "UTC", "--year", "2026"], &[&sample.path]);
    let report = ran.report();
    assert!(report["window"]["from"].as_str().is_some_and(|time| time.starts_with("2026-12-31")), "{}", report["window"]);
    assert!(report["window"]["to"].as_str().is_some_and(|time| time.starts_with("2027-01-01")), "{}", report["window"]);
    assert_totals(&sample, &report);
}

#[test]
fn every_style_of_the_same_log_gives_the_same_counts() {
    let base = sample("mail.log").report();
    for name in ["mail.rfc3339.log.gz", "mail.rfc5424.log.gz", "mail.json.gz"] {
        let sample = sample(name);
        let report = sample.report();
        assert_totals(&sample, &report);
        assert_lines(&sample, &report);
        for part in
            ["messages", "recipients", "attempts", "rates", "rejects", "auth", "postscreen", "tls", "connections", "kinds", "classes"]
        {
            assert_eq!(base[part], report[part], "{name}: {part}");
        }
        for part in ["dsn", "distinct", "relays", "providers", "senders", "sender_domains", "auth_users", "clients"] {
            assert_eq!(without_delays(&base[part]), without_delays(&report[part]), "{name}: {part}");
        }
        assert_eq!(without_delays(&base["domains"]), without_delays(&report["domains"]), "{name}: domains");
        assert_eq!(base["delay"]["count"], report["delay"]["count"], "{name}");
    }
}

/// Stamps with a fraction of a second tell the delay of a chain better than those without.
fn without_delays(list: &Value) -> Value {
    let mut list = list.clone();
    for row in list.as_array_mut().into_iter().flatten() {
        row.as_object_mut().map(|row| row.remove("delay"));
    }
    list
}

#[test]
fn a_compressed_log_gives_the_same_report() {
    let plain = sample("mail.log");
    let packed = plain.directory.path().join("mail.log.gz");
    fs::write(&packed, crate::support::gzipped(&plain.text)).expect("a file");
    set_time(&packed, plain.expected["file_time"].as_u64().expect("a time"));
    let packed = Sample { path: packed, ..sample("mail.log") };
    assert_eq!(plain.report(), packed.report());
}

// ---- recipients --------------------------------------------------------------------------------

/// The outcomes that the record allows for one recipient, or none where it can't judge. `none` is no row at all.
fn allowed(seen: &str, planned: &str) -> Option<&'static [&'static str]> {
    if planned.contains('+') || planned.contains('/') {
        // An alias with several targets: only what was seen for this very address is sure.
        return match seen {
            "sent" => Some(&["delivered"]),
            "refused-5xx-by-remote" => Some(&["bounced"]),
            _ => None,
        };
    }
    let thrown_away = planned.starts_with("discarded") || planned == "blackholed";
    match (seen, planned) {
        ("sent", _) => Some(&["delivered"]),
        ("sent-to-other-address", "sent" | "forwarded") => Some(&["delivered", "forwarded"]),
        ("sent-to-other-address", _) | (_, "deleted" | "see admin") => None,
        ("refused-5xx-by-remote", _) => planned.starts_with("bounced").then_some(&["bounced"]),
        ("refused-4xx-by-remote", _) => matches!(planned, "expired" | "force-expired").then_some(&["expired"]),
        // The copy in the mailbox is another recipient's.
        ("in-a-local-mailbox" | "no-trace-at-sinks-or-mailboxes", "bounced") => Some(&["bounced"]),
        ("in-a-local-mailbox" | "no-trace-at-sinks-or-mailboxes", "expired") => Some(&["expired"]),
        ("in-a-local-mailbox", _) => Some(&["delivered", "forwarded"]),
        (_, "bounced-or-expired" | "expired-or-bounced") => Some(&["bounced", "expired"]),
        _ if thrown_away => Some(&["discarded", "delivered", "handed_off", "none"]),
        _ if planned.starts_with("held") => Some(&["none", "deferred"]),
        _ => None,
    }
}

/// An address or id without brackets and in lower case.
fn plain(text: &str) -> String {
    text.trim().trim_matches(['<', '>']).to_lowercase()
}

/// Holds the exported rows against the record; gives how many recipients were judged.
fn judge_recipients(name: &str, truth: &str) -> usize {
    let sample = sample(name);
    let record = String::from_utf8(unpacked(&samples().join("truth").join(truth))).expect("UTF-8");
    judge(&sample.rows("recipients"), &sample.expected, &record)
}

/// The same, whatever server the rows are of. What a case may be instead stands under its name, or under `case|recipient`.
pub(crate) fn judge(rows: &[Told], expected: &Value, record: &str) -> usize {
    let mut by_id: HashMap<String, Vec<&Told>> = HashMap::new();
    for row in rows {
        let keys: BTreeSet<String> = [&row.queue_id, &row.first_queue_id, &row.message_id].map(|key| plain(key)).into();
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            by_id.entry(key).or_default().push(row);
        }
    }
    let pair = |pair: &Value| Some((plain(pair[0].as_str()?), plain(pair[1].as_str()?)));
    let waiting: HashSet<_> = expected["waiting"].as_array().expect("a list").iter().filter_map(pair).collect();
    let (mut judged, mut wrong) = (0, Vec::new());
    for truth in objects(record) {
        let (case, address) = (text(&truth, "case"), plain(text(&truth, "recipient")));
        let (queue_id, message_id) = (plain(text(&truth, "queue_id")), plain(text(&truth, "message_id")));
        let id = if queue_id.is_empty() { message_id } else { queue_id };
        if !expected["not_judged"][case].is_null() || id.is_empty() {
            continue;
        }
        let one = format!("{case}|{}", text(&truth, "recipient"));
        let instead = [&expected["accepted_instead"][&one], &expected["accepted_instead"][case]];
        let mut accepted: Vec<&str> = match instead.iter().find_map(|instead| instead["outcomes"].as_array()) {
            Some(instead) => instead.iter().filter_map(Value::as_str).collect(),
            None => allowed(text(&truth, "seen"), text(&truth, "planned")).unwrap_or_default().to_vec(),
        };
        if accepted.contains(&"expired") && waiting.contains(&(id.clone(), address.clone())) {
            accepted = vec!["deferred"];
        }
        if accepted.is_empty() {
            continue;
        }
        judged += 1;
        let is_it = |row: &&&Told| plain(&row.envelope_recipient) == address || plain(&row.original_recipient) == address;
        let mut got: BTreeSet<&str> = by_id.get(&id).into_iter().flatten().filter(is_it).map(|row| row.outcome.as_str()).collect();
        if got.len() > 1 {
            got.remove("handed_off");
        }
        if got.is_empty() {
            got.insert("none");
        }
        if !got.iter().all(|outcome| accepted.contains(outcome)) {
            wrong.push(format!("{case} {id} {address}: {got:?}, should be one of {accepted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    judged
}

#[test]
fn what_became_of_every_recipient_of_the_small_server() {
    assert_eq!(judge_recipients("mail.log", "mail.recipients.jsonl.gz"), 326);
    assert_eq!(judge_recipients("mail.rfc5424.log.gz", "mail.recipients.jsonl.gz"), 326);
}

#[test]
fn what_became_of_every_recipient_of_postfix_3_10() {
    assert_eq!(judge_recipients("postfix-3.10.log.gz", "postfix-3.10.recipients.jsonl.gz"), 326);
}

#[test]
fn what_became_of_every_recipient_across_a_years_end() {
    assert_eq!(judge_recipients("new-year.log", "new-year.recipients.jsonl.gz"), 50);
}

// ---- the big log -------------------------------------------------------------------------------

/// The big log and its report, made once for all tests.
fn bulk() -> &'static (Sample, Value) {
    static BULK: OnceLock<(Sample, Value)> = OnceLock::new();
    BULK.get_or_init(|| {
        let sample = sample("bulk.log.gz");
        let report = sample.report();
        (sample, report)
    })
}

/// Queue id, recipient and outcome of every accepted recipient of the big log.
fn bulk_truth() -> Vec<(String, String, String)> {
    let table = String::from_utf8(unpacked(&samples().join("truth/bulk.recipients.tsv.gz"))).expect("UTF-8");
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        Some((cells.next()?, cells.next()?, cells.next()?))
    };
    table.lines().skip(1).map(|line| row(line).expect("three cells")).collect()
}

#[test]
fn totals_and_domains_of_the_big_log() {
    let (sample, report) = bulk();
    assert_totals(sample, report);
    assert_lines(sample, report);
    let mut domains: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (_, recipient, outcome) in bulk_truth() {
        *domains.entry(domain(&recipient)).or_default().entry(outcome).or_default() += 1;
    }
    assert!(domains.len() > 50);
    // Deliveries of notifications count in a domain's row too, and the record knows only messages.
    let with_notifications = sample.expected["domains_with_notifications"].as_array().expect("a list");
    for (domain, outcomes) in &domains {
        let row = row(report, "domains", domain);
        for outcome in ["delivered", "bounced", "expired", "deferred"] {
            let (got, seen) = (row[outcome].as_u64(), outcomes.get(outcome).copied().unwrap_or(0));
            if with_notifications.iter().any(|name| name == domain) {
                assert!(got >= Some(seen), "{domain}: {outcome} {got:?}, at least {seen}");
            } else {
                assert_eq!(got, Some(seen), "{domain}: {outcome}");
            }
        }
    }
}

#[test]
fn what_became_of_every_recipient_of_the_big_log() {
    let rows = bulk().0.rows("recipients");
    let mut outcomes: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
    for row in &rows {
        for address in [&row.envelope_recipient, &row.original_recipient] {
            for id in [&row.queue_id, &row.first_queue_id] {
                outcomes.entry((id, address)).or_default().insert(&row.outcome);
            }
        }
    }
    let truth = bulk_truth();
    assert_eq!(truth.len(), 40_697);
    let wrong: Vec<_> = truth
        .iter()
        .filter(|(id, recipient, outcome)| {
            let got = outcomes.get(&(id.as_str(), recipient.as_str()));
            got.is_none_or(|got| got.len() != 1 || !got.contains(outcome.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {:?}", wrong.len(), truth.len(), &wrong[..wrong.len().min(20)]);
}

// ---- plain counts of the log's text ------------------------------------------------------------

/// What plain reading of the text counts.
#[derive(Default)]
struct Plain {
    totals: BTreeMap<&'static str, u64>,
    /// Attempts by the recipient's domain and their status.
    attempts: BTreeMap<(String, String), u64>,
}

impl Plain {
    fn count(&mut self, name: &'static str, is_it: bool) {
        *self.totals.entry(name).or_default() += u64::from(is_it);
    }

    /// One line: the text after `daemon[pid]: `, and after the queue id or `NOQUEUE`.
    fn line(&mut self, line: &str) {
        let Some((_, text)) = line.split_once("]: ") else { return };
        let said = text.split_once(": ").map_or("", |(_, said)| said);
        if let Some(recipient) = said.strip_prefix("to=<") {
            return self.delivery(recipient);
        }
        let is_auth = said.contains(": SASL ") && said.contains(" authentication failed: ");
        self.count("auth.failures", text.starts_with("warning: ") && is_auth);
        let rejects = said.starts_with("reject: ") || said.starts_with("milter-reject: ") || text.starts_with("proxy-reject: ");
        self.count("rejects.total", rejects);
        self.count("rejects.warnings", said.starts_with("reject_warning: "));
        self.count("messages.removed", said == "removed" || said.starts_with("removed ("));
    }

    /// What follows `to=<` in a delivery line; the words of a remote host come last in it.
    fn delivery(&mut self, text: &str) {
        let (recipient, rest) = text.split_once(">, ").expect("an address ends");
        let status = rest.split_once("status=").expect("a status").1.split(' ').next().unwrap_or_default();
        if status.ends_with("deliverable") {
            return;
        }
        self.count("attempts.total", true);
        self.count("attempts.sent", status == "sent");
        self.count("attempts.deferred", status == "deferred");
        self.count("attempts.bounced", status == "bounced");
        self.count("recipients.forwarded", rest.contains("status=sent (forwarded as "));
        *self.attempts.entry((domain(recipient), status.to_owned())).or_default() += 1;
    }
}

fn domain(address: &str) -> String {
    address.rsplit_once('@').map_or("(none)", |(_, domain)| domain).to_lowercase()
}

/// The report's counts against those of the text; gives the latter's attempts by domain and status.
fn assert_plain_counts(sample: &Sample, report: &Value) -> BTreeMap<(String, String), u64> {
    let mut plain = Plain::default();
    String::from_utf8_lossy(&sample.text).lines().for_each(|line| plain.line(line));
    for (name, count) in plain.totals {
        assert_eq!(figure(report, name).as_u64(), Some(count), "{name}");
    }
    let mut deferred: BTreeMap<&str, u64> = BTreeMap::new();
    for ((domain, status), count) in &plain.attempts {
        *deferred.entry(domain).or_default() += if status == "deferred" { *count } else { 0 };
    }
    let rows = report["domains"].as_array().expect("a list").iter();
    let said: BTreeMap<&str, u64> = rows.filter_map(|row| Some((row["domain"].as_str()?, row["deferred_attempts"].as_u64()?))).collect();
    assert_eq!(said, deferred, "deferred attempts by domain");
    plain.attempts
}

/// The same, and the exported attempts one by one.
fn assert_plain_counts_and_rows(name: &str) {
    let sample = sample(name);
    let plain = assert_plain_counts(&sample, &sample.report());
    let mut attempts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in sample.rows("deliveries") {
        // An alias and a discard are `sent` in the MTA's own word.
        let status = match row.status.as_str() {
            "forwarded" | "discarded" => "sent",
            other => other,
        };
        if !status.ends_with("deliverable") {
            *attempts.entry((domain(&row.envelope_recipient), status.to_owned())).or_default() += 1;
        }
    }
    assert_eq!(attempts, plain, "attempts by domain and status");
}

#[test]
fn counts_of_the_small_server_are_those_of_its_text() {
    assert_plain_counts_and_rows("mail.log");
}

#[test]
fn counts_of_postfix_3_10_are_those_of_its_text() {
    assert_plain_counts_and_rows("postfix-3.10.log.gz");
}

#[test]
fn counts_across_a_years_end_are_those_of_its_text() {
    assert_plain_counts_and_rows("new-year.log");
}

#[test]
fn counts_of_the_big_log_are_those_of_its_text() {
    let (sample, report) = bulk();
    // No chain in it: what was sent is delivered.
    for ((domain, status), count) in assert_plain_counts(sample, report) {
        let field = match status.as_str() {
            "sent" => "delivered",
            "bounced" => "bounced",
            _ => "deferred_attempts",
        };
        assert_eq!(row(report, "domains", &domain)[field].as_u64(), Some(count), "{domain}: {field}");
    }
}
