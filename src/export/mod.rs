//! Rows out of lives: one file a format. Rows stream; nothing is kept but the life they come from.

mod csv;
mod jsonl;
mod queue;
mod rows;

pub use self::csv::Csv;
pub use jsonl::Jsonl;
pub use queue::{COLUMNS_QUEUE, waiting};
pub use rows::{COLUMNS_DELIVERIES, COLUMNS_RECIPIENTS, deliveries, recipients};

use crate::input::Zone;
use mailscope_parsers::model::Micros;

/// One cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    Empty,
    Text(&'a [u8]),
    /// A word of ours.
    Word(&'static str),
    Owned(String),
    Integer(u64),
    /// A duration, in microseconds; written as seconds.
    Seconds(Micros),
    Time(Micros),
}

/// What takes rows and writes them to a `W`.
pub trait Sink<W> {
    /// Writes one row; its cells are in the order of the columns.
    ///
    /// # Errors
    /// Where it can't be written.
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()>;

    /// Writes what is left and gives back where it was written to.
    ///
    /// # Errors
    /// Where it can't be written.
    fn finish(self: Box<Self>) -> anyhow::Result<W>;
}

fn time(time: Micros, zone: Zone) -> String {
    zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

/// Seconds without needless digits: `0.33`, `12`.
fn seconds(micros: Micros) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, (micros % 1_000_000).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
