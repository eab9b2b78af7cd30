//! The corpora's cases: where they lie, and their three forms.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// The environment variable that names the corpora.
pub(super) const CORPORA: &str = "MAILSCOPE_CORPORA";
/// Whose cases are run.
const MTAS: &[&str] = &["postfix", "exim", "sendmail", "courier", "dovecot"];

/// Optional cases whose header has a form that is not read: TAI64 stamps, no host and no program's name by itself.
const OTHER_HEADERS: &[&str] = &[
    "fail2ban/dovecot:2",
    "fail2ban/dovecot:5",
    "fail2ban/dovecot:8",
    "fail2ban/dovecot:10",
    "fail2ban/dovecot:38",
    "fail2ban/dovecot:143",
];

pub(super) enum Form {
    /// One entry for each line; null where only "known" is claimed.
    Lines(Vec<Value>),
    /// Several lines that give one row of a table.
    Sequence { table: String, expect: Map<String, Value> },
    /// A small log with the figures of its report.
    Report(Map<String, Value>),
}

pub(super) struct Case {
    pub(super) id: String,
    pub(super) year: Option<i64>,
    pub(super) tz: String,
    pub(super) lines: Vec<String>,
    pub(super) form: Form,
}

impl Case {
    /// None for a case of another MTA.
    fn read(text: &str) -> Option<Case> {
        let mut object: Map<String, Value> = serde_json::from_str(text).expect("a case is JSON");
        let id = text_of(object.get("id"));
        if !MTAS.contains(&text_of(object.get("mta")).as_str()) || OTHER_HEADERS.contains(&id.as_str()) {
            return None;
        }
        let form = match (object.remove("expect"), object.remove("expect_message"), object.remove("expect_report")) {
            (Some(Value::Array(entries)), None, None) => Form::Lines(entries),
            (None, Some(Value::Object(expect)), None) => Form::Sequence { table: text_of(object.get("table")), expect },
            (None, None, Some(Value::Object(figures))) => Form::Report(figures),
            _ => panic!("{id}: a case has one of expect, expect_message and expect_report"),
        };
        let lines = object["lines"].as_array().expect("lines is a list");
        Some(Case {
            year: object.get("year").and_then(Value::as_i64),
            tz: object.get("tz").map_or_else(|| "UTC".to_owned(), |tz| text_of(Some(tz))),
            lines: lines.iter().map(|line| text_of(Some(line))).collect(),
            id,
            form,
        })
    }

    /// The words in front of a failure: the line, or the first of several.
    pub(super) fn line(&self, index: usize) -> String {
        let line = self.lines.get(index).map_or("(no line)", String::as_str);
        match &self.form {
            Form::Lines(_) => line.to_owned(),
            _ => format!("{line} (the first of {} lines)", self.lines.len()),
        }
    }
}

pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        other => panic!("expected a string in a case, found {other:?}"),
    }
}

/// The directory of the corpora, or None (and a word about it) where there is none.
pub(super) fn corpora(test: &str) -> Option<PathBuf> {
    let directory = std::env::var_os(CORPORA).filter(|value| !value.is_empty());
    if directory.is_none() {
        eprintln!("{test}: skipped, {CORPORA} is not set");
    }
    directory.map(PathBuf::from)
}

pub(super) fn load(corpora: &Path) -> Vec<Case> {
    let directory = corpora.join("cases");
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{CORPORA}: {}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            text.lines().filter(|line| !line.trim().is_empty()).filter_map(Case::read).collect::<Vec<_>>()
        })
        .collect()
}
