//! The table of the queue: the same rows in every format, from `queue` and from `export`, whole whatever `--top` says.

use super::page::postqueue;
use super::{MIXED, sample};
use crate::support::{Row, directory, file, objects, run, run_on, set_time, text};
use calamine::{Data, Reader as _, Xlsx, open_workbook};
use std::fs;

const UTC: &[&str] = &["--tz", "UTC", "-q"];
/// The second of [`MIXED`].
const MIXED_S: u64 = 1_795_501_987;

fn rows(more: &[&str]) -> Vec<Row> {
    let command = [&["queue", "--format", "jsonl", "--now", MIXED, "--top", "1"], UTC, more].concat();
    objects(&run_on(&command, &[sample("postfix/queue/mixed.json")]).ok())
}

#[test]
fn every_message_is_in_the_table_with_a_row_a_recipient() {
    let all = rows(&[]);
    assert_eq!(all.len(), 48);
    let one = all.iter().find(|row| text(row, "queue_id") == "CE30B9CCA91").expect("a row");
    assert_eq!(text(one, "arrival"), "2026-11-24T06:33:05+00:00");
    assert_eq!((one["age_s"].as_f64(), text(one, "state")), (Some(2.0), "deferred"));
    assert_eq!(text(one, "envelope_recipient").rsplit_once('@').map(|(_, domain)| domain), Some(text(one, "recipient_domain")));
    assert_eq!(text(one, "expires"), "2026-11-29T06:33:05+00:00");
    assert_eq!(rows(&["--state", "hold"]).len(), 8);
}

#[test]
fn export_gives_the_same_rows_from_the_files_time() {
    let directory = directory();
    let listing = file(&directory, "queue.json", fs::read(sample("postfix/queue/mixed.json")).expect("a sample"));
    set_time(&listing, MIXED_S);
    let exported = run_on(&[&["export", "queue", "--format", "jsonl"], UTC].concat(), &[&listing]).ok();
    assert_eq!(objects(&exported), rows(&[]));
    let chosen =
        run_on(&[&["export", "queue", "--columns", "queue_id,class", "--where", "class = 'greylisted'"], UTC].concat(), &[&listing]);
    let chosen = chosen.ok();
    assert!(chosen.lines().count() > 2 && chosen.lines().skip(1).all(|line| line.ends_with(",greylisted")), "{chosen}");
    let hidden = run_on(&[&["export", "queue", "--anonymize", "--anonymize-key", "k"], UTC].concat(), &[&listing]).ok();
    assert_eq!(hidden.lines().count(), 49);
    for name in ["isp.example", "corp.example", "alice", "tempfail", "198.51.100."] {
        assert!(!hidden.contains(name), "{name} is in {hidden}");
    }
    let ran = run(["export", "queue", "--journal"]);
    assert!(ran.status == Some(2) && ran.stderr.contains("--journal holds no queue"), "{}", ran.stderr);
}

#[test]
fn every_format_has_all_rows() {
    let (directory, all) = (directory(), rows(&[]));
    for (ending, head) in [("csv", 1), ("tsv", 1), ("jsonl", 0), ("md", 2)] {
        let path = directory.path().join(format!("queue.{ending}"));
        // The file's ending says the format.
        let to = ["queue", "--now", MIXED, "-o", path.to_str().expect("UTF-8")];
        run_on(&[&to, UTC].concat(), &[sample("postfix/queue/mixed.json")]).ok();
        let written = fs::read_to_string(&path).expect("a file");
        assert_eq!(written.lines().count(), head + all.len(), "{ending}: {written}");
    }
    let path = directory.path().join("queue.xlsx");
    run_on(&[&["queue", "--now", MIXED, "-o", path.to_str().expect("UTF-8")], UTC].concat(), &[sample("postfix/queue/mixed.json")]).ok();
    let mut book: Xlsx<_> = open_workbook(&path).expect("a workbook");
    let range = book.worksheet_range("queue").expect("a sheet");
    let column = |name: &str| range.rows().next().expect("a header").iter().position(|cell| *cell == Data::String(name.into()));
    let (id, age) = (column("queue_id").expect("a column"), column("age").expect("a column"));
    assert_eq!(range.rows().count(), 1 + all.len());
    for (cells, row) in range.rows().skip(1).zip(&all) {
        assert_eq!(cells[id], Data::String(text(row, "queue_id").into()));
        let Data::DateTime(days) = &cells[age] else { panic!("{:?}", cells[age]) };
        assert!((days.as_f64() * 86_400.0 - row["age_s"].as_f64().expect("a number")).abs() < 1e-3);
    }
}

#[test]
fn a_message_without_a_recipient_or_a_time_has_a_row() {
    let directory = directory();
    let listing = file(&directory, "queue.txt", "1m   418 1xVjdB-0000BX-2y <>\n\n");
    let rows = objects(&run_on(&[&["export", "queue", "--format", "jsonl"], UTC].concat(), &[&listing]).ok());
    assert_eq!((rows.len(), text(&rows[0], "envelope_sender")), (1, "<>"));
    let none = file(&directory, "none.json", postqueue(&[]));
    assert_eq!(run_on(&[&["export", "queue"], UTC].concat(), &[&none]).ok().lines().count(), 1);
}
