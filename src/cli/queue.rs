//! `mailscope queue`: listings from files, a pipe, or this host's own server, once or again and again.

use super::args::{By, QueueArgs, QueueFormat, TableFormat};
use super::listings::{Listings, Take};
use super::output::Output;
use super::rows::format;
use super::time::{Now, unit_s};
use super::{Ended, backlog, resolve};
use crate::export::{Manner, table, waiting};
use crate::input::{Copied, Zone};
use crate::queue::{self, Buckets, Key, Options, Snapshot, Sums, View};
use crate::render::{json, text};
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;
use mailscope_parsers::model::QueueState;
use std::io::{IsTerminal as _, Write as _};
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
    let mut view = View { states: states(args)?, lifetime_s: lifetime(&args.lifetime)?, ..View::new(zone) };
    let listings = Listings::open(if own { &[] } else { &args.files }, &Copied::default(), now, clock.time)?;
    // What is logged after the listing is not part of what it shows.
    let names = resolve::anonymizer(&args.pseudonyms)?;
    let (lives, read_all) = backlog::read(args, listings.latest(), names.as_ref())?;
    view.lives = lives;
    let read = |take: &mut Take<'_>| listings.read(&view, args.quiet, names.as_ref(), take);
    let (format, mut output) = (format(args), Output::open(args.output.as_deref())?);
    let done = if let Some(format) = rows(format) {
        let table = table("queue").context("there is a table of queues")?;
        let mut sink = format::sink(output, format, Manner::default(), table.name, table.columns, zone)?;
        let done = read(&mut |known| waiting(known).try_for_each(|row| sink.row(&row)))?;
        sink.finish()?.finish()?;
        done
    } else {
        let mut sums = Sums::new(options(args, &view));
        let mut done = read(&mut |known| {
            sums.add(known);
            Ok(())
        })?;
        let waits = std::mem::take(&mut sums.providers);
        let mut snapshot = queue::build(sums, std::mem::take(&mut done.facts), args.parents.then_some(args.min_subdomains));
        view.lives.tell(&mut snapshot, &waits, zone);
        show(args, format, &snapshot, &mut output, again)?;
        output.finish()?;
        done
    };
    Ok(if done.conclude() && read_all { Ended::Well } else { Ended::Incomplete })
}

/// The one that is named, else by the file's ending.
fn format(args: &QueueArgs) -> QueueFormat {
    let ending = args.output.as_deref().and_then(|path| path.extension()?.to_str());
    args.format.or_else(|| QueueFormat::from_str(ending?, true).ok()).unwrap_or(QueueFormat::Text)
}

/// The format of a table, where it is one.
fn rows(format: QueueFormat) -> Option<TableFormat> {
    Some(match format {
        QueueFormat::Text | QueueFormat::Json => return None,
        QueueFormat::Csv => TableFormat::Csv,
        QueueFormat::Tsv => TableFormat::Tsv,
        QueueFormat::Jsonl => TableFormat::Jsonl,
        QueueFormat::Md => TableFormat::Md,
        QueueFormat::Xlsx => TableFormat::Xlsx,
        #[cfg(feature = "tables")]
        QueueFormat::Parquet => TableFormat::Parquet,
    })
}

fn states(args: &QueueArgs) -> Result<Vec<QueueState>> {
    let states = args.state.iter().map(|name| {
        let known = QueueState::ALL.iter().find(|state| state.name() == name);
        known.copied().with_context(|| {
            let names: Vec<&str> = QueueState::ALL.iter().map(|state| state.name()).collect();
            format!("--state {name}: states are {}", names.join(", "))
        })
    });
    states.collect()
}

fn options(args: &QueueArgs, view: &View) -> Options {
    Options {
        key: match args.by {
            By::Domain => Key::Domain,
            By::Sender => Key::Sender,
            By::Provider => Key::Provider,
        },
        buckets: Buckets { count: args.buckets, first_min: args.bucket_min, linear: args.linear },
        zone: view.zone,
        lifetime_s: view.lifetime_s,
        top: args.top,
        by_provider: !args.logs.is_empty(),
    }
}

/// `5d`, `36h`: in seconds.
fn lifetime(text: &str) -> Result<u64> {
    let unit = text.chars().last().and_then(unit_s);
    let seconds = unit.and_then(|unit| text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit.unsigned_abs()));
    seconds.filter(|seconds| *seconds > 0).with_context(|| format!("--lifetime {text:?}: write 5d or 36h"))
}

fn show(args: &QueueArgs, format: QueueFormat, snapshot: &Snapshot, output: &mut Output, again: bool) -> Result<()> {
    let terminal = args.output.is_none() && std::io::stdout().is_terminal();
    if format == QueueFormat::Json {
        json::pretty(&mut *output, snapshot)?;
        output.write_all(b"\n")?;
        return Ok(());
    }
    if again && terminal {
        // Home, and nothing below: the page is drawn over the one before.
        output.write_all(b"\x1b[H\x1b[2J")?;
    }
    Ok(crate::render::queue::write(output, snapshot, text::Look::of(terminal))?)
}
