//! Conformance with the corpora: log lines of other mail-log projects, each with what that project
//! (or a plain reading of the line) says about them. The lines go through the program as a user
//! would run it, and its output is held against the expectation by the rules of the corpora's
//! README.
//!
//! The corpora are no part of the repository. `MAILSCOPE_CORPORA` names the directory that holds
//! `cases/*.jsonl`; without it these tests say that they were skipped. Only Postfix cases are run.
//!
//! Where a case and the design disagree, the design wins: such an expectation stands in `EXCUSED`
//! with the sentence that contradicts it, and a test keeps that table short, true and free of
//! excuses that are no longer needed.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Number, Value};

/// The environment variable that names the corpora.
const CORPORA: &str = "MAILSCOPE_CORPORA";
const MTA: &str = "postfix";
/// Years roll over between lines of different cases, so each case is a run of its own; two at a
/// time keep the wait short without taking the machine from the other tests.
const WORKERS: usize = 2;

/// One expectation that the design contradicts. It names the path, so that everything else the
/// case expects is still judged.
struct Excuse {
    id: &'static str,
    path: &'static str,
    quote: &'static str,
}

const RECEIVED_NEEDS_PROOF: &str = "messages taken in, from clients, submission and local \
    programs: an arrival line (`client=`, pickup) and proof that the queue took it (qmgr `from=`, \
    hold, a delivery line or `removed`)";

const EXCUSED: &[Excuse] = &[
    // Two `client=` lines and nothing after either of them.
    Excuse {
        id: "exporter-kumina/SASL login",
        path: "messages.received",
        quote: RECEIVED_NEEDS_PROOF,
    },
    // Three `client=` lines, of which only 838FC8A5F has a line of the queue manager.
    Excuse {
        id: "exporter-digineo/mail.log",
        path: "messages.received",
        quote: RECEIVED_NEEDS_PROOF,
    },
];

fn is_excused(id: &str, path: &str) -> bool {
    EXCUSED.iter().any(|e| e.id == id && e.path == path)
}

// ---- cases -------------------------------------------------------------------------------------

enum Form {
    /// One entry for each line; null where only "known" is claimed.
    Lines(Vec<Value>),
    /// Several lines that give one row of a table.
    Sequence {
        table: String,
        expect: Map<String, Value>,
    },
    /// A small log with the figures of its report.
    Report(Map<String, Value>),
}

struct Case {
    id: String,
    year: Option<i64>,
    tz: String,
    lines: Vec<String>,
    form: Form,
}

impl Case {
    /// None for a case of another MTA.
    fn read(text: &str) -> Option<Case> {
        let mut object: Map<String, Value> = serde_json::from_str(text).expect("a case is JSON");
        let id = text_of(object.get("id"));
        if text_of(object.get("mta")) != MTA {
            return None;
        }
        let form = match (
            object.remove("expect"),
            object.remove("expect_message"),
            object.remove("expect_report"),
        ) {
            (Some(Value::Array(entries)), None, None) => Form::Lines(entries),
            (None, Some(Value::Object(expect)), None) => Form::Sequence {
                table: text_of(object.get("table")),
                expect,
            },
            (None, None, Some(Value::Object(figures))) => Form::Report(figures),
            _ => panic!("{id}: a case has one of expect, expect_message and expect_report"),
        };
        let lines = object["lines"].as_array().expect("lines is a list");
        Some(Case {
            year: object.get("year").and_then(Value::as_i64),
            tz: object
                .get("tz")
                .map_or_else(|| "UTC".to_owned(), |tz| text_of(Some(tz))),
            lines: lines.iter().map(|line| text_of(Some(line))).collect(),
            id,
            form,
        })
    }

    /// The words in front of a failure: the line, or the first of several.
    fn line(&self, index: usize) -> String {
        let line = self.lines.get(index).map_or("(no line)", String::as_str);
        match &self.form {
            Form::Lines(_) => line.to_owned(),
            _ => format!("{line} (the first of {} lines)", self.lines.len()),
        }
    }
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        other => panic!("expected a string in a case, found {other:?}"),
    }
}

