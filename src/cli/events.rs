//! `mailscope parse`: the events themselves, in the order of the lines.

use super::args::ParseArgs;
use super::fit::{Beginning, Fit};
use super::output::Output;
use super::{Ended, conclude, resolve};
use crate::input::Zone;
use crate::pipeline::{self, NO_TIME, Reader, Seen, host_matches};
use crate::render::json;
use anyhow::Result;
use bumpalo::Bump;
use mailscope_parsers::model::{Event, Line, Text};
use serde::Serialize;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// One line of the output.
#[derive(Serialize)]
pub struct Object<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Text::absent")]
    host: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    program: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    mta: &'a str,
    #[serde(flatten)]
    what: What<'a>,
    /// How often it happened, if more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // nearly all are events, and each is written out at once
enum What<'a> {
    Event(Event<'a>),
    Without { kind: &'static str, reason: &'static str, text: Text<'a> },
}

pub fn object<'a>(seen: &Seen<'a>, zone: Zone) -> Object<'a> {
    let without =
        |kind, reason| What::Without { kind, reason, text: if seen.record.text.is_empty() { Text(seen.raw) } else { seen.record.text } };
    Object {
        time: (seen.record.time != NO_TIME).then(|| zone.local(seen.record.time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)),
        host: seen.record.host,
        program: seen.record.program,
        pid: seen.record.pid,
        mta: seen.parser,
        what: match seen.line {
            Line::Event(event) => What::Event(event),
            Line::Ignored(reason) => without("ignored", reason),
            Line::Unrecognized(reason) => without("unrecognized", reason.reason()),
        },
        repeated: (seen.count != 1).then_some(seen.count),
    }
}

/// Where the lines go, in order; the first failure ends it.
struct Sink {
    output: Output,
    beginning: Beginning,
    failed: Option<io::Error>,
}

pub fn run(args: &ParseArgs) -> Result<Ended> {
    let mut input = resolve::input(&args.input)?;
    let chunks = input.take_chunks()?;
    let (window, zone, host) = (input.window, input.zone, input.host.as_deref());
    let sink = Sink { output: Output::open(args.output.as_deref())?, beginning: Beginning::default(), failed: None };
    let reader = Reader::new(input.settings);
    let (progress, names) = (input.progress.clone(), input.anonymizer.as_ref());
    let done = pipeline::run(chunks, input.threads, sink, Fit::default, |fit, chunk, turn| {
        let bump = Bump::new();
        let mut lines = Vec::with_capacity(chunk.lines().len() * 3);
        reader.read(chunk, |seen| {
            fit.see(seen);
            let wanted = args.all || matches!(seen.line, Line::Event(_));
            if wanted && window.contains(seen.record.time) && host_matches(seen.record.host, host) {
                let renamed = names.map(|names| names.seen(seen, &bump));
                // Writing to memory does not fail.
                let _ = json::line(&mut lines, &object(renamed.as_ref().unwrap_or(seen), zone));
            }
        });
        fit.overlong += chunk.overlong;
        if let Some(progress) = &progress {
            progress.show();
        }
        turn.take(|sink: &mut Sink| {
            sink.beginning.pass(chunk);
            if sink.failed.is_none() {
                sink.failed = sink.output.write_all(&lines).err();
            }
            if sink.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })?;
    if let Some(progress) = &input.progress {
        progress.clear();
    }
    let Sink { output, beginning, failed } = done.ordered;
    if let Some(error) = failed {
        return Err(error.into());
    }
    output.finish()?;
    Ok(conclude(&input, &done.chunks.unreadable, Fit::of(done.locals.into_iter()), &beginning))
}
