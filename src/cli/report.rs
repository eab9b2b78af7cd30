//! `mailscope report`.

use super::args::{InputArgs, ReportArgs, ReportFormat};
use super::fit::{Beginning, Fit};
use super::output::{Output, printable};
use super::resolve::Input;
use super::{Ended, conclude, resolve, rows};
use crate::aggregate::{AT_A_TIME, Shared, Summary};
use crate::anonymize::Anonymizer;
use crate::correlate::{Correlator, Detail, Spare};
use crate::export::{Book, table};
use crate::input::{Chunk, Copied, Unreadable};
use crate::pipeline::{self, Kept, Reader, Seen, host_matches};
use crate::render::{html, json, markdown, text};
use crate::report::{Baseline, InputFacts, Report, build};
use anyhow::{Context as _, Result};
use bumpalo::Bump;
use mailscope_parsers::classify::Failure;
use mailscope_parsers::model::{Event, Line, Text, Unrecognized};
use std::io::{IsTerminal as _, Write as _};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

/// Logs whose first unrecognized line is named with its place.
const NAMED: usize = 3;

/// What one worker keeps for itself.
struct Worker {
    summary: Summary,
    bytes: u64,
    /// Memory for the lines of a chunk.
    kept: Kept<'static>,
    /// Memory of lives that were counted.
    spare: Spare,
}

/// What needs the order of the lines.
struct Ordered {
    correlator: Correlator,
    places: Places,
}

impl Ordered {
    /// Puts together what lines of the chunk whose turn it is say of queue files.
    fn put_together(&mut self, kept: &Kept<'_>, spare: Spare) {
        self.correlator.recycle(spare);
        kept.for_each(|step| self.correlator.step(step));
    }
}

/// Where the first line of each log stands that could not be read.
#[derive(Default)]
struct Places {
    path: Option<Arc<Path>>,
    /// Lines of that log before the chunk.
    before: u64,
    is_named: bool,
    named: Vec<String>,
    beginning: Beginning,
}

impl Places {
    fn pass(&mut self, chunk: &Chunk, counted: &Counted) {
        if self.path.as_ref() != Some(&chunk.path) {
            (self.path, self.before, self.is_named) = (Some(chunk.path.clone()), 0, false);
        }
        self.beginning.pass(chunk);
        if let Some((number, reason)) = counted.unrecognized
            && !self.is_named
            && self.named.len() < NAMED
        {
            self.is_named = true;
            self.named.push(format!("{}: line {}: {}", chunk.path.display(), self.before + number, reason.reason()));
        }
        self.before += counted.lines;
    }
}

/// What a chunk's lines were.
#[derive(Default)]
pub(super) struct Counted {
    lines: u64,
    /// The first that could not be read: its number in the chunk, and why.
    unrecognized: Option<(u64, Unrecognized)>,
}

/// How lines are read and looked at.
#[derive(Clone, Copy)]
pub(super) struct How<'h> {
    pub reader: &'h Reader,
    pub host: Option<&'h str>,
    pub names: Option<&'h Anonymizer>,
}

/// A failure whose class is left open for now.
struct Open<'a> {
    seen: Seen<'a>,
    failure: Failure<'a>,
    counts: bool,
    /// Its place among the deliveries that are kept.
    deliveries: Range<usize>,
}

/// So many failures are classed and counted at a time.
const FAILURES: usize = 32;

