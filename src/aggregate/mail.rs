//! What lives amount to: messages, recipients and their outcomes, delays, and the rows that need a message's facts.

use super::clients::{Did, Visit};
use super::courses::Courses;
use super::lines::{MANY, row_key};
use super::quantiles::{Frequent, Measured};
use super::rows::{HostRow, MailRow};
use super::table::{AT_A_TIME, Table};
use super::timeline::Timeline;
use super::{Clients, Distinct, Merge, Window, provider};
use crate::correlate::{End, Life, Outcome, Recipient, hash};
use crate::pipeline::both;
use mailscope_parsers::model::{Class, domain_of};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Messages and queue files.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Messages {
    pub received: u64,
    pub notifications: u64,
    pub reinjected: u64,
    pub queue_files: u64,
    pub size_bytes: u64,
    pub removed: u64,
    pub removed_unseen: u64,
    pub open: u64,
    pub abandoned: u64,
}

/// Recipients by outcome.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Recipients {
    pub delivered: u64,
    pub forwarded: u64,
    pub handed_off: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    pub deleted: u64,
    pub deferred: u64,
    pub ever_deferred: u64,
}

/// The stages of a delay, where the MTA tells them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stages {
    pub before_qmgr: Frequent,
    pub in_qmgr: Frequent,
    pub conn_setup: Frequent,
    pub transmission: Frequent,
}

impl Stages {
    /// By number, in the order in which mail passes them.
    #[must_use]
    pub fn of(&self, stage: usize) -> &Frequent {
        [&self.before_qmgr, &self.in_qmgr, &self.conn_setup, &self.transmission][stage.min(3)]
    }
}

/// The counters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    pub messages: Messages,
    /// Outcomes of notifications' recipients; only the four that the report names.
    pub notification_outcomes: Recipients,
    pub recipients: Recipients,
    /// Recipients of messages that are no notifications: delivered, bounced or expired.
    pub good: u64,
    pub bad: u64,
    pub expiries: u64,
    pub delay: Frequent,
    pub stages: Stages,
    /// Failed recipients by class, and whether they failed for good.
    pub class_recipients: BTreeMap<(Class, bool), u64>,
    pub auth_successes: u64,
    pub domains: Table<MailRow>,
    pub relays: Table<MailRow>,
    pub providers: Table<MailRow>,
    pub senders: Table<MailRow>,
    pub sender_domains: Table<MailRow>,
    pub auth_users: Table<MailRow>,
    /// By the number of the host in the correlation; its name is put to it at the end.
    pub hosts: Vec<HostRow>,
    pub timeline: Timeline,
    /// Recipients that failed for good, by class and sender.
    pub failed_senders: Courses,
    pub distinct_senders: Distinct,
    pub distinct_sender_domains: Distinct,
    pub distinct_recipients: Distinct,
    pub distinct_domains: Distinct,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            messages: Messages::default(),
            notification_outcomes: Recipients::default(),
            recipients: Recipients::default(),
            good: 0,
            bad: 0,
            expiries: 0,
            delay: Frequent::default(),
            stages: Stages::default(),
            class_recipients: BTreeMap::new(),
            auth_successes: 0,
            domains: Table::new(MANY),
            relays: Table::new(MANY / 2),
            providers: Table::new(MANY),
            senders: Table::new(MANY / 4),
            sender_domains: Table::new(MANY / 4),
            auth_users: Table::new(MANY / 4),
            hosts: Vec::new(),
            timeline: Timeline::default(),
            failed_senders: Courses::default(),
            distinct_senders: Distinct::default(),
            distinct_sender_domains: Distinct::default(),
            distinct_recipients: Distinct::default(),
            distinct_domains: Distinct::default(),
        }
    }
}

