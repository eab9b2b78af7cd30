//! Spreadsheets (Office Open XML): sheets of rows with real dates, durations and shares, a header that stays, filters and
//! colours.
//!
//! Text is only ever written as text, so nothing that stands in a log is a formula. Sheets of many rows are written as
//! they come and need no memory. What a sheet can't hold goes on in the next one, and the last row says so.

use super::{Cell, Column, Rows, Sink, Stamps, Type, shown};
use crate::input::Zone;
use anyhow::Result;
use rust_xlsxwriter::{
    Color, ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatDataBar, Format, FormatAlign, Workbook, Worksheet,
};
use std::io::Write;

/// Rows of a sheet, its header included.
const SHEET_ROWS: u32 = 1_048_576;
/// Characters of a cell.
const CELL_TEXT: usize = 32_767;
/// Characters across a printed page, and across one that is not turned.
const PAGE: f64 = 250.0;
const NARROW: f64 = 90.0;
/// Rows and characters that a chart takes.
const CHART: (u32, f64) = (22, 104.0);
/// Characters of a sentence in a line, and a line's height in points.
const SENTENCE: f64 = 54.0;
const LINE: f64 = 15.0;
/// Microseconds of a day; dates and durations are counted in days.
const DAY: f64 = 86_400e6;
/// The day 1970-01-01 in a spreadsheet's count.
const EPOCH: f64 = 25_569.0;
const HEADER: Color = Color::RGB(0x1F_4E_79);
const RED: Color = Color::RGB(0xF8_CB_AD);
const YELLOW: Color = Color::RGB(0xFF_E6_99);

struct Formats {
    header: Format,
    integer: Format,
    share: Format,
    duration: Format,
    time: Format,
    note: Format,
    /// Whole sentences.
    sentence: Format,
}

impl Formats {
    fn new() -> Self {
        let number = |format| Format::new().set_num_format(format);
        Self {
            header: Format::new()
                .set_bold()
                .set_background_color(HEADER)
                .set_font_color(Color::White)
                .set_text_wrap()
                .set_align(FormatAlign::Top),
            // A space's width between a number and the text in the next column.
            integer: number("#,##0_ "),
            share: number("0.0%_ "),
            duration: number("[h]:mm:ss.000_ "),
            time: number("yyyy-mm-dd hh:mm:ss"),
            note: Format::new().set_italic(),
            sentence: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }
}

/// A workbook, sheet by sheet.
pub struct Sheets {
    pub(super) book: Workbook,
    name: &'static str,
    columns: Vec<Column>,
    formats: Formats,
    stamps: Stamps,
    /// The next row; 0 where there is no sheet yet.
    row: u32,
    /// The how manieth sheet of this name.
    part: u32,
    /// Whether rows are written as they come.
    streams: bool,
    /// Charts stand below the rows.
    pub(super) charted: bool,
    most: u32,
}

impl Sheets {
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self {
            book: Workbook::new(),
            name: "",
            columns: Vec::new(),
            formats: Formats::new(),
            stamps: Stamps::new(zone),
            row: 0,
            part: 0,
            streams: false,
            charted: false,
            most: SHEET_ROWS,
        }
    }

    /// Begins a sheet with these columns; one that `streams` holds any number of rows.
    pub(super) fn begin(&mut self, name: &'static str, columns: &[Column], streams: bool) -> Result<()> {
        (self.name, self.columns, self.streams, self.part, self.charted) = (name, columns.to_vec(), streams, 0, false);
        self.next_part()
    }

    fn next_part(&mut self) -> Result<()> {
        self.part += 1;
        let name = part_name(self.name, self.part);
        let sheet = if self.streams { self.book.add_worksheet_with_constant_memory() } else { self.book.add_worksheet() };
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (at, column) in (0..).zip(&self.columns) {
            sheet.set_column_width(at, width(column))?;
            sheet.write_string_with_format(0, at, title(column), &self.formats.header)?;
        }
        self.row = 1;
        Ok(())
    }

    /// Ends a sheet: what is there is filtered, coloured and printed.
    pub(super) fn end(&mut self) -> Result<&mut Worksheet> {
        let last = self.row.saturating_sub(1);
        let end = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let (columns, charted) = (self.columns.clone(), self.charted);
        let sheet = self.current()?;
        sheet.autofilter(0, 0, last, end)?;
        print(sheet, &columns, last, charted)?;
        for (at, column) in (0..).zip(&columns).filter(|_| last > 0) {
            colours(sheet, column, at, last)?;
        }
        Ok(sheet)
    }

