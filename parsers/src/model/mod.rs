//! The vocabulary: what a line of any mail server can say, in the terms of RFC 5321, 3463, 3464 and 5424.
//!
//! Everything borrows from the record. An empty [`Text`] and a zero port mean that the line does not say it.

mod address;
mod event;
mod queue;
mod reject;
mod status;
mod text;
mod verdict;

pub use address::{Addresses, Listed, Peer, domain_of};
pub use event::*;
pub use queue::{Arrival, Found, QueueEntry, QueueState, Waiting};
pub use reject::{Action, By, Reject, Stage};
pub use status::{Class, EnhancedStatus, Kind, Permanence, Side};
pub use text::Text;
pub use verdict::{Check, ContentVerdict, Postscreen, Verdict, authentication_result};

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 00:00:00 UTC.
pub type Micros = i64;

/// One record of a log, taken out of its envelope (RFC 5424: HOSTNAME, APP-NAME, PROCID, MSG).
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    pub time: Micros,
    pub host: Text<'a>,
    /// As logged, `postfix/submission/smtpd` included.
    pub program: Text<'a>,
    pub pid: Option<u32>,
    pub text: Text<'a>,
}

/// What became of one record.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // nearly every line is an event, and none may cost an allocation
pub enum Line<'a> {
    Event(Event<'a>),
    /// A known shape that says nothing about mail; the text names the shape.
    Ignored(&'static str),
    Unrecognized(Unrecognized),
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unrecognized {
    Blank,
    Timestamp,
    Json,
    Header,
    Program,
    Text,
    Repeat,
    Withheld,
}

impl Unrecognized {
    /// The reason in words, for reports.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Blank => "an empty line",
            Self::Timestamp => "no timestamp that can be read",
            Self::Json => "JSON that is no log record",
            Self::Header => "no host or program after the timestamp",
            Self::Program => "a program that no parser reads",
            Self::Text => "a text that its program is not known to write",
            Self::Repeat => "repeats a line that was not seen",
            Self::Withheld => "a text that journalctl does not print: its -o export and -o json have it",
        }
    }
}

/// Answers what a broken-down local time is in UTC; it alone knows zones and the years that logs leave out.
pub trait Calendar {
    /// The start of that local hour, in seconds since 1970 UTC. `year` is `None` where the log has none; months and days
    /// count from 1. `None` for a day that does not exist.
    fn local_hour(&mut self, year: Option<i32>, month: u32, day: u32, hour: u32) -> Option<i64>;
}
