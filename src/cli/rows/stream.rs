//! The rows of a table, as the lives, lines or entries that they come from pass by; those of a report's list behind it.
//!
//! In goes what is read, out go rows in the order of the log, the same for any number of threads.

use crate::aggregate::Window;
use crate::cli::args::InputArgs;
use crate::cli::fit::{Beginning, Fit};
use crate::cli::listings::Listings;
use crate::cli::report::{self, Wanted};
use crate::cli::resolve::{self, Input};
use crate::cli::time::Now;
use crate::cli::{Ended, conclude};
use crate::correlate::{Correlator, Detail, Life, Spare};
use crate::export::{self, Cell, Rows, Source, Table, auth_failure, bounces, deliveries, listed, message, recipients, waiting};
use crate::input::Zone;
use crate::pipeline::{self, Kept, NO_TIME, Reader, Seen, host_matches};
use crate::queue::View;
use anyhow::{Result, bail};
use bumpalo::Bump;
use std::ops::ControlFlow;

/// Gives every row of a table that the input holds.
///
/// # Errors
/// Where the input can't be read at all, or a row not be written.
pub fn stream(table: &'static Table, args: &InputArgs, to: &mut dyn Rows) -> Result<Ended> {
    if table.source == Source::Listings {
        return entries(args, to);
    }
    let input = &mut resolve::input(args)?;
    match table.source {
        Source::Lives(detail) => lives(table, detail, input, to),
        Source::Lines => lines(table, input, to),
        Source::Report | Source::Listings => {
            let gathered = report::gather(input, &Wanted { baseline: None, top: usize::MAX })?;
            listed(&gathered.report, table.name, to)?;
            Ok(gathered.conclude(input))
        }
    }
}

/// The rows of queue listings; ages count from the time of each.
fn entries(args: &InputArgs, to: &mut dyn Rows) -> Result<Ended> {
    if args.journal {
        bail!("--journal holds no queue; name listings, or leave it out for this host's own queue");
    }
    let zone: Zone = args.tz.parse()?;
    let clock = Now { time: chrono::Utc::now().timestamp_micros(), zone };
    let window = resolve::window(args, clock)?;
    let names = resolve::anonymizer(&args.pseudonyms)?;
    let view = View::new(zone);
    let done = Listings::open(&args.files, &args.copied, None, clock.time)?.read(&view, args.quiet, names.as_ref(), &mut |known| {
        let is_in = known.times.arrival.is_none_or(|arrival| window.contains(arrival));
        if is_in { waiting(known).try_for_each(|row| to.row(&row)) } else { Ok(()) }
    })?;
    Ok(if done.conclude() { Ended::Well } else { Ended::Incomplete })
}

/// What is done in the order of the log: correlate, and write the rows of what is over.
struct Writer<'t> {
    correlator: Correlator,
    table: &'static str,
    to: &'t mut dyn Rows,
    window: Window,
    /// The latest time of a line.
    last: i64,
    beginning: Beginning,
    failed: Option<anyhow::Error>,
}

/// What one worker keeps for itself.
struct Worker {
    fit: Fit,
    /// Memory for the lines of a chunk.
    kept: Kept<'static>,
    /// Memory of lives whose rows were written.
    spare: Spare,
}

impl Writer<'_> {
    fn write(&mut self, closed: &[Box<Life>]) {
        // Until the end is known, it is at least the last line's.
        let end = self.window.until.unwrap_or(self.last);
        for life in closed {
            let host = self.correlator.hosts().nth(life.host as usize).unwrap_or_default();
            let (to, window) = (&mut *self.to, self.window);
            let written = match self.table {
                "recipients" => recipients(life, host, window).try_for_each(|row| to.row(&row)),
                "bounces" => bounces(life, host, window, end).try_for_each(|row| to.row(&row)),
                "messages" => message(life, host, window).map_or(Ok(()), |row| to.row(&row)),
                _ => deliveries(life, host, window).try_for_each(|row| to.row(&row)),
            };
            if let Err(error) = written {
                self.failed = Some(error);
                return;
            }
        }
    }
}

