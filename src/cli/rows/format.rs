//! Which format a file has, and what writes it.

use crate::cli::args::{ExportArgs, TableFormat};
use crate::cli::output::Output;
#[cfg(feature = "tables")]
use crate::export::Parquet;
use crate::export::{Column, Delimited, Jsonl, Manner, Markdown, Sink, Xlsx};
use crate::input::Zone;
use anyhow::{Result, bail};
use clap::ValueEnum as _;
use std::path::Path;

/// The one that is named, else by the file's ending; none where rows go to standard output.
pub fn of(named: Option<TableFormat>, output: Option<&Path>) -> Result<Option<TableFormat>> {
    let Some(path) = output.filter(|path| named.is_none() && *path != Path::new("-")) else { return Ok(named) };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if let Ok(format) = TableFormat::from_str(ending, true) {
        return Ok(Some(format));
    }
    let endings: Vec<String> =
        TableFormat::value_variants().iter().filter_map(|format| Some(format!(".{}", format.to_possible_value()?.get_name()))).collect();
    bail!("{}: the ending says no format; end it with {}, or give --format", path.display(), endings.join(", "))
}

/// What writes rows of these columns.
pub fn sink(
    output: Output,
    format: TableFormat,
    manner: Manner,
    name: &'static str,
    columns: &[Column],
    zone: Zone,
) -> Result<Box<dyn Sink<Output>>> {
    Ok(match format {
        TableFormat::Csv => Box::new(Delimited::new(output, columns, zone, manner)),
        TableFormat::Tsv => Box::new(Delimited::new(output, columns, zone, Manner { delimiter: b'\t', ..manner })),
        TableFormat::Jsonl => Box::new(Jsonl::new(output, columns, zone)),
        TableFormat::Xlsx => Box::new(Xlsx::new(output, name, columns, zone)?),
        TableFormat::Md => Box::new(Markdown::new(output, columns, zone)?),
        #[cfg(feature = "tables")]
        TableFormat::Parquet => Box::new(Parquet::new(output, columns)?),
    })
}

/// Where the decimal mark is a comma, spreadsheets want a semicolon between cells.
pub fn manner(args: &ExportArgs) -> Result<Manner> {
    let decimal = mark("--decimal", args.decimal)?;
    let delimiter = match args.delimiter {
        Some(delimiter) => mark("--delimiter", delimiter)?,
        None if decimal == b',' => b';',
        None => b',',
    };
    Ok(Manner { delimiter, decimal, bom: args.bom, raw: args.raw })
}

fn mark(option: &str, mark: char) -> Result<u8> {
    match u8::try_from(mark) {
        Ok(byte) if byte == b'\t' || byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'-' | b'+') => Ok(byte),
        _ => bail!("{option} {mark:?} can't stand between or in numbers; ; and , and . and the tab can"),
    }
}
