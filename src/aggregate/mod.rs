//! Mergeable summaries. Adding is commutative and associative: which worker counted what, in which order, never shows.
//!
//! `lines` counts what each line says by itself, `mail` what lives amount to. What has a row for each key is in the `ledger`, which
//! all workers share: `clients`, the lists of mail (`fates`), and why lines failed (`causes`). Sums are integers; examples and first
//! and last times are minima and maxima. Memory is bounded by caps on distinct keys.

mod causes;
mod clients;
mod courses;
mod days;
mod distinct;
mod failures;
mod fates;
mod histogram;
mod ledger;
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
pub use failures::Failing;
pub use fates::sender_domain;
pub use ledger::{Ledger, Shared};
pub use lines::{Attempts, Example, Lines, Rejects, Sessions};
pub use mail::{Mail, Messages, Recipients, Stages};
pub use patterns::{PatternRow, Patterns};
pub use provider::provider;
pub use quantiles::{Frequent, Measured, Quantiles};
pub use rows::{ClientRow, HostRow, MailRow, TextRow};
pub use table::{AT_A_TIME, Row, Table};
pub use template::template;
pub use timeline::{Bucket, Counted, FINEST_S, Timeline};

use self::ledger::Books;
use crate::correlate::Life;
use crate::pipeline::{NO_TIME, Seen, both};
use mailscope_parsers::classify::Failure;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::sync::Arc;

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
    /// Empty while it is [`Shared`].
    pub ledger: Ledger,
    #[serde(skip)]
    shared: Option<Arc<Shared>>,
}

impl Summary {
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { window, lines: Lines::default(), mail: Mail::default(), ledger: Ledger::default(), shared: None }
    }

    /// One worker's, who counts in the ledger of all, if there are others. [`Summary::all`] adds up theirs.
    #[must_use]
    pub fn sharing(window: Window, ledger: Option<Arc<Shared>>) -> Self {
        Self { shared: ledger, ..Self::new(window) }
    }

    /// The same with lists that hold no more than so many rows, each.
    #[must_use]
    pub fn limited(mut self, rows: usize) -> Self {
        self.lines.limit(rows);
        self.ledger.limit(rows);
        self
    }

    fn books(&mut self) -> Books<'_> {
        Books::of(self.shared.as_deref(), &mut self.ledger)
    }

    /// Counts what a line of the window says by itself.
    #[inline]
    pub fn line(&mut self, seen: &Seen<'_>) {
        let visit = self.see(seen);
        self.visits(visit.as_slice());
        if Failure::of(&seen.line).is_some() {
            self.books().failures(std::iter::once(seen));
        }
    }

    /// The same for a line that tells no failure, but for what a client did: that is to be counted with others.
    #[inline(always)]
    #[must_use]
    pub fn see<'a>(&mut self, seen: &Seen<'a>) -> Option<Visit<'a>> {
        self.lines.see(seen)
    }

    /// Counts what a client did, when as many wait as are best counted together.
    pub fn visit<'a>(&mut self, waiting: &mut Vec<Visit<'a>>, visit: Visit<'a>) {
        self.books().visit(waiting, visit);
    }

    /// Counts what clients did.
    pub fn visits(&mut self, visits: &[Visit<'_>]) {
        self.books().visits(visits);
    }

    /// Counts lines that failed, most or all of them; faster than one by one.
    pub fn failures<'s, 'a: 's>(&mut self, lines: impl Iterator<Item = &'s Seen<'a>> + Clone) {
        let visits: SmallVec<[Visit<'_>; AT_A_TIME]> = lines.clone().filter_map(|seen| self.lines.see(seen)).collect();
        let mut books = self.books();
        books.visits(&visits);
        books.failures(lines);
    }

    /// Counts lives that are over, as they stand.
    pub fn lives<'l>(&mut self, lives: impl Iterator<Item = &'l Life>) {
        let mut books = Books::of(self.shared.as_deref(), &mut self.ledger);
        self.mail.lives(lives, self.window, &mut books);
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

    /// All of them together, with the ledger that they share; none of none.
    #[must_use]
    pub fn all(mut summaries: Vec<Self>) -> Option<Self> {
        let mut shared: Vec<_> = summaries.iter_mut().filter_map(|summary| summary.shared.take()).collect();
        shared.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let mut all = Self::sum(summaries)?;
        for ledger in shared {
            let own = std::mem::replace(&mut all.ledger, ledger.take());
            all.ledger.merge(own);
        }
        Some(all)
    }

    fn sum(mut summaries: Vec<Self>) -> Option<Self> {
        let others = summaries.split_off(summaries.len().div_ceil(2));
        if others.is_empty() {
            return summaries.pop();
        }
        match both(|| Self::sum(summaries), || Self::sum(others)) {
            (Some(one), Some(other)) => Some(one.merged(other)),
            (one, other) => one.or(other),
        }
    }

    pub fn merge(&mut self, other: Self) {
        let Self { lines, mail, ledger, .. } = self;
        both(
            || ledger.merge(other.ledger),
            || {
                lines.merge(other.lines);
                mail.merge(other.mail);
            },
        );
    }
}
