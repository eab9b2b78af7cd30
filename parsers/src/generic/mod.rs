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
    contains: Finder<'static>,
    stamp: (String, Stamp),
    /// Which field of the line is which field of the event.
    fields: Vec<(Field, String)>,
    constants: Vec<(Field, String)>,
    values: Vec<(Field, String, String)>,
}

/// A line of the format, and the event that it must give.
pub struct Sample {
    pub line: String,
    /// The fields that must be there, and their values.
    pub event: toml::Table,
}

/// The definitions that come with the program.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("relay.toml", include_str!("../../formats/relay.toml")),
    ("kumomta.toml", include_str!("../../formats/kumomta.toml")),
    ("haraka.toml", include_str!("../../formats/haraka.toml")),
    ("powermta.toml", include_str!("../../formats/powermta.toml")),
];

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
        let time = self.stamp.1.read(self.shape.find(line, &self.stamp.0)?, calendar)?;
        Some((self.record(line, time), self.line(line)?))
    }

    /// Reads the text of a record whose header was taken off already.
    #[must_use]
    pub fn text<'a>(&self, text: &'a [u8]) -> Option<Line<'a>> {
        self.contains.find(text)?;
        self.line(text)
    }

    /// Whether the time of the line can be read.
    pub fn time(&self, line: &[u8], calendar: &mut dyn Calendar) -> Option<Micros> {
        self.stamp.1.read(self.shape.find(line, &self.stamp.0)?, calendar)
    }

    fn record<'a>(&self, line: &'a [u8], time: Micros) -> Record<'a> {
        let host = self.get(line, Field::Host).unwrap_or_default();
        Record { time, host: Text(host), program: Text(b""), pid: None, text: Text(line) }
    }

    fn get<'a>(&self, line: &'a [u8], field: Field) -> Option<&'a [u8]> {
        let (_, source) = self.fields.iter().find(|(known, _)| *known == field)?;
        self.shape.find(line, source).filter(|value| !value.is_empty())
    }

    /// The word of a field in the event's terms: a constant, or what the table makes of it, or as it is.
    fn word<'f>(&'f self, line: &'f [u8], field: Field) -> Option<&'f [u8]> {
        if let Some((_, constant)) = self.constants.iter().find(|(known, _)| *known == field) {
            return Some(constant.as_bytes());
        }
        let said = self.get(line, field)?;
        let table = self.values.iter().find(|(known, from, _)| *known == field && from.as_bytes() == said);
        Some(table.map_or(said, |(.., to)| to.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
