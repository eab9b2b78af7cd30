//! SQL over the tables, and parquet, which is read back by polars.

use crate::support::{directory, file, objects, report_on, rows_on, run_on, samples, text};
use polars::prelude::{AnyValue, DataFrame, DataType, ParquetReader, SerReader as _};
use std::fs::File;
use std::path::Path;

const YEAR: &[&str] = &["--year", "2026", "--tz", "UTC", "-q"];

fn query(sql: &str, more: &[&str]) -> String {
    run_on(&[&["query", sql], more, YEAR].concat(), &[samples().join("mail.log")]).ok()
}

fn read(path: &Path) -> DataFrame {
    ParquetReader::new(File::open(path).expect("a file")).finish().expect("a frame")
}

#[test]
fn a_parquet_file_has_the_rows_of_the_table() {
    let (directory, log) = (directory(), samples().join("mail.log"));
    for table in ["deliveries", "recipients", "domains", "timeline"] {
        let path = directory.path().join(format!("{table}.parquet"));
        run_on(&[&["export", table, "-o", path.to_str().expect("UTF-8")], YEAR].concat(), &[&log]).ok();
        let (frame, rows) = (read(&path), rows_on(table, &[&log], YEAR));
        assert_eq!(frame.height(), rows.len(), "{table}");
        for column in frame.columns() {
            for (at, row) in rows.iter().enumerate() {
                let value = column.get(at).expect("a value");
                match (&value, row.get(column.name().as_str())) {
                    (AnyValue::Null, None) => {}
                    (AnyValue::String(found), Some(expected)) => assert_eq!(Some(*found), expected.as_str()),
                    (AnyValue::Datetime(found, ..) | AnyValue::DatetimeOwned(found, ..), Some(expected)) => {
                        let expected = chrono::DateTime::parse_from_rfc3339(expected.as_str().expect("a time")).expect("a time");
                        assert_eq!(*found, expected.timestamp_micros());
                    }
                    (found, Some(expected)) => assert_eq!(found.extract::<f64>(), expected.as_f64(), "{}", column.name()),
                    (found, expected) => panic!("{table} {}: {found:?} {expected:?}", column.name()),
                }
            }
        }
    }
    let frame = read(&directory.path().join("deliveries.parquet"));
    assert!(matches!(frame.column("time").expect("a column").dtype(), DataType::Datetime(_, Some(_))));
}

#[test]
fn a_table_of_many_row_groups_is_whole() {
    let directory = directory();
    let line = |n: u32| {
        format!(
            "2026-11-24T{:02}:{:02}:{:02}+00:00 mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <x{n}@far.example>: no; \
             from=<a@b.example> to=<x{n}@far.example> proto=SMTP helo=<h>\n",
            n / 3600 % 24,
            n / 60 % 60,
            n % 60
        )
    };
    let log = file(&directory, "mail.log", (0..70_000).map(line).collect::<String>());
    let path = directory.path().join("rejects.parquet");
    run_on(&["export", "rejects", "-o", path.to_str().expect("UTF-8"), "--tz", "UTC"], &[&log]).ok();
    let frame = read(&path);
    assert_eq!(frame.height(), 70_000);
    let recipients = frame.column("envelope_recipient").expect("a column").str().expect("text");
    assert!((0..70_000).all(|n| recipients.get(n) == Some(format!("x{n}@far.example").as_str())));
}

#[test]
fn sql_counts_what_the_report_counts() {
    let report = report_on(&[samples().join("mail.log")], YEAR);
    let sql = "select outcome, count(*) as n, min(first_attempt) as first from recipients group by outcome order by n desc, outcome";
    let rows = objects(&query(sql, &["--format", "jsonl"]));
    assert!(rows.len() > 4);
    for row in &rows {
        assert_eq!(row["n"], report["recipients"][text(row, "outcome")], "{row:?}");
        assert!(text(row, "first").starts_with("2026-11-24T06:3"), "{row:?}");
    }
    // Two tables, and a time as it is typed.
    let sql = "select d.domain, count(*) as n from domains d join recipients r on d.domain = r.recipient_domain \
               where r.last_attempt < '2026-11-24 06:32:00' and r.delay_s > 0.5 group by d.domain order by n desc limit 3";
    let plain = query(sql, &[]);
    let lines: Vec<&str> = plain.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("domain") && lines[0].ends_with(" n"), "{plain}");
    let csv =
        query("select class, attempts * -1 as less, delay_s from recipients where class = 'mailbox_full' limit 1", &["--format", "csv"]);
    assert!(csv.starts_with("class,less,delay_s\r\nmailbox_full,-"), "{csv}");
}

#[test]
fn a_queue_is_a_table_beside_those_of_the_log() {
    let files = [samples().join("queue/mixed.json"), samples().join("mail.log")];
    let of = |sql: &str, files: &[std::path::PathBuf]| run_on(&[&["query", sql, "--format", "csv"], YEAR].concat(), files).ok();
    let states = of("select state, count(*) as n from queue group by state order by state", &files[..1]);
    assert_eq!(states, "state,n\r\nactive,4\r\ndeferred,36\r\nhold,8\r\n");
    let sql = "select count(*) as n from queue q join recipients r on q.queue_id = r.queue_id and q.envelope_recipient = r.envelope_recipient \
               where r.outcome = 'expired'";
    let both = of(sql, &files);
    let number = both.lines().nth(1).and_then(|line| line.parse::<u32>().ok());
    assert!(number.is_some_and(|number| (1..=48).contains(&number)), "{both}");
    let path = directory();
    let path = path.path().join("queue.parquet");
    run_on(&[&["export", "queue", "-o", path.to_str().expect("UTF-8")], YEAR].concat(), &files[..1]).ok();
    let frame = read(&path);
    assert_eq!(frame.height(), 48);
    assert!(matches!(frame.column("arrival").expect("a column").dtype(), DataType::Datetime(_, Some(_))));
}

#[test]
fn a_result_is_written_in_every_format() {
    let directory = directory();
    for ending in ["csv", "tsv", "jsonl", "md", "xlsx", "parquet"] {
        let path = directory.path().join(format!("out.{ending}"));
        query("select domain, bounce_rate from domains", &["-o", path.to_str().expect("UTF-8")]);
        assert!(path.metadata().is_ok_and(|found| found.len() > 100), "{ending}");
    }
    assert!(read(&directory.path().join("out.parquet")).height() > 5);
}

#[test]
fn mistakes_are_pointed_at() {
    for (sql, says) in [
        (
            "select count(*) from bounced",
            "no table \"bounced\"; the nearest is bounces\n    select count(*) from bounced\n                         ^^^^^^^\n",
        ),
        ("select clas from bounces", "no column \"clas\"; the nearest is class\n    select clas from bounces\n           ^^^^\n"),
        ("selec class from bounces", "\n    selec class from bounces\n    ^\n"),
    ] {
        let ran = run_on(&["query", sql], &[samples().join("mail.log")]);
        assert_eq!(ran.status, Some(2), "{sql}");
        assert!(ran.stderr.contains(says), "{sql}: {}", ran.stderr);
    }
}
