//! One record of a mail server's log in, one structured event out.
//!
//! What is absent here is the point: no I/O, no clock, no threads, no state between records. A parser borrows from the
//! record and gives back slices of it; it never fails, never panics, never allocates. A record that it can't read is
//! [`Line::Unrecognized`] with a reason.
//!
//! `near` knows nothing, and `model`, the vocabulary, nothing but that; `scan` and `envelope` know `model`; each MTA knows those and never
//! another MTA; this file, the registry, knows them all. `README.md` beside `src/` says how to add one.

mod amavis;
pub mod classify;
mod courier;
mod dovecot;
pub mod envelope;
mod exim;
pub mod generic;
pub mod model;
pub mod near;
mod opendkim;
mod opendmarc;
mod opensmtpd;
mod policyd_spf;
mod postfix;
mod postgrey;
mod rspamd;
pub mod scan;
mod sendmail;

use model::{Found, Line, Record, Unrecognized};

/// A parser of one family of programs: what the registry, the help and the README's table are made from.
pub struct Parser {
    /// The value of `--parser` and of the event's `mta`.
    pub name: &'static str,
    /// What it reads, in one line, for people.
    pub reads: &'static str,
    /// Reads the record into `line`; `false`, and nothing written, where the program is not one of this parser's.
    ///
    /// An event is large and there are millions: it is written where it stays, not handed from function to function.
    pub parse: for<'a> fn(&Record<'a>, line: &mut Line<'a>) -> bool,
}

/// Every parser, in the order in which they are asked.
pub const PARSERS: &[Parser] = &[
    postfix::PARSER,
    exim::PARSER,
    sendmail::PARSER,
    opensmtpd::PARSER,
    courier::PARSER,
    dovecot::PARSER,
    amavis::PARSER,
    rspamd::PARSER,
    opendkim::PARSER,
    opendmarc::PARSER,
    postgrey::PARSER,
    policyd_spf::PARSER,
];

/// The parser of that name, if there is one.
#[must_use]
pub fn parser(name: &str) -> Option<&'static Parser> {
    PARSERS.iter().find(|parser| parser.name == name)
}

/// Reads a record with the first parser that claims its program; `only` restricts the choice to one.
///
/// The second value is the name of the parser that claimed the record, empty where none did.
#[must_use]
pub fn parse<'a>(record: &Record<'a>, only: Option<&'static Parser>) -> (Line<'a>, &'static str) {
    let mut line = Line::Unrecognized(Unrecognized::Program);
    let parser = parse_into(record, only, &mut line);
    (line, parser)
}

/// The same, into a place that is there already.
#[inline]
pub fn parse_into<'a>(record: &Record<'a>, only: Option<&'static Parser>, line: &mut Line<'a>) -> &'static str {
    let all = only.map_or(PARSERS, std::slice::from_ref);
    for parser in all {
        if (parser.parse)(record, line) {
            if matches!(line, Line::Unrecognized(Unrecognized::Text)) && is_withheld(record.text.0) {
                *line = Line::Unrecognized(Unrecognized::Withheld);
            }
            return parser.name;
        }
    }
    *line = Line::Unrecognized(Unrecognized::Program);
    ""
}

/// `[131B blob data]`, `[1.2K blob data]`: what journalctl prints in place of a text that has other bytes than a terminal shows.
#[cold]
fn is_withheld(text: &[u8]) -> bool {
    let size = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b" blob data]"));
    size.is_some_and(|size| size.len() > 1 && size.iter().all(|c| c.is_ascii_digit() || b".BKMGT".contains(c)))
}

/// Whether `line`, which has no header of its own, goes on with `record`; and then what it is, and its parser's name.
///
/// Exim's reject log has the headers of a message below the line that says why it was refused.
#[must_use]
pub fn goes_on(record: &Record<'_>, line: &[u8]) -> Option<(Line<'static>, &'static str)> {
    exim::goes_on(record, line).map(|what| (Line::Ignored(what), exim::PARSER.name))
}

/// Whether `record` is another copy of the one before it, which the server wrote for another of its logs; and then what it
/// is, and its parser's name.
#[inline]
#[must_use]
pub fn is_copy(before: &Record<'_>, record: &Record<'_>) -> Option<(Line<'static>, &'static str)> {
    exim::is_copy(before, record).map(|what| (Line::Ignored(what), exim::PARSER.name))
}

/// The birth second, since 1970 UTC, that the queue id at the front of a text encodes: long ids of Postfix, ids of Exim.
#[must_use]
pub fn birth_second(text: &[u8]) -> Option<i64> {
    postfix::birth_second(text).or_else(|| exim::birth_second(text))
}

/// A form of queue listing: what `mailscope queue` reads. As total as a parser; but an entry has a list of recipients, whose
/// memory serves for all entries, and texts that JSON escapes are copied.
#[derive(Debug)]
pub struct Listing {
    /// The command that prints it.
    pub name: &'static str,
    pub mta: &'static str,
    /// Whether an entry begins with this line: a listing may be cut in front of it.
    pub starts: fn(&[u8]) -> bool,
    /// Whether the line can only be of such a listing.
    pub belongs: fn(&[u8]) -> bool,
    /// Gives every entry of a text that begins and ends where entries do, and every line that is no part of one.
    #[allow(clippy::type_complexity)] // said in full it is plainest
    pub parse: for<'a> fn(&'a [u8], &mut dyn FnMut(Found<'_, 'a>)),
}

/// Every form, in the order in which they are tried.
pub const LISTINGS: &[Listing] =
    &[postfix::QUEUE_JSON, postfix::QUEUE_TEXT, exim::listing::LISTING, opensmtpd::queue::LISTING, sendmail::queue::LISTING];

/// The form of a listing, told by the first of its lines that can be of one only.
#[must_use]
pub fn listing(text: &[u8]) -> Option<&'static Listing> {
    scan::listing::lines(text).find_map(|line| LISTINGS.iter().find(|listing| (listing.belongs)(line)))
}