/// The directory of the corpora, or None (and a word about it) where there is none.
fn corpora(test: &str) -> Option<PathBuf> {
    let directory = std::env::var_os(CORPORA).filter(|value| !value.is_empty());
    if directory.is_none() {
        eprintln!("{test}: skipped, {CORPORA} is not set");
    }
    directory.map(PathBuf::from)
}

fn load(corpora: &Path) -> Vec<Case> {
    let directory = corpora.join("cases");
    let entries = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{CORPORA}: {}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .filter_map(Case::read)
                .collect::<Vec<_>>()
        })
        .collect()
}

// ---- the matcher -------------------------------------------------------------------------------

/// An expectation that did not hold.
#[derive(Debug)]
struct Mismatch {
    /// Index of the case's line.
    line: usize,
    path: String,
    expected: String,
    got: String,
}

impl Mismatch {
    fn new(path: &str, expected: impl fmt::Display, got: Option<&Value>) -> Mismatch {
        Mismatch {
            line: 0,
            path: path.to_owned(),
            expected: expected.to_string(),
            got: got.map_or_else(|| "nothing".to_owned(), Value::to_string),
        }
    }
}

/// How two strings of one field are compared.
#[derive(Debug, PartialEq)]
enum Rule {
    Exact,
    Word,
    TlsVersion,
    Ip,
    Address,
    MessageId,
    Time,
}

/// The rule of a field, by its name in an event (`ip`) or in a row of a table (`client_ip`).
fn rule(field: &str) -> Rule {
    match field {
        "kind" | "status" | "stage" | "action" | "by" | "trust" | "direction" | "cause"
        | "notification" | "severity" | "verdict" | "mechanism" | "protocol" | "class" | "host"
        | "helo" | "name" => Rule::Word,
        "tls_version" => Rule::TlsVersion,
        "ip" => Rule::Ip,
        "envelope_sender" | "envelope_recipient" | "original_recipient" => Rule::Address,
        "message_id" => Rule::MessageId,
        "time" => Rule::Time,
        _ if field.ends_with("_ip") => Rule::Ip,
        _ if field.ends_with("_name") => Rule::Word,
        _ => Rule::Exact,
    }
}

fn same_text(field: &str, expected: &str, got: &str) -> bool {
    let both = |normal: fn(&str) -> String| normal(expected) == normal(got);
    match rule(field) {
        Rule::Exact => expected == got,
        Rule::Word => both(|text| text.to_lowercase().replace(['-', ' '], "_")),
        Rule::TlsVersion => both(|text| text.replacen("TLSv", "TLS", 1)),
        Rule::Ip => match (expected.parse::<IpAddr>(), got.parse::<IpAddr>()) {
            (Ok(expected), Ok(got)) => expected.to_canonical() == got.to_canonical(),
            _ => expected == got,
        },
        // The local part keeps its case: it belongs to the receiving system.
        Rule::Address => both(|text| match text.rsplit_once('@') {
            Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
            None => text.to_owned(),
        }),
        Rule::MessageId => both(|text| {
            let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
            inner.unwrap_or(text).to_owned()
        }),
        Rule::Time => match instant(expected) {
            Some(expected) => instant(got) == Some(expected),
            None => got.starts_with(expected),
        },
    }
}

/// Seconds since 1970 and nanoseconds of an RFC 3339 time; None where it has no zone.
fn instant(text: &str) -> Option<(i64, u32)> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?;
    let fraction_end = rest.find(['Z', '+', '-'])?;
    let fraction = rest[..fraction_end].trim_start_matches('.');
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let zone = &rest[fraction_end..];
    let offset = if zone == "Z" {
        0
    } else {
        let (hours, minutes) = zone[1..].split_once(':')?;
        let size = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        if zone.starts_with('-') { -size } else { size }
    };
    // Days since 1970 with March as the first month, so that the leap day is the last of a year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset, nanoseconds))
}

