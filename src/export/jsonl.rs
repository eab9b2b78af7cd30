//! JSON lines: one object a row; a cell that is not there is not there.

use super::{Cell, Column, Rows, Sink, Stamps};
use crate::input::Zone;
use crate::render::json;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::Write;

pub struct Jsonl<W: Write> {
    to: W,
    columns: Vec<&'static str>,
    stamps: Stamps,
}

impl<W: Write> Jsonl<W> {
    pub fn new<'c>(to: W, columns: impl IntoIterator<Item = &'c Column>, zone: Zone) -> Self {
        Self { to, columns: columns.into_iter().map(|column| column.name).collect(), stamps: Stamps::new(zone) }
    }
}

struct Row<'a> {
    columns: &'a [&'static str],
    cells: &'a [Cell<'a>],
    stamps: &'a Stamps,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => map.serialize_entry(column, &String::from_utf8_lossy(text))?,
                Cell::Word(word) => map.serialize_entry(column, word)?,
                Cell::Dsn(dsn) => map.serialize_entry(column, dsn)?,
                Cell::Integer(number) => map.serialize_entry(column, number)?,
                Cell::Number(number) => map.serialize_entry(column, number)?,
                Cell::Seconds(micros) => map.serialize_entry(column, &(*micros as f64 / 1e6))?,
                Cell::Time(at) => map.serialize_entry(column, &self.stamps.text(*at))?,
            }
        }
        map.end()
    }
}

impl<W: Write + Send> Rows for Jsonl<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        json::line(&mut self.to, &Row { columns: &self.columns, cells, stamps: &self.stamps })?;
        Ok(())
    }
}

impl<W: Write + Send> Sink<W> for Jsonl<W> {
    fn finish(mut self: Box<Self>) -> anyhow::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}
