//! Exim's logs against what really happened, against their own text, and against each other: main and reject log, files and
//! syslog, ids of both lengths.

use crate::support::{assert_figures, directory, figure, report_on, rows_on, run_on, samples_of, set_time, unpacked};
use crate::truth::{Told, judge};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn sample(name: &str) -> PathBuf {
    samples_of("exim").join(name)
}

fn expected(name: &str) -> Value {
    let all: Value = serde_json::from_slice(&fs::read(sample("truth/expected.json")).expect("expected.json")).expect("JSON");
    all[name].clone()
}

/// The log, with the time that its file had.
fn put(name: &str, directory: &TempDir) -> PathBuf {
    let path = directory.path().join(name);
    fs::copy(sample(name), &path).expect("a sample");
    set_time(&path, expected(name)["file_time"].as_u64().unwrap_or(1_795_503_000));
    path
}

/// Totals, lines and recipients of one log against the record; gives how many recipients were judged.
fn assert_truth(name: &str, record: &str) -> usize {
    let directory = directory();
    let path = put(name, &directory);
    let (report, expected) = (report_on(&[&path], &["--tz", "UTC"]), expected(name));
    for (total, range) in expected["totals"].as_object().expect("totals") {
        let got = figure(&report, total).as_u64();
        assert!(got >= range["min"].as_u64() && got <= range["max"].as_u64(), "{total} = {got:?}, should be {range}");
    }
    let input = |name: &str| report["input"][name].as_u64().expect("a count");
    assert_eq!(input("lines"), unpacked(&path).iter().filter(|byte| **byte == b'\n').count() as u64);
    assert_eq!(input("lines"), input("events") + input("ignored"), "{}", report["unrecognized"]);
    let rows = rows_on("recipients", &[&path], &["--tz", "UTC"]);
    let rows: Vec<Told> = rows.into_iter().map(|row| serde_json::from_value(Value::Object(row)).expect("a row")).collect();
    judge(&rows, &expected, &String::from_utf8(unpacked(&sample("truth").join(record))).expect("UTF-8"))
}

#[test]
fn what_became_of_every_recipient_of_exim_4_96() {
    assert_eq!(assert_truth("mainlog", "mainlog.recipients.jsonl.gz"), 267);
}

#[test]
fn what_became_of_every_recipient_of_exim_4_98_with_its_long_ids() {
    assert_eq!(assert_truth("exim-4.98.mainlog.gz", "exim-4.98.recipients.jsonl.gz"), 266);
}

#[test]
fn what_became_of_every_recipient_of_exim_that_logs_all() {
    assert_eq!(assert_truth("exim-all.mainlog.gz", "exim-all.recipients.jsonl.gz"), 267);
}

#[test]
fn what_became_of_every_recipient_of_exim_through_syslog() {
    assert_eq!(assert_truth("syslog.log.gz", "syslog.recipients.jsonl.gz"), 266);
}

/// The figures that the text of a main log gives by itself, its lines taken by their flags.
fn plain_counts(text: &str) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    let mut count = |name: &'static str, is_it: bool| *counts.entry(name).or_insert(0) += u64::from(is_it);
    for line in text.lines() {
        let Some((id, said)) = line.get(20..).and_then(|rest| rest.split_once(' ')) else { continue };
        if !matches!(id.len(), 16 | 23) || id.as_bytes()[6] != b'-' {
            continue;
        }
        let (flag, rest) = said.split_once(' ').unwrap_or((said, ""));
        let notification = rest.starts_with("<> R=");
        count("messages.notifications", flag == "<=" && notification);
        count("messages.received", matches!(flag, "<=" | "(=") && !notification);
        let all = rest.starts_with("blackhole (") || rest.starts_with("discarded (");
        let waiting = rest.contains("retry time not reached") || rest.contains("Retry time not yet reached");
        let expired = flag == "**" && (rest.contains("retry timeout exceeded") || rest.contains("have been failing for a long time"));
        count("attempts.sent", matches!(flag, "=>" | "->" | ">>") && !all);
        count("attempts.deferred", flag == "==" && !waiting);
        count("attempts.bounced", flag == "**" && !expired);
        count("attempts.expired", expired);
    }
    counts.insert(
        "attempts.total",
        ["sent", "deferred", "bounced", "expired"].iter().map(|part| counts[format!("attempts.{part}").as_str()]).sum(),
    );
    counts
}

