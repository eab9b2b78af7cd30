//! `--anonymize`: no name of the log is in any output, the figures stay, and the same name has the same pseudonym.

mod queue;

use crate::support::{directory, figure, objects, report_on, rows_on, run_on, samples, samples_of, text};
use aho_corasick::AhoCorasick;
use calamine::{Reader as _, Xlsx, open_workbook};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const YEAR: &[&str] = &["--year", "2026", "--tz", "UTC", "-q"];
pub const KEYED: &[&str] = &["--year", "2026", "--tz", "UTC", "-q", "--anonymize", "--anonymize-key", "k"];

pub fn logs() -> Vec<PathBuf> {
    vec![samples().join("mail.log"), samples_of("exim").join("mainlog")]
}

/// What must not be found: all that the events name and that has the look of a name.
pub fn names(log: &Path) -> BTreeSet<String> {
    fn gather(key: &str, value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| gather(key, value, names)),
            Value::Array(list) => list.iter().for_each(|value| gather(key, value, names)),
            Value::String(name)
                if [
                    "envelope_sender",
                    "envelope_recipient",
                    "original_recipient",
                    "recipients",
                    "message_id",
                    "name",
                    "ip",
                    "helo",
                    "user",
                ]
                .contains(&key) =>
            {
                names.insert(name.to_ascii_lowercase());
                names.extend(name.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()));
            }
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    for event in objects(&run_on(&[&["parse"][..], YEAR].concat(), &[log]).ok()) {
        event.iter().for_each(|(key, value)| gather(key, value, &mut names));
    }
    names.retain(is_told);
    assert!(names.len() > 200);
    names
}

/// What must not be found of a text: every address, IP address and host name in it, whether the program reads it or not.
pub fn names_in(text: &str) -> BTreeSet<String> {
    let looks = [
        r"[\w.+=-]+@[\w.-]*\w",
        r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        r"\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){2,}:[0-9a-f]{1,4}\b",
        r"\b[\w-]+(\.[\w-]+)*\.(example|test|invalid|net|org|com)\b",
    ];
    let mut names = BTreeSet::new();
    for look in looks {
        let look = Regex::new(look).expect("a look");
        names.extend(look.find_iter(text).map(|found| found.as_str().to_ascii_lowercase()));
    }
    names.retain(is_told);
    names
}

/// Loopback addresses stay, and so does who is known to everybody.
fn is_told(name: &String) -> bool {
    const KNOWN: &[&str] = &["google.com", "gmail.com", "postgrey.schweikert.ch", "spamhaus.org"];
    let is_known = KNOWN.iter().any(|known| name == known);
    name.len() > 6
        && name.contains(['.', ':', '@'])
        && !name.starts_with("127.")
        && !name.ends_with("localhost")
        && !name.ends_with("localdomain")
        && !is_known
}

/// Holds an output against names that must not stand in it, by themselves or as a part of others.
#[track_caller]
pub fn nothing_of(names: &BTreeSet<String>, output: &str, what: &str) {
    let names: Vec<&String> = names.iter().collect();
    let search = AhoCorasick::builder().ascii_case_insensitive(true).build(&names).expect("names");
    let is_border = |c: Option<&u8>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let bytes = output.as_bytes();
    let whole = search
        .find_overlapping_iter(output)
        .filter(|found| is_border(found.start().checked_sub(1).and_then(|at| bytes.get(at))) && is_border(bytes.get(found.end())));
    let found: BTreeSet<&String> = whole.map(|found| names[found.pattern()]).collect();
    assert!(output.len() > 200 && found.is_empty(), "{what} ({} bytes): {found:?}", output.len());
}

/// All that the cells of a workbook hold.
fn cells_of(path: &Path) -> String {
    let mut book: Xlsx<_> = open_workbook(path).expect("a workbook");
    let mut cells = String::new();
    for (_, range) in book.worksheets() {
        range.used_cells().for_each(|(.., cell)| cells.push_str(&format!("{cell}\n")));
    }
    cells
}

#[test]
fn no_name_is_in_any_output() {
    for log in logs() {
        let names = names(&log);
        for command in [
            &["report"][..],
            &["report", "--format", "json", "--top", "5000"],
            &["report", "--format", "html", "--top", "5000"],
            &["report", "--format", "markdown", "--top", "5000"],
            &["parse", "--all"],
            &["trace", "smtp|P=", "--regex", "--first", "60"],
            &["trace", "smtp|P=", "--regex", "--raw", "--first", "60"],
            &["trace", "smtp|P=", "--regex", "--list", "--first", "60"],
            &["trace", "smtp|P=", "--regex", "--format", "json", "--first", "60"],
            &["export", "recipients"],
            &["export", "deliveries", "--format", "jsonl"],
            &["export", "bounces", "--format", "md"],
            &["export", "messages", "--format", "tsv"],
            &["export", "rejects"],
            &["export", "auth_failures"],
            &["export", "domains"],
            &["export", "senders"],
            &["export", "clients"],
            &["export", "patterns"],
        ] {
            nothing_of(&names, &run_on(&[command, KEYED].concat(), &[&log]).ok(), &command.join(" "));
        }
        let directory = directory();
        let path = directory.path().join("book.xlsx");
        for command in [&["report", "--format", "xlsx"][..], &["export", "bounces"], &["export", "messages"]] {
            run_on(&[command, &["-o", path.to_str().expect("UTF-8")], KEYED].concat(), &[&log]).ok();
            nothing_of(&names, &cells_of(&path), &format!("{} as a workbook", command.join(" ")));
        }
    }
}

