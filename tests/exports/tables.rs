//! What the rows of each table add up to.

use crate::support::{Row, arrival, attempt, figure, log_of, removed, report_on, rows_of, rows_on, run_on, samples, samples_of, text};
use mailscope::export::{Source, TABLES};
use serde_json::Value;
use std::path::PathBuf;

const YEAR: &[&str] = &["--year", "2026", "--tz", "UTC"];

fn logs() -> Vec<PathBuf> {
    vec![samples().join("mail.log"), samples_of("exim").join("mainlog")]
}

fn sum(rows: &[Row], column: &str) -> u64 {
    rows.iter().filter_map(|row| row.get(column)?.as_u64()).sum()
}

#[test]
fn rows_add_up_to_the_report() {
    for log in logs() {
        let report = report_on(&[&log], YEAR);
        let total = |name: &str| figure(&report, name).as_u64().expect("a figure");
        let rows = |table: &str| rows_on(table, &[&log], YEAR);
        let messages = rows("messages");
        assert_eq!(messages.len() as u64, total("messages.received"));
        assert_eq!(sum(&messages, "size_bytes"), total("messages.size_bytes"));
        let bounces = rows("bounces");
        let of = |outcome: &str| bounces.iter().filter(|row| text(row, "outcome") == outcome).count() as u64;
        assert_eq!((of("bounced"), of("expired")), (total("recipients.bounced"), total("recipients.expired")));
        assert_eq!(sum(&rows("rejects"), "count"), total("rejects.total"));
        assert_eq!(sum(&rows("auth_failures"), "count"), total("auth.failures"));
    }
}

#[test]
fn lists_of_the_report_are_whole() {
    for log in logs() {
        let report = report_on(&[&log], YEAR);
        for table in TABLES.iter().filter(|table| table.source == Source::Report) {
            let (rows, list) = (rows_on(table.name, &[&log], YEAR), report[table.name].as_array().expect("a list"));
            assert_eq!(rows.len(), list.len(), "{}", table.name);
            for (row, listed) in rows.iter().zip(list) {
                for (column, value) in row {
                    let nested = column.strip_prefix("delay_").map(|figure| &listed["delay"][figure]);
                    let listed = nested.or_else(|| listed.get(column)).unwrap_or(&Value::Null);
                    // What a pattern concerns is a list there.
                    assert!(
                        listed == value || listed.as_f64() == value.as_f64() && value.is_number() || listed.is_null(),
                        "{column}: {listed} {value}"
                    );
                }
            }
        }
    }
}

#[test]
fn threads_and_chunks_make_no_difference() {
    // A log is no listing.
    for table in TABLES.iter().filter(|table| table.source != Source::Listings) {
        for log in logs() {
            let of = |more: &[&str]| run_on(&[&["export", table.name, "--format", "csv"], YEAR, more].concat(), &[&log]).ok();
            let one = of(&["--threads", "1"]);
            assert!(one.lines().count() > 1, "{}", table.name);
            assert_eq!(one, of(&["--threads", "3", "--chunk-size", "5000"]), "{}", table.name);
        }
    }
}

#[test]
fn who_waits_long_at_the_end_stands_beside_who_bounced() {
    const A: &str = "A000000001";
    let log = log_of(&[
        arrival("10:00:00", A, 4),
        attempt("10:00:01", A, "old@far.example", "deferred"),
        attempt("10:00:02", A, "gone@far.example", "bounced"),
        attempt("10:00:03", A, "fine@far.example", "sent"),
        attempt("14:00:00", A, "young@far.example", "deferred"),
        attempt("14:00:01", A, "old@far.example", "deferred"),
    ]);
    let rows = |more: &[&str]| {
        let rows = rows_of("bounces", &log, more);
        rows.iter().map(|row| format!("{} {}", text(row, "envelope_recipient"), text(row, "outcome"))).collect::<Vec<_>>()
    };
    assert_eq!(rows(&[]), ["old@far.example deferred", "gone@far.example bounced"]);
    assert_eq!(rows(&["--until", "2026-11-24T14:00:00Z"]), ["gone@far.example bounced"]);
    // The window's end counts, not the last line's time.
    assert_eq!(rows(&["--until", "2026-11-24T19:00:00Z"]).len(), 3);
}

#[test]
fn a_message_says_what_became_of_its_recipients() {
    const A: &str = "A000000001";
    let log = log_of(&[
        arrival("10:00:00", A, 3),
        attempt("10:00:01", A, "a@far.example", "sent"),
        attempt("10:00:01", A, "b@far.example", "bounced"),
        attempt("10:00:01", A, "c@far.example", "deferred"),
        attempt("10:10:01", A, "c@far.example", "sent"),
        removed("10:10:01", A),
    ]);
    let rows = rows_of("messages", &log, &[]);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let counts = ["recipients", "delivered", "bounced", "expired", "deferred", "attempts", "size_bytes"];
    assert_eq!(counts.map(|column| row[column].as_u64().expect("a count")), [3, 2, 1, 0, 0, 4, 1000]);
    assert_eq!(text(row, "removed"), "2026-11-24T10:10:01+00:00");
    assert_eq!(text(row, "sender_domain"), "client.example");
}