fn same_number(expected: &Number, got: &Number) -> bool {
    match (expected.as_i64(), got.as_i64()) {
        (Some(expected), Some(got)) => expected == got,
        // 2017 and 2017.0 are one number.
        _ => expected.as_f64() == got.as_f64(),
    }
}

/// The operator and its operand, if the expectation is one and no nested object.
fn operator(expected: &Value) -> Option<(&str, &Value)> {
    let object = expected.as_object().filter(|object| object.len() == 1)?;
    let (name, operand) = object.iter().next()?;
    matches!(
        name.as_str(),
        "any" | "contains" | "not" | "absent" | "present"
    )
    .then_some((name, operand))
}

fn holds(operator: &str, operand: &Value, path: &str, got: Option<&Value>) -> bool {
    let equal = |operand: &Value| compare(path, operand, got).is_empty();
    match (operator, operand, got) {
        ("any", Value::Array(choices), _) => choices.iter().any(equal),
        ("contains", Value::String(part), Some(Value::String(text))) => {
            plain(text).contains(&plain(part))
        }
        ("not", operand, Some(_)) => !equal(operand),
        ("absent", _, got) => got.is_none(),
        ("present", _, got) => got.is_some_and(|got| !got.is_null()),
        _ => false,
    }
}

/// Lower case, each run of blanks as one blank.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.to_lowercase().chars() {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if letter != ' ' || !plain.ends_with(' ') {
            plain.push(letter);
        }
    }
    plain
}

/// Everything in which `got` falls short of `expected`; fields that are not named are not looked at.
fn compare(path: &str, expected: &Value, got: Option<&Value>) -> Vec<Mismatch> {
    let field = path.rsplit('.').next().unwrap_or(path);
    let fits = match (operator(expected), expected, got) {
        (Some((operator, operand)), _, got) => holds(operator, operand, path, got),
        (None, Value::Object(fields), Some(Value::Object(object))) => {
            return compare_fields(path, fields, object);
        }
        (None, Value::String(expected), Some(Value::String(got))) => {
            same_text(field, expected, got)
        }
        (None, Value::Number(expected), Some(Value::Number(got))) => same_number(expected, got),
        (None, expected, Some(got)) => expected == got,
        (None, _, None) => false,
    };
    if fits {
        Vec::new()
    } else {
        vec![Mismatch::new(path, expected, got)]
    }
}

fn compare_fields(
    path: &str,
    fields: &Map<String, Value>,
    object: &Map<String, Value>,
) -> Vec<Mismatch> {
    fields
        .iter()
        .flat_map(|(name, expected)| {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            compare(&path, expected, object.get(name))
        })
        .collect()
}

// ---- classes -----------------------------------------------------------------------------------