    /// The sheet that rows go to.
    pub(super) fn current(&mut self) -> Result<&mut Worksheet> {
        let at = self.book.worksheets().len().saturating_sub(1);
        Ok(self.book.worksheet_from_index(at)?)
    }

    /// How many rows the sheet has below its header.
    pub(super) fn rows(&self) -> u32 {
        self.row.saturating_sub(1)
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> u16 {
        self.columns.iter().zip(0..).find(|(column, _)| column.name == name).map_or(0, |(_, at)| at)
    }

    pub(super) fn save<W: Write + Send>(mut self, mut to: W) -> Result<W> {
        self.book.save_to_writer(&mut to)?;
        Ok(to)
    }
}

fn part_name(name: &str, part: u32) -> String {
    if part == 1 { name.to_owned() } else { format!("{name} {part}") }
}

/// Durations carry their unit themselves.
fn title(column: &Column) -> &'static str {
    if column.holds == Type::Seconds { column.name.trim_end_matches("_s") } else { column.name }
}

/// Pages across as many as can be read, with the header on each and the first columns beside the others; charts too.
fn print(sheet: &mut Worksheet, columns: &[Column], last: u32, charted: bool) -> Result<()> {
    let mut across: f64 = columns.iter().map(width).sum();
    let mut end = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let below = if charted { CHART.0 } else { 0 };
    while charted && across < CHART.1 {
        // An empty column's width.
        across += 8.43;
        end += 1;
    }
    let pages = (across / PAGE).ceil().max(1.0) as u16;
    sheet.set_print_area(0, 0, last + below, end)?.set_print_fit_to_pages(pages, 0).set_repeat_rows(0, 0)?;
    if across > NARROW {
        sheet.set_landscape();
    }
    if pages > 1 {
        sheet.set_repeat_columns(0, 1)?.set_page_order(true);
    }
    Ok(())
}

/// In characters: what is in it, and its name with the mark of a filter.
fn width(column: &Column) -> f64 {
    let cells = match (column.holds, column.name) {
        (Type::Time, _) | (_, "value") => 20.0,
        (Type::Text, "diagnostic" | "template" | "example") => 60.0,
        _ if is_sentence(column) => 60.0,
        (Type::Text, name) if ["sender", "recipient", "message_id", "figure"].iter().any(|part| name.contains(part)) => 30.0,
        (Type::Text, name) if ["name", "domain", "class", "user", "client", "provider"].iter().any(|part| name.contains(part)) => 22.0,
        (Type::Text, _) => 15.0,
        _ => 13.0,
    };
    f64::max(cells, title(column).len() as f64 + 4.0)
}

/// What is broken into lines.
fn is_sentence(column: &Column) -> bool {
    matches!(column.name, "title" | "evidence" | "action")
}

fn colours(sheet: &mut Worksheet, column: &Column, at: u16, last: u32) -> Result<()> {
    let fill = |color| Format::new().set_background_color(color);
    let mut cells = |rule: ConditionalFormatCellRule<_>, color| {
        let rule = ConditionalFormatCell::new().set_rule(rule).set_format(fill(color)).set_stop_if_true(true);
        sheet.add_conditional_format(1, at, last, at, &rule).map(|_| ())
    };
    match column.name {
        // What providers look at, and where they begin to block.
        "bounce_rate" => {
            cells(ConditionalFormatCellRule::GreaterThanOrEqualTo("0.05".to_owned()), RED)?;
            cells(ConditionalFormatCellRule::GreaterThanOrEqualTo("0.02".to_owned()), YELLOW)?;
        }
        "outcome" | "severity" | "permanence" => {
            for (word, color) in
                [("bounced", RED), ("expired", RED), ("critical", RED), ("permanent", RED), ("deferred", YELLOW), ("warning", YELLOW)]
            {
                cells(ConditionalFormatCellRule::EqualTo(format!("\"{word}\"")), color)?;
            }
        }
        "attempts" | "count" | "deferred_attempts" => {
            let bar = ConditionalFormatDataBar::new().set_fill_color(Color::RGB(0x9D_C3_E6));
            sheet.add_conditional_format(1, at, last, at, &bar)?;
        }
        _ => {}
    }
    Ok(())
}

