//! One case against what the program prints for its lines.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Number, Value};

use super::cases::{Case, Form};
use super::classes::codes_decide;
use super::matching::{Mismatch, compare, compare_fields, operator};

/// Years roll over between lines of different cases, so each case is a run of its own; two at a
/// time keep the wait short without taking the machine from the other tests.
pub(super) const WORKERS: usize = 2;

#[derive(Default)]
pub(super) struct Judgement {
    pub(super) failures: Vec<Mismatch>,
    /// `class` expectations left out because no code decides them.
    pub(super) classes_skipped: usize,
}

/// An event or a row against an expectation.
pub(super) fn judge_object(expected: &Map<String, Value>, object: &Map<String, Value>) -> Judgement {
    let mut expected = expected.clone();
    let class = expected.get("class").and_then(Value::as_str);
    let skip = class.is_some_and(|class| !codes_decide(class, object));
    if skip {
        expected.remove("class");
    }
    Judgement { failures: compare_fields("", &expected, object), classes_skipped: usize::from(skip) }
}

/// A run of the program over the lines of one case.
pub(super) struct Run<'a> {
    case: &'a Case,
    /// A directory of this run's own.
    directory: PathBuf,
}

impl Run<'_> {
    /// Runs `mailscope ARGUMENTS.. --tz TZ [--year YEAR] FILE` and returns what it prints.
    fn program(&self, arguments: &[&str]) -> Result<String, String> {
        let file = self.directory.join("mail.log");
        let text: String = self.case.lines.iter().map(|l| format!("{l}\n")).collect();
        fs::write(&file, text).map_err(|error| format!("write {}: {error}", file.display()))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailscope"));
        command.args(arguments).args(["--tz", &self.case.tz]);
        if let Some(year) = self.case.year {
            command.args(["--year", &year.to_string()]);
        }
        // A configuration of the user who runs the tests must not change what they see.
        command.env("HOME", &self.directory);
        command.env("XDG_CONFIG_HOME", &self.directory);
        let output = command.arg(&file).stdin(Stdio::null()).output().map_err(|error| format!("the program did not start: {error}"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {}", output.status, words.trim()));
        }
        String::from_utf8(output.stdout).map_err(|_| "the output is not UTF-8".to_owned())
    }

    /// What `parse --all` says, an object for each line.
    fn events(&self) -> Result<Vec<Map<String, Value>>, String> {
        objects(&self.program(&["parse", "--all"])?)
    }

    fn deliveries(&self) -> Result<Vec<Map<String, Value>>, String> {
        let file = self.directory.join("deliveries.jsonl");
        let name = file.to_str().ok_or("the temporary path is not UTF-8")?;
        self.program(&["export", "deliveries", "-o", name])?;
        let text = fs::read_to_string(&file).map_err(|error| format!("the export: {error}"))?;
        objects(&text)
    }

    fn judge(&self) -> Judgement {
        let judgement = match &self.case.form {
            Form::Lines(entries) => self.judge_lines(entries),
            Form::Sequence { table, expect } => self.judge_sequence(table, expect),
            Form::Report(figures) => self.judge_report(figures),
        };
        judgement.unwrap_or_else(|words| Judgement {
            failures: vec![Mismatch { line: 0, path: "(the run)".to_owned(), expected: "output".to_owned(), got: words }],
            classes_skipped: 0,
        })
    }

    fn judge_lines(&self, entries: &[Value]) -> Result<Judgement, String> {
        let events = self.events()?;
        let lines = self.case.lines.len();
        if entries.len() != lines {
            return Err(format!("{} entries for {lines} lines", entries.len()));
        }
        if events.len() != lines {
            return Err(format!("{} objects for {lines} lines", events.len()));
        }
        let mut all = Judgement::default();
        for (index, (entry, event)) in entries.iter().zip(&events).enumerate() {
            let one = judge_entry(entry, event);
            all.classes_skipped += one.classes_skipped;
            all.failures.extend(one.failures.into_iter().map(|failure| Mismatch { line: index, ..failure }));
        }
        Ok(all)
    }

    /// Some row must fit. Where none does, the one that comes nearest says why.
    fn judge_sequence(&self, table: &str, expect: &Map<String, Value>) -> Result<Judgement, String> {
        let rows = match table {
            "deliveries" => self.deliveries()?.iter().map(flatten).collect(),
            "rejects" => of_kind(&self.events()?, "reject"),
            "auth_failures" => of_kind(&self.events()?, "auth_failure"),
            "accepted" => arrivals(&self.events()?),
            other => return Err(format!("the case names an unknown table, {other}")),
        };
        let expect = flatten(expect);
        rows.iter()
            .map(|row| judge_object(&expect, row))
            .min_by_key(|judgement| judgement.failures.len())
            .ok_or_else(|| format!("no row of {table}"))
    }

    fn judge_report(&self, figures: &Map<String, Value>) -> Result<Judgement, String> {
        let text = self.program(&["report", "--format", "json"])?;
        let report: Value = serde_json::from_str(&text).map_err(|error| format!("the report: {error}"))?;
        let failures = figures.iter().flat_map(|(path, expected)| compare(path, expected, figure(&report, path).as_ref())).collect();
        Ok(Judgement { failures, classes_skipped: 0 })
    }
}

