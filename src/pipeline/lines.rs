//! Reads the lines of one chunk: envelope, parser, repetition, window.

use crate::input::{Chunk, Clock, MAX_LINE, Zone};
use mailscope_parsers::classify::{Classifier, Failure, Told};
use mailscope_parsers::envelope::{Envelope, Opened, repeated};
use mailscope_parsers::generic::Format;
use mailscope_parsers::model::{Delivery, Line, Micros, Record, Text, Unrecognized};
use mailscope_parsers::near::Places;
use mailscope_parsers::{Parser, goes_on, is_copy, parse_into};
use memchr::memchr;
use std::hint::cold_path;
use std::ops::Range;

/// The time of a line before the first readable stamp.
pub const NO_TIME: Micros = Micros::MIN;

/// How lines are read; the same for every chunk.
#[derive(Clone, Copy)]
pub struct Settings {
    pub zone: Zone,
    /// Reads with this parser only.
    pub parser: Option<&'static Parser>,
    /// Says why a failure failed.
    pub classifier: &'static Classifier,
    /// Formats that are data, for lines that no parser claims.
    pub formats: &'static [Format],
}

/// One line and what it is.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Its time is that of the line itself; the last known one where it has none, [`NO_TIME`] where there was none yet.
    pub record: Record<'a>,
    pub line: Line<'a>,
    /// How often what the line says happened: `repeated N times` says it N times.
    pub count: u32,
    /// Why a failure failed, where it is one and that is known.
    pub told: Option<Told>,
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
    leaves_classes: bool,
}