/// Counts what the chunk's lines say by themselves, and keeps those of queue files. Shows every line of the window to `each`;
/// failures after other lines, where the reader leaves their class open. `ready` is called now and then, when nothing that is kept
/// is open, and may take it.
pub(super) fn count<'a>(
    chunk: &'a Chunk,
    bump: &'a Bump,
    how: &How<'_>,
    summary: &mut Summary,
    kept: &mut Kept<'a>,
    mut each: impl FnMut(&Seen<'a>),
    mut ready: impl FnMut(&mut Kept<'a>),
) -> Counted {
    let (window, How { reader, host, names }) = (summary.window, *how);
    let mut counted = Counted::default();
    let (mut open, mut visits) = (Vec::with_capacity(FAILURES), Vec::with_capacity(AT_A_TIME));
    // Lines of one parser and host come in runs.
    let (mut run, mut parser, mut of_host) = (0_u64, "", Text(b""));
    reader.read(chunk, |seen| {
        counted.lines = seen.number;
        if !host_matches(seen.record.host, host) || window.is_past(seen.record.time) {
            return;
        }
        let renamed = names.map(|names| names.seen(seen, bump));
        let seen = renamed.as_ref().unwrap_or(seen);
        let record = &seen.record;
        let counts = window.contains(record.time);
        if counts {
            if !std::ptr::eq(seen.parser, parser) || record.host != of_host {
                summary.lines.count(parser, of_host.0, std::mem::take(&mut run));
                (parser, of_host) = (seen.parser, record.host);
            }
            run += 1;
        }
        let failure = Failure::of(&seen.line);
        if let Some(failure) = failure
            && reader.leaves_classes()
        {
            let before = kept.deliveries();
            kept.push(seen);
            open.push(Open { seen: *seen, failure, counts, deliveries: before..kept.deliveries() });
            if open.len() == FAILURES {
                close(&mut open, reader, summary, kept, &mut each);
                ready(kept);
            }
            return;
        }
        if counts {
            match failure {
                Some(_) => summary.line(seen),
                None => {
                    if let Some(visit) = summary.see(seen) {
                        summary.visit(&mut visits, visit);
                    }
                }
            }
            each(seen);
            if let Line::Unrecognized(reason) = seen.line
                && counted.unrecognized.is_none()
            {
                counted.unrecognized = Some((seen.number, reason));
            }
        }
        kept.push(seen);
    });
    close(&mut open, reader, summary, kept, &mut each);
    summary.visits(&visits);
    summary.lines.count(parser, of_host.0, run);
    summary.lines.overlong += chunk.overlong;
    counted
}

/// Classes the failures that are open, and counts them.
fn close<'a>(open: &mut Vec<Open<'a>>, reader: &Reader, summary: &mut Summary, kept: &mut Kept<'a>, each: &mut impl FnMut(&Seen<'a>)) {
    let failures: Vec<_> = open.iter().map(|open| open.failure).collect();
    reader.class_all(&failures, |at, told| {
        let Open { seen, deliveries, .. } = &mut open[at];
        seen.told = Some(told);
        told.put(&mut seen.line);
        if let Line::Event(Event::Delivery(delivery)) = &seen.line {
            kept.class(deliveries.clone(), delivery.class);
        }
    });
    let counted = open.iter().filter(|open| open.counts).map(|open| &open.seen);
    summary.failures(counted.clone());
    counted.for_each(each);
    open.clear();
}

/// The earlier report to compare with.
fn baseline(path: &Path) -> Result<Baseline> {
    let read = || Baseline::read(std::io::BufReader::new(std::fs::File::open(path)?));
    read().with_context(|| format!("the baseline {}", path.display()))
}

/// What the report is to be like.
pub struct Wanted<'a> {
    pub baseline: Option<&'a Baseline>,
    /// Rows of each list.
    pub top: usize,
}

/// The report on an input, and what was noticed on the way.
pub struct Gathered {
    pub report: Report,
    places: Places,
    unreadable: Vec<Unreadable>,
    overlong: u64,
}

impl Gathered {
    /// Says what was noticed; what that means for the exit status.
    pub fn conclude(&self, input: &Input) -> Ended {
        let read = &self.report.input;
        let fit = Fit { lines: read.lines, unrecognized: read.unrecognized, overlong: self.overlong };
        conclude(input, &self.unreadable, fit, &self.places.beginning)
    }
}

