//! `mailscope report`.

use super::args::{ReportArgs, ReportFormat};
use super::output::Output;
use super::{Ended, conclude, resolve};
use crate::aggregate::Summary;
use crate::correlate::{Correlator, Detail, Life};
use crate::pipeline::{self, Kept, Reader, host_matches};
use crate::render::{json, text};
use crate::report::{InputFacts, build};
use anyhow::Result;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

/// What one worker keeps for itself.
struct Worker {
    summary: Summary,
    bytes: u64,
    /// Memory for the lines of a chunk.
    kept: Kept<'static>,
    /// Lives that were counted, and whose memory serves again.
    counted: Vec<Box<Life>>,
}

pub fn run(args: &ReportArgs) -> Result<Ended> {
    let mut input = resolve::input(&args.input)?;
    let chunks = input.take_chunks()?;
    let (settings, window, host) = (input.settings, input.window, input.host.as_deref());
    let progress = input.progress.clone();
    let reader = Reader::new(settings);
    let done = pipeline::run(
        chunks,
        input.threads,
        Correlator::new(Detail::Counts, window.since),
        || Worker { summary: Summary::new(window), bytes: 0, kept: Kept::default(), counted: Vec::new() },
        |mine, chunk, turn| {
            let mut kept = std::mem::take(&mut mine.kept).recycled();
            let lines = &mut mine.summary.lines;
            // Lines of one parser and host come in runs.
            let (mut run, mut parser, mut of_host) = (0_u64, "", &b""[..]);
            reader.read(chunk, |seen| {
                let record = &seen.record;
                if !host_matches(record.host, host) || window.is_past(record.time) {
                    return;
                }
                if window.contains(record.time) {
                    if !std::ptr::eq(seen.parser, parser) || record.host.0 != of_host {
                        lines.count(parser, of_host, std::mem::take(&mut run));
                        (parser, of_host) = (seen.parser, record.host.0);
                    }
                    run += 1;
                    lines.see(seen);
                }
                kept.push(seen);
            });
            lines.count(parser, of_host, run);
            lines.overlong += chunk.overlong;
            mine.bytes += chunk.lines().len() as u64 + chunk.cut_bytes;
            let counted = std::mem::take(&mut mine.counted);
            mine.counted = turn.take(|correlator: &mut Correlator| {
                correlator.recycle(counted);
                kept.for_each(|step| correlator.step(step));
                correlator.take_closed()
            });
            mine.kept = kept.recycled();
            mine.counted.iter().for_each(|life| mine.summary.mail.life(life, window));
            if let Some(bar) = &progress {
                bar.inc(chunk.lines().len() as u64);
            }
            ControlFlow::Continue(())
        },
    )?;
    if let Some(bar) = &input.progress {
        bar.finish_and_clear();
    }
    let mut correlator = done.ordered;
    let bytes = done.locals.iter().map(|worker| worker.bytes).sum();
    let summaries = done.locals.into_iter().map(|worker| worker.summary);
    let mut summary = summaries.reduce(Summary::merged).unwrap_or_else(|| Summary::new(window));
    let open = correlator.finish();
    open.iter().for_each(|life| summary.mail.life(life, window));
    summary.name_hosts(correlator.hosts());
    std::mem::forget((open, correlator));
    let overlong = summary.lines.overlong;
    let report = build(summary, InputFacts { files: done.chunks.files, bytes }, args.top, input.zone);
    let mut output = Output::open(args.output.as_deref())?;
    match args.format {
        ReportFormat::Json => {
            json::pretty(&mut output, &report)?;
            output.write_all(b"\n")?;
        }
        ReportFormat::Text => {
            let terminal = args.output.is_none() && std::io::stdout().is_terminal();
            text::write(&mut output, &report, text::Look::of(terminal))?;
        }
    }
    output.finish()?;
    Ok(conclude(&input, &done.chunks.unreadable, overlong))
}
