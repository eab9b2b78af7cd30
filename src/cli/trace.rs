//! `mailscope trace`: passes over the logs until nothing new is named, then one story a message.

mod nothing;
mod search;

use super::args::{InputArgs, StoryFormat, TraceArgs};
use super::events::{Object, object};
use super::fit::{Beginning, Fit};
use super::output::Output;
use super::{Ended, conclude};
use crate::anonymize::Anonymizer;
use crate::correlate::{Correlator, Detail};
use crate::input::Zone;
use crate::pipeline::Kept;
use crate::render::{json, printable, text};
use crate::trace::{Filter, Key, Story, Told, stories};
use anyhow::{Context as _, Result};
use bumpalo::Bump;
use search::{Found, Gathered, Search};
use serde::Serialize;
use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};

/// A story with its events, which only here have the form that `parse` gives them.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    story: &'a Story<'a>,
    events: Vec<Object<'a>>,
}

pub fn run(args: &TraceArgs) -> Result<Ended> {
    let key = if args.regex { Key::pattern(&args.key).context("--regex")? } else { Key::word(&args.key) };
    let filter = Filter {
        from: args.from.clone(),
        to: args.to.clone(),
        client: args.client.clone(),
        status: args.status.clone(),
        class: args.class.clone(),
    };
    let search = Search::new(args, &key, &filter)?;
    let output = Output::open(args.output.as_deref())?;
    let gathered = search.run()?;
    // What is asked for is asked by its real names, what is told has others.
    let (names, bump) = (gathered.input.anonymizer.clone(), Bump::new());
    let filter = names.as_ref().map_or(filter.clone(), |names| renamed(&filter, names));
    let told: Vec<Told<'_>> = gathered.lines.iter().map(|line| tell(&search, line, names.as_ref(), &bump)).collect();
    let (lives, correlator) = lives(&told);
    let mut stories = stories(&lives, correlator.hosts(), &told, gathered.input.zone);
    let found = stories.len();
    stories.retain(|story| filter.wants(story));
    let wanted = stories.len();
    if let Some(most) = search.most {
        stories.truncate(most);
    }
    write(output, args, &stories, gathered.input.zone)?;
    if stories.is_empty() {
        nothing::say(&search, &args.key, found, !args.input.quiet)?;
    } else if !args.input.quiet {
        say_what_is_missing(&search, &gathered, wanted);
    }
    // That nothing fits is said where nothing was found.
    let fit = Fit { overlong: gathered.overlong, ..Fit::default() };
    Ok(conclude(&gathered.input, &gathered.unreadable, fit, &Beginning::default()))
}

/// The stories of what an id, an address or a client stands for, as plain text.
///
/// # Errors
/// Where the logs can't be read.
pub fn stories_of(key: &str, input: InputArgs) -> Result<String> {
    const MOST: usize = 20;
    let args = TraceArgs {
        key: key.to_owned(),
        input,
        regex: false,
        from: None,
        to: None,
        client: None,
        status: None,
        class: None,
        first: Some(MOST),
        raw: false,
        list: false,
        format: StoryFormat::Text,
        output: None,
    };
    let (key, filter) = (Key::word(key), Filter::default());
    let search = Search::new(&args, &key, &filter)?;
    let gathered = search.run()?;
    let (zone, names, bump) = (gathered.input.zone, gathered.input.anonymizer.as_ref(), Bump::new());
    let told: Vec<Told<'_>> = gathered.lines.iter().map(|line| tell(&search, line, names, &bump)).collect();
    let (lives, correlator) = lives(&told);
    let mut written = Vec::new();
    for story in stories(&lives, correlator.hosts(), &told, zone).iter().take(MOST) {
        text::story::write(&mut written, story, zone, text::Look::of(false))?;
        written.push(b'\n');
    }
    Ok(String::from_utf8_lossy(&written).into_owned())
}

/// Reads a line that was found again; the key meant it if it lies in the window.
fn tell<'a>(search: &Search<'_>, line: &'a Found, names: Option<&Anonymizer>, bump: &'a Bump) -> Told<'a> {
    let mut seen = search.reader.again(&line.said, line.time);
    seen.count = line.count;
    // What only belongs to a line that was found is no find.
    let hit = line.of.is_empty() && search.is_hit(&seen);
    if let Some(repeat) = &line.repeat {
        seen.raw = repeat;
    }
    if let Some(names) = names {
        seen = names.seen(&seen, bump);
    }
    Told { seen, of: &line.of, hit }
}

/// The filter, with the pseudonyms of what it names.
fn renamed(filter: &Filter, names: &Anonymizer) -> Filter {
    let of = |name: &Option<String>| {
        let name = name.as_ref()?;
        Some(if name.contains('@') { names.renamed_address(name) } else { names.renamed_host(name) })
    };
    Filter { from: of(&filter.from), to: of(&filter.to), client: of(&filter.client), ..filter.clone() }
}

fn lives(told: &[Told<'_>]) -> (crate::correlate::BoxedLives, Correlator) {
    let mut kept = Kept::with_verdicts();
    told.iter().for_each(|told| kept.push(&told.seen));
    let mut correlator = Correlator::new(Detail::Attempts, None);
    kept.for_each(|step| correlator.step(step));
    let mut lives = correlator.take_closed();
    lives.append(&mut correlator.finish());
    (lives, correlator)
}

fn write(mut to: Output, args: &TraceArgs, stories: &[Story<'_>], zone: Zone) -> Result<()> {
    let look = text::Look::of(args.output.is_none() && std::io::stdout().is_terminal());
    // A notification may be a story of its own, too.
    let mut printed = HashSet::new();
    for (number, story) in stories.iter().enumerate() {
        if args.list {
            text::story::line(&mut to, story, zone, look)?;
        } else if args.raw {
            let mut new = story.raw.iter().filter(|seen| printed.insert(seen.raw.as_ptr())).peekable();
            if number > 0 && new.peek().is_some() {
                to.write_all(b"\n")?;
            }
            for seen in new {
                writeln!(to, "{}", printable(&String::from_utf8_lossy(seen.raw)))?;
            }
        } else if args.format == StoryFormat::Json {
            let events = story.lines.iter().map(|seen| object(seen, zone)).collect();
            json::line(&mut to, &Whole { story, events })?;
        } else {
            if number > 0 {
                to.write_all(b"\n")?;
            }
            text::story::write(&mut to, story, zone, look)?;
        }
    }
    to.finish()
}

fn say_what_is_missing(search: &Search<'_>, gathered: &Gathered, wanted: usize) {
    let most = search.most.unwrap_or(usize::MAX);
    if gathered.beyond > 0 && !search.stops {
        let further = gathered.beyond;
        eprintln!(
            "mailscope: {} messages were looked at, the first in the log; {further} further lines match; narrow with --since, --until or --host, or raise --first",
            gathered.messages
        );
    } else if wanted > most && !search.stops {
        eprintln!("mailscope: the first {most} of {wanted} messages; raise --first for more");
    }
    if gathered.cut {
        eprintln!("mailscope: more lines belong to these messages than are kept; the last ones are missing");
    }
}
