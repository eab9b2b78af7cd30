//! A table for a terminal: columns as wide as their widest cell, numbers to the right.

use super::stamp::seconds;
use super::{Cell, Column, Rows, Sink, Stamps, Type, shown};
use crate::input::Zone;
use std::io::Write;
use unicode_width::UnicodeWidthStr as _;

/// Gathers all rows; for what a person reads.
pub struct Plain<W: Write> {
    to: W,
    stamps: Stamps,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl<W: Write> Plain<W> {
    pub fn new(to: W, columns: &[Column], zone: Zone) -> Self {
        let names = columns.iter().map(|column| column.name.to_owned()).collect();
        Self { to, stamps: Stamps::new(zone), columns: columns.to_vec(), rows: vec![names] }
    }
}

impl<W: Write + Send> Rows for Plain<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        let text = |cell: &Cell<'_>| match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => shown(text).into_owned(),
            Cell::Word(word) => (*word).to_owned(),
            Cell::Dsn(dsn) => dsn.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Time(at) => self.stamps.text(*at),
            Cell::Seconds(micros) => {
                let mut text = Vec::new();
                seconds(&mut text, *micros, b'.');
                String::from_utf8(text).unwrap_or_default()
            }
        };
        self.rows.push(cells.iter().map(text).collect());
        Ok(())
    }
}

impl<W: Write + Send> Sink<W> for Plain<W> {
    fn finish(mut self: Box<Self>) -> anyhow::Result<W> {
        let width = |at: usize| self.rows.iter().map(|row| row[at].width()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((text, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                let blanks = " ".repeat(width - text.width());
                let right = !matches!(column.holds, Type::Text | Type::Time);
                line.push_str(&if right { format!("{blanks}{text}  ") } else { format!("{text}{blanks}  ") });
            }
            writeln!(self.to, "{}", line.trim_end())?;
        }
        self.to.flush()?;
        Ok(self.to)
    }
}