impl Mail {
    /// No list is longer from now on; those whose rows have delays, a kilobyte or two each, are shorter.
    pub fn limit(&mut self, rows: usize) {
        let Self { domains, relays, providers, senders, sender_domains, auth_users, .. } = self;
        [domains, relays, providers, senders, sender_domains, auth_users].into_iter().for_each(|table| table.limit(rows / 3));
        self.failed_senders.limit(rows);
    }

    /// Counts lives that are over, as they stand.
    pub fn lives<'l>(&mut self, lives: impl Iterator<Item = &'l Life>, window: Window, clients: &mut Clients) {
        let (mut fates, mut visits) = (Vec::with_capacity(AT_A_TIME), Vec::with_capacity(AT_A_TIME));
        for life in lives {
            self.queue_file(life, window);
            if let Some((time, count)) = life.rare().expired
                && window.contains(time)
            {
                self.expiries += u64::from(count);
            }
            if life.received()
                && let Some(visit) = self.received(life, window)
            {
                visits.push(visit);
                clients.count_many(&mut visits);
            }
            // Not by `extend`, in which this is a call for each.
            for recipient in &life.recipients {
                if let Some(fate) = Fate::of(life, recipient, window) {
                    fates.push(fate);
                    if fates.len() == AT_A_TIME {
                        self.recipients(&mut fates);
                    }
                }
            }
        }
        self.recipients(&mut fates);
        clients.count(&visits);
    }

    fn recipients(&mut self, fates: &mut Vec<Fate<'_>>) {
        fates.iter().for_each(|fate| self.recipient(fate));
        self.rows(fates);
        fates.clear();
    }

    fn host(&mut self, life: &Life) -> &mut HostRow {
        let number = life.host as usize;
        if self.hosts.len() <= number {
            self.hosts.resize_with(number + 1, HostRow::default);
        }
        &mut self.hosts[number]
    }

    fn queue_file(&mut self, life: &Life, window: Window) {
        // What is still open waits all through the window, whenever its last line was.
        if life.end != End::Open && !window.contains(life.last_line) {
            return;
        }
        let messages = &mut self.messages;
        messages.queue_files += 1;
        messages.notifications += u64::from(life.notification);
        messages.reinjected += u64::from(life.reinjected());
        match life.end {
            End::Open => messages.open += 1,
            End::Abandoned => messages.abandoned += 1,
            End::Removed => {
                messages.removed += 1;
                let by_queue_manager = life.proof && !life.discarded;
                let unseen = life.recipients.is_empty() && life.rare().expired.is_none() && by_queue_manager && !life.deleted();
                messages.removed_unseen += u64::from(unseen);
            }
        }
    }

    /// Counts a message; who sent it, where that was within the window.
    #[inline(always)]
    fn received<'l>(&mut self, life: &'l Life, window: Window) -> Option<Visit<'l>> {
        if let Some((removed, _)) = life.removed.filter(|(removed, _)| window.contains(*removed)) {
            self.timeline.at(removed).left += 1;
        }
        let time = life.arrival.filter(|arrival| window.contains(*arrival))?;
        self.messages.received += 1;
        self.messages.size_bytes += life.size_bytes;
        self.auth_successes += u64::from(!life.auth_user.is_empty());
        self.timeline.at(time).received += 1;
        self.host(life).received += 1;
        let sender = life.text(life.envelope_sender);
        self.distinct_senders.add(hash(sender));
        self.distinct_sender_domains.add(hash(sender_domain(sender)));
        let (ip, name) = (life.text(life.client_ip), life.text(life.client_name));
        Some(Visit { time, ip, name, did: Did::Sent { size_bytes: life.size_bytes }, count: 1 })
    }

    /// What a recipient counts for beside the rows.
    fn recipient(&mut self, fate: &Fate<'_>) {
        let Fate { life, recipient, .. } = *fate;
        self.distinct_recipients.add(life.address_hash(recipient));
        self.recipients.add(recipient);
        if fate.mail == 0 {
            self.notification_outcomes.add(recipient);
        }
        self.outcome(life, recipient, fate);
    }

    /// Counts each recipient in every row that it belongs to, one table after the other.
    fn rows(&mut self, fates: &[Fate<'_>]) {
        let Self { domains, relays, providers, senders, sender_domains, auth_users, distinct_domains, .. } = self;
        domains.count(fates, |fate| fate.domain, |domain| distinct_domains.add(hash(domain)), Fate::count);
        domains.settle(|_, _| ());
        relays.count(fates, |fate| fate.relay, |_| (), Fate::count);
        relays.settle(|relay, row| providers.row(provider(relay).as_bytes()).add(row));
        senders.count(fates, |fate| fate.sender, |_| (), Fate::count_sender);
        senders.settle(|sender, row| sender_domains.row(sender_domain(sender)).add(row));
        let of_users: SmallVec<[&Fate<'_>; AT_A_TIME]> = fates.iter().filter(|fate| !fate.user.is_empty()).collect();
        auth_users.count(&of_users, |fate| fate.user, |_| (), |fate, row| fate.count_sender(row));
        auth_users.settle(|_, _| ());
    }

    fn outcome(&mut self, life: &Life, recipient: &Recipient, fate: &Fate<'_>) {
        match fate.outcome {
            Outcome::Delivered => {
                self.good += fate.mail;
                self.host(life).delivered += 1;
                if let Some(delay) = fate.delay {
                    self.delay.add(delay);
                }
                let bucket = self.timeline.at(recipient.decisive.time);
                bucket.delivered += 1;
                if let Some(delays) = recipient.decisive.delays() {
                    let stages = [delays.before_qmgr, delays.in_qmgr, delays.conn_setup, delays.transmission];
                    bucket
                        .stages
                        .iter_mut()
                        .zip(stages)
                        .for_each(|(sum, stage)| *sum = sum.saturating_add(u64::try_from(stage).unwrap_or(0)));
                    self.stages.before_qmgr.add(Measured::new(delays.before_qmgr));
                    self.stages.in_qmgr.add(Measured::new(delays.in_qmgr));
                    self.stages.conn_setup.add(Measured::new(delays.conn_setup));
                    self.stages.transmission.add(Measured::new(delays.transmission));
                }
            }
            Outcome::Bounced | Outcome::Expired => {
                self.bad += fate.mail;
                self.timeline.at(recipient.last_attempt).bounced += 1;
                self.host(life).bounced += 1;
                self.failed_senders.add(fate.class.name(), fate.sender, recipient.last_attempt, 1, true);
                *self.class_recipients.entry((fate.class, true)).or_default() += 1;
            }
            Outcome::Deferred => *self.class_recipients.entry((fate.class, false)).or_default() += 1,
            _ => {}
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.messages.merge(other.messages);
        self.notification_outcomes.merge(other.notification_outcomes);
        self.recipients.merge(other.recipients);
        self.good += other.good;
        self.bad += other.bad;
        self.expiries += other.expiries;
        self.delay.merge(&other.delay);
        self.stages.before_qmgr.merge(&other.stages.before_qmgr);
        self.stages.in_qmgr.merge(&other.stages.in_qmgr);
        self.stages.conn_setup.merge(&other.stages.conn_setup);
        self.stages.transmission.merge(&other.stages.transmission);
        for (class, count) in other.class_recipients {
            *self.class_recipients.entry(class).or_default() += count;
        }
        self.auth_successes += other.auth_successes;
        let Self { domains, relays, providers, senders, sender_domains, auth_users, .. } = self;
        // The longer one first: the other one's thread has the lines to merge before.
        both(
            || {
                sender_domains.merge(other.sender_domains, |_, _| ());
                senders.merge(other.senders, |sender, row| sender_domains.row(sender_domain(sender)).add(row));
                auth_users.merge(other.auth_users, |_, _| ());
            },
            || {
                domains.merge(other.domains, |_, _| ());
                providers.merge(other.providers, |_, _| ());
                relays.merge(other.relays, |relay, row| providers.row(provider(relay).as_bytes()).add(row));
            },
        );
        self.hosts.resize_with(self.hosts.len().max(other.hosts.len()), HostRow::default);
        for (mine, theirs) in self.hosts.iter_mut().zip(other.hosts) {
            mine.merge(theirs);
        }
        self.timeline.merge(other.timeline);
        self.failed_senders.merge(other.failed_senders);
        self.distinct_senders.merge(other.distinct_senders);
        self.distinct_sender_domains.merge(other.distinct_sender_domains);
        self.distinct_recipients.merge(other.distinct_recipients);
        self.distinct_domains.merge(other.distinct_domains);
    }
}

/// What became of one recipient, as every row counts it.
struct Fate<'l> {
    life: &'l Life,
    recipient: &'l Recipient,
    /// The keys of its rows; there may be no user.
    domain: &'l [u8],
    relay: &'l [u8],
    sender: &'l [u8],
    user: &'l [u8],
    outcome: Outcome,
    /// 1, or 0 for a notification's recipient.
    mail: u64,
    size_bytes: u64,
    delay: Option<Measured>,
    class: Class,
    deferrals: u32,
}

impl<'l> Fate<'l> {
    /// `None` where it does not count.
    #[inline(always)]
    fn of(life: &'l Life, recipient: &'l Recipient, window: Window) -> Option<Self> {
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

    /// A sender's deferred attempts are known here only; those of a domain or relay are counted line by line.
    #[inline(always)]
    fn count_sender(&self, row: &mut MailRow) {
        if self.deferrals > 0 {
            row.failures_mut().deferred_attempts.add(self.deferrals.into());
        }
        self.count(row);
    }

    #[inline(always)]
    fn count(&self, row: &mut MailRow) {
        match self.outcome {
            Outcome::Delivered => {
                row.delivered += 1;
                row.good += self.mail;
                row.size_bytes += self.size_bytes;
                if let Some(delay) = self.delay {
                    row.delay.add(delay);
                }
                return;
            }
            Outcome::Bounced => row.failures_mut().bounced.add(1),
            Outcome::Expired => row.failures_mut().expired.add(1),
            Outcome::Deferred => row.failures_mut().deferred.add(1),
            _ => return,
        }
        let failures = row.failures_mut();
        failures.bad.add(if self.outcome == Outcome::Deferred { 0 } else { self.mail });
        failures.classes.add(self.class, 1);
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

impl Recipients {
    fn add(&mut self, recipient: &Recipient) {
        self.ever_deferred += u64::from(recipient.deferrals > 0);
        *match recipient.outcome {
            Outcome::Delivered => &mut self.delivered,
            Outcome::Forwarded => &mut self.forwarded,
            Outcome::HandedOff => &mut self.handed_off,
            Outcome::Bounced => &mut self.bounced,
            Outcome::Expired => &mut self.expired,
            Outcome::Discarded => &mut self.discarded,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Deferred => &mut self.deferred,
            Outcome::Requeued | Outcome::Probe => return,
        } += 1;
    }
}

impl Merge for Recipients {
    fn merge(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.forwarded += other.forwarded;
        self.handed_off += other.handed_off;
        self.bounced += other.bounced;
        self.expired += other.expired;
        self.discarded += other.discarded;
        self.deleted += other.deleted;
        self.deferred += other.deferred;
        self.ever_deferred += other.ever_deferred;
    }
}

impl Merge for Messages {
    fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.notifications += other.notifications;
        self.reinjected += other.reinjected;
        self.queue_files += other.queue_files;
        self.size_bytes += other.size_bytes;
        self.removed += other.removed;
        self.removed_unseen += other.removed_unseen;
        self.open += other.open;
        self.abandoned += other.abandoned;
    }
}
