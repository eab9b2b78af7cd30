//! `mailscope export`: the rows of a table, into a file of some format.

pub mod format;
pub mod stream;

use super::Ended;
use super::args::{ExportArgs, TableFormat};
use super::output::Output;
use super::time::Now;
use crate::export::{Column, Condition, Pick, TABLES, Table, places, table};
use crate::input::Zone;
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;

pub fn run(args: &ExportArgs) -> Result<Ended> {
    let Some(name) = args.table.as_deref().filter(|_| !args.list) else { return list(args) };
    let table = table(name).with_context(|| format!("no table is called {name}"))?;
    let format = format::of(args.format, args.output.as_deref())?.unwrap_or(TableFormat::Csv);
    let manner = format::manner(args)?;
    let zone: Zone = args.input.tz.parse()?;
    let condition = args.condition.as_deref().map(|text| condition(text, table, zone)).transpose()?;
    if args.input.pseudonyms.anonymize {
        let names = |condition: &Condition| (0..).zip(table.columns).find(|(at, column)| column.identifies() && condition.looks_at(*at));
        if let Some((_, column)) = condition.as_ref().and_then(names) {
            bail!("--where looks at {}, which --anonymize replaces: it would compare pseudonyms", column.name);
        }
    }
    let columns = (!args.columns.is_empty()).then(|| places(table, &args.columns)).transpose().context("--columns")?;
    let output = Output::open(args.output.as_deref())?;
    let wanted: Vec<Column> = match &columns {
        Some(places) => places.iter().map(|at| table.columns[*at]).collect(),
        None => table.columns.to_vec(),
    };
    let mut pick = Pick::new(format::sink(output, format, manner, table.name, &wanted, zone)?, condition, columns);
    let ended = stream::stream(table, &args.input, &mut pick)?;
    pick.into_inner().finish()?.finish()?;
    Ok(ended)
}

/// Reads `--where`.
fn condition(text: &str, table: &Table, zone: Zone) -> Result<Condition> {
    let now = Now { time: chrono::Utc::now().timestamp_micros(), zone };
    Condition::new(text, table.columns, &|text| now.instant(text)).context("--where")
}

/// `--list`: the tables and their columns, as a table themselves.
fn list(args: &ExportArgs) -> Result<Ended> {
    let mut output = Output::open(args.output.as_deref())?;
    for table in TABLES.iter().filter(|table| args.table.as_deref().is_none_or(|name| name == table.name)) {
        writeln!(output, "{}: {}", table.name, table.about)?;
        for column in table.columns {
            let line = format!("    {:<26} {:<8} {}", column.name, column.holds.name(), column.unit());
            writeln!(output, "{}", line.trim_end())?;
        }
    }
    output.finish()?;
    Ok(Ended::Well)
}
