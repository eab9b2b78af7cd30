//! Events to messages: puts together what the lines say of each queue file, and queue files to chains.
//!
//! This is the one place that needs the order of the log, and only within a host (`elsewhere` says what hosts ask of each
//! other): events go in as they were logged, lives of queue ids come out when nothing more can be said of them. It keeps what
//! is open and what ended lately, by the time of the log and never by chunk, file or clock: a life ends at its `removed`, stays
//! for ten minutes for late lines, and is given up after seven days without a line (an id that never became a message after one
//! hour). How many of the ended ones stay is capped, a host, so that a log may be as fast as it likes.
//!
//! It counts nothing: what a life amounts to is the business of `aggregate`.

mod agenda;
mod alike;
mod attempt;
mod clock;
mod elsewhere;
mod host;
mod ids;
mod life;
mod links;
pub mod stored;
mod verdicts;

pub use attempt::{Attempt, Particulars};
pub use host::hash;
pub use life::{BoxedLives, End, Life, Outcome, Recipient, Root, Span};

use elsewhere::Whereabouts;
use hashbrown::HashMap;
use host::Host;
use mailscope_parsers::model::{
    Accepted, ContentVerdict, Delivery, MessageId, Micros, Notification, QueueAction, Queued, Reject, Removed, Text,
};
use serde::{Deserialize, Serialize};

/// A life is kept this long after its end, for late lines; hand-overs link within this time.
pub const LINGER: Micros = 10 * MINUTE;
/// An id that never became a message is given up after this time.
pub const NEVER_A_MESSAGE: Micros = 60 * MINUTE;
/// A life without a line is given up after this time.
pub const FORGOTTEN: Micros = 7 * 24 * 60 * MINUTE;
/// Lines of one moment may be logged in another order within this time.
pub const DISORDER: Micros = 5_000_000;
const MINUTE: Micros = 60_000_000;

/// How much of the text to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Detail {
    /// What is counted.
    Counts,
    /// What a row per recipient shows.
    Recipients,
    /// Every attempt.
    Attempts,
}

/// What a line can say of a queue file.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'e, 'a> {
    Accepted(&'e Accepted<'a>),
    MessageId(&'e MessageId<'a>),
    Queued(&'e Queued<'a>),
    Delivery(&'e Delivery<'a>),
    Removed(&'e Removed<'a>),
    Notification(&'e Notification<'a>),
    QueueAction(&'e QueueAction<'a>),
    Reject(&'e Reject<'a>),
    /// Counted line by line; here it is only told with its message, where rows are made.
    Verdict(&'e ContentVerdict<'a>),
}

/// One line, as the correlation needs it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'e, 'a> {
    pub time: Micros,
    pub host: Text<'a>,
    /// See [`instance`].
    pub instance: u32,
    pub count: u32,
    pub fact: Fact<'e, 'a>,
}

/// Memory for new lives.
#[derive(Default)]
pub struct Spare(BoxedLives);

impl Spare {
    /// No more than so many are at hand.
    const ENOUGH: usize = 1024;

    /// That of lives which were counted; best at once, while it is near.
    #[must_use]
    pub fn of(mut lives: BoxedLives, detail: Detail) -> Self {
        lives.truncate(Self::ENOUGH);
        lives.iter_mut().for_each(|life| life.renew(detail));
        Self(lives)
    }
}

/// Tells instances of one MTA apart: made of the first segment of the program's name (`postfix-out/smtp`).
#[must_use]
pub fn instance(program: &[u8]) -> u32 {
    let name = program.iter().take_while(|c| **c != b'/');
    name.fold(0, |value, c| (value ^ u32::from(*c)).wrapping_mul(0x0100_0193))
}

/// The lives of all hosts.
#[derive(Clone, Serialize, Deserialize)]
pub struct Correlator {
    hosts: HashMap<Vec<u8>, usize, foldhash::fast::FixedState>,
    states: Vec<Host>,
    detail: Detail,
    /// Facts count from here on; lines before it are read for what they tell of later ones.
    since: Micros,
    last: usize,
    closed: BoxedLives,
    /// Memory of lives that were counted.
    #[serde(skip)]
    spare: BoxedLives,
    /// Whether lives wait for another log.
    #[serde(skip)]
    holds: bool,
    /// Made when a host asks for the first time.
    #[serde(skip)]
    whereabouts: Option<Whereabouts>,
}

impl Correlator {
    #[must_use]
    pub fn new(detail: Detail, since: Option<Micros>) -> Self {
        Self {
            hosts: HashMap::default(),
            states: Vec::new(),
            detail,
            since: since.unwrap_or(Micros::MIN),
            last: 0,
            closed: Vec::new(),
            spare: Vec::new(),
            holds: false,
            whereabouts: None,
        }
    }

    /// Takes one event, in the order of its host's log.
    #[inline(always)]
    pub fn step(&mut self, step: &Step<'_, '_>) {
        let at = self.host(step.host);
        self.states[at].step(step, &mut self.closed, &mut self.spare);
        if self.states.len() > 1 {
            self.listen(at, step);
        }
    }

    /// The lives that ended since the last call.
    pub fn take_closed(&mut self) -> BoxedLives {
        std::mem::take(&mut self.closed)
    }

    /// Takes memory of lives that have been counted.
    pub fn recycle(&mut self, Spare(mut lives): Spare) {
        lives.truncate(Spare::ENOUGH.saturating_sub(self.spare.len()));
        self.spare.append(&mut lives);
        if self.closed.capacity() == 0 {
            self.closed = lives;
        }
    }

    /// Ends all lives as they stand.
    pub fn finish(&mut self) -> BoxedLives {
        for host in &mut self.states {
            host.finish(&mut self.closed);
        }
        self.take_closed()
    }

    /// What is not over yet, or only just, as it stands.
    pub fn open(&self) -> impl Iterator<Item = &Life> {
        self.states.iter().flat_map(Host::open)
    }

    /// The hosts' names, by the number that a life carries.
    pub fn hosts(&self) -> impl Iterator<Item = &[u8]> {
        self.states.iter().map(|host| &*host.name)
    }

    /// Lines of one host come in runs.
    #[inline(always)]
    fn host(&mut self, name: Text<'_>) -> usize {
        let is_last = self.states.get(self.last).is_some_and(|host| Text(&host.name) == name);
        if is_last { self.last } else { self.other_host(name) }
    }

    #[inline(never)]
    fn other_host(&mut self, name: Text<'_>) -> usize {
        let next = self.states.len();
        let at = *self.hosts.entry_ref(name.0).or_insert(next);
        if at == next {
            // What the first one asked while there was nobody to ask is past.
            if let [first] = &mut *self.states {
                first.question = None;
            }
            self.states.push(Host::new(u32::try_from(next).unwrap_or(u32::MAX), name.0, self.detail, self.since, self.holds));
            self.introduce(next);
        }
        self.last = at;
        at
    }
}