#[test]
fn counts_are_those_of_the_text() {
    for name in ["mainlog", "exim-4.98.mainlog.gz"] {
        let report = report_on(&[sample(name)], &[]);
        let counts = plain_counts(&String::from_utf8_lossy(&unpacked(&sample(name))));
        let counts: Vec<_> = counts.into_iter().collect();
        assert_figures(&report, &counts);
    }
}

/// The report without what says how much was read.
fn without_input(mut report: Value) -> Value {
    report.as_object_mut().expect("a report").remove("input");
    report
}

#[test]
fn a_reject_log_beside_its_main_log_counts_nothing_twice() {
    let directory = directory();
    let files = ["mainlog", "rejectlog", "paniclog"].map(|name| put(name, &directory));
    let main = report_on(&files[..1], &[]);
    let all = report_on(&files, &[]);
    for part in ["messages", "recipients", "attempts", "auth", "connections", "delay", "domains", "classes"] {
        assert_eq!(main[part], all[part], "{part}");
    }
    // Three lines that only the reject log has: a selector keeps them out of the main log.
    assert_figures(&main, &[("rejects.total", 59)]);
    assert_figures(&all, &[("rejects.total", 62), ("input.unrecognized", 0)]);
    let reversed: Vec<&PathBuf> = files.iter().rev().collect();
    assert_eq!(without_input(all), without_input(report_on(&reversed, &[])), "in another order");
}

#[test]
fn a_reject_log_alone_is_read_with_the_messages_below_its_lines() {
    let report = report_on(&[sample("rejectlog")], &[]);
    assert_figures(
        &report,
        &[("input.lines", 213), ("input.unrecognized", 0), ("rejects.total", 57), ("auth.failures", 7), ("messages.queue_files", 0)],
    );
}

#[test]
fn copies_through_syslog_count_once() {
    let directory = directory();
    let report = report_on(&[put("syslog.log.gz", &directory)], &["--tz", "UTC"]);
    // 59 as in the main log of the same submissions, and the three of which the selector kept copies out.
    assert_figures(&report, &[("rejects.total", 62), ("auth.failures", 7), ("input.unrecognized", 0)]);
}

#[test]
fn chunks_and_threads_change_nothing() {
    let directory = directory();
    let files = [vec![put("syslog.log.gz", &directory)], vec![put("mainlog", &directory), put("rejectlog", &directory)]];
    for files in &files {
        for command in [&["report", "--format", "json"][..], &["parse", "--all"], &["export", "recipients", "--format", "jsonl"]] {
            let output = |more: &[&str]| run_on(&[command, &["--tz", "UTC"], more].concat(), files).ok();
            let whole = output(&[]);
            for size in ["1", "1000", "65536"] {
                for threads in ["1", "3"] {
                    assert!(
                        output(&["--chunk-size", size, "--threads", threads]) == whole,
                        "{command:?}: chunks of {size} on {threads} threads"
                    );
                }
            }
        }
    }
}

// ---- small logs --------------------------------------------------------------------------------

fn log(directory: &TempDir, lines: &[&str]) -> PathBuf {
    let text: String = lines.iter().map(|line| format!("2026-11-24 06:0{line}\n")).collect();
    crate::support::file(directory, "mainlog", text)
}

fn outcomes(path: &Path) -> Vec<(String, String)> {
    let told = |row: &crate::support::Row, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    rows_on("recipients", &[path], &[]).iter().map(|row| (told(row, "envelope_recipient"), told(row, "outcome"))).collect()
}

#[test]
fn a_message_that_waits_is_tried_only_when_it_is_tried() {
    let directory = directory();
    let path = log(
        &directory,
        &[
            "0:00 1xVjd0-00005d-17 <= a@b.example U=a P=local S=300",
            "0:01 1xVjd0-00005d-17 == c@d.example R=r T=t defer (-44) H=mx.d.example [192.0.2.9]: SMTP error from remote mail server after RCPT TO:<c@d.example>: 452 4.2.2 full",
            "1:00 1xVjd0-00005d-17 == c@d.example routing defer (-52): retry time not reached",
            "2:00 1xVjd0-00005d-17 == c@d.example R=r T=t defer (-54): retry time not reached for any host for 'd.example'",
            "3:00 1xVjd0-00005d-17 ** c@d.example: retry timeout exceeded",
            "3:00 1xVjd0-00005d-17 Completed",
        ],
    );
    let report = report_on(&[&path], &[]);
    assert_figures(
        &report,
        &[
            ("attempts.total", 2),
            ("attempts.deferred", 1),
            ("attempts.expired", 1),
            ("recipients.expired", 1),
            ("recipients.ever_deferred", 1),
        ],
    );
    // Why it failed is what the last attempt said.
    assert_eq!(report["classes"][0]["class"], json!("mailbox_full"), "{}", report["classes"]);
    let row = &rows_on("recipients", &[&path], &[])[0];
    assert_eq!((&row["attempts"], &row["reply_code"]), (&json!(2), &json!(452)), "{row:?}");
}

