//! A queue file's way through the queue: rounds of deliveries, retries, notifications, the end.

use crate::clock::{HOUR, MILLI, Micros, SECOND, compact};
use crate::pids::Daemon;
use crate::replies::{Choice, Permanence};
use crate::schedule::Job;
use crate::simulation::{QueueId, Simulation, say, unix};
use crate::truth::{Birth, Fact, FileId};
use crate::world::{Agent, DOMAINS, Mailbox, OWN_NAME};

/// After so long a message that can't be delivered returns to its sender.
const QUEUE_LIFETIME: Micros = 5 * HOUR;
/// After so long the sender is told that the message still waits.
const DELAY_WARNING: Micros = HOUR;
/// Waits between the rounds, as Postfix's minimal_backoff_time doubles up to maximal_backoff_time.
const BACKOFF: [u64; 5] = [300, 600, 1_200, 2_400, 4_000];

/// How a recipient's deliveries will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Sent,
    Bounced,
    /// Deferred until the message expires.
    Never,
    /// An alias that leads elsewhere.
    Forwarded,
}

impl End {
    /// For mail that no alias sends on: reports, and what an alias sent on already.
    #[must_use]
    pub fn without_alias(self) -> Self {
        if self == Self::Forwarded { Self::Sent } else { self }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// Deferrals before the end.
    pub deferrals: u8,
    pub end: End,
    pub transient: Choice,
    pub permanent: Choice,
}

#[derive(Clone, Copy, Debug)]
pub struct Recipient {
    pub mailbox: Mailbox,
    pub domain: u32,
    /// What the client asked for, where an alias changed it.
    pub original: Option<Mailbox>,
    /// The client wrote the domain in capitals.
    pub shout: bool,
    pub fate: Fate,
    pub done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    Null,
    DoubleBounce,
    Sender(u32),
}

impl Envelope {
    #[must_use]
    pub fn mailbox(self) -> Mailbox {
        match self {
            Self::Null => Mailbox::Null,
            Self::DoubleBounce => Mailbox::DoubleBounce,
            Self::Sender(rank) => Mailbox::Sender(rank),
        }
    }
}

/// A message-id header, made from a number each time it is written.
#[derive(Clone, Copy, Debug)]
pub struct MessageId {
    pub style: u8,
    pub number: u64,
    pub sender: Envelope,
}

pub struct QueueFile {
    pub file: FileId,
    pub id: QueueId,
    pub from: Envelope,
    pub size: u32,
    pub born: Micros,
    pub message_id: MessageId,
    pub recipients: Vec<Recipient>,
    /// Rounds so far.
    pub rounds: u8,
    pub warned: bool,
}

/// Which notification, in bounce's words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    Failure,
    Delay,
    PostmasterFailure,
}

impl Simulation {
    /// Cleanup's line with the message-id; `fact` says whether the queue file begins with it.
    pub fn cleanup(&mut self, file: &QueueFile, at: Micros, fact: Fact) {
        let pid = self.pid(Daemon::Cleanup, at, 4 * MILLI);
        let id = file.id;
        let (style, n, domain) = (file.message_id.style, file.message_id.number, self.message_domain(file.message_id));
        let x = crate::rng::mix(n);
        match style {
            0 => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<{n}.{}@{domain}>", unix(at)),
            1 => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<{x:016x}.{n:x}@{domain}>"),
            2 => say!(
                self,
                at,
                fact,
                "postfix/cleanup[{pid}]: {id}: message-id=<{:08x}-{:04x}-4{:03x}-a{:03x}-{n:012x}@{domain}>",
                x >> 32,
                x >> 16 & 0xffff,
                x >> 4 & 0xfff,
                x & 0xfff
            ),
            3 => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<CA+{x:016x}{n:x}_w@mail.gmail.com>"),
            4 => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<{n:X}JavaMail.app@app{}.{domain}>", n % 9),
            5 => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<>"),
            _ => say!(self, at, fact, "postfix/cleanup[{pid}]: {id}: message-id=<{}.{id}@{OWN_NAME}>", compact(unix(at))),
        }
    }

    fn message_domain(&self, id: MessageId) -> String {
        match id.sender {
            Envelope::Sender(rank) => {
                let domain = self.world.senders[rank as usize].domain;
                self.world.domain(domain).name.clone()
            }
            _ => OWN_NAME.to_owned(),
        }
    }

    /// qmgr's line as it takes a file into the active queue. The number of recipients is the file's, delivered or not.
    pub fn activate(&mut self, file: &QueueFile, at: Micros) {
        let (pid, id, size, count) = (self.qmgr(at), file.id, file.size, file.recipients.len());
        let fact = Fact::Queued(file.file, size);
        say!(
            self,
            at,
            fact,
            "postfix/qmgr[{pid}]: {id}: from=<{}>, size={size}, nrcpt={count} (queue active)",
            self.world.address(file.from.mailbox(), false)
        );
    }

    /// qmgr takes the file and tries every recipient that is left.
    pub fn round(&mut self, file: QueueFile, at: Micros) {
        self.activate(&file, at);
        self.deliver_all(file, at);
    }

    /// The deliveries of a round, and what follows from them.
    pub fn deliver_all(&mut self, mut file: QueueFile, at: Micros) {
        let mut end = at;
        let mut bounced = false;
        let mut last = None;
        for k in 0..file.recipients.len() {
            if !file.recipients[k].done {
                let (done_at, failed) = self.deliver(&mut file, k, at, &mut last);
                end = end.max(done_at);
                bounced |= failed;
            }
        }
        file.rounds = file.rounds.saturating_add(1);
        self.conclude(file, at, end, bounced);
    }