/// Reads all of the input and sums it up.
///
/// # Errors
/// Where it can't be read at all.
pub fn gather(input: &mut Input, wanted: &Wanted<'_>) -> Result<Gathered> {
    let chunks = input.take_chunks()?;
    let (window, host, zone) = (input.window, input.host.as_deref(), input.zone);
    let progress = input.progress.clone();
    let names = input.anonymizer.clone();
    let reader = input.reader_of_many();
    let how = How { reader: &reader, host, names: names.as_ref() };
    let correlator = Correlator::new(Detail::Counts, window.since).with_logs_of_one_time(chunks.are_of_one_time);
    let threads = input.threads;
    let ledger = (threads > 1).then(Arc::<Shared>::default);
    let done = pipeline::run(
        chunks,
        threads,
        Ordered { correlator, places: Places::default() },
        || Worker { summary: Summary::sharing(window, ledger.clone()), bytes: 0, kept: Kept::default(), spare: Spare::default() },
        |mine, chunk, mut turn| {
            let bump = Bump::new();
            let mut kept = std::mem::take(&mut mine.kept).recycled();
            let mut spare = std::mem::take(&mut mine.spare);
            let counted = count(
                chunk,
                &bump,
                &how,
                &mut mine.summary,
                &mut kept,
                |_| (),
                // While it is in the nearest memory.
                |kept| {
                    if turn.now(|ordered| ordered.put_together(kept, std::mem::take(&mut spare))).is_some() {
                        *kept = std::mem::take(kept).recycled();
                    }
                },
            );
            mine.bytes += chunk.lines().len() as u64 + chunk.cut_bytes;
            let closed = turn.take(|ordered: &mut Ordered| {
                ordered.places.pass(chunk, &counted);
                ordered.put_together(&kept, spare);
                ordered.correlator.take_closed()
            });
            mine.kept = kept.recycled();
            mine.summary.lives(closed.iter().map(|life| &**life));
            mine.spare = Spare::of(closed, Detail::Counts);
            if let Some(progress) = &progress {
                progress.show();
            }
            ControlFlow::Continue(())
        },
    )?;
    if let Some(progress) = &input.progress {
        progress.clear();
    }
    let Ordered { mut correlator, places } = done.ordered;
    let bytes = done.locals.iter().map(|worker| worker.bytes).sum::<u64>().saturating_add_signed(done.chunks.surplus);
    let summaries = done.locals.into_iter().map(|worker| worker.summary).collect();
    let facts = InputFacts { files: done.chunks.files, bytes };
    let (report, overlong, rest) = done.crew.work(|| {
        let mut summary = Summary::all(summaries).unwrap_or_else(|| Summary::new(window));
        let open = correlator.finish();
        summary.lives(open.iter().map(|life| &**life));
        summary.name_hosts(correlator.hosts());
        let overlong = summary.lines.overlong;
        let (report, rest) = build(summary, facts, wanted.baseline, wanted.top, zone);
        (report, overlong, (open, correlator, rest))
    });
    std::mem::forget(rest);
    Ok(Gathered { report, places, unreadable: done.chunks.unreadable, overlong })
}

pub fn run(args: &ReportArgs) -> Result<Ended> {
    let baseline = args.baseline.as_deref().map(baseline).transpose()?;
    // A workbook is made in two passes, and has room for every row.
    let whole = args.format == ReportFormat::Xlsx;
    let copied = if whole { Copied::of(&args.input.files)? } else { Copied::default() };
    let read = InputArgs { copied, ..args.input.clone() };
    let mut input = resolve::input(&read)?;
    let top = if whole { usize::MAX } else { args.top };
    let gathered = gather(&mut input, &Wanted { baseline: baseline.as_ref(), top })?;
    let report = &gathered.report;
    let mut output = Output::open(args.output.as_deref())?;
    match args.format {
        ReportFormat::Json => {
            json::pretty(&mut output, report)?;
            output.write_all(b"\n")?;
        }
        ReportFormat::Html => html::write(&mut output, report)?,
        ReportFormat::Markdown => markdown::write(&mut output, report)?,
        ReportFormat::Xlsx => {
            let bounces = table("bounces").context("a table")?;
            let mut book = Book::new(report, input.zone)?;
            rows::stream::stream(bounces, &read.again(), &mut book)?;
            output = book.finish(report, output)?;
        }
        ReportFormat::Text => {
            let terminal = args.output.is_none() && std::io::stdout().is_terminal();
            text::write(&mut output, report, text::Look::of(terminal))?;
        }
    }
    output.finish()?;
    for place in gathered.places.named.iter().filter(|_| !input.quiet) {
        eprintln!("mailscope: {}", printable(place));
    }
    let ended = gathered.conclude(&input);
    let met = args.fail_on.iter().any(|limit| limit.is_met(report));
    Ok(if met && ended == Ended::Well { Ended::Met } else { ended })
}
