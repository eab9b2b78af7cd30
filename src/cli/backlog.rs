//! `mailscope queue --logs`: what the logs say of a queue, before its listing is read.

use super::args::QueueArgs;
use super::fit::{Beginning, Fit};
use super::output::printable;
use crate::anonymize::Anonymizer;
use crate::correlate::{Correlator, Detail, Life};
use crate::input::{self, Chunks, Wanted, Zone};
use crate::pipeline::{self, Kept, Reader, Settings};
use crate::queue::Lives;
use anyhow::Result;
use bumpalo::Bump;
use mailscope_parsers::classify::Classifier;
use mailscope_parsers::model::Micros;
use std::ops::ControlFlow;

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

/// What needs the order of the lines.
struct Ordered {
    beginning: Beginning,
    correlator: Correlator,
    lives: Lives,
}

impl Ordered {
    fn count(&mut self, closed: &[Box<Life>]) {
        closed.iter().for_each(|life| self.lives.add(life));
    }
}

/// Reads the logs up to the moment of the listing, with pseudonyms where `names` makes them; the second is whether all could
/// be read.
///
/// # Errors
/// Where no thread can be had.
pub fn read(args: &QueueArgs, until: Micros, names: Option<&Anonymizer>) -> Result<(Lives, bool)> {
    if args.logs.is_empty() {
        return Ok((Lives::default(), true));
    }
    let zone: Zone = args.tz.parse()?;
    let plan = input::plan(Wanted { paths: args.logs.clone(), year: args.year, ..Wanted::default() }, zone);
    let reader = Reader::new(Settings { zone, parser: None, formats: super::formats::all(&[])?, classifier: Classifier::built_in() });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let ordered =
        Ordered { beginning: Beginning::default(), correlator: Correlator::new(Detail::Recipients, None), lives: Lives::default() };
    let done = pipeline::run(
        Chunks::new(plan, CHUNK, zone, threads),
        threads,
        ordered,
        || (Kept::default(), Fit::default()),
        |(mine, fit): &mut (Kept<'static>, Fit), chunk, turn| {
            let bump = Bump::new();
            let mut kept = std::mem::take(mine).recycled();
            reader.read(chunk, |seen| {
                fit.see(seen);
                if seen.record.time <= until {
                    let renamed = names.map(|names| names.seen(seen, &bump));
                    kept.push(renamed.as_ref().unwrap_or(seen));
                }
            });
            turn.take(|ordered: &mut Ordered| {
                ordered.beginning.pass(chunk);
                kept.for_each(|step| ordered.correlator.step(step));
                let closed = ordered.correlator.take_closed();
                ordered.count(&closed);
            });
            *mine = kept.recycled();
            ControlFlow::Continue(())
        },
    )?;
    let mut ordered = done.ordered;
    if !args.quiet {
        ordered.beginning.say(&Fit::of(done.locals.into_iter().map(|(_, fit)| fit)), None, names);
    }
    let open = ordered.correlator.finish();
    ordered.count(&open);
    for why in &done.chunks.unreadable {
        eprintln!("mailscope: {}", printable(&why.to_string()));
    }
    Ok((ordered.lives, done.chunks.unreadable.is_empty()))
}
