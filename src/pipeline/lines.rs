//! Reads the lines of one chunk: envelope, parser, repetition, window.

use crate::input::{Chunk, Clock, MAX_LINE, Zone};
use mailscope_parsers::envelope::{Envelope, Opened, repeated};
use mailscope_parsers::model::{Line, Micros, Record, Text, Unrecognized};
use mailscope_parsers::{Parser, parse};
use memchr::memchr_iter;

/// The time of a line before the first readable stamp.
pub const NO_TIME: Micros = Micros::MIN;

/// How lines are read; the same for every chunk.
#[derive(Clone, Copy)]
pub struct Settings {
    pub zone: Zone,
    /// Reads with this parser only.
    pub parser: Option<&'static Parser>,
}

/// One line and what it is.
pub struct Seen<'a> {
    /// Of the line itself; the last known time where it has none, [`NO_TIME`] where there was none yet.
    pub time: Micros,
    pub record: Record<'a>,
    pub line: Line<'a>,
    /// How often what the line says happened: `repeated N times` says it N times.
    pub count: u32,
    /// The parser's name, empty where none claims the program.
    pub parser: &'static str,
    pub raw: &'a [u8],
    /// Position in the chunk, counted from 1.
    pub number: u64,
    pub overlong: bool,
}

/// Reads chunks; keeps what is remembered between lines.
pub struct Reader {
    settings: Settings,
}

impl Reader {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Calls `each` for every line of the chunk, in order.
    pub fn read<'a>(&self, chunk: &'a Chunk, mut each: impl FnMut(Seen<'a>)) {
        let mut envelope = Envelope::default();
        let mut clock = Clock { zone: self.settings.zone, near: chunk.near };
        let mut last = match envelope.open(cut(&chunk.context), &mut clock) {
            Ok(Opened::Record(record)) => record,
            _ => Record { time: NO_TIME, ..Record::default() },
        };
        let mut number = 0;
        let mut from = 0;
        let text = chunk.lines.as_slice();
        let ends = memchr_iter(b'\n', text).chain((text.last() != Some(&b'\n')).then_some(text.len()));
        for end in ends {
            let whole = &text[from..end];
            from = end + 1;
            number += 1;
            let raw = cut(whole);
            let (record, line, count, parser) = self.read_line(raw, &mut envelope, &mut clock, &mut last);
            each(Seen { time: record.time, record, line, count, parser, raw, number, overlong: whole.len() > MAX_LINE });
        }
    }

    #[inline]
    fn read_line<'a>(
        &self,
        raw: &'a [u8],
        envelope: &mut Envelope,
        clock: &mut Clock,
        last: &mut Record<'a>,
    ) -> (Record<'a>, Line<'a>, u32, &'static str) {
        match envelope.open(raw, clock) {
            Ok(Opened::Record(record)) => {
                *last = record;
                self.read_record(record, 1)
            }
            Ok(Opened::Repeat { time, host, times }) if host == last.host && !last.text.is_empty() => {
                self.read_record(Record { time, ..*last }, times)
            }
            Ok(Opened::Repeat { time, host, .. }) => {
                let record = Record { time, host, ..Record::default() };
                (record, Line::Unrecognized(Unrecognized::Repeat), 1, "")
            }
            Err(reason) => (Record { time: last.time, ..Record::default() }, Line::Unrecognized(reason), 1, ""),
        }
    }

    #[inline]
    fn read_record<'a>(&self, record: Record<'a>, times: u32) -> (Record<'a>, Line<'a>, u32, &'static str) {
        let (more, text) = repeated(record.text);
        let record = Record { text, ..record };
        let (line, parser) = parse(&record, self.settings.parser);
        (record, line, times.saturating_mul(more), parser)
    }
}

fn cut(line: &[u8]) -> &[u8] {
    &line[..line.len().min(MAX_LINE)]
}

/// Whether a record's host is the one asked for.
#[must_use]
pub fn host_matches(host: Text<'_>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| host.eq_ignore_ascii_case(wanted.as_bytes()))
}
