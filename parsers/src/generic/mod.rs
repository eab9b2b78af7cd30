//! Formats defined as data: JSON lines, key=value, CSV, or a regular expression, and the words of each mapped onto events.
//!
//! In comes a line that no parser of a server claims, out goes a record and what it says. A definition is a TOML file (see
//! `parsers/formats/`): where the time stands, which field of the line is which field of the event, and tables for words
//! (`delivered` means `sent`). It is read once, with everything that is wrong with it named; it must carry samples. Each
//! line is guarded by a literal that it must contain, so that a definition costs one search for lines that are not its own.
//!
//! Values stay as they are written: a line is not copied, and escapes in JSON strings and doubled quotes in CSV are kept.

mod definition;
mod event;
mod fields;
mod stamp;

pub use definition::Problem;
pub use fields::FIELDS;

use crate::model::{Calendar, Line, Micros, Record, Text};
use definition::Definition;
use fields::{Field, Shape};
use memchr::memmem::Finder;
use regex::bytes::Regex;
use stamp::Stamp;

/// A format that is data.
pub struct Format {
    /// The event's `mta`.
    pub name: &'static str,
    /// What it reads, in one line, for people.
    pub reads: String,
    /// Lines with what they mean, as JSON.
    pub samples: Vec<Sample>,
    shape: Shape,
    /// Fields of the line, and what is to be found within them.
    within: Vec<(String, Regex)>,
    contains: Finder<'static>,
    /// The fields that may hold the time, and how it may be written.
    stamp: (Vec<String>, Vec<Stamp>),
    /// Which fields of the line are which field of the event: the first that the line has.
    fields: Vec<(Field, Vec<String>)>,
    constants: Vec<(Field, String)>,
    values: Vec<(Field, String, String)>,
}

/// A line of the format, and the event that it must give.
pub struct Sample {
    pub line: String,
    /// The fields that must be there, and their values.
    pub event: toml::Table,
}

/// The definitions that come with the program, with their files' names: all of `formats/`.
pub const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/formats.rs"));

impl Format {
    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        let definition: Definition = toml::from_str(text).map_err(|error| vec![Problem(error.to_string().trim_end().to_owned())])?;
        definition.checked()
    }

    /// Reads a line that has no header of its own; `None` where it is not one of this format.
    pub fn open<'a>(&self, line: &'a [u8], calendar: &mut dyn Calendar) -> Option<(Record<'a>, Line<'a>)> {
        self.contains.find(line)?;
        let time = self.time(line, calendar)?;
        Some((self.record(line, time), self.line(line)?))
    }

    /// Reads the text of a record whose header was taken off already.
    #[must_use]
    pub fn text<'a>(&self, text: &'a [u8]) -> Option<Line<'a>> {
        self.contains.find(text)?;
        self.line(text)
    }

    /// The time of the line, where it can be read.
    pub fn time(&self, line: &[u8], calendar: &mut dyn Calendar) -> Option<Micros> {
        self.stamp.0.iter().filter_map(|field| self.find(line, field)).find_map(|said| self.moment(said, calendar))
    }

    /// Whether the line only names the columns.
    #[must_use]
    pub fn names_columns(&self, line: &[u8]) -> bool {
        let Shape::Csv(columns) = &self.shape else { return false };
        line.split(|c| *c == b',').take(columns.len().min(3)).eq(columns.iter().take(3).map(String::as_bytes))
    }

    fn moment(&self, said: &[u8], calendar: &mut dyn Calendar) -> Option<Micros> {
        self.stamp.1.iter().find_map(|stamp| stamp.read(said, calendar))
    }

    fn record<'a>(&self, line: &'a [u8], time: Micros) -> Record<'a> {
        let host = self.get(line, Field::Host).unwrap_or_default();
        Record { time, host: Text(host), program: Text(b""), pid: None, text: Text(line) }
    }

    /// The value of a field of the line, or of a group of an expression within one.
    fn find<'a>(&self, line: &'a [u8], name: &str) -> Option<&'a [u8]> {
        let mut groups = self.within.iter().filter(|(_, regex)| regex.capture_names().flatten().any(|group| group == name)).peekable();
        if groups.peek().is_none() {
            return self.shape.find(line, name);
        }
        groups.find_map(|(field, regex)| Some(regex.captures(self.shape.find(line, field)?)?.name(name)?.as_bytes()))
    }

    fn get<'a>(&self, line: &'a [u8], field: Field) -> Option<&'a [u8]> {
        let (_, sources) = self.fields.iter().find(|(known, _)| *known == field)?;
        sources.iter().filter_map(|source| self.find(line, source)).find(|value| !value.is_empty())
    }

    /// The word of a field in the event's terms: a constant, or what the table makes of it, or as it is. `*` in a table is
    /// every other word.
    fn word<'f>(&'f self, line: &'f [u8], field: Field) -> Option<&'f [u8]> {
        if let Some((_, constant)) = self.constants.iter().find(|(known, _)| *known == field) {
            return Some(constant.as_bytes());
        }
        let said = self.get(line, field)?;
        let meant = |word: &[u8]| self.values.iter().find(|(known, from, _)| *known == field && from.as_bytes() == word);
        Some(meant(said).or_else(|| meant(b"*")).map_or(said, |(.., to)| to.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