/// A class of the design with its default enhanced codes (without the first digit; `5.*` is any
/// detail of subject 5) and its reply codes.
type ClassCodes = (&'static str, &'static [&'static str], &'static [u64]);

/// The classes that a code alone decides. Those known by text only are not here, nor are `policy`
/// (its codes hold "when the text says no more") and `expired` ("only where no reply is known").
const CLASS_CODES: &[ClassCodes] = &[
    ("recipient_unknown", &["1.1", "1.3", "1.6"], &[]),
    ("mailbox_disabled", &["2.1"], &[]),
    ("mailbox_full", &["2.2"], &[]),
    ("domain_invalid", &["1.2", "1.10", "4.3", "4.4"], &[]),
    ("message_too_large", &["2.3", "3.4"], &[]),
    ("sender_rejected", &["1.7", "1.8"], &[]),
    ("credentials", &["7.8", "7.9"], &[530, 535]),
    (
        "authentication",
        &[
            "7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.27", "7.30",
        ],
        &[],
    ),
    ("reputation", &["7.25"], &[]),
    ("rate_limited", &["4.5", "7.28"], &[]),
    ("tls", &["7.10", "7.11"], &[]),
    ("connection", &["4.1", "4.2"], &[]),
    ("receiver_unavailable", &["3.0", "3.1", "3.2"], &[421, 451]),
    ("routing_loop", &["4.6"], &[]),
    ("content_format", &["5.*", "6.*"], &[]),
    ("unknown", &["0.0"], &[]),
];

/// Whether the codes of an event decide that it is of this class. The words of a reply are judged
/// by the tests of the classifier; here they would only repeat another project's opinion.
fn codes_decide(class: &str, event: &Map<String, Value>) -> bool {
    let Some((_, enhanced, replies)) = CLASS_CODES.iter().find(|entry| entry.0 == class) else {
        return false;
    };
    let dsn = event.get("dsn").and_then(Value::as_str);
    let detail = dsn.and_then(|dsn| Some(dsn.split_once('.')?.1));
    let listed = detail.is_some_and(|detail| {
        enhanced.iter().any(|code| match code.strip_suffix(".*") {
            Some(subject) => detail.split('.').next() == Some(subject),
            None => *code == detail,
        })
    });
    // The enhanced code comes first; the reply code has the word only where that says nothing.
    let silent = detail.is_none_or(|detail| detail == "0.0");
    let reply = event.get("reply_code").and_then(Value::as_u64);
    listed || (silent && reply.is_some_and(|reply| replies.contains(&reply)))
}

// ---- judging -----------------------------------------------------------------------------------

#[derive(Default)]
struct Judgement {
    failures: Vec<Mismatch>,
    /// `class` expectations left out because no code decides them.
    classes_skipped: usize,
}

/// An event or a row against an expectation.
fn judge_object(expected: &Map<String, Value>, object: &Map<String, Value>) -> Judgement {
    let mut expected = expected.clone();
    let class = expected.get("class").and_then(Value::as_str);
    let skip = class.is_some_and(|class| !codes_decide(class, object));
    if skip {
        expected.remove("class");
    }
    Judgement {
        failures: compare_fields("", &expected, object),
        classes_skipped: usize::from(skip),
    }
}

/// A run of the program over the lines of one case.
struct Run<'a> {
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
        let output = command
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the program did not start: {error}"))?;
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
            failures: vec![Mismatch {
                line: 0,
                path: "(the run)".to_owned(),
                expected: "output".to_owned(),
                got: words,
            }],
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
            all.failures
                .extend(one.failures.into_iter().map(|failure| Mismatch {
                    line: index,
                    ..failure
                }));
        }
        Ok(all)
    }

    /// Some row must fit. Where none does, the one that comes nearest says why.
    fn judge_sequence(
        &self,
        table: &str,
        expect: &Map<String, Value>,
    ) -> Result<Judgement, String> {
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
        let report: Value =
            serde_json::from_str(&text).map_err(|error| format!("the report: {error}"))?;
        let failures = figures
            .iter()
            .flat_map(|(path, expected)| compare(path, expected, figure(&report, path).as_ref()))
            .collect();
        Ok(Judgement {
            failures,
            classes_skipped: 0,
        })
    }
}

/// One line's object against the case's entry. A null entry claims that the line is known, and an
/// entry with fields claims no less.
fn judge_entry(entry: &Value, event: &Map<String, Value>) -> Judgement {
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

fn objects(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error} in {line}")))
        .collect()
}

