//! Whether anything of the input could be read. Where nothing could, what was tried is said, and what it was tried on.
//!
//! Workers count for themselves, and whoever keeps the order of the log keeps its beginning.

use super::output::printable;
use crate::anonymize::Anonymizer;
use crate::input::Chunk;
use crate::pipeline::Seen;
use mailscope_parsers::model::Line;
use mailscope_parsers::{PARSERS, Parser};

/// So many lines are shown.
const LINES: usize = 3;
/// So much of a line is shown.
const SHOWN: usize = 160;

/// How the lines were read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fit {
    pub lines: u64,
    pub unrecognized: u64,
    /// Lines that were cut.
    pub overlong: u64,
}

impl Fit {
    #[inline]
    pub fn see(&mut self, seen: &Seen<'_>) {
        self.lines += 1;
        self.unrecognized += u64::from(matches!(seen.line, Line::Unrecognized(_)));
        self.overlong += u64::from(seen.overlong);
    }

    /// Of all workers.
    pub fn of(workers: impl Iterator<Item = Self>) -> Self {
        workers.fold(Self::default(), |all, one| Self {
            lines: all.lines + one.lines,
            unrecognized: all.unrecognized + one.unrecognized,
            overlong: all.overlong + one.overlong,
        })
    }

    /// Whether there were lines, and nobody could read one.
    pub fn is_nothing(&self) -> bool {
        self.lines > 0 && self.unrecognized == self.lines
    }
}

/// The first lines of the input.
#[derive(Clone, Debug, Default)]
pub struct Beginning(Vec<String>);

impl Beginning {
    /// Takes what is missing. Chunks pass in the order of the log.
    pub fn pass(&mut self, chunk: &Chunk) {
        if self.0.len() < LINES {
            let lines = chunk.lines().split(|c| *c == b'\n').filter(|line| !line.is_empty());
            let shown = lines.map(|line| String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned());
            self.0.extend(shown.take(LINES - self.0.len()));
        }
    }

    /// Says on standard error that nothing fits, where that is so.
    pub fn say(&self, fit: &Fit, parser: Option<&'static Parser>, names: Option<&Anonymizer>) {
        if fit.is_nothing() {
            let (what, lines) = self.said(fit, parser, names);
            eprintln!("mailscope: {what}");
            lines.iter().for_each(|line| eprintln!("    {}", printable(line)));
        }
    }

    /// What was tried, and the lines that it was tried on, with pseudonyms where `names` makes them.
    pub fn said(&self, fit: &Fit, parser: Option<&'static Parser>, names: Option<&Anonymizer>) -> (String, Vec<String>) {
        let parsers: Vec<&str> = parser.map_or_else(|| PARSERS.iter().map(|parser| parser.name).collect(), |parser| vec![parser.name]);
        let what = format!(
            "none of the {} lines could be read. Tried: syslog lines (RFC 3164, RFC 3339, RFC 5424), JSON lines, container logs and \
             journal exports, with the parsers {}. report, parse, trace, export and query read stamps \
             of another form with --time-format. The log begins:",
            fit.lines,
            parsers.join(", ")
        );
        (what, self.0.iter().map(|line| names.map_or_else(|| line.clone(), |names| names.renamed_words(line))).collect())
    }
}
