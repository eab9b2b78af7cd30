//! Queue listings: files, standard input, or what this host's own server says.
//!
//! All are opened before any is read, so that the moment of the latest is known to whoever reads the logs first.

use super::live;
use super::output::printable;
use crate::anonymize::Anonymizer;
use crate::input::{Copied, open_listing};
use crate::queue::{self, Known, ListingFacts, Place, View};
use anyhow::{Result, bail};
use mailscope_parsers::model::Micros;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// What is done with an entry.
pub type Take<'t> = dyn FnMut(&Known<'_, '_>) -> Result<()> + 't;

/// Listings that are open, and why others are not.
pub struct Listings {
    open: Vec<Listing>,
    failed: Vec<String>,
}

struct Listing {
    name: String,
    bytes: Box<dyn Read>,
    /// The moment that ages count from.
    time: Micros,
}

/// What came of it.
pub struct Done {
    pub facts: Vec<ListingFacts>,
    pub failed: Vec<String>,
}

impl Listings {
    /// Opens the files; without any, asks this host's own server. Ages count from `now`, else from a file's own time, else
    /// from the clock.
    ///
    /// # Errors
    /// Where this host's server can't be asked.
    pub fn open(files: &[PathBuf], copied: &Copied, now: Option<Micros>, clock: Micros) -> Result<Self> {
        let mut listings = Self { open: Vec::new(), failed: Vec::new() };
        if files.is_empty() {
            let (name, bytes) = live::listing()?;
            listings.open.push(Listing { name, bytes: Box::new(Cursor::new(bytes)), time: now.unwrap_or(clock) });
        }
        for path in files {
            let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
            match open_listing(copied.place(path)) {
                Ok(found) => {
                    listings.open.push(Listing { name, bytes: found.bytes, time: now.or(found.time).unwrap_or(clock) });
                }
                Err(error) => listings.failed.push(format!("{name}: {error}")),
            }
        }
        Ok(listings)
    }

    /// The end of the second of the latest listing: what is logged later, it does not show.
    #[must_use]
    pub fn latest(&self) -> Micros {
        self.open.iter().map(|listing| listing.time.saturating_add(999_999)).max().unwrap_or(Micros::MIN)
    }

    /// Reads them, and gives every entry that is wanted to `take`, until that fails; with pseudonyms where `names` makes them.
    ///
    /// # Errors
    /// Where none can be read, or what `take` says.
    pub fn read(self, view: &View, quiet: bool, names: Option<&Anonymizer>, take: &mut Take<'_>) -> Result<Done> {
        let mut done = Done { facts: Vec::new(), failed: self.failed };
        for listing in self.open {
            match listing.read(view, quiet, names, take)? {
                Ok(facts) => done.facts.push(facts),
                Err(why) => done.failed.push(why),
            }
        }
        if done.facts.is_empty() && !done.failed.is_empty() {
            bail!("{}", done.failed.join("; "));
        }
        Ok(done)
    }
}

impl Listing {
    /// `Err` where `take` fails, `Ok(Err)` where the listing does.
    fn read(self, view: &View, quiet: bool, names: Option<&Anonymizer>, take: &mut Take<'_>) -> Result<Result<ListingFacts, String>> {
        let mut took = Ok(());
        let listed = queue::read(self.bytes, |entry, mta| {
            let renamed = names.map(|names| names.entry(entry));
            let entry = renamed.as_ref().unwrap_or(entry);
            if let Some(known) = view.of(entry, Place { time: self.time, mta }).filter(|_| took.is_ok()) {
                took = take(&known);
            }
        });
        took?;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(format!("{}: {error}", self.name))),
        };
        if listed.unrecognized > 0 && !quiet {
            let lines = if listed.unrecognized == 1 { "line is" } else { "lines are" };
            let first = names.map_or(listed.first_unrecognized.clone(), |names| names.renamed_words(&listed.first_unrecognized));
            let first = printable(&first);
            eprintln!("mailscope: {}: {} {lines} no part of a queue listing, first: {first}", printable(&self.name), listed.unrecognized);
        }
        Ok(Ok(ListingFacts {
            from: self.name,
            form: listed.form.map(|form| form.name),
            mta: listed.form.map(|form| form.mta),
            time: queue::written(self.time, view.zone),
            unrecognized: listed.unrecognized,
        }))
    }
}

impl Done {
    /// Says which could not be read; whether all could.
    #[must_use]
    pub fn conclude(&self) -> bool {
        for why in &self.failed {
            eprintln!("mailscope: {}", printable(why));
        }
        self.failed.is_empty()
    }
}

/// Whether a file begins as a queue listing does.
#[cfg(feature = "tables")]
pub fn is_listing(path: &Path) -> bool {
    const HEAD: u64 = 1 << 16;
    let mut head = Vec::new();
    let read = open_listing(path).and_then(|found| found.bytes.take(HEAD).read_to_end(&mut head));
    read.is_ok() && mailscope_parsers::listing(&head).is_some()
}