/// Nested names joined by `_`, as the exports write them. An operator is a leaf.
fn flatten(object: &Map<String, Value>) -> Map<String, Value> {
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

fn of_kind(events: &[Map<String, Value>], kind: &str) -> Vec<Map<String, Value>> {
    let is_kind = |event: &&Map<String, Value>| event.get("kind").is_some_and(|k| k == kind);
    events.iter().filter(is_kind).map(flatten).collect()
}

/// Accepted messages. Postfix says the message-id, sender and size of one on lines of their own,
/// so the facts of those events stand beside the arrival's, found by the queue id.
fn arrivals(events: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
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
fn figure(report: &Value, path: &str) -> Option<Value> {
    if !path.contains('+') {
        return lookup(report, path).cloned();
    }
    let parts: Option<Vec<f64>> = path
        .split('+')
        .map(|part| lookup(report, part.trim())?.as_f64())
        .collect();
    Number::from_f64(parts?.iter().sum()).map(Value::Number)
}

/// Keys may hold dots themselves (`rejects.by_dsn.4.7.25`), so every cut of the path is tried.
fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.get(path).or_else(|| {
        path.match_indices('.')
            .find_map(|(dot, _)| lookup(value.get(&path[..dot])?, &path[dot + 1..]))
    })
}

/// Judges each case with a run of its own; the judgements are in the order of the cases.
fn judge_all(cases: &[&Case]) -> Vec<Judgement> {
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

/// Runs the cases of one form, prints every failure and the counts, and panics once at the end.
fn check(test: &str, of_form: fn(&Form) -> bool) {
    let Some(corpora) = corpora(test) else { return };
    let cases = load(&corpora);
    let cases: Vec<&Case> = cases.iter().filter(|case| of_form(&case.form)).collect();
    assert!(!cases.is_empty(), "{test}: the corpora hold no such case");
    let (mut passed, mut failed, mut excused, mut classes) = (0, 0, 0, 0);
    for (case, judgement) in cases.iter().zip(judge_all(&cases)) {
        classes += judgement.classes_skipped;
        let all = judgement.failures.len();
        let failures: Vec<Mismatch> = judgement
            .failures
            .into_iter()
            .filter(|failure| !is_excused(&case.id, &failure.path))
            .collect();
        match (failures.is_empty(), all) {
            (true, 0) => passed += 1,
            (true, _) => excused += 1,
            (false, _) => failed += 1,
        }
        for failure in failures {
            let Mismatch {
                line,
                path,
                expected,
                got,
            } = failure;
            eprintln!("FAILED {}\n  line: {}", case.id, case.line(line));
            eprintln!("  {path}: expected {expected}, got {got}");
        }
    }
    let counts = format!("{test}: passed {passed}, failed {failed}, excused {excused}");
    eprintln!("{counts}; class not judged, no code decides it: {classes}");
    assert!(failed == 0, "{counts}");
}

// ---- tests -------------------------------------------------------------------------------------

#[test]
fn lines() {
    check("lines", |form| matches!(form, Form::Lines(_)));
}

#[test]
fn sequences() {
    check("sequences", |form| matches!(form, Form::Sequence { .. }));
}

#[test]
fn reports() {
    check("reports", |form| matches!(form, Form::Report(_)));
}

#[test]
fn excuses_are_few_and_needed() {
    let test = "excuses_are_few_and_needed";
    for excuse in EXCUSED {
        assert!(!excuse.quote.trim().is_empty(), "{}: no quote", excuse.id);
    }
    let Some(corpora) = corpora(test) else { return };
    let cases = load(&corpora);
    let ids: BTreeSet<&str> = EXCUSED.iter().map(|excuse| excuse.id).collect();
    assert!(
        ids.len() * 100 <= cases.len() * 2,
        "{} of {} cases are excused, more than 2 %",
        ids.len(),
        cases.len()
    );
    // The design lies beside the corpora where they are kept together; then it must say the words.
    if let Ok(design) = fs::read_to_string(corpora.join("../DESIGN.md")) {
        for excuse in EXCUSED {
            let said = plain(&design).contains(&plain(excuse.quote));
            assert!(said, "{}: the design does not say the quote", excuse.id);
        }
    }
    let excused: Vec<&Case> = cases
        .iter()
        .filter(|case| ids.contains(case.id.as_str()))
        .collect();
    let judgements = judge_all(&excused);
    for excuse in EXCUSED {
        let at = excused.iter().position(|case| case.id == excuse.id);
        let at = at.unwrap_or_else(|| panic!("{}: no such case", excuse.id));
        let fails = judgements[at]
            .failures
            .iter()
            .any(|failure| failure.path == excuse.path);
        assert!(
            fails,
            "{}: {} holds or was not judged, the excuse is stale",
            excuse.id, excuse.path
        );
    }
}

/// The matcher itself: each rule with an example that fits and one that does not, so that a matcher
/// that lets everything through is found out.
mod matcher {
    use super::*;
    use serde_json::json;

    fn fits(expected: Value, got: Value) -> bool {
        compare("", &expected, Some(&got)).is_empty()
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn numbers_are_equal() {
        assert!(fits(json!({"delay_s": 11.0}), json!({"delay_s": 11})));
        assert!(!fits(json!({"delay_s": 11.0}), json!({"delay_s": 11.1})));
        assert!(!fits(
            json!({"reply_code": 550}),
            json!({"reply_code": 551})
        ));
        assert!(!fits(
            json!({"reply_code": 550}),
            json!({"reply_code": "550"})
        ));
    }

    #[test]
    fn strings_of_other_fields_are_equal() {
        assert!(fits(json!({"queue_id": "4Ab"}), json!({"queue_id": "4Ab"})));
        assert!(!fits(
            json!({"queue_id": "4Ab"}),
            json!({"queue_id": "4aB"})
        ));
        assert!(!fits(json!({"user": "a-b"}), json!({"user": "a_b"})));
        assert!(!fits(json!({"queue_id": "4Ab"}), json!({})));
    }

    #[test]
    fn nested_objects_are_subsets() {
        let event = json!({"client": {"name": "a.example", "ip": "192.0.2.1"}, "pid": 1});
        assert!(fits(json!({}), event.clone()));
        assert!(fits(json!({"client": {"ip": "192.0.2.1"}}), event.clone()));
        assert!(!fits(json!({"client": {"ip": "192.0.2.2"}}), event.clone()));
        assert!(!fits(json!({"client": {"port": 25}}), event.clone()));
        let mismatches = compare("", &json!({"client": {"port": 25}}), Some(&event));
        assert_eq!(mismatches[0].path, "client.port");
        assert_eq!(mismatches[0].got, "nothing");
    }

    #[test]
    fn words_ignore_case_and_joints() {
        assert!(fits(
            json!({"stage": "end_of_message"}),
            json!({"stage": "END-OF MESSAGE"})
        ));
        assert!(!fits(json!({"stage": "data"}), json!({"stage": "rcpt"})));
        assert!(!fits(
            json!({"stage": "end_of_message"}),
            json!({"stage": "endofmessage"})
        ));
        assert!(fits(json!({"helo": "[A.b]"}), json!({"helo": "[a.B]"})));
        assert!(fits(
            json!({"peer": {"name": "MX.example"}}),
            json!({"peer": {"name": "mx.example"}})
        ));
        assert!(!fits(
            json!({"relay_name": "mx1.example"}),
            json!({"relay_name": "mx2.example"})
        ));
        for field in "kind status stage action by trust direction cause notification severity \
            verdict mechanism protocol class host helo name client_name"
            .split_whitespace()
        {
            assert_eq!(rule(field), Rule::Word, "{field}");
        }
    }

    #[test]
    fn tls_versions() {
        let got = json!({"tls_version": "TLS1.2"});
        assert!(fits(json!({"tls_version": "TLSv1.2"}), got.clone()));
        assert!(!fits(json!({"tls_version": "TLSv1.3"}), got.clone()));
        assert!(!fits(json!({"tls_version": "SSLv1.2"}), got));
    }

    #[test]
    fn addresses_of_the_network_are_values() {
        assert!(fits(
            json!({"ip": "1.2.3.4"}),
            json!({"ip": "::ffff:1.2.3.4"})
        ));
        assert!(fits(
            json!({"client_ip": "2001:DB8:0::1"}),
            json!({"client_ip": "2001:db8::1"})
        ));
        assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "1.2.3.5"})));
        assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "::1.2.3.4"})));
        assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "unknown"})));
    }

    #[test]
    fn mail_addresses_ignore_the_case_of_the_domain() {
        let got = json!({"envelope_sender": "Tom@example.com"});
        assert!(fits(
            json!({"envelope_sender": "Tom@EXAMPLE.com"}),
            got.clone()
        ));
        assert!(!fits(json!({"envelope_sender": "tom@example.com"}), got));
        let null = json!({"envelope_sender": "<>"});
        assert!(fits(json!({"envelope_sender": "<>"}), null));
        assert!(!fits(
            json!({"envelope_recipient": "<>"}),
            json!({"envelope_recipient": ""})
        ));
    }

    #[test]
    fn message_ids_with_and_without_brackets() {
        let got = json!({"message_id": "<a@b>"});
        assert!(fits(json!({"message_id": "a@b"}), got.clone()));
        assert!(fits(json!({"message_id": "<a@b>"}), got.clone()));
        assert!(!fits(json!({"message_id": "A@b"}), got.clone()));
        assert!(!fits(json!({"message_id": "a@b>"}), got));
    }

    #[test]
    fn any_of_a_list() {
        let expected = json!({"kind": {"any": ["tls", "other"]}, "n": {"any": [7, 8]}});
        assert!(fits(expected.clone(), json!({"kind": "Other", "n": 8})));
        assert!(!fits(expected.clone(), json!({"kind": "reject", "n": 8})));
        assert!(!fits(expected.clone(), json!({"kind": "tls", "n": 9})));
        assert!(!fits(expected, json!({"kind": "tls"})));
    }

    #[test]
    fn contains_ignores_case_and_runs_of_blanks() {
        let expected = json!({"text": {"contains": "user  UNKNOWN in"}});
        assert!(fits(
            expected.clone(),
            json!({"text": "5.1.1 User unknown\tin table"})
        ));
        assert!(!fits(expected.clone(), json!({"text": "userunknown in"})));
        assert!(!fits(expected, json!({})));
        assert!(!fits(json!({"pid": {"contains": "1"}}), json!({"pid": 1})));
    }

    #[test]
    fn not_is_present_and_different() {
        let expected = json!({"kind": {"not": "delivery"}});
        assert!(fits(expected.clone(), json!({"kind": "other"})));
        assert!(!fits(expected.clone(), json!({"kind": "Delivery"})));
        assert!(!fits(expected, json!({})));
    }

    #[test]
    fn absent_and_present() {
        let absent = json!({"message_id": {"absent": true}});
        assert!(fits(absent.clone(), json!({})));
        assert!(!fits(absent.clone(), json!({"message_id": ""})));
        assert!(!fits(absent, json!({"message_id": null})));
        let present = json!({"commands": {"present": true}});
        assert!(fits(present.clone(), json!({"commands": {}})));
        assert!(!fits(present.clone(), json!({"commands": null})));
        assert!(!fits(present, json!({})));
    }

    #[test]
    fn times_with_a_zone_are_instants() {
        let expected = json!({"time": "2024-08-26T01:33:38.572449+00:00"});
        assert!(fits(
            expected.clone(),
            json!({"time": "2024-08-26T03:33:38.572449+02:00"})
        ));
        assert!(fits(
            expected.clone(),
            json!({"time": "2024-08-25T22:03:38.57244900-03:30"})
        ));
        for other in [
            "2024-08-26T01:33:38.572448Z",
            "2024-08-26T01:33:38.572449+02:00",
            "2024-08-26T01:33:38.572449",
        ] {
            assert!(!fits(expected.clone(), json!({"time": other})), "{other}");
        }
        assert_eq!(instant("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(
            instant("2024-02-29T12:00:00.5Z"),
            Some((1_709_208_000, 500_000_000))
        );
        assert_eq!(instant("2024-03-01T00:00:00Z"), Some((1_709_251_200, 0)));
    }

    #[test]
    fn times_without_a_zone_are_prefixes() {
        let expected = json!({"time": "2005-02-21T09:21:54"});
        assert!(fits(
            expected.clone(),
            json!({"time": "2005-02-21T09:21:54+02:00"})
        ));
        assert!(fits(
            expected.clone(),
            json!({"time": "2005-02-21T09:21:54.25Z"})
        ));
        assert!(!fits(expected, json!({"time": "2005-02-21T09:21:55Z"})));
    }

    #[test]
    fn an_entry_claims_at_least_that_the_line_is_known() {
        let failures = |entry: Value, event: Value| judge_entry(&entry, &object(event)).failures;
        assert!(failures(json!(null), json!({"kind": "ignored"})).is_empty());
        assert!(failures(json!(null), json!({"kind": "other"})).is_empty());
        assert!(!failures(json!(null), json!({"kind": "unrecognized"})).is_empty());
        assert!(!failures(json!(null), json!({})).is_empty());
        let entry = json!({"kind": {"not": "delivery"}});
        assert!(failures(entry.clone(), json!({"kind": "ignored"})).is_empty());
        assert!(!failures(entry, json!({"kind": "unrecognized"})).is_empty());
    }

    #[test]
    fn rows_join_nested_names() {
        let expected = object(json!({
            "client_ip": "192.0.2.1",
            "relay": {"name": "mx", "port": 25},
            "diagnostic": {"contains": "said"},
        }));
        let expected = flatten(&expected);
        let row = json!({"client_ip": "192.0.2.1", "relay_name": "MX", "relay_port": 25,
            "diagnostic": "host said so"});
        assert!(judge_object(&expected, &object(row)).failures.is_empty());
        let event = flatten(&object(json!({"client": {"ip": "192.0.2.1"},
            "relay": {"name": "mx", "port": 26}, "diagnostic": "host said so"})));
        let failures = judge_object(&expected, &event).failures;
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].path, "relay_port");
    }

    #[test]
    fn arrivals_have_the_facts_of_their_queue_id() {
        let events = [
            json!({"kind": "accepted", "queue_id": "A", "client": {"ip": "192.0.2.1"}}),
            json!({"kind": "message_id", "queue_id": "B", "message_id": "other@x"}),
            json!({"kind": "message_id", "queue_id": "A", "message_id": "this@x"}),
        ]
        .map(object);
        let rows = arrivals(&events);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["message_id"], "this@x");
        assert_eq!(rows[0]["client_ip"], "192.0.2.1");
        assert_eq!(rows[0]["kind"], "accepted");
        assert!(!arrivals(&events[..2])[0].contains_key("message_id"));
    }

    #[test]
    fn figures_of_a_report() {
        let report = json!({"rejects": {"by_dsn": {"4.7.25": 1}, "total": 3}, "a": {"b": 2}});
        let holds = |path: &str, expected: Value| {
            compare(path, &expected, figure(&report, path).as_ref()).is_empty()
        };
        assert!(holds("rejects.by_dsn.4.7.25", json!(1)));
        assert!(!holds("rejects.by_dsn.4.7.25", json!(2)));
        assert!(!holds("rejects.by_dsn.4.7.1", json!(1)));
        assert!(holds("rejects.total+a.b", json!(5)));
        assert!(!holds("rejects.total+a.b", json!(3)));
        assert!(!holds("rejects.total+a.c", json!(3)));
        assert!(holds("rejects.total", json!({"any": [3, 4]})));
        assert!(!holds("rejects.total", json!({"any": [4, 5]})));
    }

    #[test]
    fn classes_are_judged_where_a_code_decides() {
        let decide = |class: &str, event: Value| codes_decide(class, &object(event));
        assert!(decide("credentials", json!({"dsn": "4.7.8"})));
        assert!(decide("credentials", json!({"reply_code": 535})));
        assert!(decide(
            "credentials",
            json!({"reply_code": 535, "dsn": "5.0.0"})
        ));
        assert!(decide("content_format", json!({"dsn": "5.5.2"})));
        assert!(!decide(
            "credentials",
            json!({"reply_code": 535, "dsn": "5.7.1"})
        ));
        assert!(!decide("credentials", json!({})));
        assert!(!decide("domain_invalid", json!({"dsn": "5.1.1"})));
        assert!(!decide("relay_denied", json!({"dsn": "5.7.1"})));

        let expected = object(json!({"class": "credentials"}));
        let wrong = object(json!({"class": "policy", "dsn": "5.7.8"}));
        assert_eq!(judge_object(&expected, &wrong).failures.len(), 1);
        let open = object(json!({"class": "policy", "dsn": "5.7.1"}));
        let judgement = judge_object(&expected, &open);
        assert!(judgement.failures.is_empty());
        assert_eq!(judgement.classes_skipped, 1);
    }
}