    fn conclude(&mut self, mut file: QueueFile, began: Micros, mut end: Micros, mut bounced: bool) {
        let open = file.recipients.iter().any(|r| !r.done);
        let expired = open && end >= file.born + QUEUE_LIFETIME;
        if expired {
            end = self.after(end, 200, 3_000);
            let (pid, id) = (self.qmgr(end), file.id);
            let fact = Fact::Expired(file.file);
            say!(
                self,
                end,
                fact,
                "postfix/qmgr[{pid}]: {id}: from=<{}>, status=expired, returned to sender",
                self.world.address(file.from.mailbox(), false)
            );
            bounced = true;
        }
        if bounced {
            end = self.notify(&file, end, Notice::Failure);
            if self.rng.chance(0.06) {
                end = self.notify(&file, end, Notice::PostmasterFailure);
            }
        }
        if open && !expired {
            if !file.warned && end >= file.born + DELAY_WARNING {
                file.warned = true;
                end = self.notify(&file, end, Notice::Delay);
            }
            let wait = BACKOFF[usize::from(file.rounds - 1).min(BACKOFF.len() - 1)];
            // The queue is looked through now and then, not at the second.
            let next = self.after(began, wait * SECOND, (wait + 45) * SECOND).max(end + SECOND);
            self.schedule.push(next, Job::Retry(Box::new(file)));
            return;
        }
        self.remove(&file, end);
    }

    pub fn remove(&mut self, file: &QueueFile, end: Micros) {
        let at = self.after(end, 100, 2_000);
        let (pid, id) = (self.qmgr(at), file.id);
        say!(self, at, Fact::Removed(file.file), "postfix/qmgr[{pid}]: {id}: removed");
    }

    /// The end of a file whose recipients bounced all at once.
    pub fn finish_bounced(&mut self, file: &QueueFile, end: Micros) {
        let end = self.notify(file, end, Notice::Failure);
        self.remove(file, end);
    }

    /// Tells the sender (or the postmaster) about the file; returns when that is done. There is no report on a report.
    fn notify(&mut self, parent: &QueueFile, at: Micros, notice: Notice) -> Micros {
        let (from, mailbox, original) = match (notice, parent.from) {
            (Notice::PostmasterFailure, Envelope::Sender(_)) => (Envelope::DoubleBounce, Mailbox::Admin, Some(Mailbox::Postmaster)),
            (_, Envelope::Sender(rank)) => (Envelope::Null, Mailbox::Sender(rank), None),
            _ => return at,
        };
        let at = self.after(at, 500, 12_000);
        let (file, id) = self.new_file(at);
        let mut recipient = self.recipient(mailbox, original, 0.5);
        recipient.fate.end = recipient.fate.end.without_alias();
        let child = QueueFile {
            file,
            id,
            from,
            size: self.rng.range(2_100, 5_200) as u32 + parent.size.min(20_000),
            born: at,
            message_id: MessageId { style: u8::MAX, number: file, sender: Envelope::Null },
            recipients: vec![recipient],
            rounds: 0,
            warned: true,
        };
        self.cleanup(&child, at, Fact::Born(file, Birth::Notice));
        let first = self.after(at, 300, 2_000);
        let second = self.after(first, 50, 3_000);
        // Either line may come first.
        let (queued, told) = if self.rng.chance(0.7) { (first, second) } else { (second, first) };
        self.activate(&child, queued);
        let (pid, q) = (self.pid(Daemon::Bounce, told, 3 * MILLI), parent.id);
        let words = match notice {
            Notice::Failure => "sender non-delivery notification",
            Notice::Delay => "sender delay notification",
            Notice::PostmasterFailure => "postmaster non-delivery notification",
        };
        say!(self, told, Fact::Notice(file), "postfix/bounce[{pid}]: {q}: {words}: {id}");
        self.deliver_all(child, second + 50);
        second
    }

    /// A recipient with its fate drawn. `trouble` scales how often things go wrong.
    pub fn recipient(&mut self, mailbox: Mailbox, original: Option<Mailbox>, trouble: f64) -> Recipient {
        let domain = self.world.domain_of(mailbox);
        let fate = self.fate(domain, trouble);
        let shout = matches!(mailbox, Mailbox::User { .. }) && self.rng.chance(0.002);
        Recipient { mailbox, domain, original, shout, fate, done: false }
    }

    fn fate(&mut self, domain: u32, trouble: f64) -> Fate {
        let row = self.world.domain(domain);
        let (agent, family) = (row.agent, row.family);
        let remote = (domain as usize) < DOMAINS;
        let trouble = trouble * row.trouble;
        let (bounce, defer) = match agent {
            Agent::Smtp => (0.015, 0.15),
            Agent::Error => (1.0, 0.0),
            _ => (0.004, 0.006),
        };
        let none = Choice { template: 0, variant: 0 };
        let mut fate = Fate { deferrals: 0, end: End::Sent, transient: none, permanent: none };
        let draw = self.rng.unit();
        if draw < bounce * trouble || agent == Agent::Error {
            fate.end = End::Bounced;
        } else if draw < (bounce + defer) * trouble {
            fate.deferrals = 1;
            while fate.deferrals < 8 && self.rng.chance(0.38) {
                fate.deferrals += 1;
            }
            fate.end = match self.rng.below(1_000) {
                0..50 => End::Never,
                50..72 => End::Bounced,
                _ => End::Sent,
            };
        }
        if remote && fate.end == End::Bounced {
            fate.permanent = Permanence::Permanent.choose(&mut self.rng, family);
        }
        if remote && (fate.deferrals > 0 || fate.end == End::Never) {
            fate.transient = Permanence::Transient.choose(&mut self.rng, family);
        }
        if agent == Agent::Local && fate.end == End::Sent && self.rng.chance(0.12) {
            fate.end = End::Forwarded;
        }
        fate
    }
}
