//! Every way that logs come: forms of records, packings, the journal, stamps.

mod fit;
mod forms;
mod journal;
mod packed;
mod severities;
mod stamps;

use crate::support::samples;
use std::fs;

/// The time of the sample's file, which tells the year of its stamps.
pub const TIME: u64 = 1_795_502_096;

/// The sample that the forms and packings are made from.
pub fn sample() -> Vec<u8> {
    fs::read(samples().join("mail.log")).expect("a sample")
}

/// A line of the sample, in parts.
pub struct Line<'a> {
    /// `Nov 24 06:31:15`, all of 2026 and in UTC.
    stamp: &'a str,
    pub program: &'a str,
    pub pid: &'a str,
    pub text: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let colon = line[16..].iter().position(|c| *c == b':').expect("a tag") + 16;
        let header = std::str::from_utf8(&line[..colon]).expect("a header of ASCII");
        let tag = header[16..].strip_prefix("mail ").expect("the host");
        let (program, pid) = tag.split_once('[').map_or((tag, ""), |(program, pid)| (program, pid.trim_end_matches(']')));
        Self { stamp: &header[..15], program, pid, text: &line[colon + 2..] }
    }

    /// `2026-11-24T06:31:15`.
    fn time(&self) -> String {
        format!("2026-11-{}T{}", &self.stamp[4..6], &self.stamp[7..])
    }

    /// Microseconds since 1970.
    pub fn micros(&self) -> i64 {
        let time = chrono::DateTime::parse_from_rfc3339(&format!("{}Z", self.time())).expect("a time");
        time.timestamp_micros()
    }
}

/// The sample in another form: what `turn` makes of each line, a break behind each.
pub fn turned(log: &[u8], mut turn: impl FnMut(&Line<'_>) -> Vec<u8>) -> Vec<u8> {
    let lines = log.split(|c| *c == b'\n').filter(|line| !line.is_empty());
    lines.flat_map(|line| [turn(&Line::of(line)).as_slice(), b"\n"].concat()).collect()
}
