//! `mailscope queue`: listings from files, a pipe, or this host's own server, once or again and again.

use super::args::{By, QueueArgs, QueueFormat};
use super::output::{Output, printable};
use super::time::Now;
use super::{Ended, backlog, live};
use crate::export::{Delimited, Manner, QUEUE, Rows as _, Sink as _, waiting};
use crate::input::{Zone, open_listing};
use crate::queue::{self, Buckets, Key, ListingFacts, Options, Place, Snapshot, Sums};
use crate::render::{json, text};
use anyhow::{Context as _, Result, bail};
use mailscope_parsers::model::{Micros, QueueState};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

pub fn run(args: &QueueArgs) -> Result<Ended> {
    let own = args.live || args.files.is_empty();
    if args.live && !args.files.is_empty() {
        bail!("--live reads this host's own queue; leave the files out");
    }
    let Some(seconds) = args.watch else { return once(args, own, false) };
    if !own {
        bail!("--watch asks this host's own server again and again; leave the files out");
    }
    loop {
        once(args, own, true)?;
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

fn once(args: &QueueArgs, own: bool, again: bool) -> Result<Ended> {
    let zone: Zone = args.tz.parse()?;
    let clock = Now { time: chrono::Utc::now().timestamp_micros(), zone };
    let now = args.now.as_deref().map(|text| clock.instant(text).context("--now")).transpose()?;
    let mut sums = Sums::new(options(args, zone)?);
    let mut listings = Vec::new();
    let mut failed = Vec::new();
    // The latest listing's time, whose last second may hold lines of the log.
    let mut until = Micros::MIN;
    let mut count = |(time, facts): (Micros, ListingFacts)| {
        until = until.max(time.saturating_add(999_999));
        listings.push(facts);
    };
    if own {
        let (command, bytes) = live::listing()?;
        count(take(bytes.as_slice(), &command, now.unwrap_or(clock.time), args.quiet, &mut sums)?);
    }
    for path in &args.files {
        match file(path, now, clock.time, args.quiet, &mut sums) {
            Ok(listed) => count(listed),
            Err(error) => failed.push(format!("{}: {error:#}", path.display())),
        }
    }
    if listings.is_empty() && !failed.is_empty() {
        bail!("{}", failed.join("; "));
    }
    let waits = std::mem::take(&mut sums.providers);
    let mut snapshot = queue::build(sums, listings, args.parents.then_some(args.min_subdomains));
    let read_all = args.logs.is_empty() || backlog::add(args, until, &mut snapshot, &waits)?;
    show(args, &snapshot, zone, again)?;
    for error in &failed {
        eprintln!("mailscope: {}", printable(error));
    }
    Ok(if failed.is_empty() && read_all { Ended::Well } else { Ended::Incomplete })
}

fn options(args: &QueueArgs, zone: Zone) -> Result<Options> {
    let states = args.state.iter().map(|name| {
        let known = QueueState::ALL.iter().find(|state| state.name() == name);
        known.copied().with_context(|| {
            let names: Vec<&str> = QueueState::ALL.iter().map(|state| state.name()).collect();
            format!("--state {name}: states are {}", names.join(", "))
        })
    });
    Ok(Options {
        key: match args.by {
            By::Domain => Key::Domain,
            By::Sender => Key::Sender,
            By::Provider => Key::Provider,
        },
        buckets: Buckets { count: args.buckets, first_min: args.bucket_min, linear: args.linear },
        states: states.collect::<Result<_>>()?,
        zone,
        lifetime_s: lifetime(&args.lifetime)?,
        top: args.top,
        by_provider: !args.logs.is_empty(),
    })
}

/// `5d`, `36h`: in seconds.
fn lifetime(text: &str) -> Result<u64> {
    let unit = text
        .chars()
        .last()
        .and_then(|unit| [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)].iter().find(|(c, _)| *c == unit));
    let seconds = unit.and_then(|(_, unit)| text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(*unit));
    seconds.filter(|seconds| *seconds > 0).with_context(|| format!("--lifetime {text:?}: write 5d or 36h"))
}

fn file(path: &Path, now: Option<Micros>, clock: Micros, quiet: bool, sums: &mut Sums) -> Result<(Micros, ListingFacts)> {
    let open = open_listing(path)?;
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    take(open.bytes, &name, now.or(open.time).unwrap_or(clock), quiet, sums)
}

fn take(from: impl std::io::Read, name: &str, time: Micros, quiet: bool, sums: &mut Sums) -> Result<(Micros, ListingFacts)> {
    let listed = queue::read(from, |entry, mta| sums.add(entry, Place { time, mta }))?;
    if listed.unrecognized > 0 && !quiet {
        let lines = if listed.unrecognized == 1 { "line is" } else { "lines are" };
        let first = printable(&listed.first_unrecognized);
        eprintln!("mailscope: {}: {} {lines} no part of a queue listing, first: {first}", printable(name), listed.unrecognized);
    }
    let facts = ListingFacts {
        from: name.to_owned(),
        form: listed.form.map(|form| form.name),
        mta: listed.form.map(|form| form.mta),
        time: queue::written(time, sums.options.zone),
        unrecognized: listed.unrecognized,
    };
    Ok((time, facts))
}

fn show(args: &QueueArgs, snapshot: &Snapshot, zone: Zone, again: bool) -> Result<()> {
    let mut output = Output::open(args.output.as_deref())?;
    let terminal = args.output.is_none() && std::io::stdout().is_terminal();
    match args.format {
        QueueFormat::Text => {
            if again && terminal {
                // Home, and nothing below: the page is drawn over the one before.
                output.write_all(b"\x1b[H\x1b[2J")?;
            }
            crate::render::queue::write(&mut output, snapshot, text::Look::of(terminal))?;
        }
        QueueFormat::Json => {
            json::pretty(&mut output, snapshot)?;
            output.write_all(b"\n")?;
        }
        QueueFormat::Csv => {
            let mut csv = Delimited::new(output, QUEUE, zone, Manner::default());
            snapshot.messages.iter().flat_map(waiting).try_for_each(|row| csv.row(&row))?;
            return Box::new(csv).finish()?.finish();
        }
    }
    output.finish()
}
