//! What became of recipients, and the lists that it is counted in: a row for each recipient domain, relay, sender and
//! account, and for what those have in common that had to go.

use super::courses::{Courses, Happened};
use super::failures::Failing;
use super::lines::{MANY, row_key};
use super::quantiles::Measured;
use super::rows::MailRow;
use super::table::{AT_A_TIME, Table};
use super::{Distinct, Merge, Window, provider};
use crate::correlate::{Life, Outcome, Recipient, hash};
use mailscope_parsers::model::{Class, domain_of};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Recipient domains.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Domains {
    pub rows: Table<MailRow>,
    pub distinct: Distinct,
}

/// Relays, and the providers of those that had to go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Relays {
    pub rows: Table<MailRow>,
    pub providers: Table<MailRow>,
}

/// Senders, and the domains of those that had to go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Senders {
    pub rows: Table<MailRow>,
    pub domains: Table<MailRow>,
    /// Recipients that failed for good, by class and sender.
    pub failed: Courses,
}

/// Accounts that logged in to send.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accounts {
    pub rows: Table<MailRow>,
}

impl Default for Domains {
    fn default() -> Self {
        Self { rows: Table::new(MANY), distinct: Distinct::default() }
    }
}

impl Default for Relays {
    fn default() -> Self {
        Self { rows: Table::new(MANY / 2), providers: Table::new(MANY) }
    }
}

impl Default for Senders {
    fn default() -> Self {
        Self { rows: Table::new(MANY / 4), domains: Table::new(MANY / 4), failed: Courses::default() }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self { rows: Table::new(MANY / 4) }
    }
}

/// A row here has delays, a kilobyte or two of them: there are fewer than in a list that has so many.
fn fewer(rows: usize) -> usize {
    rows / 3
}

impl Domains {
    pub(super) fn limit(&mut self, rows: usize) {
        self.rows.limit(fewer(rows));
    }

    pub(super) fn count(&mut self, fates: &[Fate<'_>]) {
        self.rows.count(fates, |fate| fate.domain, |domain| self.distinct.add(hash(domain)), Fate::count);
        self.rows.settle(|_, _| ());
    }
}

impl Merge for Domains {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
        self.distinct.merge(other.distinct);
    }
}

impl Relays {
    pub(super) fn limit(&mut self, rows: usize) {
        [&mut self.rows, &mut self.providers].into_iter().for_each(|table| table.limit(fewer(rows)));
    }

    pub(super) fn count(&mut self, fates: &[Fate<'_>]) {
        self.rows.count(fates, |fate| fate.relay, |_| (), Fate::count);
        self.rows.settle(|relay, row| self.providers.row(provider(relay).as_bytes()).add(row));
    }
}

impl Merge for Relays {
    fn merge(&mut self, other: Self) {
        self.providers.merge(other.providers, |_, _| ());
        self.rows.merge(other.rows, |relay, row| self.providers.row(provider(relay).as_bytes()).add(row));
    }
}

impl Senders {
    pub(super) fn limit(&mut self, rows: usize) {
        [&mut self.rows, &mut self.domains].into_iter().for_each(|table| table.limit(fewer(rows)));
        self.failed.limit(rows);
    }

