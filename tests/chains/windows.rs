//! Windows are `[from, until)`: a fact counts by the time of its own line, and a message that began before the window is
//! still known in it.

use crate::support::{
    arrival, assert_figures, attempt, directory, figure, file, gzipped, log_of, removed, report_of, report_on, rows_of, set_time, text,
};

const A: &str = "A000000001";
const B: &str = "B000000002";
const TO: &str = "to@there.example";
const TEN: &[&str] = &["--since", "2026-11-24 10:00", "--until", "2026-11-24 11:00"];

#[test]
fn a_message_that_began_before_the_window_is_known_in_it() {
    let log = log_of(&[
        arrival("09:50:00", A, 1),
        attempt("09:55:00", A, TO, "deferred"),
        attempt("10:05:00", A, TO, "sent"),
        removed("10:05:00", A),
    ]);
    assert_figures(
        &report_of(&log, TEN),
        &[
            ("messages.received", 0),
            ("messages.size_bytes", 0),
            ("messages.removed", 1),
            ("messages.open", 0),
            ("recipients.delivered", 1),
            ("recipients.deferred", 0),
            ("attempts.total", 1),
            ("attempts.sent", 1),
            ("attempts.deferred", 0),
            ("delay.count", 1),
            ("input.lines", 2),
        ],
    );
    let rows = rows_of("recipients", &log, TEN);
    assert_eq!(rows.len(), 1);
    assert_eq!(text(&rows[0], "client_ip"), "192.0.2.1");
    assert_eq!(text(&rows[0], "envelope_sender"), "sender@client.example");
    assert_eq!(rows_of("deliveries", &log, TEN).len(), 1);
}

#[test]
fn the_first_moment_belongs_to_the_window_and_the_last_does_not() {
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        attempt("10:00:00", A, TO, "sent"),
        removed("10:00:00", A),
        arrival("10:30:00", B, 1),
        attempt("10:30:01", B, TO, "deferred"),
        attempt("11:00:00", B, TO, "sent"),
        removed("11:00:00", B),
    ]);
    assert_figures(
        &report_of(&log, TEN),
        &[
            ("messages.received", 2),
            ("messages.removed", 1),
            ("messages.open", 1),
            ("recipients.delivered", 1),
            ("recipients.deferred", 1),
            ("attempts.total", 2),
        ],
    );
    // What ended at the last moment of one window begins the next.
    let next = ["--since", "2026-11-24 11:00", "--until", "2026-11-24 12:00"];
    assert_figures(
        &report_of(&log, &next),
        &[
            ("messages.received", 0),
            ("messages.removed", 1),
            ("messages.open", 0),
            ("recipients.delivered", 1),
            ("recipients.deferred", 0),
            ("attempts.total", 1),
        ],
    );
}

#[test]
fn facts_of_consecutive_windows_add_up_to_the_whole() {
    let log = log_of(&[
        arrival("09:50:00", A, 2),
        attempt("09:55:00", A, TO, "deferred"),
        attempt("09:55:00", A, "b@there.example", "sent"),
        attempt("10:05:00", A, TO, "deferred"),
        arrival("10:59:59", B, 1),
        attempt("11:05:00", A, TO, "bounced"),
        removed("11:05:00", A),
        attempt("11:05:00", B, TO, "sent"),
        removed("11:05:00", B),
    ]);
    let whole = report_of(&log, &[]);
    let parts: Vec<_> = [("09:00", "10:00"), ("10:00", "11:00"), ("11:00", "12:00")]
        .iter()
        .map(|(from, until)| report_of(&log, &["--since", &format!("2026-11-24 {from}"), "--until", &format!("2026-11-24 {until}")]))
        .collect();
    let additive = [
        "messages.received",
        "messages.size_bytes",
        "messages.removed",
        "recipients.delivered",
        "recipients.bounced",
        "attempts.total",
        "attempts.sent",
        "attempts.deferred",
        "attempts.bounced",
        "delay.count",
        "input.lines",
        "input.events",
    ];
    for name in additive {
        let sum: u64 = parts.iter().map(|part| figure(part, name).as_u64().unwrap_or(0)).sum();
        assert_eq!(figure(&whole, name).as_u64(), Some(sum), "{name}");
    }
}

#[test]
fn an_expiry_in_the_window_counts_without_an_attempt_in_it() {
    let log = log_of(&[
        arrival("09:00:00", A, 1),
        attempt("09:30:00", A, TO, "deferred"),
        format!("10:30:00 qmgr {A}: from=<sender@client.example>, status=expired, returned to sender"),
        removed("10:30:00", A),
    ]);
    assert_figures(
        &report_of(&log, TEN),
        &[("messages.received", 0), ("recipients.expired", 1), ("recipients.deferred", 0), ("attempts.expired", 1), ("attempts.total", 0)],
    );
}

#[test]
fn a_queue_file_that_waits_all_through_the_window_is_open() {
    let log = log_of(&[
        arrival("09:00:00", A, 1),
        attempt("09:30:00", A, TO, "deferred"),
        arrival("10:30:00", B, 1),
        attempt("10:30:01", B, TO, "sent"),
        removed("10:30:01", B),
        attempt("11:30:00", A, TO, "sent"),
        removed("11:30:00", A),
    ]);
    assert_figures(
        &report_of(&log, TEN),
        &[("messages.received", 1), ("messages.open", 1), ("messages.removed", 1), ("recipients.deferred", 0), ("recipients.delivered", 1)],
    );
}

