//! What lives amount to: messages, recipients and their outcomes, delays; `fates` has the rows that need a message's facts.

use super::clients::{Did, Visit};
use super::fates::{Fate, sender_domain};
use super::ledger::Books;
use super::quantiles::{Frequent, Measured};
use super::rows::HostRow;
use super::table::AT_A_TIME;
use super::timeline::Timeline;
use super::{Distinct, Merge, Window};
use crate::correlate::{End, Life, Outcome, Recipient, hash};
use mailscope_parsers::model::Class;
use serde::{Deserialize, Serialize};
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// By the number of the host in the correlation; its name is put to it at the end.
    pub hosts: Vec<HostRow>,
    pub timeline: Timeline,
    pub distinct_senders: Distinct,
    pub distinct_sender_domains: Distinct,
    pub distinct_recipients: Distinct,
}

impl Mail {
    /// Counts lives that are over, as they stand.
    pub(super) fn lives<'l>(&mut self, lives: impl Iterator<Item = &'l Life>, window: Window, books: &mut Books<'_>) {
        let at_a_time = books.at_a_time();
        let (mut fates, mut visits) = (Vec::with_capacity(at_a_time), Vec::with_capacity(AT_A_TIME));
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
                books.visit(&mut visits, visit);
            }
            // Not by `extend`, in which this is a call for each.
            for recipient in &life.recipients {
                if let Some(fate) = Fate::of(life, recipient, window) {
                    fates.push(fate);
                    if fates.len() == at_a_time {
                        self.recipients(&mut fates, books);
                    }
                }
            }
        }
        self.recipients(&mut fates, books);
        books.visits(&visits);
    }

    fn recipients(&mut self, fates: &mut Vec<Fate<'_>>, books: &mut Books<'_>) {
        fates.iter().for_each(|fate| self.recipient(fate));
        books.fates(fates);
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
        self.hosts.resize_with(self.hosts.len().max(other.hosts.len()), HostRow::default);
        for (mine, theirs) in self.hosts.iter_mut().zip(other.hosts) {
            mine.merge(theirs);
        }
        self.timeline.merge(other.timeline);
        self.distinct_senders.merge(other.distinct_senders);
        self.distinct_sender_domains.merge(other.distinct_sender_domains);
        self.distinct_recipients.merge(other.distinct_recipients);
    }
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
