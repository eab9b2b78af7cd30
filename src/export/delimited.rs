//! RFC 4180: CSV, and the same with tabs. A cell that a spreadsheet would run as a formula gets an apostrophe in front,
//! unless raw text is wanted.

use super::stamp::{integer, seconds};
use super::{Cell, Column, Rows, Sink, Stamps, shown};
use crate::input::Zone;
use mailscope_parsers::model::EnhancedStatus;
use mailscope_parsers::near::lie_between;
use std::io::Write;

/// How a spreadsheet wants its cells.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub delimiter: u8,
    /// The decimal mark.
    pub decimal: u8,
    /// A byte order mark in front, by which some spreadsheets know UTF-8.
    pub bom: bool,
    /// Cells as they are.
    pub raw: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { delimiter: b',', decimal: b'.', bom: false, raw: false }
    }
}

/// Rows gather here before they are written.
const GATHERED: usize = 1 << 16;

pub struct Delimited<W: Write> {
    to: W,
    rows: Vec<u8>,
    stamps: Stamps,
    manner: Manner,
    /// The delimiter is one that numbers and times may have in them.
    clashes: bool,
}

impl<W: Write> Delimited<W> {
    /// Begins with the columns' names.
    pub fn new<'c>(to: W, columns: impl IntoIterator<Item = &'c Column>, zone: Zone, manner: Manner) -> Self {
        let mut rows = Vec::with_capacity(GATHERED + (GATHERED >> 2));
        if manner.bom {
            rows.extend("\u{feff}".bytes());
        }
        for (at, column) in columns.into_iter().enumerate() {
            if at > 0 {
                rows.push(manner.delimiter);
            }
            rows.extend(column.name.bytes());
        }
        rows.extend(b"\r\n");
        let clashes =
            manner.delimiter.is_ascii_alphanumeric() || [manner.decimal, b'+', b'-', b'.', b':', b'_'].contains(&manner.delimiter);
        Self { to, rows, stamps: Stamps::new(zone), manner, clashes }
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        let (rows, manner) = (&mut self.rows, self.manner);
        let from = rows.len();
        // Writing to memory does not fail.
        match cell {
            Cell::Empty => return,
            Cell::Text(text) => {
                write_text(rows, text, manner);
                return;
            }
            Cell::Word(word) => rows.extend(word.bytes()),
            Cell::Dsn(EnhancedStatus { class, subject, detail }) => {
                integer(rows, u64::from(*class));
                for part in [*subject, *detail] {
                    rows.push(b'.');
                    integer(rows, u64::from(part));
                }
            }
            Cell::Integer(number) => integer(rows, *number),
            Cell::Seconds(micros) => seconds(rows, *micros, manner.decimal),
            Cell::Time(at) => self.stamps.write(rows, *at),
            Cell::Number(number) => {
                let _ = write!(rows, "{number}");
                if let Some(mark) = rows[from..].iter_mut().find(|c| **c == b'.') {
                    *mark = manner.decimal;
                }
            }
        }
        if (self.clashes || matches!(cell, Cell::Word(_))) && memchr::memchr(manner.delimiter, &rows[from..]).is_some() {
            rows.insert(from, b'"');
            rows.push(b'"');
        }
    }

    fn write_out(&mut self) -> std::io::Result<()> {
        self.to.write_all(&self.rows)?;
        self.rows.clear();
        Ok(())
    }
}

fn is_formula(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
}

fn write_text(to: &mut Vec<u8>, text: &[u8], manner: Manner) {
    let of = |bytes: &[u8]| lie_between(bytes, b' ', b'~', [manner.delimiter, b'"', b'\r', b'\n']);
    let (plain, mut quoted) = of(text);
    let safe;
    let bytes = if plain {
        text
    } else {
        safe = if manner.raw { String::from_utf8_lossy(text) } else { shown(text) };
        quoted = of(safe.as_bytes()).1;
        safe.as_bytes()
    };
    if quoted {
        to.push(b'"');
    }
    if !manner.raw && is_formula(text) {
        to.push(b'\'');
    }
    if quoted {
        for &c in bytes {
            if c == b'"' {
                to.push(b'"');
            }
            to.push(c);
        }
        to.push(b'"');
    } else {
        to.extend_from_slice(bytes);
    }
}

impl<W: Write + Send> Rows for Delimited<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.rows.push(self.manner.delimiter);
            }
            self.cell(cell);
        }
        self.rows.extend(b"\r\n");
        if self.rows.len() >= GATHERED {
            self.write_out()?;
        }
        Ok(())
    }
}

impl<W: Write + Send> Sink<W> for Delimited<W> {
    fn finish(mut self: Box<Self>) -> anyhow::Result<W> {
        self.write_out()?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Type;

    const COLUMNS: &[Column] =
        &[Column { name: "a", holds: Type::Text }, Column { name: "b", holds: Type::Text }, Column { name: "c", holds: Type::Seconds }];

    fn written(manner: Manner, rows: &[[Cell<'_>; 3]]) -> String {
        let mut to = Delimited::new(Vec::new(), COLUMNS, "UTC".parse().unwrap(), manner);
        rows.iter().for_each(|row| to.row(row).unwrap());
        String::from_utf8(Box::new(to).finish().unwrap()).unwrap()
    }

    #[test]
    fn formulas_are_defused_and_quotes_kept() {
        let rows = [
            [Cell::Text(b"=cmd|' /C calc'!A0"), Cell::Text(b"x, \"y\""), Cell::Seconds(330_000)],
            [Cell::Text(b"\x1b[31m@x"), Cell::Empty, Cell::Time(0)],
            [Cell::Text(b"\t=1"), Cell::Text("grüße, 用户".as_bytes()), Cell::Number(0.5)],
        ];
        let text = written(Manner::default(), &rows);
        let expected = "a,b,c\r\n'=cmd|' /C calc'!A0,\"x, \"\"y\"\"\",0.33\r\n\\u{1b}[31m@x,,1970-01-01T00:00:00+00:00\r\n\
                        '\\t=1,\"grüße, 用户\",0.5\r\n";
        assert_eq!(text, expected);
        // The same words, as another reader reads them.
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let fields: Vec<String> = reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert_eq!(fields[1], "x, \"y\"");
        assert_eq!(fields[7], "grüße, 用户");
    }

    #[test]
    fn spreadsheets_have_their_own_manners() {
        let manner = Manner { delimiter: b';', decimal: b',', bom: true, raw: true };
        let rows = [[Cell::Text(b"=1+1"), Cell::Text(b"x;y"), Cell::Seconds(1_500_000)]];
        assert_eq!(written(manner, &rows), "\u{feff}a;b;c\r\n=1+1;\"x;y\";1,5\r\n");
        let rows = [[Cell::Integer(7), Cell::Text(b"x\ny"), Cell::Number(0.25)]];
        assert_eq!(written(Manner { decimal: b',', raw: true, ..Manner::default() }, &rows), "a,b,c\r\n7,\"x\ny\",\"0,25\"\r\n");
    }
}
