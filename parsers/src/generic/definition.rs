//! A definition as it is written, and what may be wrong with it.

use super::event::{KINDS, STAGES, STATUSES};
use super::fields::{FIELDS, Field, Shape};
use super::stamp::Stamp;
use super::{Format, Sample};
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a definition, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    name: String,
    reads: String,
    shape: String,
    /// A literal that every line of the format has.
    contains: String,
    regex: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    time: Option<Time>,
    /// Expressions over single fields, whose groups are fields, too.
    #[serde(default)]
    within: BTreeMap<String, String>,
    #[serde(default)]
    fields: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    samples: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    field: OneOrMore,
    format: OneOrMore,
}

/// A word, or several of which the first that fits counts.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word],
            Self::More(words) => words,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    line: String,
    event: toml::Table,
}

impl Definition {
    /// The format, if nothing is wrong.
    pub fn checked(self) -> Result<Format, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |what: String| problems.push(Problem(what));
        if self.name.is_empty() || !self.name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-') {
            wrong(format!("name = {:?}: a name has lower-case letters, digits and -", self.name));
        }
        if self.contains.is_empty() {
            wrong("contains is empty: name a literal that every line of the format has".to_owned());
        }
        if self.samples.is_empty() {
            wrong("there is no [[samples]]: give at least one line and the event that it means".to_owned());
        }
        let shape = shape(&self).map_err(&mut wrong).ok();
        let within = within(&self.within).map_err(&mut wrong).ok();
        let stamp = stamp(self.time).map_err(&mut wrong).ok();
        let mut named = |table: &str, name: &str| {
            let field = Field::named(name);
            if field.is_none() {
                wrong(format!("[{table}] {name}: no event has such a field{}", nearest(name, FIELDS)));
            }
            field
        };
        let fields: Vec<_> = self.fields.into_iter().filter_map(|(name, sources)| Some((named("fields", &name)?, sources.all()))).collect();
        let constants: Vec<_> = self.constants.iter().filter_map(|(name, word)| Some((named("constants", name)?, word.clone()))).collect();
        let mut values = Vec::new();
        for (name, table) in &self.values {
            if let Some(field) = named("values", name) {
                values.extend(table.iter().map(|(from, to)| (field, from.clone(), to.clone())));
            }
        }
        let words = values.iter().map(|(field, _, to)| (*field, to)).chain(constants.iter().map(|(field, word)| (*field, word)));
        words.for_each(|(field, word)| check_word(field, word, &mut wrong));
        if !fields.iter().map(|(field, _)| field).chain(constants.iter().map(|(field, _)| field)).any(|field| *field == Field::Kind) {
            wrong("no kind: say under [fields] which field tells it, or under [constants] what it always is".to_owned());
        }
        let (Some(shape), Some(within), Some(stamp)) = (shape, within, stamp) else { return Err(problems) };
        let sources = fields.iter().flat_map(|(_, sources)| sources).chain(&stamp.0);
        problems.extend(sources.filter_map(|source| unknown(&shape, &within, source)).map(Problem));
        if !problems.is_empty() {
            return Err(problems);
        }
        let samples = self.samples.into_iter().map(|sample| Sample { line: sample.line, event: sample.event }).collect();
        // A definition is read once and serves as long as the program runs.
        let name = String::leak(self.name);
        let contains = Finder::new(self.contains.as_bytes()).into_owned();
        Ok(Format { name, reads: self.reads, samples, shape, within, contains, stamp, fields, constants, values })
    }
}

fn shape(definition: &Definition) -> Result<Shape, String> {
    match definition.shape.as_str() {
        "json" => Ok(Shape::Json),
        "key-value" => Ok(Shape::KeyValue),
        "csv" if definition.columns.is_empty() => Err("shape = \"csv\": name the columns, in their order".to_owned()),
        "csv" => Ok(Shape::Csv(definition.columns.clone())),
        "regex" => {
            let regex = definition.regex.as_deref().ok_or("shape = \"regex\": there is no regex")?;
            expression(regex).map(|regex| Shape::Regex(Box::new(regex))).map_err(|error| format!("regex: {error}"))
        }
        other => Err(format!("shape = {other:?}: it is json, key-value, csv or regex")),
    }
}

fn expression(regex: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(regex).unicode(false).size_limit(1 << 20).build()
}

fn within(written: &BTreeMap<String, String>) -> Result<Vec<(String, Regex)>, String> {
    let read = |(field, regex): (&String, &String)| {
        let regex = expression(regex).map_err(|error| format!("[within] {field}: {error}"))?;
        if regex.capture_names().flatten().next().is_none() {
            return Err(format!("[within] {field}: no group has a name"));
        }
        Ok((field.clone(), regex))
    };
    written.iter().map(read).collect()
}

fn stamp(time: Option<Time>) -> Result<(Vec<String>, Vec<Stamp>), String> {
    let time = time.ok_or("no timestamp is captured: say in [time] which field it is and its format")?;
    let read = |format: &String| {
        Stamp::named(format)
            .ok_or_else(|| format!("time.format = {format:?}: it is rfc3339, epoch, or a strftime format with year, day and hour"))
    };
    let formats = time.format.all().iter().map(read).collect::<Result<_, _>>()?;
    Ok((time.field.all(), formats))
}

/// What is wrong with the name of a field of the line, where the shape says which ones there are.
fn unknown(shape: &Shape, within: &[(String, Regex)], source: &str) -> Option<String> {
    let has = |regex: &Regex| regex.capture_names().flatten().any(|name| name == source);
    if within.iter().any(|(_, regex)| has(regex)) {
        return None;
    }
    match shape {
        Shape::Regex(regex) if !has(regex) => Some(format!("{source}: the regex has no group of that name")),
        Shape::Csv(columns) if !columns.iter().any(|column| column == source) => {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            Some(format!("{source}: there is no such column{}", nearest(source, &columns)))
        }
        _ => None,
    }
}

/// Words that an event has a closed set of.
fn check_word(field: Field, word: &str, wrong: &mut impl FnMut(String)) {
    let known: Vec<&str> = match field {
        Field::Kind => KINDS.to_vec(),
        Field::Status => STATUSES.iter().map(|(word, _)| *word).collect(),
        Field::Stage => STAGES.iter().map(|(word, _)| *word).collect(),
        _ => return,
    };
    if !known.contains(&word) {
        wrong(format!("{word}: there is no such word here{}; there are {}", nearest(word, &known), known.join(", ")));
    }
}

/// `; do you mean queue_id?`, if some known word is near.
fn nearest(word: &str, known: &[&str]) -> String {
    let best = known.iter().map(|known| (strsim::levenshtein(word, known), *known)).min();
    best.filter(|(distance, known)| *distance <= known.len() / 2).map_or_else(String::new, |(_, known)| format!("; do you mean {known}?"))
}
