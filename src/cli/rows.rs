//! `mailscope export`: rows, as the lives they come from end.

use super::args::{ExportArgs, TableFormat, TableName};
use super::output::Output;
use super::{Ended, conclude, resolve};
use crate::aggregate::Window;
use crate::correlate::{Correlator, Detail, Life};
use crate::export::{COLUMNS_DELIVERIES, COLUMNS_RECIPIENTS, Csv, Jsonl, Sink, deliveries, recipients};
use crate::input::Zone;
use crate::pipeline::{self, Kept, Reader, host_matches};
use anyhow::{Result, bail};
use std::ops::ControlFlow;
use std::path::Path;

/// What is done in the order of the log: correlate, and write the rows of what is over.
struct Writer {
    correlator: Correlator,
    sink: Box<dyn Sink<Output> + Send>,
    table: TableName,
    window: Window,
    failed: Option<anyhow::Error>,
}

/// What one worker keeps for itself.
struct Worker {
    overlong: u64,
    /// Memory for the lines of a chunk.
    kept: Kept<'static>,
}

impl Writer {
    fn write(&mut self, closed: &[Box<Life>]) {
        for life in closed {
            let host = self.correlator.hosts().nth(life.host as usize).unwrap_or_default();
            let written = match self.table {
                TableName::Recipients => recipients(life, host, self.window).try_for_each(|row| self.sink.row(&row)),
                TableName::Deliveries => deliveries(life, host, self.window).try_for_each(|row| self.sink.row(&row)),
            };
            if let Err(error) = written {
                self.failed = Some(error);
                return;
            }
        }
    }
}

pub fn run(args: &ExportArgs) -> Result<Ended> {
    let format = format(args)?;
    let mut input = resolve::input(&args.input)?;
    let chunks = input.take_chunks()?;
    let (window, host) = (input.window, input.host.as_deref());
    let output = Output::open(args.output.as_deref())?;
    let detail = if args.table == TableName::Recipients { Detail::Recipients } else { Detail::Attempts };
    let sink = sink(output, args, format, input.zone)?;
    let writer = Writer { correlator: Correlator::new(detail, window.since), sink, table: args.table, window, failed: None };
    let reader = Reader::new(input.settings);
    let progress = input.progress.clone();
    let done = pipeline::run(
        chunks,
        input.threads,
        writer,
        || Worker { overlong: 0, kept: Kept::default() },
        |mine, chunk, turn| {
            let mut kept = std::mem::take(&mut mine.kept).recycled();
            reader.read(chunk, |seen| {
                mine.overlong += u64::from(seen.overlong);
                if !window.is_past(seen.record.time) && host_matches(seen.record.host, host) {
                    kept.push(seen);
                }
            });
            mine.overlong += chunk.overlong;
            if let Some(progress) = &progress {
                progress.show();
            }
            let flow = turn.take(|writer: &mut Writer| {
                kept.for_each(|step| writer.correlator.step(step));
                let closed = writer.correlator.take_closed();
                writer.write(&closed);
                if writer.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            mine.kept = kept.recycled();
            flow
        },
    )?;
    if let Some(progress) = &input.progress {
        progress.clear();
    }
    let mut writer = done.ordered;
    if writer.failed.is_none() {
        let rest = writer.correlator.finish();
        writer.write(&rest);
    }
    if let Some(error) = writer.failed {
        return Err(error);
    }
    writer.sink.finish()?.finish()?;
    Ok(conclude(&input, &done.chunks.unreadable, done.locals.iter().map(|worker| worker.overlong).sum()))
}

/// By `--format`, else by the file's ending.
fn format(args: &ExportArgs) -> Result<TableFormat> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else { return Ok(TableFormat::Csv) };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(TableFormat::Csv),
        Some("jsonl" | "ndjson") => Ok(TableFormat::Jsonl),
        _ => bail!("{}: the ending says no format; end it with .csv or .jsonl, or give --format", path.display()),
    }
}

fn sink(output: Output, args: &ExportArgs, format: TableFormat, zone: Zone) -> Result<Box<dyn Sink<Output> + Send>> {
    let columns = if args.table == TableName::Recipients { COLUMNS_RECIPIENTS } else { COLUMNS_DELIVERIES };
    Ok(match format {
        TableFormat::Csv => Box::new(Csv::new(output, columns, zone, args.raw)?),
        TableFormat::Jsonl => Box::new(Jsonl::new(output, columns, zone)),
    })
}
