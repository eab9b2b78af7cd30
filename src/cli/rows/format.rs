//! Which format a file has, and what writes it.

use crate::cli::args::{ExportArgs, TableFormat};
use crate::cli::output::Output;
use crate::export::{Column, Delimited, Jsonl, Manner, Markdown, Sink, Xlsx};
use crate::input::Zone;
use anyhow::{Result, bail};
use clap::ValueEnum as _;
use std::path::Path;

/// By `--format`, else by the file's ending.
pub fn of(args: &ExportArgs) -> Result<TableFormat> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else { return Ok(TableFormat::Csv) };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if let Ok(format) = TableFormat::from_str(ending, true) {
        return Ok(format);
    }
    let endings: Vec<String> =
        TableFormat::value_variants().iter().filter_map(|format| Some(format!(".{}", format.to_possible_value()?.get_name()))).collect();
    bail!("{}: the ending says no format; end it with {}, or give --format", path.display(), endings.join(", "))
}

pub fn sink(
    output: Output,
    args: &ExportArgs,
    format: TableFormat,
    table: &'static str,
    columns: &[Column],
    zone: Zone,
) -> Result<Box<dyn Sink<Output>>> {
    Ok(match format {
        TableFormat::Csv => Box::new(Delimited::new(output, columns, zone, manner(args)?)),
        TableFormat::Tsv => Box::new(Delimited::new(output, columns, zone, Manner { delimiter: b'\t', ..manner(args)? })),
        TableFormat::Jsonl => Box::new(Jsonl::new(output, columns, zone)),
        TableFormat::Xlsx => Box::new(Xlsx::new(output, table, columns, zone)?),
        TableFormat::Md => Box::new(Markdown::new(output, columns, zone)?),
    })
}

/// Where the decimal mark is a comma, spreadsheets want a semicolon between cells.
fn manner(args: &ExportArgs) -> Result<Manner> {
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