/// One line's object against the case's entry. A null entry claims that the line is known, and an
/// entry with fields claims no less.
pub(super) fn judge_entry(entry: &Value, event: &Map<String, Value>) -> Judgement {
    let kind = event.get("kind").and_then(Value::as_str);
    let mut judgement = match entry {
        Value::Object(expected) => judge_object(expected, event),
        _ => Judgement::default(),
    };
    if kind.is_none_or(|kind| kind == "unrecognized") {
        let event = Value::Object(event.clone());
        let failure = Mismatch::new("kind", "a line that is known", Some(&event));
        judgement.failures.insert(0, failure);
    }
    judgement
}

pub(super) fn objects(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| format!("{error} in {line}"))).collect()
}

/// Nested names joined by `_`, as the exports write them. An operator is a leaf.
pub(super) fn flatten(object: &Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in object {
        match value {
            Value::Object(inner) if operator(value).is_none() => {
                for (inner_name, inner_value) in flatten(inner) {
                    flat.insert(format!("{name}_{inner_name}"), inner_value);
                }
            }
            _ => {
                flat.insert(name.clone(), value.clone());
            }
        }
    }
    flat
}

pub(super) fn of_kind(events: &[Map<String, Value>], kind: &str) -> Vec<Map<String, Value>> {
    let is_kind = |event: &&Map<String, Value>| event.get("kind").is_some_and(|k| k == kind);
    events.iter().filter(is_kind).map(flatten).collect()
}

/// Accepted messages. Postfix says the message-id, sender and size of one on lines of their own,
/// so the facts of those events stand beside the arrival's, found by the queue id.
pub(super) fn arrivals(events: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    let mut rows = of_kind(events, "accepted");
    for fact in ["message_id", "queued"] {
        for event in of_kind(events, fact) {
            for row in &mut rows {
                if row.contains_key("queue_id") && row.get("queue_id") == event.get("queue_id") {
                    for (name, value) in &event {
                        row.entry(name.as_str()).or_insert_with(|| value.clone());
                    }
                }
            }
        }
    }
    rows
}

/// A figure of the report: a dotted path, or several with `+` between them for their sum.
pub(super) fn figure(report: &Value, path: &str) -> Option<Value> {
    if !path.contains('+') {
        return lookup(report, path).cloned();
    }
    let parts: Option<Vec<f64>> = path.split('+').map(|part| lookup(report, part.trim())?.as_f64()).collect();
    Number::from_f64(parts?.iter().sum()).map(Value::Number)
}

/// Keys may hold dots themselves (`rejects.by_dsn.4.7.25`), so every cut of the path is tried.
pub(super) fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.get(path).or_else(|| path.match_indices('.').find_map(|(dot, _)| lookup(value.get(&path[..dot])?, &path[dot + 1..])))
}

/// Judges each case with a run of its own; the judgements are in the order of the cases.
pub(super) fn judge_all(cases: &[&Case]) -> Vec<Judgement> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(Vec::with_capacity(cases.len()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { break };
                    let directory = directory.path().join(index.to_string());
                    fs::create_dir(&directory).expect("a directory for the run");
                    let judgement = Run { case, directory }.judge();
                    judged.lock().expect("no poison").push((index, judgement));
                }
            });
        }
    });
    let mut judged = judged.into_inner().expect("no poison");
    judged.sort_by_key(|(index, _)| *index);
    judged.into_iter().map(|(_, judgement)| judgement).collect()
}
