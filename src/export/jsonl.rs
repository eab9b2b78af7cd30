//! JSON lines: one object a row; a cell that is not there is not there.

use super::{Cell, Sink, time};
use crate::input::Zone;
use crate::render::json;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::Write;

pub struct Jsonl<W: Write> {
    to: W,
    columns: &'static [&'static str],
    zone: Zone,
}

impl<W: Write> Jsonl<W> {
    pub fn new(to: W, columns: &'static [&'static str], zone: Zone) -> Self {
        Self { to, columns, zone }
    }
}

struct Row<'a> {
    columns: &'static [&'static str],
    cells: &'a [Cell<'a>],
    zone: Zone,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => map.serialize_entry(column, &String::from_utf8_lossy(text))?,
                Cell::Word(word) => map.serialize_entry(column, word)?,
                Cell::Owned(text) => map.serialize_entry(column, text)?,
                Cell::Integer(number) => map.serialize_entry(column, number)?,
                Cell::Seconds(micros) => map.serialize_entry(column, &(*micros as f64 / 1e6))?,
                Cell::Time(at) => map.serialize_entry(column, &time(*at, self.zone))?,
            }
        }
        map.end()
    }
}

impl<W: Write> Sink<W> for Jsonl<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        json::line(&mut self.to, &Row { columns: self.columns, cells, zone: self.zone })?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}