#[test]
fn delays_come_from_the_line_or_the_arrival_or_the_id() {
    let directory = directory();
    let delays = |lines: &[&str]| {
        let path = log(&directory, lines);
        rows_on("deliveries", &[&path], &[]).iter().map(|row| row["delay_s"].as_f64().expect("a delay")).collect::<Vec<_>>()
    };
    let (arrival, delivery) = ("3:50 1xVjd0-00005d-17 <= a@b.example U=a P=local S=300", "4:00 1xVjd0-00005d-17 => c@d.example R=r T=t");
    assert_eq!(delays(&[arrival, &format!("{delivery} QT=1m5s")]), [65.0]);
    assert_eq!(delays(&[arrival, delivery]), [10.0]);
    // 1xVjd0 is 06:03:42.
    assert_eq!(delays(&[delivery]), [18.0]);
}

#[test]
fn what_was_thrown_away_was_not_delivered() {
    let directory = directory();
    let path = log(
        &directory,
        &[
            "0:00 1xVjd0-00005d-17 <= a@b.example U=a P=local S=300",
            "0:00 1xVjd0-00005d-17 => :blackhole: <c@d.example> R=r",
            "0:00 1xVjd0-00005d-17 => /dev/null <e@d.example> R=r T=**bypassed**",
            "0:00 1xVjd0-00005d-17 Completed",
            "0:00 1xVjd0-00005e-17 <= a@b.example U=a P=local S=300",
            "0:00 1xVjd0-00005e-17 => discarded (system filter)",
            "0:00 1xVjd0-00005e-17 Completed",
        ],
    );
    assert_figures(
        &report_on(&[&path], &[]),
        &[("recipients.discarded", 3), ("recipients.delivered", 0), ("messages.received", 2), ("messages.removed_unseen", 0)],
    );
}

#[test]
fn the_postmasters_deeds() {
    let directory = directory();
    let path = log(
        &directory,
        &[
            "0:00 1xVjd0-00005d-17 <= a@b.example U=a P=local S=300",
            "0:00 1xVjd0-00005d-17 == c@d.example R=r T=t defer (111): Connection refused",
            "0:01 1xVjd0-00005d-17 frozen by root",
            "0:02 1xVjd0-00005d-17 removed by root",
            "0:00 1xVjd0-00005e-17 <= a@b.example U=a P=local S=300",
            "0:00 1xVjd0-00005e-17 == e@d.example R=r T=t defer (111): Connection refused",
            "0:02 1xVjd0-00005e-17 cancelled by root",
            "0:02 1xVjd0-00005e-17 Completed",
            "0:03 1xVjd0-00005f-17 <= a@b.example U=a P=local S=300",
            "0:03 1xVjd0-00005f-17 == f@d.example R=r T=t defer (111): Connection refused",
            "0:04 1xVjd0-00005f-17 cancelled by timeout_frozen_after",
            "0:04 1xVjd0-00005f-17 Completed",
        ],
    );
    let mut outcomes = outcomes(&path);
    outcomes.sort();
    let expected = [("c@d.example", "deleted"), ("e@d.example", "deleted"), ("f@d.example", "bounced")];
    assert_eq!(outcomes, expected.map(|(address, outcome)| (address.to_owned(), outcome.to_owned())));
}

#[test]
fn an_id_that_was_only_refused_is_no_queue_file() {
    let directory = directory();
    let path = log(
        &directory,
        &[
            "0:00 1xVjd0-00005d-17 H=(x) [192.0.2.7] F=<a@b.example> rejected after DATA: spam",
            // Cutthrough: delivered before it arrived.
            "0:01 1xVjd0-00005e-17 >> c@d.example R=r T=t H=mx.d.example [192.0.2.9] C=\"250 ok\"",
            "0:01 1xVjd0-00005e-17 <= a@b.example H=(x) [192.0.2.7] P=esmtp S=300",
            "0:01 1xVjd0-00005e-17 Completed",
            // A report, and a message that a server sent with the null sender.
            "0:02 1xVjd0-00005f-17 <= <> R=1xVjd0-00005e-17 U=exim P=local S=300",
            "0:02 1xVjd0-00005g-17 <= <> H=(x) [192.0.2.7] P=esmtp S=300",
        ],
    );
    let report = report_on(&[&path], &[]);
    assert_figures(
        &report,
        &[
            ("rejects.total", 1),
            ("messages.queue_files", 3),
            ("messages.received", 2),
            ("messages.notifications", 1),
            ("messages.removed", 1),
            ("recipients.delivered", 1),
        ],
    );
}

