//! `mailscope formats`: the registry and the formats that are data, and what is wrong with a definition.
//!
//! A definition is checked against its own samples, and its samples against every parser and every other format: a line
//! that two of them claim would be read by whichever comes first.

use super::Ended;
use super::args::{FormatsArgs, FormatsCommand};
use super::output::{Output, printable};
use crate::input::{Clock, Zone};
use anyhow::{Context as _, Result, bail};
use mailscope_parsers::envelope::{Envelope, Opened};
use mailscope_parsers::generic::{BUILT_IN, Format, Problem};
use mailscope_parsers::model::Line;
use mailscope_parsers::{PARSERS, Parser};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Stamps of samples that name no zone.
const UTC: Zone = Zone::Named(chrono_tz::Tz::UTC);

/// The formats that come with the program, those in the user's directory, and those that are named; for as long as the
/// program runs.
///
/// # Errors
/// Where a file can't be read or its definition is wrong.
pub fn all(named: &[PathBuf]) -> Result<&'static [Format]> {
    let mut formats = Vec::new();
    // What is named wins over what lies there.
    for path in named.iter().chain(&own()) {
        formats.push(read(path)?);
    }
    for (file, text) in BUILT_IN {
        formats.push(Format::read(text).map_err(|problems| wrong(Path::new(file), &problems))?);
    }
    Ok(Vec::leak(formats))
}

/// The parser or format to read with, and the formats to ask beside it: all, where none is named.
///
/// # Errors
/// Where there is none of that name, or a definition is wrong.
pub fn chosen(name: Option<&str>, named: &[PathBuf]) -> Result<(Option<&'static Parser>, &'static [Format])> {
    /// Claims nothing: what is read is up to the format.
    static NONE: Parser = Parser { name: "", reads: "", parse: |_, _| false };
    let Some(name) = name else { return Ok((None, all(named)?)) };
    if let Some(parser) = mailscope_parsers::parser(name) {
        return Ok((Some(parser), &[]));
    }
    let all = all(named)?;
    match all.iter().position(|format| format.name == name) {
        Some(at) => Ok((Some(&NONE), &all[at..=at])),
        None => {
            let names: Vec<&str> = PARSERS.iter().map(|parser| parser.name).chain(all.iter().map(|format| format.name)).collect();
            bail!("--parser: there is no parser or format {name}; there are {}", names.join(", "))
        }
    }
}

/// Names of parsers and of the formats that come with the program.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    let formats = BUILT_IN.iter().map(|(file, _)| file.strip_suffix(".toml").unwrap_or(file));
    PARSERS.iter().map(|parser| parser.name).chain(formats)
}

/// The user's directory for what is the program's.
pub fn own_directory() -> Option<PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    Some(home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?.join("mailscope"))
}

/// Definitions in the user's directory, by name.
fn own() -> Vec<PathBuf> {
    let Some(entries) = own_directory().and_then(|directory| fs::read_dir(directory.join("formats")).ok()) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Result<Format> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Format::read(&text).map_err(|problems| wrong(path, &problems))
}

fn wrong(path: &Path, problems: &[Problem]) -> anyhow::Error {
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{}: {}", path.display(), all.join("; "))
}

pub fn run(args: &FormatsArgs) -> Result<Ended> {
    match &args.what {
        None | Some(FormatsCommand::List) => list(),
        Some(FormatsCommand::Check { file }) => check(file),
    }
}

fn list() -> Result<Ended> {
    let parsers = PARSERS.iter().map(|parser| (parser.name, parser.reads));
    let rows: Vec<(&str, &str)> = parsers.chain(all(&[])?.iter().map(|format| (format.name, format.reads.as_str()))).collect();
    let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut output = Output::open(None)?;
    for (name, reads) in rows {
        writeln!(output, "{name:<widest$}  {}", printable(reads))?;
    }
    output.finish()?;
    Ok(Ended::Well)
}

fn check(path: &Path) -> Result<Ended> {
    let format = match fs::read_to_string(path).with_context(|| path.display().to_string()) {
        Ok(text) => Format::read(&text),
        Err(error) => return Err(error),
    };
    let problems = match format {
        Ok(format) => of_samples(&format, all(&[])?),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    let mut output = Output::open(None)?;
    for problem in &problems {
        writeln!(output, "{}: {}", printable(&path.display().to_string()), printable(problem))?;
    }
    if problems.is_empty() {
        writeln!(output, "{}: nothing is wrong", printable(&path.display().to_string()))?;
    }
    output.finish()?;
    if problems.is_empty() {
        return Ok(Ended::Well);
    }
    bail!("{} of {} to put right", problems.len(), path.display())
}

/// What is wrong with the samples: not read, read as something else, or claimed by another format.
fn of_samples(format: &Format, others: &[Format]) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, sample) in (1..).zip(&format.samples) {
        let line = sample.line.as_bytes();
        let mut clock = Clock::new(UTC, 0);
        if format.time(line, &mut clock).is_none() && !has_header(line) {
            problems.push(format!("sample {number}: no timestamp that can be read"));
            continue;
        }
        let text = text_of(line);
        match format.text(text) {
            Some(read) => problems.extend(differences(&sample.event, &read).into_iter().map(|what| format!("sample {number}: {what}"))),
            None => problems.push(format!("sample {number}: not a line of this format, or its kind or status is a word that no table has")),
        }
        let mut claimed: Vec<&str> = others
            .iter()
            .filter(|other| other.name != format.name && other.open(line, &mut clock).is_some())
            .map(|other| other.name)
            .collect();
        claimed.extend(parser_of(line));
        problems.extend(claimed.iter().map(|other| format!("sample {number}: {other} claims this line too")));
    }
    problems
}

fn opened(line: &[u8]) -> Option<mailscope_parsers::model::Record<'_>> {
    let mut clock = Clock::new(UTC, 0);
    match Envelope::default().open(line, &mut clock) {
        Ok(Opened::Record(record)) => Some(record),
        _ => None,
    }
}

fn has_header(line: &[u8]) -> bool {
    opened(line).is_some()
}

/// The text below a syslog header, or the line itself.
fn text_of(line: &[u8]) -> &[u8] {
    opened(line).map_or(line, |record| record.text.0)
}

/// The parser that claims a line by its program.
fn parser_of(line: &[u8]) -> Option<&'static str> {
    let record = opened(line)?;
    let (_, parser) = mailscope_parsers::parse(&record, None);
    (!parser.is_empty()).then_some(parser)
}

/// Fields of the expected event that the line does not give.
fn differences(expected: &impl serde::Serialize, read: &Line<'_>) -> Vec<String> {
    let got = match read {
        Line::Event(event) => serde_json::to_value(event),
        Line::Ignored(_) => Ok(serde_json::json!({"kind": "ignored"})),
        Line::Unrecognized(_) => Ok(Value::Null),
    };
    let (Ok(expected), Ok(got)) = (serde_json::to_value(expected), got) else { return vec!["its event is no JSON".to_owned()] };
    let Some(fields) = expected.as_object() else { return Vec::new() };
    let wrong = fields.iter().filter(|(name, value)| !same(value, &got[name.as_str()]));
    wrong
        .map(|(name, value)| format!("{name} should be {value}, is {}", got.get(name).map_or("absent".to_owned(), ToString::to_string)))
        .collect()
}

fn same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(name, value)| got.get(name).is_some_and(|got| same(value, got)))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => expected == got,
    }
}