#[cfg(feature = "tables")]
#[test]
fn no_name_is_in_an_answer_or_a_frame() {
    use polars::prelude::{ParquetReader, SerReader as _};
    for log in logs() {
        let (names, directory) = (names(&log), directory());
        for (sql, format) in [
            ("select * from recipients", "csv"),
            ("select * from deliveries", "jsonl"),
            ("select domain, count(*) from domains group by domain", "md"),
            ("select * from patterns", "csv"),
        ] {
            nothing_of(&names, &run_on(&[&["query", sql, "--format", format], KEYED].concat(), &[&log]).ok(), sql);
        }
        for table in ["deliveries", "recipients", "messages", "rejects", "bounces", "clients", "patterns"] {
            let path = directory.path().join("table.parquet");
            run_on(&[&["export", table, "-o", path.to_str().expect("UTF-8")], KEYED].concat(), &[&log]).ok();
            let frame = ParquetReader::new(std::fs::File::open(&path).expect("a file")).finish().expect("a frame");
            let mut cells = format!("{:?}\n", frame.get_column_names());
            for column in frame.columns() {
                (0..frame.height()).for_each(|at| cells.push_str(&format!("{}\n", column.get(at).expect("a value"))));
            }
            nothing_of(&names, &cells, &format!("{table} in parquet"));
        }
    }
}

#[test]
fn the_figures_are_the_same() {
    for log in logs() {
        let (plain, other) = (report_on(&[&log], YEAR), report_on(&[&log], KEYED));
        for name in [
            "input",
            "messages",
            "recipients",
            "attempts",
            "rates",
            "delay",
            "rejects.total",
            "rejects.by_class",
            "auth.failures",
            "kinds",
            "classes",
            "dsn",
            "timeline",
            "distinct",
        ] {
            assert_eq!(figure(&plain, name), figure(&other, name), "{name}");
        }
        for list in ["domains", "senders", "clients", "providers", "relays"] {
            assert_eq!(plain[list].as_array().map(Vec::len), other[list].as_array().map(Vec::len), "{list}");
        }
    }
}

#[test]
fn the_same_name_has_the_same_pseudonym() {
    let log = samples().join("mail.log");
    let (plain, other) = (rows_on("recipients", &[&log], YEAR), rows_on("recipients", &[&log], KEYED));
    assert_eq!(plain.len(), other.len());
    for column in ["envelope_recipient", "envelope_sender", "recipient_domain", "client_ip", "client_name", "host", "message_id"] {
        let pairs: BTreeSet<(&str, &str)> =
            plain.iter().zip(&other).map(|(plain, other)| (text(plain, column), text(other, column))).collect();
        let of = |side: fn(&(&str, &str)) -> String| pairs.iter().map(side).collect::<BTreeSet<_>>().len();
        // As many names as there were, and each has one.
        assert_eq!((of(|pair| pair.0.to_owned()), of(|pair| pair.1.to_owned())), (pairs.len(), pairs.len()), "{column}");
    }
    // Domains of rows and of addresses are the same, in this table and in another.
    let domains: BTreeSet<String> = rows_on("domains", &[&log], KEYED).iter().map(|row| text(row, "domain").to_owned()).collect();
    assert!(other.iter().all(|row| domains.contains(text(row, "recipient_domain")) || text(row, "recipient_domain").is_empty()));
    // Without a key they are others each time.
    let random = || run_on(&[&["export", "domains", "--anonymize"], YEAR].concat(), &[&log]).ok();
    assert_ne!(random(), random());
}

#[test]
fn filters_ask_by_real_names_and_conditions_do_not() {
    let log = samples().join("mail.log");
    let list = |more: &[&str]| run_on(&[&["trace", "alice@corp.example", "--list", "--from", "corp.example"], more].concat(), &[&log]).ok();
    assert_eq!(list(YEAR).lines().count(), list(KEYED).lines().count());
    assert!(list(KEYED).lines().count() > 10);
    let ran = run_on(&[&["export", "recipients", "--where", "recipient_domain = 'corp.example'"], KEYED].concat(), &[&log]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("recipient_domain"), "{}", ran.stderr);
    assert!(run_on(&[&["export", "recipients", "--where", "outcome = 'bounced'"], KEYED].concat(), &[&log]).ok().lines().count() > 50);
}