fn lives(table: &'static Table, detail: Detail, input: &mut Input, to: &mut dyn Rows) -> Result<Ended> {
    let chunks = input.take_chunks()?;
    let (window, host) = (input.window, input.host.as_deref());
    let correlator = Correlator::new(detail, window.since).with_logs_of_one_time(chunks.are_of_one_time);
    let writer = Writer { correlator, table: table.name, to, window, last: NO_TIME, beginning: Beginning::default(), failed: None };
    let (progress, names) = (input.progress.clone(), input.anonymizer.as_ref());
    let reader = input.reader_of_many();
    let done = pipeline::run(
        chunks,
        input.threads,
        writer,
        || Worker { fit: Fit::default(), kept: Kept::with_verdicts(), spare: Spare::default() },
        |mine, chunk, turn| {
            let bump = Bump::new();
            let mut kept = std::mem::take(&mut mine.kept).recycled();
            let mut last = NO_TIME;
            reader.read(chunk, |seen| {
                mine.fit.see(seen);
                if !window.is_past(seen.record.time) && host_matches(seen.record.host, host) {
                    last = last.max(seen.record.time);
                    let renamed = names.map(|names| names.seen(seen, &bump));
                    kept.push(renamed.as_ref().unwrap_or(seen));
                }
            });
            kept.class_all(&reader);
            mine.fit.overlong += chunk.overlong;
            progress.iter().for_each(crate::cli::resolve::Progress::show);
            let spare = std::mem::take(&mut mine.spare);
            let (flow, written) = turn.take(|writer: &mut Writer<'_>| {
                writer.last = writer.last.max(last);
                writer.beginning.pass(chunk);
                writer.correlator.recycle(spare);
                kept.for_each(|step| writer.correlator.step(step));
                let closed = writer.correlator.take_closed();
                writer.write(&closed);
                (if writer.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }, closed)
            });
            mine.spare = Spare::of(written, detail);
            mine.kept = kept.recycled();
            flow
        },
    )?;
    progress.iter().for_each(crate::cli::resolve::Progress::clear);
    let mut writer = done.ordered;
    if writer.failed.is_none() {
        let rest = writer.correlator.finish();
        writer.write(&rest);
    }
    if let Some(error) = writer.failed {
        return Err(error);
    }
    let fit = Fit::of(done.locals.into_iter().map(|worker| worker.fit));
    Ok(conclude(input, &done.chunks.unreadable, fit, &writer.beginning))
}

/// Where rows of lines go; the first failure ends it.
struct LineWriter<'t> {
    to: &'t mut dyn Rows,
    beginning: Beginning,
    failed: Option<anyhow::Error>,
}

fn lines(table: &'static Table, input: &mut Input, to: &mut dyn Rows) -> Result<Ended> {
    let chunks = input.take_chunks()?;
    let (window, host) = (input.window, input.host.as_deref());
    let row: for<'a> fn(&Seen<'a>) -> Option<Vec<Cell<'a>>> = if table.name == "rejects" { export::reject } else { auth_failure };
    let reader = Reader::new(input.settings);
    let (progress, names) = (input.progress.clone(), input.anonymizer.as_ref());
    let done = pipeline::run(
        chunks,
        input.threads,
        LineWriter { to, beginning: Beginning::default(), failed: None },
        Fit::default,
        |fit, chunk, turn| {
            let bump = Bump::new();
            let mut rows = Vec::new();
            reader.read(chunk, |seen| {
                fit.see(seen);
                if window.contains(seen.record.time) && host_matches(seen.record.host, host) {
                    let renamed = names.map(|names| names.seen(seen, &bump));
                    rows.extend(row(renamed.as_ref().unwrap_or(seen)));
                }
            });
            fit.overlong += chunk.overlong;
            progress.iter().for_each(crate::cli::resolve::Progress::show);
            turn.take(|writer: &mut LineWriter<'_>| {
                writer.beginning.pass(chunk);
                writer.failed = rows.iter().try_for_each(|row| writer.to.row(row)).err();
                if writer.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        },
    )?;
    progress.iter().for_each(crate::cli::resolve::Progress::clear);
    if let Some(error) = done.ordered.failed {
        return Err(error);
    }
    Ok(conclude(input, &done.chunks.unreadable, Fit::of(done.locals.into_iter()), &done.ordered.beginning))
}