    pub(super) fn count(&mut self, fates: &[Fate<'_>]) {
        self.rows.count(fates, |fate| fate.sender, |_| (), Fate::count_sender);
        self.rows.settle(|sender, row| self.domains.row(sender_domain(sender)).add(row));
        let failed: SmallVec<[Happened<'_>; 8]> = fates.iter().filter_map(Fate::failed_for_good).collect();
        self.failed.add_all(&failed);
    }
}

impl Merge for Senders {
    fn merge(&mut self, other: Self) {
        self.domains.merge(other.domains, |_, _| ());
        self.rows.merge(other.rows, |sender, row| self.domains.row(sender_domain(sender)).add(row));
        self.failed.merge(other.failed);
    }
}

impl Accounts {
    pub(super) fn limit(&mut self, rows: usize) {
        self.rows.limit(fewer(rows));
    }

    pub(super) fn count(&mut self, fates: &[Fate<'_>]) {
        let of_users: SmallVec<[&Fate<'_>; AT_A_TIME]> = fates.iter().filter(|fate| !fate.user.is_empty()).collect();
        self.rows.count(&of_users, |fate| fate.user, |_| (), |fate, row| fate.count_sender(row));
        self.rows.settle(|_, _| ());
    }
}

impl Merge for Accounts {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
    }
}

/// What became of one recipient, as every row counts it.
pub(super) struct Fate<'l> {
    pub(super) life: &'l Life,
    pub(super) recipient: &'l Recipient,
    /// The keys of its rows; there may be no user.
    domain: &'l [u8],
    relay: &'l [u8],
    pub(super) sender: &'l [u8],
    user: &'l [u8],
    pub(super) outcome: Outcome,
    /// 1, or 0 for a notification's recipient.
    pub(super) mail: u64,
    size_bytes: u64,
    pub(super) delay: Option<Measured>,
    pub(super) class: Class,
    deferrals: u32,
}

impl<'l> Fate<'l> {
    /// `None` where it does not count.
    #[inline(always)]
    pub(super) fn of(life: &'l Life, recipient: &'l Recipient, window: Window) -> Option<Self> {
        if !window.contains(recipient.last_attempt) || matches!(recipient.outcome, Outcome::Probe | Outcome::Requeued) {
            return None;
        }
        let delivered = recipient.outcome == Outcome::Delivered;
        // A file or a command that an alias names has the alias's domain.
        let own = domain_of(life.text(recipient.address));
        let message = life.message();
        Some(Self {
            life,
            recipient,
            domain: row_key(if own.is_empty() { domain_of(life.text(recipient.original)) } else { own }),
            relay: row_key(life.text(recipient.decisive.relay_name)),
            sender: row_key(life.sender()),
            user: message.text(message.auth_user),
            outcome: recipient.outcome,
            mail: u64::from(!life.is_notification()),
            size_bytes: life.size_bytes,
            delay: if delivered { life.delay(recipient).map(Measured::new) } else { None },
            class: class(recipient),
            deferrals: recipient.deferrals,
        })
    }

    fn failed_for_good(&self) -> Option<Happened<'_>> {
        let failed = matches!(self.outcome, Outcome::Bounced | Outcome::Expired);
        let (why, whose, time) = (self.class.name(), self.sender, self.recipient.last_attempt);
        failed.then_some(Happened { why, whose, time, count: 1, permanent: true })
    }

    /// A sender's deferred attempts are known here only; those of a domain or relay are counted line by line.
    #[inline(always)]
    fn count_sender(&self, row: &mut MailRow) {
        if self.deferrals > 0 {
            row.failures_mut().add(Failing::DeferredAttempts, self.deferrals.into());
        }
        self.count(row);
    }

    #[inline(always)]
    fn count(&self, row: &mut MailRow) {
        let failed = match self.outcome {
            Outcome::Delivered => {
                row.delivered += 1;
                row.good += self.mail;
                row.size_bytes += self.size_bytes;
                if let Some(delay) = self.delay {
                    row.delay.add(delay);
                }
                return;
            }
            Outcome::Bounced => Failing::Bounced,
            Outcome::Expired => Failing::Expired,
            Outcome::Deferred => Failing::Deferred,
            _ => return,
        };
        let failures = row.failures_mut();
        failures.add(failed, 1);
        failures.add(Failing::Bad, if self.outcome == Outcome::Deferred { 0 } else { self.mail });
        failures.add(Failing::Class(self.class), 1);
    }
}

/// Why it failed: the last reply's class; an expired recipient without a reply has just expired.
fn class(recipient: &Recipient) -> Class {
    let unsaid = if recipient.outcome == Outcome::Expired { Class::Expired } else { Class::Unknown };
    recipient.decisive.class.unwrap_or(unsaid)
}

/// The null sender has no domain: its row is `<>`.
#[must_use]
pub fn sender_domain(sender: &[u8]) -> &[u8] {
    if sender == b"<>" { sender } else { row_key(domain_of(sender)) }
}
