//! A definition as it is written, and what may be wrong with it.

use super::event::{KINDS, STAGES, STATUSES};
use super::fields::{FIELDS, Field, Shape};
use super::stamp::Stamp;
use super::{Format, Sample};
use memchr::memmem::Finder;
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
    #[serde(default)]
    fields: BTreeMap<String, String>,
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
    field: String,
    format: String,
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
        let time = self.time.as_ref().ok_or_else(|| "no timestamp is captured: say in [time] which field it is and its format".to_owned());
        let stamp = time.and_then(|time| {
            let stamp = Stamp::named(&time.format);
            stamp.map(|stamp| (time.field.clone(), stamp)).ok_or_else(|| {
                format!("time.format = {:?}: it is rfc3339, epoch, or a strftime format with year, day and hour", time.format)
            })
        });
        let stamp = stamp.map_err(&mut wrong).ok();
        let mut named = |table: &str, name: &str| {
            let field = Field::named(name);
            if field.is_none() {
                wrong(format!("[{table}] {name}: no event has such a field{}", nearest(name, FIELDS)));
            }
            field
        };
        let fields: Vec<_> = self.fields.iter().filter_map(|(name, source)| Some((named("fields", name)?, source.clone()))).collect();
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
        if let Some(Shape::Regex(regex)) = &shape {
            let sources = fields.iter().map(|(_, source)| source).chain(stamp.iter().map(|(source, _)| source));
            for source in sources.filter(|source| !regex.capture_names().flatten().any(|name| name == *source)) {
                wrong(format!("{source}: the regex has no group of that name"));
            }
        }
        let (Some(shape), Some(stamp), true) = (shape, stamp, problems.is_empty()) else { return Err(problems) };
        let samples = self.samples.into_iter().map(|sample| Sample { line: sample.line, event: sample.event }).collect();
        // A definition is read once and serves as long as the program runs.
        let name = String::leak(self.name);
        let contains = Finder::new(self.contains.as_bytes()).into_owned();
        Ok(Format { name, reads: self.reads, samples, shape, contains, stamp, fields, constants, values })
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
            let built = regex::bytes::RegexBuilder::new(regex).unicode(false).size_limit(1 << 20).build();
            built.map(|regex| Shape::Regex(Box::new(regex))).map_err(|error| format!("regex: {error}"))
        }
        other => Err(format!("shape = {other:?}: it is json, key-value, csv or regex")),
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
    let best = known.iter().map(|known| (distance(word, known), *known)).min();
    best.filter(|(distance, known)| *distance <= known.len() / 2).map_or_else(String::new, |(_, known)| format!("; do you mean {known}?"))
}

/// How many letters to put in, take out or exchange (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, d) in b.bytes().enumerate() {
            let exchanged = diagonal + usize::from(c != d);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