impl Rows for Sheets {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if self.row + 1 >= self.most {
            let more = format!("more rows: sheet {}", part_name(self.name, self.part + 1));
            let (row, note) = (self.row, self.formats.note.clone());
            self.end()?.write_string_with_format(row, 0, more, &note)?;
            self.next_part()?;
        }
        let at = self.book.worksheets().len().saturating_sub(1);
        let sheet = self.book.worksheet_from_index(at)?;
        let (row, formats, mut height) = (self.row, &self.formats, LINE);
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Empty => continue,
                Cell::Text(text) => {
                    let text = shown(text).chars().take(CELL_TEXT).collect::<String>();
                    if is_sentence(&self.columns[usize::from(at)]) {
                        height = height.max(LINE * (text.chars().count() as f64 / SENTENCE).ceil());
                        sheet.write_string_with_format(row, at, text, &formats.sentence)?
                    } else {
                        sheet.write_string(row, at, text)?
                    }
                }
                Cell::Word(word) => sheet.write_string(row, at, *word)?,
                Cell::Dsn(dsn) => sheet.write_string(row, at, dsn.to_string())?,
                // A spreadsheet's numbers are exact up to 2^53.
                Cell::Integer(number) => sheet.write_number_with_format(row, at, *number as f64, &formats.integer)?,
                Cell::Number(share) if self.columns[usize::from(at)].holds == Type::Share => {
                    sheet.write_number_with_format(row, at, *share, &formats.share)?
                }
                Cell::Number(number) => sheet.write_number(row, at, *number)?,
                Cell::Seconds(micros) => sheet.write_number_with_format(row, at, *micros as f64 / DAY, &formats.duration)?,
                Cell::Time(time) => {
                    sheet.write_number_with_format(row, at, self.stamps.local(*time) as f64 / DAY + EPOCH, &formats.time)?
                }
            };
        }
        if height > LINE {
            sheet.set_row_height(row, height)?;
        }
        self.row += 1;
        Ok(())
    }
}

/// Rows of one table as a workbook.
pub struct Xlsx<W> {
    to: W,
    sheets: Sheets,
}

impl<W: Write> Xlsx<W> {
    /// # Errors
    /// Where the workbook can't be begun.
    pub fn new(to: W, name: &'static str, columns: &[Column], zone: Zone) -> Result<Self> {
        let mut sheets = Sheets::new(zone);
        sheets.begin(name, columns, true)?;
        Ok(Self { to, sheets })
    }
}

impl<W: Write + Send> Rows for Xlsx<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.sheets.row(cells)
    }
}

impl<W: Write + Send> Sink<W> for Xlsx<W> {
    fn finish(mut self: Box<Self>) -> Result<W> {
        self.sheets.end()?;
        self.sheets.save(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader as _};

    const COLUMNS: &[Column] = &[Column { name: "diagnostic", holds: Type::Text }, Column { name: "delay_s", holds: Type::Seconds }];

    #[test]
    fn what_a_sheet_cannot_hold_goes_on_in_the_next() {
        let mut xlsx = Xlsx::new(Vec::new(), "bounces", COLUMNS, "UTC".parse().unwrap()).unwrap();
        xlsx.sheets.most = 4;
        for n in 0..5 {
            xlsx.row(&[Cell::Text(b"=1+1"), Cell::Seconds(n * 86_400_000_000)]).unwrap();
        }
        let bytes = Box::new(xlsx).finish().unwrap();
        let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(book.sheet_names(), ["bounces", "bounces 2", "bounces 3"]);
        let (mut days, mut notes) = (Vec::new(), Vec::new());
        for name in book.sheet_names() {
            assert!(book.worksheet_formula(&name).unwrap().is_empty());
            for row in book.worksheet_range(&name).unwrap().rows().skip(1) {
                match (&row[0], &row[1]) {
                    (Data::String(text), Data::Empty) => notes.push(text.clone()),
                    (Data::String(text), value) => {
                        assert_eq!(text, "=1+1");
                        days.push(match value {
                            Data::Float(days) => *days,
                            Data::DateTime(days) => days.as_f64(),
                            other => panic!("{other:?}"),
                        });
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(days, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(notes, ["more rows: sheet bounces 2", "more rows: sheet bounces 3"]);
    }
}
