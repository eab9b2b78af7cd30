//! Nothing was found: what was searched, and what in it is like the key.

use super::search::Search;
use crate::cli::fit::{Beginning, Fit};
use crate::pipeline::{self, NO_TIME, host_matches};
use crate::render::printable;
use crate::trace::Near;
use anyhow::Result;
use mailscope_parsers::model::Micros;
use std::ops::ControlFlow;

/// What one worker saw.
struct Seen {
    fit: Fit,
    first: Micros,
    last: Micros,
    near: Near,
}

/// Says it on standard error, as it is no result; and where nothing could be read, that, if it is wanted.
///
/// # Errors
/// Where the logs can't be read again.
pub fn say(search: &Search<'_>, key: &str, found: usize, wanted: bool) -> Result<()> {
    if found > 0 {
        eprintln!("mailscope: {found} messages match {}, and none of them is what the filters ask for", printable(key));
        return Ok(());
    }
    let mut input = search.again()?;
    let word = search.key.as_word().unwrap_or_default().to_vec();
    let done = pipeline::run(
        input.take_chunks()?,
        input.threads,
        Beginning::default(),
        || Seen { fit: Fit::default(), first: Micros::MAX, last: NO_TIME, near: Near::new(&word) },
        |mine, chunk, turn| {
            search.reader.read(chunk, |seen| {
                mine.fit.see(seen);
                if seen.record.time != NO_TIME {
                    mine.first = mine.first.min(seen.record.time);
                    mine.last = mine.last.max(seen.record.time);
                }
                if !word.is_empty() && host_matches(seen.record.host, search.host()) {
                    mine.near.see(seen);
                }
            });
            turn.take(|beginning: &mut Beginning| beginning.pass(chunk));
            ControlFlow::Continue(())
        },
    )?;
    let files = done.chunks.files;
    let all = done.locals.into_iter().reduce(|mut all, one| {
        all.fit = Fit::of([all.fit, one.fit].into_iter());
        all.first = all.first.min(one.first);
        all.last = all.last.max(one.last);
        all.near.merge(one.near);
        all
    });
    let Some(all) = all else { return Ok(()) };
    let span = if all.last == NO_TIME { String::new() } else { format!(", {} to {}", input.moment(all.first), input.moment(all.last)) };
    eprintln!(
        "mailscope: nothing about {} in {} lines of {files} {}{span}",
        printable(key),
        all.fit.lines,
        if files == 1 { "file" } else { "files" }
    );
    if wanted {
        done.ordered.say(&all.fit, input.settings.parser, input.anonymizer.as_ref());
    }
    for bound in [search.window.since.map(|at| ("since", at)), search.window.until.map(|at| ("until", at))].into_iter().flatten() {
        eprintln!("mailscope: looked at {} {}", bound.0, input.moment(bound.1));
    }
    for (likeness, name) in all.near.names() {
        eprintln!("  {}  ({})", printable(&String::from_utf8_lossy(name)), likeness.name());
    }
    Ok(())
}
