//! `mailscope query`: the tables that a query names are read, then it is run over them.

use super::args::{InputArgs, QueryArgs};
use super::output::Output;
use super::rows::{format, stream};
use super::{Ended, listings};
use crate::export::{Manner, Plain, Sink, Source, Stamps, Table};
use crate::input::{Copied, Zone};
use crate::query;
use crate::tables::Gathered;
use anyhow::Result;
use std::path::PathBuf;

pub fn run(args: &QueryArgs) -> Result<Ended> {
    let tables = query::tables(&args.sql)?;
    let zone: Zone = args.input.tz.parse()?;
    let output = Output::open(args.output.as_deref())?;
    // Each table is a pass of its own.
    let copied = if tables.len() > 1 { Copied::of(&args.input.files)? } else { Copied::default() };
    let of_listings = |table: &&'static Table| table.source == Source::Listings;
    let several = tables.iter().any(of_listings) && !tables.iter().all(of_listings);
    let (mut frames, mut ended) = (Vec::new(), Ended::Well);
    // What is wrong with logs, or with listings, is said once.
    let mut noticed = [false; 2];
    for table in tables {
        let said_before = std::mem::replace(&mut noticed[usize::from(of_listings(&table))], true);
        let (files, copied) = (of_table(&args.input.files, &copied, table, several), copied.clone());
        let read = InputArgs { files, copied, ..args.input.clone() };
        let read = if said_before { read.again() } else { read };
        let mut rows = Gathered::new(table.columns, Stamps::new(zone));
        let said = stream::stream(table, &read, &mut rows)?;
        ended = if said == Ended::Well { ended } else { said };
        frames.push((table, rows.take()?));
    }
    let result = query::run(&args.sql, frames)?;
    let columns = query::columns(&result);
    let mut sink: Box<dyn Sink<Output>> = match format::of(args.format, args.output.as_deref())? {
        None => Box::new(Plain::new(output, &columns, zone)),
        Some(format) => format::sink(output, format, Manner::default(), "query", &columns, zone)?,
    };
    let moment = |local: i64| {
        chrono::DateTime::from_timestamp_micros(local)
            .map_or(local, |at| zone.utc(at.naive_utc()) * 1_000_000 + local.rem_euclid(1_000_000))
    };
    query::rows(&result, &moment, &mut sink)?;
    sink.finish()?.finish()?;
    Ok(ended)
}

/// Where listings and logs are both asked for, each table is made of its own files; otherwise of all.
fn of_table(files: &[PathBuf], copied: &Copied, table: &Table, several: bool) -> Vec<PathBuf> {
    let of_listings = table.source == Source::Listings;
    files.iter().filter(|path| !several || listings::is_listing(copied.place(path)) == of_listings).cloned().collect()
}