#[test]
fn a_removal_in_the_window_of_an_older_delivery_is_only_a_removal() {
    let log = log_of(&[arrival("09:00:00", A, 1), attempt("09:59:59", A, TO, "sent"), removed("10:00:00", A)]);
    assert_figures(
        &report_of(&log, TEN),
        &[("messages.received", 0), ("messages.removed", 1), ("messages.open", 0), ("recipients.delivered", 0), ("delay.count", 0)],
    );
}

#[test]
fn an_empty_window_is_a_report_of_nothing() {
    let log = log_of(&[arrival("09:00:00", A, 1), attempt("09:00:01", A, TO, "sent"), removed("09:00:01", A)]);
    assert_figures(
        &report_of(&log, TEN),
        &[("messages.received", 0), ("messages.queue_files", 0), ("recipients.delivered", 0), ("input.lines", 0), ("attempts.total", 0)],
    );
}

#[test]
fn the_zone_says_when_a_day_begins() {
    let log =
        log_of(&[arrival("2026-11-23T23:30:00", A, 1), attempt("2026-11-23T23:30:01", A, TO, "sent"), removed("2026-11-23T23:30:01", A)]);
    let received = |zone: &str, day: &str| {
        let directory = directory();
        let report = report_on(&[file(&directory, "mail.log", &log)], &["--tz", zone, "--day", day]);
        figure(&report, "messages.received").as_u64()
    };
    assert_eq!(received("UTC", "2026-11-23"), Some(1));
    assert_eq!(received("Europe/Berlin", "2026-11-23"), Some(0));
    assert_eq!(received("Europe/Berlin", "2026-11-24"), Some(1));
    assert_eq!(received("+01:00", "2026-11-24"), Some(1));
}

/// Stamps without a year, as logs are rotated: some time after midnight, so that the older file holds lines of the new day.
#[test]
fn a_day_of_rotated_files_has_its_lines_after_midnight_in_the_older_file() {
    let bsd = |pieces: &[String]| -> String {
        let plain = log_of(pieces);
        plain.lines().map(|line| format!("Nov {} {}\n", &line[8..10], line[11..].replacen("+00:00", "", 1))).collect()
    };
    let whole = |time: &str, id: &str| [arrival(time, id, 1), attempt(time, id, TO, "sent"), removed(time, id)].join("\n");
    let oldest = bsd(&[whole("2026-11-22T08:00:00", "A000000001"), whole("2026-11-23T00:00:05", "A000000002")]);
    let older = bsd(&[
        whole("2026-11-23T08:00:00", "A000000003"),
        // It began before midnight and is delivered after it.
        arrival("2026-11-23T23:59:58", "A000000004", 1),
        attempt("2026-11-24T00:00:02", "A000000004", TO, "sent"),
        removed("2026-11-24T00:00:02", "A000000004"),
        whole("2026-11-24T00:00:03", "A000000005"),
    ]);
    let newest = bsd(&[whole("2026-11-24T00:10:00", "A000000006"), whole("2026-11-24T09:00:00", "A000000007")]);
    let directory = directory();
    let midnight = 1_795_478_400; // 2026-11-24 00:00 UTC
    let files = [
        file(&directory, "mail.log", newest),
        file(&directory, "mail.log.1", older),
        file(&directory, "mail.log.2.gz", gzipped(oldest.as_bytes())),
    ];
    for (path, time) in files.iter().zip([midnight + 40_000, midnight + 300, midnight - 86_000]) {
        set_time(path, time);
    }
    for files in [[0, 1, 2], [2, 0, 1], [1, 2, 0]].map(|order| order.map(|at| files[at].clone())) {
        let day = |day: &str| report_on(&files, &["--tz", "UTC", "--day", day]);
        assert_figures(&day("2026-11-22"), &[("messages.received", 1), ("recipients.delivered", 1), ("input.lines", 5)]);
        assert_figures(&day("2026-11-23"), &[("messages.received", 3), ("recipients.delivered", 2), ("input.lines", 13)]);
        assert_figures(&day("2026-11-24"), &[("messages.received", 3), ("recipients.delivered", 4), ("input.lines", 17)]);
    }
}

#[test]
fn buckets_follow_from_the_window_alone() {
    let log = log_of(&[arrival("10:20:00", A, 1), attempt("10:20:01", A, TO, "sent"), removed("10:20:01", A)]);
    let bucket = |from: &str, until: &str| {
        let report = report_of(&log, &["--since", from, "--until", until]);
        assert_eq!(report["timeline"].as_array().map(|buckets| buckets.iter().filter_map(|b| b["received"].as_u64()).sum()), Some(1_u64));
        figure(&report, "bucket_s").as_u64()
    };
    assert_eq!(bucket("2026-11-24 10:00", "2026-11-24 13:00"), Some(300));
    assert_eq!(bucket("2026-11-24 10:00", "2026-11-24 13:01"), Some(3600));
    assert_eq!(bucket("2026-11-20 10:00", "2026-11-27 10:00"), Some(3600));
    assert_eq!(bucket("2026-11-20 10:00", "2026-11-27 10:01"), Some(86_400));
}
