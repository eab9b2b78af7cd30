//! What the parsers make of the samples: goldens, closed sets, totality, and that nothing registered goes without them.
//!
//! A sample is `samples/<parser>/shapes/<daemon>.log`; what its lines mean is beside it in `<daemon>.jsonl`.

mod closed;
mod goldens;
mod parity;
mod total;

use mailscope_parsers::envelope::{Envelope, Opened, repeated};
use mailscope_parsers::model::{Calendar, Record};
use std::fs;
use std::path::{Path, PathBuf};

/// The samples of all parsers.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// Every log of shapes, with its name.
fn logs() -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = Vec::new();
    for parser in mailscope_parsers::PARSERS {
        let Ok(directory) = fs::read_dir(samples().join(parser.name).join("shapes")) else { continue };
        paths.extend(
            directory.map(|entry| entry.expect("a directory entry").path()).filter(|path| path.extension().is_some_and(|end| end == "log")),
        );
    }
    paths.sort();
    assert!(!paths.is_empty(), "no samples in {}", samples().display());
    let read = |path: PathBuf| {
        let log = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, log)
    };
    paths.into_iter().map(read).collect()
}

/// The lines of a log, numbered from 1.
fn lines(log: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let log = log.strip_suffix(b"\n").unwrap_or(log);
    log.split(|c| *c == b'\n').enumerate().map(|(at, line)| (at + 1, line))
}

/// These tests are about texts, not about times.
struct NoTime;

impl Calendar for NoTime {
    fn local_hour(&mut self, _: Option<i32>, _: u32, _: u32, _: u32) -> Option<i64> {
        Some(0)
    }
}

/// The record of a sample line, as logged: a repetition is still wrapped.
fn record(line: &[u8]) -> Record<'_> {
    match Envelope::default().open(line, &mut NoTime) {
        Ok(Opened::Record(record)) => record,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(line)),
    }
}

/// The record with its repetition taken off.
fn unwrapped(line: &[u8]) -> Record<'_> {
    let record = record(line);
    Record { text: repeated(record.text).1, ..record }
}
