//! `mailscope report`.

use super::args::{ReportArgs, ReportFormat};
use super::output::Output;
use super::{Ended, conclude, resolve};
use crate::aggregate::Summary;
use crate::correlate::{Correlator, Detail, Step};
use crate::pipeline::{self, Reader, host_matches};
use crate::render::{json, text};
use crate::report::{InputFacts, build};
use anyhow::Result;
use mailscope_parsers::model::Line;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

/// What one worker keeps for itself.
struct Worker {
    summary: Summary,
    bytes: u64,
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
        || Worker { summary: Summary::new(window), bytes: 0 },
        |mine, chunk, turn| {
            let mut steps = Vec::with_capacity(chunk.lines.len() / 200);
            let lines = &mut mine.summary.lines;
            // Lines of one parser and host come in runs.
            let (mut run, mut parser, mut of_host) = (0_u64, "", &b""[..]);
            reader.read(chunk, |seen| {
                if !host_matches(seen.record.host, host) || window.is_past(seen.time) {
                    return;
                }
                if window.contains(seen.time) {
                    if seen.parser != parser || seen.record.host.0 != of_host {
                        lines.count(parser, of_host, std::mem::take(&mut run));
                        (parser, of_host) = (seen.parser, seen.record.host.0);
                    }
                    run += 1;
                    lines.see(&seen);
                }
                if let Line::Event(event) = seen.line
                    && Step::matters(&event)
                {
                    steps.push(Step { time: seen.time, host: seen.record.host, program: seen.record.program, count: seen.count, event });
                }
            });
            lines.count(parser, of_host, run);
            lines.overlong += chunk.overlong;
            mine.bytes += chunk.lines.len() as u64 + chunk.cut_bytes;
            let closed = turn.take(|correlator: &mut Correlator| {
                steps.iter().for_each(|step| correlator.step(step));
                correlator.take_closed()
            });
            closed.iter().for_each(|life| mine.summary.mail.life(life, window));
            if let Some(bar) = &progress {
                bar.inc(chunk.lines.len() as u64);
            }
            ControlFlow::Continue(())
        },
    )?;
    if let Some(bar) = &input.progress {
        bar.finish_and_clear();
    }
    let mut correlator = done.ordered;
    let mut summary = Summary::new(window);
    let mut bytes = 0;
    for worker in done.locals {
        bytes += worker.bytes;
        summary.merge(worker.summary);
    }
    correlator.finish().iter().for_each(|life| summary.mail.life(life, window));
    summary.name_hosts(correlator.hosts());
    let overlong = summary.lines.overlong;
    let report = build(&summary, InputFacts { files: done.chunks.files, bytes }, args.top, input.zone);
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
