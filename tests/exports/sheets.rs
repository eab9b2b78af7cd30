//! Spreadsheets, read back by another reader: the same figures as in JSON, real dates, and no formula whatever a log says.

use crate::support::{arrival, attempt, directory, figure, file, log_of, report_on, rows_on, run_on, samples};
use calamine::{Data, DataType as _, Reader as _, Xlsx, open_workbook};
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const YEAR: &[&str] = &["--year", "2026", "--tz", "Europe/Berlin", "-q"];
type Book = Xlsx<BufReader<File>>;

fn written(directory: &TempDir, command: &[&str], log: &Path) -> (PathBuf, Book) {
    let path = directory.path().join("out.xlsx");
    let to = ["-o", path.to_str().expect("UTF-8")];
    assert_eq!(run_on(&[command, &to, YEAR].concat(), &[log]).status, Some(0));
    let book = open_workbook(&path).expect("a workbook");
    (path, book)
}

/// The rows of a sheet by the names of its columns.
fn rows(book: &mut Book, sheet: &str) -> Vec<Vec<(String, Data)>> {
    let range = book.worksheet_range(sheet).expect("a sheet");
    let mut rows = range.rows();
    let names: Vec<String> = rows.next().expect("a header").iter().map(ToString::to_string).collect();
    rows.map(|row| names.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

fn number(cell: &Data) -> Option<f64> {
    match cell {
        Data::Float(number) => Some(*number),
        Data::Int(number) => Some(*number as f64),
        Data::DateTime(days) => Some(days.as_f64()),
        _ => None,
    }
}

/// Whether a cell says what JSON says; dates are local.
fn same(cell: &Data, value: &Value, is_duration: bool) -> bool {
    match (cell, value) {
        (Data::Empty, Value::Null) => true,
        (Data::String(text), Value::String(value)) => text == value,
        (Data::DateTime(_), Value::String(value)) => {
            let date = number(cell).and_then(|days| chrono::DateTime::from_timestamp_millis(((days - 25_569.0) * 86_400e3).round() as i64));
            date.is_some_and(|date| value.starts_with(&date.format("%Y-%m-%dT%H:%M:%S").to_string()))
        }
        (cell, Value::Number(_)) => {
            let scale = if is_duration { 86_400.0 } else { 1.0 };
            number(cell).zip(value.as_f64()).is_some_and(|(cell, value)| (cell * scale - value).abs() < 1e-4)
        }
        _ => false,
    }
}

#[test]
fn a_sheet_of_bounces_has_the_rows_of_the_table() {
    let (directory, log) = (directory(), samples().join("mail.log"));
    let (_, mut book) = written(&directory, &["export", "bounces"], &log);
    let (sheet, expected) = (rows(&mut book, "bounces"), rows_on("bounces", &[&log], YEAR));
    assert_eq!(sheet.len(), expected.len());
    for (row, expected) in sheet.iter().zip(&expected) {
        for (name, cell) in row {
            let (value, is_duration) = match expected.get(name) {
                Some(value) => (value, false),
                None => expected.get(&format!("{name}_s")).map_or((&Value::Null, false), |value| (value, true)),
            };
            assert!(same(cell, value, is_duration), "{name}: {cell:?} {value}");
        }
    }
}

#[test]
fn a_report_has_its_figures_and_lists() {
    let (directory, log) = (directory(), samples().join("mail.log"));
    let (path, mut book) = written(&directory, &["report", "--format", "xlsx"], &log);
    let report = report_on(&[&log], YEAR);
    let names = ["Summary", "Findings", "Bounces", "By domain", "By provider", "By class", "Patterns", "Timeline", "Delays"];
    assert_eq!(book.sheet_names(), names);
    let summary = rows(&mut book, "Summary");
    assert!(summary.len() > 30);
    for row in summary {
        let [(_, name), (_, cell)] = row.as_slice() else { panic!("{row:?}") };
        let name = name.to_string();
        assert!(same(cell, figure(&report, &name), name.ends_with("_s")), "{name}: {cell:?} {}", figure(&report, &name));
    }
    for (sheet, list) in [("By domain", "domains"), ("By provider", "providers"), ("By class", "classes"), ("Timeline", "timeline")] {
        let (rows, list) = (rows(&mut book, sheet), report[list].as_array().expect("a list"));
        assert_eq!(rows.len(), list.len(), "{sheet}");
        for (row, listed) in rows.iter().zip(list) {
            for (name, cell) in row {
                let nested = name.strip_prefix("delay_").map(|figure| (&listed["delay"][figure], &listed["delay"][format!("{figure}_s")]));
                let (value, is_duration) = match nested {
                    Some((Value::Null, value)) => (value, true),
                    Some((value, _)) => (value, false),
                    None => (&listed[name], false),
                };
                assert!(same(cell, value, is_duration), "{sheet} {name}: {cell:?} {value}");
            }
        }
    }
    assert_eq!(rows(&mut book, "Findings").len(), report["findings"].as_array().expect("a list").len());
    assert_eq!(rows(&mut book, "Patterns").len(), report["patterns"].as_array().expect("a list").len());
    assert_eq!(rows(&mut book, "Bounces").len(), rows_on("bounces", &[&log], YEAR).len());
    office_reads(&directory, &path, &report);
}

#[test]
fn nothing_in_a_log_becomes_a_formula() {
    let log = log_of(&[arrival("10:00:00", "A000000001", 1), attempt("10:00:01", "A000000001", "=cmd|calc@far.example", "bounced")]);
    let directory = directory();
    let log = file(&directory, "mail.log", log.replace("User unknown", "=HYPERLINK(\"http://x\") \u{1b}[31m\u{202e}"));
    for command in [&["export", "bounces"][..], &["report", "--format", "xlsx"]] {
        let (_, mut book) = written(&directory, command, &log);
        let mut found = false;
        for name in book.sheet_names() {
            assert!(book.worksheet_formula(&name).expect("a sheet").is_empty(), "{name}");
            let range = book.worksheet_range(&name).expect("a sheet");
            found |= range.used_cells().any(|(_, _, cell)| cell.get_string() == Some("=cmd|calc@far.example"));
            assert!(range.used_cells().all(|(_, _, cell)| !cell.to_string().contains(['\u{1b}', '\u{202e}'])), "{name}");
        }
        assert!(found, "{command:?}");
    }
}

/// An office program, where there is one, makes a table of the first sheet and pages of all; what stands in the table is
/// what the report says.
fn office_reads(directory: &TempDir, path: &Path, report: &Value) {
    for form in ["csv", "pdf"] {
        let mut office = std::process::Command::new("soffice");
        office.args(["--headless", "--convert-to", form, "--outdir"]).arg(directory.path()).arg(path).env("HOME", directory.path());
        let Ok(output) = office.output() else {
            eprintln!("skipped: no soffice to read {form}");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let pages = std::fs::read(directory.path().join("out.pdf")).expect("pages");
    assert!(pages.starts_with(b"%PDF") && pages.len() > 50_000, "{} bytes", pages.len());
    let table = std::fs::read_to_string(directory.path().join("out.csv")).expect("a table");
    let mut compared = 0;
    for line in table.lines().skip(1) {
        let (name, value) = line.split_once(',').expect("two cells");
        let Some(expected) = figure(report, name).as_f64().filter(|_| !name.starts_with("delay.") || name == "delay.count") else {
            continue;
        };
        let plain: String = value.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
        let scale = if value.ends_with('%') { 0.01 } else { 1.0 };
        let found: f64 = plain.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!((found * scale - expected).abs() < 1e-3, "{line}, not {expected}");
        compared += 1;
    }
    assert!(compared > 25, "{table}");
}
