//! RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe in front, unless raw text is wanted.

use super::{Cell, Sink, seconds, time};
use crate::input::Zone;
use std::borrow::Cow;
use std::io::Write;

pub struct Csv<W: Write> {
    to: csv::Writer<W>,
    zone: Zone,
    raw: bool,
}

impl<W: Write> Csv<W> {
    /// Begins with the columns' names.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn new(to: W, columns: &[&str], zone: Zone, raw: bool) -> anyhow::Result<Self> {
        let mut to = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(to);
        to.write_record(columns)?;
        Ok(Self { to, zone, raw })
    }
}

impl<W: Write> Sink<W> for Csv<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        for cell in cells {
            match cell {
                Cell::Empty => self.to.write_field("")?,
                Cell::Text(text) => self.to.write_field(defused(text, self.raw).as_bytes())?,
                Cell::Word(word) => self.to.write_field(word)?,
                Cell::Owned(text) => self.to.write_field(text)?,
                Cell::Integer(number) => self.to.write_field(number.to_string())?,
                Cell::Seconds(micros) => self.to.write_field(seconds(*micros))?,
                Cell::Time(at) => self.to.write_field(time(*at, self.zone))?,
            }
        }
        self.to.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> anyhow::Result<W> {
        self.to.into_inner().map_err(|error| error.into_error().into())
    }
}

/// Text from a log as a cell: no formula, no control characters but as escapes.
fn defused(text: &[u8], raw: bool) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(text);
    if raw {
        return text;
    }
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = match text {
        Cow::Borrowed(text) => crate::render::printable(text),
        Cow::Owned(text) => Cow::Owned(crate::render::printable(&text).into_owned()),
    };
    if formula { Cow::Owned(format!("'{safe}")) } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_kept() {
        let mut csv = Csv::new(Vec::new(), &["a", "b", "c"], "UTC".parse().unwrap(), false).unwrap();
        csv.row(&[Cell::Text(b"=cmd|' /C calc'!A0"), Cell::Text(b"x, \"y\""), Cell::Seconds(330_000)]).unwrap();
        csv.row(&[Cell::Text(b"\x1b[31m@x"), Cell::Empty, Cell::Time(0)]).unwrap();
        let text = String::from_utf8(Box::new(csv).finish().unwrap()).unwrap();
        assert_eq!(text, "a,b,c\r\n'=cmd|' /C calc'!A0,\"x, \"\"y\"\"\",0.33\r\n\\u{1b}[31m@x,,1970-01-01T00:00:00+00:00\r\n");
        assert_eq!(defused(b"=1+1", true), "=1+1");
    }
}
