//! What waits in a queue, as a listing tells it.

use super::Micros;
use std::borrow::Cow;

/// Where a message waits, or why it does not move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueState {
    /// Arrived, and not yet seen by the queue manager (Postfix).
    Incoming,
    /// Being delivered.
    Active,
    /// Was tried, and will be tried again.
    Deferred,
    /// Put aside until an administrator releases it (Postfix hold, OpenSMTPD suspend).
    Hold,
    /// Exim: not tried any more until it is thawed.
    Frozen,
    /// Sendmail: put aside by a milter or an administrator.
    Quarantined,
    /// Waits; the listing does not say whether it was tried before.
    #[default]
    Queued,
    /// Handed in locally, and not yet picked up (Postfix).
    Maildrop,
    /// Damaged: the server can't deliver it.
    Corrupt,
    /// A word that is not known.
    Other,
}

impl QueueState {
    /// Every state, in the order of a message's way.
    pub const ALL: &[Self] = &[
        Self::Maildrop,
        Self::Incoming,
        Self::Active,
        Self::Deferred,
        Self::Queued,
        Self::Hold,
        Self::Frozen,
        Self::Quarantined,
        Self::Corrupt,
        Self::Other,
    ];

    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Active => "active",
            Self::Deferred => "deferred",
            Self::Hold => "hold",
            Self::Frozen => "frozen",
            Self::Quarantined => "quarantined",
            Self::Queued => "queued",
            Self::Maildrop => "maildrop",
            Self::Corrupt => "corrupt",
            Self::Other => "other",
        }
    }
}

/// When a message arrived, as far as a listing says it. Nothing here knows what time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    #[default]
    Unknown,
    At(Micros),
    /// A local time without a year: `Mon Feb 24 13:35:18`. Months and days count from 1.
    Local {
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
    },
    /// So long before the listing, told in steps of `step_s`; `birth`, from the queue id, is exact where it agrees.
    Ago {
        age_s: u64,
        step_s: u64,
        birth: Option<Micros>,
    },
}

/// One recipient that a message still waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting<'a> {
    pub envelope_recipient: Cow<'a, [u8]>,
    /// Why it was not delivered so far; empty where the listing does not say it.
    pub diagnostic: Cow<'a, [u8]>,
}

/// One message of a queue. Texts are borrowed from the listing, but for those that JSON escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueEntry<'a> {
    pub queue_id: Cow<'a, [u8]>,
    pub state: QueueState,
    pub arrival: Arrival,
    pub size_bytes: Option<u64>,
    /// Empty for the null sender, `None` where the listing does not say it.
    pub envelope_sender: Option<Cow<'a, [u8]>>,
    /// Those that wait. Who has the message already is not counted.
    pub recipients: Vec<Waiting<'a>>,
    pub expires: Option<Micros>,
    /// Seconds until the next attempt.
    pub next_attempt_s: Option<u64>,
}

impl QueueEntry<'_> {
    /// Empties the entry; the memory of its recipients stays.
    pub fn clear(&mut self) {
        let mut recipients = std::mem::take(&mut self.recipients);
        recipients.clear();
        *self = Self { recipients, ..Self::default() };
    }
}

/// What a piece of a listing is.
#[derive(Clone, Copy, Debug)]
pub enum Found<'e, 'a> {
    Entry(&'e QueueEntry<'a>),
    /// A line that is no part of such a listing.
    Unrecognized(&'a [u8]),
}