impl Reader {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, leaves_classes: false }
    }

    /// The same, but why something failed is left open: who reads then asks for it with [`Reader::class_all`], for many lines at
    /// a time. Between lines of all kinds the code that classes, and the code of all else, would push each other out of the
    /// nearest memory.
    #[must_use]
    pub fn leaving_classes(self) -> Self {
        Self { leaves_classes: true, ..self }
    }

    /// Whether the class of a failure is left open.
    #[inline]
    #[must_use]
    pub fn leaves_classes(&self) -> bool {
        self.leaves_classes
    }

    /// The failure that a delivery tells, where its class was left open.
    #[must_use]
    pub fn left_open_of<'a>(&self, delivery: &Delivery<'a>) -> Option<Failure<'a>> {
        if self.leaves_classes { Failure::of_delivery(delivery) } else { None }
    }

    /// Says why these failed, each by its place.
    pub fn class_all(&self, failures: &[Failure<'_>], each: impl FnMut(usize, Told)) {
        self.settings.classifier.class_all(failures, each);
    }

    fn class(&self, seen: &mut Seen<'_>) {
        seen.told = self.settings.classifier.class_line(&mut seen.line);
    }

    /// The one parser that is asked, where it is one.
    #[must_use]
    pub fn parser(&self) -> Option<&'static Parser> {
        self.settings.parser
    }

    /// Calls `each` for every line of the chunk, in order. What it sees is written over for the next line.
    pub fn read<'a>(&self, chunk: &'a Chunk, mut each: impl FnMut(&Seen<'a>)) {
        let mut envelope = Envelope::default();
        let mut clock = Clock::new(self.settings.zone, chunk.near).behind(chunk.last);
        let mut last = match envelope.open(cut(&chunk.context), &mut clock) {
            Ok(Opened::Record(record)) => Record { time: clock.settle(record.time), ..record },
            _ => Record { time: NO_TIME, ..Record::default() },
        };
        let line = Line::Unrecognized(Unrecognized::Blank);
        let mut seen = Seen { record: last, line, count: 1, told: None, parser: "", raw: b"", number: 0, overlong: false };
        let mut from = 0;
        let text = chunk.lines();
        let ends = Places::of(b'\n', text).chain((text.last() != Some(&b'\n')).then_some(text.len()));
        for end in ends {
            let whole = &text[from..end];
            from = end + 1;
            seen.number += 1;
            seen.raw = cut(whole);
            seen.overlong = whole.len() > MAX_LINE;
            self.read_line(&mut seen, &mut envelope, &mut clock, &mut last);
            pass_over_copy(&mut seen, chunk, whole);
            each(&seen);
        }
    }

    /// Reads only the lines at these places, and a line that repeats one of them. `each` gets the line, the text of the one
    /// that says what happened (another one only for a repetition) and its place in the chunk. The line before the chunk is
    /// one of them where `context` says so.
    pub fn read_at<'a>(
        &self,
        chunk: &'a Chunk,
        context: bool,
        places: impl Iterator<Item = Range<usize>>,
        mut each: impl FnMut(&Seen<'a>, &'a [u8], usize),
    ) {
        let mut envelope = Envelope::default();
        let mut clock = Clock::new(self.settings.zone, chunk.near).behind(chunk.last);
        let mut last = Record { time: NO_TIME, ..Record::default() };
        let mut seen =
            Seen { record: last, line: Line::Ignored(""), count: 1, told: None, parser: "", raw: b"", number: 0, overlong: false };
        #[allow(clippy::reversed_empty_ranges)] // a place that no chunk has
        let before = context.then_some(usize::MAX..0);
        let mut behind = 0;
        for place in before.into_iter().chain(places) {
            let (said, next) = match chunk.lines().get(place.clone()) {
                Some(line) => (line, place.end + 1),
                None => (chunk.context.as_slice(), 0),
            };
            seen.raw = cut(said);
            seen.overlong = said.len() > MAX_LINE;
            if next > 0 && place.start != behind {
                // What stands between is no copy of it: the same words would have been found there.
                last.text = Text(b"");
            }
            behind = next;
            self.read_line(&mut seen, &mut envelope, &mut clock, &mut last);
            pass_over_copy(&mut seen, chunk, said);
            if next > 0 {
                each(&seen, seen.raw, place.start);
            }
            let Some(rest) = chunk.lines().get(next..) else { continue };
            let repeat = cut(&rest[..memchr(b'\n', rest).unwrap_or(rest.len())]);
            if matches!(envelope.open(repeat, &mut clock), Ok(Opened::Repeat { .. })) {
                let said = seen.raw;
                seen.raw = repeat;
                self.read_line(&mut seen, &mut envelope, &mut clock, &mut last);
                each(&seen, said, next);
            }
        }
    }

    /// Reads a line again whose time is known.
    #[must_use]
    pub fn again<'a>(&self, raw: &'a [u8], time: Micros) -> Seen<'a> {
        let mut clock = Clock::new(self.settings.zone, time / 1_000_000);
        let last = Record { time, ..Record::default() };
        let mut seen = Seen { record: last, line: Line::Ignored(""), count: 1, told: None, parser: "", raw, number: 0, overlong: false };
        self.read_line(&mut seen, &mut Envelope::default(), &mut clock, &mut { last });
        seen.record.time = time;
        seen
    }

    /// What nearly every line comes by is compiled in place, here and wherever it is `inline(always)`, and what hardly any does is a
    /// `cold_path`: calls and what they keep on the stack took a twentieth of the time.
    #[inline(always)]
    fn read_line<'a>(&self, seen: &mut Seen<'a>, envelope: &mut Envelope, clock: &mut Clock, last: &mut Record<'a>) {
        // Most begin like the line before. What does not, and what is no record, is dealt with elsewhere.
        let record = match envelope.open_as_before(seen.raw) {
            Some(record) => record,
            None => match self.open_anew(seen, envelope, clock, last) {
                Some(record) => record,
                None => return,
            },
        };
        let record = Record { time: clock.settle(record.time), ..record };
        match is_copy(last, &record) {
            // Two copies make a pair: what comes behind them is no third one.
            Some(copy) if self.settings.parser.is_none_or(|only| only.name == copy.1) => {
                cold_path();
                passed_over(seen, record, copy);
                *last = Record { text: Text(b""), ..record };
            }
            _ => {
                *last = record;
                self.read_record(seen, record, 1);
            }
        }
    }

    /// Opens a line that does not begin like the last one. If it is no record, it is dealt with.
    #[inline(never)]
    fn open_anew<'a>(&self, seen: &mut Seen<'a>, envelope: &mut Envelope, clock: &mut Clock, last: &mut Record<'a>) -> Option<Record<'a>> {
        match envelope.open(seen.raw, clock) {
            Ok(Opened::Record(record)) => return Some(record),
            Ok(Opened::Repeat { time, host, times }) if host == last.host && !last.text.is_empty() => {
                self.read_record(seen, Record { time: clock.settle(time), ..*last }, times);
            }
            Ok(Opened::Repeat { time, host, .. }) => {
                not_read(seen, Record { time: clock.settle(time), host, ..Record::default() }, Unrecognized::Repeat);
            }
            Err(reason) => match goes_on(last, seen.raw) {
                Some(part) => passed_over(seen, Record { text: Text(b""), ..*last }, part),
                None if self.open_by_definition(seen, clock, last) || self.names_columns(seen, last) => {}
                None => not_read(seen, Record { time: last.time, ..Record::default() }, reason),
            },
        }
        None
    }

    #[inline(always)]
    fn read_record<'a>(&self, seen: &mut Seen<'a>, record: Record<'a>, times: u32) {
        let (more, text) = repeated(record.text);
        seen.record = Record { text, ..record };
        seen.count = times.saturating_mul(more);
        seen.parser = parse_into(&seen.record, self.settings.parser, &mut seen.line);
        if seen.parser.is_empty() {
            self.text_by_definition(seen);
        }
        if !self.leaves_classes {
            self.class(seen);
        }
    }

    /// A line without a header that is known, by a format that is data.
    #[cold]
    fn open_by_definition<'a>(&self, seen: &mut Seen<'a>, clock: &mut Clock, last: &mut Record<'a>) -> bool {
        let Some((format, (record, line))) = self.settings.formats.iter().find_map(|format| Some((format, format.open(seen.raw, clock)?)))
        else {
            return false;
        };
        *last = Record { text: Text(b""), ..record };
        (seen.record, seen.line, seen.count, seen.parser) = (record, line, 1, format.name);
        if !self.leaves_classes {
            self.class(seen);
        }
        true
    }

    /// The first line of a file of columns.
    #[cold]
    fn names_columns<'a>(&self, seen: &mut Seen<'a>, last: &Record<'a>) -> bool {
        let Some(format) = self.settings.formats.iter().find(|format| format.names_columns(seen.raw)) else { return false };
        passed_over(seen, Record { time: last.time, ..Record::default() }, (Line::Ignored("the names of the columns"), format.name));
        true
    }

    /// The text of a program that no parser claims.
    #[cold]
    fn text_by_definition(&self, seen: &mut Seen<'_>) {
        let text = seen.record.text;
        if let Some((format, line)) = self.settings.formats.iter().find_map(|format| Some((format, format.text(text.0)?))) {
            (seen.line, seen.parser) = (line, format.name);
        }
    }
}

/// An event that another log has too is told there.
fn pass_over_copy(seen: &mut Seen<'_>, chunk: &Chunk, whole: &[u8]) {
    if let Some(copies) = &chunk.copies
        && matches!(seen.line, Line::Event(_))
        && copies.has(whole)
    {
        seen.line = Line::Ignored("a line that another log has too");
    }
}

fn passed_over<'a>(seen: &mut Seen<'a>, record: Record<'a>, (line, parser): (Line<'static>, &'static str)) {
    seen.record = record;
    seen.line = line;
    seen.count = 1;
    seen.parser = parser;
}

fn not_read<'a>(seen: &mut Seen<'a>, record: Record<'a>, reason: Unrecognized) {
    seen.record = record;
    seen.line = Line::Unrecognized(reason);
    seen.count = 1;
    seen.parser = "";
}

fn cut(line: &[u8]) -> &[u8] {
    &line[..line.len().min(MAX_LINE)]
}

/// Whether a record's host is the one asked for.
#[must_use]
pub fn host_matches(host: Text<'_>, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| host.eq_ignore_ascii_case(wanted.as_bytes()))
}
