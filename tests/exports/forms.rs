//! Formats, columns and conditions.

use crate::support::{directory, objects, run_on, samples, text};
use std::fs;

const YEAR: &[&str] = &["--year", "2026", "--tz", "UTC", "-q"];

fn export(more: &[&str]) -> String {
    run_on(&[&["export"], more, YEAR].concat(), &[samples().join("mail.log")]).ok()
}

#[test]
fn a_files_ending_says_its_format() {
    let directory = directory();
    let classes = export(&["classes"]).lines().count() - 1;
    for (ending, begins) in [
        ("csv", "class,permanence"),
        ("tsv", "class\tpermanence"),
        ("jsonl", "{\"class\":"),
        ("ndjson", "{\"class\":"),
        ("md", "| class |"),
    ] {
        let path = directory.path().join(format!("classes.{ending}"));
        export(&["classes", "-o", path.to_str().expect("UTF-8")]);
        let written = fs::read_to_string(&path).expect("a file");
        assert!(written.starts_with(begins), "{ending}: {written}");
        let head = if begins.starts_with('{') { 0 } else { 1 + usize::from(ending == "md") };
        assert_eq!(written.lines().count(), head + classes, "{written}");
    }
}

#[test]
fn conditions_choose_rows_and_columns_are_in_the_order_asked_for() {
    let all = objects(&export(&["recipients", "--format", "jsonl"]));
    let chosen = export(&[
        "recipients",
        "--columns",
        "outcome,envelope_recipient",
        "--where",
        "class = 'mailbox_full' and recipient_domain like '%.example'",
    ]);
    let mut lines = chosen.lines();
    assert_eq!(lines.next(), Some("outcome,envelope_recipient"));
    let expected: Vec<String> = all
        .iter()
        .filter(|row| text(row, "class") == "mailbox_full")
        .map(|row| format!("{},{}", text(row, "outcome"), text(row, "envelope_recipient")))
        .collect();
    assert!(expected.len() > 5);
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    // Columns that are not written can be asked about, times as they are typed elsewhere.
    let some = export(&["deliveries", "--columns", "queue_id", "--where", "time < '2026-11-24 06:31:20' and delay_s > 0.04"]);
    assert!(some.lines().count() > 3 && some.lines().count() < 100, "{some}");
}

#[test]
fn spreadsheets_get_their_marks() {
    let text = export(&["domains", "--columns", "domain,bounce_rate", "--decimal", ",", "--bom"]);
    assert!(text.starts_with("\u{feff}domain;bounce_rate\r\n"), "{text}");
    assert!(text.contains("isp.example;0,772727\r\n"), "{text}");
    let text = export(&["domains", "--columns", "domain,bounce_rate", "--decimal", ",", "--delimiter", "|"]);
    assert!(text.contains("isp.example|0,772727\r\n"), "{text}");
}

#[test]
fn the_list_names_every_column_with_its_type_and_unit() {
    let list = run_on(&["export", "--list"], &[] as &[&str]).ok();
    for line in [
        "    size_bytes                 integer  bytes",
        "    delay_p95_s                number   seconds",
        "    arrival                    time",
    ] {
        assert!(list.lines().any(|listed| listed == line), "{line}");
    }
    let one = run_on(&["export", "classes", "--list"], &[] as &[&str]).ok();
    assert!(one.starts_with("classes: one row a class") && one.lines().count() == 6, "{one}");
}

#[test]
fn what_is_not_there_is_named_with_the_nearest_that_is() {
    for (args, says) in [
        (&["export", "recipients", "--columns", "outcom"][..], "\"outcom\"; the nearest is outcome"),
        (&["export", "recipients", "--where", "outcom = 'x'"], "the nearest is outcome\n    outcom = 'x'\n    ^^^^^^"),
        (&["export", "recipients", "--delimiter", "x"], "--delimiter 'x'"),
        (&["export", "recipients", "-o", "x.docx"], "end it with .csv"),
    ] {
        let ran = run_on(args, &[samples().join("mail.log")]);
        assert_eq!(ran.status, Some(2));
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}
