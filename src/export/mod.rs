//! Rows out of lives, lines, reports and queues, and what writes them: one file a format.
//!
//! In go what `correlate` and `pipeline` hand on, a report's lists and a queue's entries, out come cells in the order of a
//! table's columns, and files. Rows stream; nothing is kept but what they come from.

mod condition;
mod delimited;
#[cfg(feature = "tables")]
mod dictionary;
mod jsonl;
mod lines;
mod listed;
mod markdown;
#[cfg(feature = "tables")]
mod parquet;
mod pick;
mod plain;
mod queue;
mod rows;
mod stamp;
mod table;
mod workbook;
mod xlsx;

pub use condition::{Condition, Mistake, nearest};
pub use delimited::{Delimited, Manner};
pub use jsonl::Jsonl;
pub use lines::{auth_failure, reject};
pub use listed::listed;
pub use markdown::Markdown;
#[cfg(feature = "tables")]
pub use parquet::Parquet;
pub use pick::{Pick, places};
pub use plain::Plain;
pub use queue::waiting;
pub use rows::{bounces, deliveries, message, recipients};
pub use stamp::Stamps;
pub use table::{Column, Source, TABLES, Table, Type, table};
pub use workbook::Book;
pub use xlsx::Xlsx;

use mailscope_parsers::model::{EnhancedStatus, Micros, Text};
use std::borrow::Cow;

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(&'a [u8]),
    /// A word of ours.
    Word(&'static str),
    Dsn(EnhancedStatus),
    Integer(u64),
    Number(f64),
    /// A duration, in microseconds; written as seconds.
    Seconds(Micros),
    Time(Micros),
}

impl Cell<'_> {
    /// What a text says; `None` where it is none.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Text(text).lossy()),
            Self::Word(word) => Some(Cow::Borrowed(word)),
            Self::Dsn(dsn) => Some(Cow::Owned(dsn.to_string())),
            _ => None,
        }
    }

    /// A count, as data tools keep it: the largest where it is larger.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(i64::try_from(*number).unwrap_or(i64::MAX)) } else { None }
    }

    /// A number, or a duration in seconds.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Seconds(micros) => Some(*micros as f64 / 1e6),
            _ => None,
        }
    }
}

/// What takes rows; their cells are in the order of the table's columns.
pub trait Rows: Send {
    /// Takes one row.
    ///
    /// # Errors
    /// Where it can't be written.
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()>;
}

/// What writes rows to a `W`.
pub trait Sink<W>: Rows {
    /// Writes what is left and gives back where it was written to.
    ///
    /// # Errors
    /// Where it can't be written.
    fn finish(self: Box<Self>) -> anyhow::Result<W>;
}

impl<W> Rows for Box<dyn Sink<W>> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        (**self).row(cells)
    }
}

/// Text from a log that no terminal or editor takes for more than text.
fn shown(text: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(text) => crate::render::printable(text),
        Cow::Owned(text) => Cow::Owned(crate::render::printable(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_it_is() {
        for (class, subject, detail, expected) in [
            (2, 0, 0, "2.0.0"),
            (4, 4, 7, "4.4.7"),
            (5, 7, 26, "5.7.26"),
            (5, 8, 0, "5.8.0"),
            (5, 1, 32, "5.1.32"),
            (5, 999, 999, "5.999.999"),
        ] {
            let dsn = EnhancedStatus { class, subject, detail };
            assert_eq!(Cell::Dsn(dsn).text().as_deref(), Some(expected));
        }
    }
}
