//! Mergeable summaries. Adding is commutative and associative: which worker counted what, in which order, never shows.
//!
//! `lines` counts what each line says by itself, `mail` what lives amount to. Sums are integers; examples and first and
//! last times are minima and maxima. Memory is bounded by caps on distinct keys.

mod clients;
mod courses;
mod days;
mod distinct;
mod failures;
mod histogram;
mod lines;
mod mail;
mod patterns;
mod provider;
mod quantiles;
mod rows;
mod table;
mod template;
mod timeline;

pub use clients::{Clients, Visit};
pub use courses::{Course, Courses};
pub use days::{Days, Extent};
pub use distinct::Distinct;
pub use lines::{Attempts, Example, Lines, Rejects, Sessions};
pub use mail::{Mail, Messages, Recipients, Stages, sender_domain};
pub use patterns::{PatternRow, Patterns};
pub use provider::provider;
pub use quantiles::{Frequent, Measured, Quantiles};
pub use rows::{ClientRow, HostRow, MailRow, TextRow};
pub use table::{AT_A_TIME, Row, Table};
pub use template::template;
pub use timeline::{Bucket, Counted, FINEST_S, Timeline};

use crate::correlate::Life;
use crate::pipeline::{NO_TIME, Seen, both};
use mailscope_parsers::classify::Failure;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// What can be added up.
pub trait Merge {
    fn merge(&mut self, other: Self);
}

impl Merge for u64 {
    fn merge(&mut self, other: Self) {
        *self += other;
    }
}

/// The facts that count: `[since, until)`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Window {
    pub since: Option<Micros>,
    pub until: Option<Micros>,
}

impl Window {
    /// Whether a fact of that time counts. A line without a time counts where there is no window.
    #[inline]
    #[must_use]
    pub fn contains(self, time: Micros) -> bool {
        if time == NO_TIME {
            return self.since.is_none() && self.until.is_none();
        }
        self.since.is_none_or(|since| time >= since) && !self.is_past(time)
    }

    /// Whether it lies at or after the end.
    #[inline]
    #[must_use]
    pub fn is_past(self, time: Micros) -> bool {
        self.until.is_some_and(|until| time >= until)
    }
}

/// Everything that is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    pub window: Window,
    pub lines: Lines,
    pub mail: Mail,
    pub clients: Clients,
}

impl Summary {
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { window, lines: Lines::default(), mail: Mail::default(), clients: Clients::default() }
    }

    /// The same with lists that hold no more than so many rows, each.
    #[must_use]
    pub fn limited(mut self, rows: usize) -> Self {
        self.lines.limit(rows);
        self.mail.limit(rows);
        self.clients.rows.limit(rows);
        self
    }

    /// Counts what a line of the window says by itself.
    #[inline]
    pub fn line(&mut self, seen: &Seen<'_>) {
        let visit = self.see(seen);
        self.clients.count(visit.as_slice());
        if Failure::of(&seen.line).is_some() {
            self.lines.failures(std::iter::once(seen));
        }
    }

    /// The same for a line that tells no failure, but for what a client did: that is to be counted with others.
    #[inline(always)]
    #[must_use]
    pub fn see<'a>(&mut self, seen: &Seen<'a>) -> Option<Visit<'a>> {
        self.lines.see(seen)
    }

    /// The same for lines that failed, most or all of them; faster than one by one.
    pub fn failures<'s, 'a: 's>(&mut self, lines: impl Iterator<Item = &'s Seen<'a>> + Clone) {
        let visits: SmallVec<[Visit<'_>; AT_A_TIME]> = lines.clone().filter_map(|seen| self.lines.see(seen)).collect();
        self.clients.count(&visits);
        self.lines.failures(lines);
    }

    /// Counts lives that are over, as they stand.
    pub fn lives<'l>(&mut self, lives: impl Iterator<Item = &'l Life>) {
        self.mail.lives(lives, self.window, &mut self.clients);
    }

    /// Puts the hosts' names to what their lives amount to.
    pub fn name_hosts<'a>(&mut self, names: impl Iterator<Item = &'a [u8]>) {
        for (name, row) in names.zip(std::mem::take(&mut self.mail.hosts)) {
            if !name.is_empty() {
                self.lines.hosts.row(name).merge(row);
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        self.merge(other);
        self
    }

    /// All of them together; none of none.
    #[must_use]
    pub fn all(mut summaries: Vec<Self>) -> Option<Self> {
        let others = summaries.split_off(summaries.len().div_ceil(2));
        if others.is_empty() {
            return summaries.pop();
        }
        match both(|| Self::all(summaries), || Self::all(others)) {
            (Some(one), Some(other)) => Some(one.merged(other)),
            (one, other) => one.or(other),
        }
    }

    pub fn merge(&mut self, other: Self) {
        let Self { lines, mail, clients, .. } = self;
        both(
            || mail.merge(other.mail),
            || {
                lines.merge(other.lines);
                clients.merge(other.clients);
            },
        );
    }
}