#[test]
fn one_recipient_however_it_is_written() {
    let directory = directory();
    let path = log(
        &directory,
        &[
            "0:00 1xVjd0-00005d-17 <= a@b.example U=a P=local S=300",
            "0:00 1xVjd0-00005d-17 == bob@d.example <all@d.example> R=r T=t defer (-22): mailbox is full",
            "0:00 1xVjd0-00005d-17 == \"a b\"@d.example R=r T=t defer (-22): mailbox is full",
            "1:00 1xVjd0-00005d-17 => bob <all@d.example> R=r T=t",
            "1:00 1xVjd0-00005d-17 => a b@d.example <\"a b\"@d.example> R=r T=t",
            "1:00 1xVjd0-00005d-17 => Carl <Carl@D.example> R=r T=t",
        ],
    );
    let mut outcomes = outcomes(&path);
    outcomes.sort();
    let addresses: Vec<&str> = outcomes.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(addresses, ["\"a b\"@d.example", "Carl@d.example", "bob@d.example"]);
    assert!(outcomes.iter().all(|(_, outcome)| outcome == "delivered"), "{outcomes:?}");
}

// ---- TLS ---------------------------------------------------------------------------------------

/// Exim has no line for a TLS session: arrivals and deliveries tell theirs. One more recipient of a delivery, and a message
/// over the connection of an earlier one, are no further sessions.
#[test]
fn tls_is_counted_by_direction_version_and_trust() {
    let directory = directory();
    let path = put("mainlog", &directory);
    let text = String::from_utf8_lossy(&unpacked(&path)).into_owned();
    let told = |flag: &str, words: &str| text.lines().filter(|line| line.contains(flag) && line.contains(words)).count();
    let report = report_on(&[&path], &["--tz", "UTC"]);
    let (inbound, outbound) = (told(" <= ", " X=TLS1.3:"), told(" => ", " X=TLS1.3:"));
    assert_eq!((inbound, outbound, told(" -> ", " X=TLS")), (7, 19, 9));
    assert_eq!(
        report["tls"],
        json!({
            "inbound": {"sessions": inbound, "by_version": {"TLSv1.3": inbound},
                "by_trust": {"untrusted": told(" <= ", " CV=no"), "trusted": told(" <= ", " CV=yes")}},
            "outbound": {"sessions": outbound, "by_version": {"TLSv1.3": outbound},
                "by_trust": {"untrusted": told(" => ", " CV=no"), "trusted": told(" => ", " CV=yes"), "verified": told(" => ", " CV=dane")}},
        })
    );
}

#[test]
fn a_session_goes_on_over_several_deliveries() {
    let line = |second: u32, text: &str| format!("2026-11-24 10:00:{second:02} 1xVjd0-0000{second:02}-1p {text}\n");
    let sent = |star: &str, tls: &str| format!("=> a@b.example R=r T=remote_smtp H=mx.b.example [192.0.2.1]{star}{tls} C=\"250 OK\"");
    let log = [
        line(0, &sent("", " X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=yes")),
        line(1, &sent("*", " X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=yes")),
        line(2, &sent(":25*", " X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=yes")),
        line(3, &sent(":25", " X=TLSv1:AES256-SHA:256")),
        line(4, &sent("", "")),
        line(5, "<= a@b.example H=mx.b.example [192.0.2.1] P=esmtps X=TLS1.0:RSA_AES_256_CBC_SHA1:256 CV=no S=409 id=x@b.example"),
        line(6, "<= a@b.example H=mx.b.example [192.0.2.1] P=esmtp S=409 id=y@b.example"),
    ]
    .concat();
    let directory = directory();
    let report = report_on(&[crate::support::file(&directory, "mainlog", log)], &["--tz", "UTC"]);
    assert_eq!(figure(&report, "attempts.sent"), 5);
    assert_eq!(
        report["tls"],
        json!({
            "inbound": {"sessions": 1, "by_version": {"TLSv1": 1}, "by_trust": {"untrusted": 1}},
            "outbound": {"sessions": 2, "by_version": {"TLSv1": 1, "TLSv1.2": 1}, "by_trust": {"trusted": 1}},
        })
    );
}
