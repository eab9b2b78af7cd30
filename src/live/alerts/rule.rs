//! What an alert is about, as the configuration says it.

use crate::live::Counts;
use crate::report::Severity;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its own; no two rules have the same.
    pub name: String,
    pub severity: Severity,
    pub condition: Condition,
    /// How long it has to be so before it is told, and how long no longer so before that is told.
    pub hold: Micros,
    pub release: Micros,
    /// Where it is told; everywhere, if nothing is named.
    pub channels: Vec<String>,
}

/// When an alert is to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One of these findings, or any, at least so severe.
    Finding { words: Vec<String>, least: Severity },
    /// A count or a share over the last `window_s`.
    Rate { measure: Measure, by: By, only: Vec<String>, window_s: i64, limits: Limits, at_least: u64 },
    /// Nothing of this kind for so long.
    Silence { measure: Measure, length: Micros },
    /// The queue grew by so many messages in the last `window_s`.
    Queue { window_s: i64, limits: Limits },
    /// A reply that was never seen before `window_s`, and so often since; nothing is new in the first `learning_s`.
    Pattern { at_least: u64, window_s: i64, learning_s: i64 },
    /// Far from what is normal at this hour.
    Normal { measure: Measure, direction: Direction, times: f64, days: i64 },
}

/// Above the first it begins; not before it is below the second is it over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub above: f64,
    pub clear: f64,
}

/// What is measured. Rates are shares from 0 to 1, as in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Measure {
    Lines,
    Received,
    Delivered,
    Deferred,
    Bounced,
    Rejected,
    AuthFailures,
    BounceRate,
    DeferralRate,
    RejectRate,
}

impl Measure {
    /// In the order of the declaration.
    pub const ALL: [Self; 10] = [
        Self::Lines,
        Self::Received,
        Self::Delivered,
        Self::Deferred,
        Self::Bounced,
        Self::Rejected,
        Self::AuthFailures,
        Self::BounceRate,
        Self::DeferralRate,
        Self::RejectRate,
    ];

    /// Its word in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Received => "received",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Rejected => "rejected",
            Self::AuthFailures => "auth_failures",
            Self::BounceRate => "bounce_rate",
            Self::DeferralRate => "deferral_rate",
            Self::RejectRate => "reject_rate",
        }
    }

    #[must_use]
    pub const fn is_share(self) -> bool {
        matches!(self, Self::BounceRate | Self::DeferralRate | Self::RejectRate)
    }

    /// How much there was of it, and of how many for a share.
    #[must_use]
    pub fn parts(self, own: &Counts, whole: &Counts) -> (u64, Option<u64>) {
        match self {
            Self::Lines => (0, None),
            Self::Received => (own.received(), None),
            Self::Delivered => (own.delivered, None),
            Self::Deferred => (own.deferred, None),
            Self::Bounced => (own.bounced, None),
            Self::Rejected => (own.rejected, None),
            Self::AuthFailures => (own.auth_failures, None),
            Self::BounceRate => (own.bounced, Some(whole.delivered + whole.bounced)),
            Self::DeferralRate => (own.deferred, Some(whole.delivered + whole.deferred + whole.bounced)),
            Self::RejectRate => (own.rejected, Some(whole.received() + whole.rejected)),
        }
    }
}

/// Whose rate it is: everybody's, or each one's by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum By {
    All,
    Provider,
    Domain,
    Sender,
    Class,
}

impl By {
    pub const ALL: [Self; 5] = [Self::All, Self::Provider, Self::Domain, Self::Sender, Self::Class];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Provider => "provider",
            Self::Domain => "domain",
            Self::Sender => "sender",
            Self::Class => "class",
        }
    }
}

/// Which way it is not normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    More,
    Less,
    Both,
}

impl Direction {
    pub const ALL: [Self; 3] = [Self::More, Self::Less, Self::Both];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Both => "both",
        }
    }
}
