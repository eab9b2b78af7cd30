//! Delivery lines: one attempt for one recipient, by each kind of delivery agent.

use crate::clock::{MILLI, Micros, SECOND};
use crate::message::{End, QueueFile, Recipient};
use crate::pids::Daemon;
use crate::remote::Remote;
use crate::simulation::{Seconds, Simulation, say};
use crate::truth::{Birth, Fact, Outcome};
use crate::world::{Agent, DOMAINS, Mailbox};

/// The times of an attempt; Postfix prints all of them.
#[derive(Clone, Copy)]
pub struct Times {
    pub in_qmgr: Micros,
    pub setup: Micros,
    pub transmission: Micros,
    /// When qmgr took the file up.
    pub began: Micros,
}

impl Times {
    #[must_use]
    pub fn end(self) -> Micros {
        self.began + self.in_qmgr + self.setup + self.transmission
    }
}

/// Everything in a delivery line that isn't the message's.
pub struct Attempt<'a> {
    pub program: &'a str,
    pub pid: u32,
    pub relay: &'a str,
    /// How often the connection was used; printed from 2.
    pub conn_use: u64,
    pub times: Times,
    pub dsn: &'a str,
    pub detail: &'a str,
    pub outcome: Outcome,
}

/// What this attempt comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Sent,
    Forwarded,
    Bounced,
    Deferred,
}

impl Recipient {
    fn verdict(&self, rounds: u8) -> Verdict {
        match self.fate.end {
            End::Never => Verdict::Deferred,
            _ if rounds < self.fate.deferrals => Verdict::Deferred,
            End::Sent => Verdict::Sent,
            End::Bounced => Verdict::Bounced,
            End::Forwarded => Verdict::Forwarded,
        }
    }
}

impl Simulation {
    /// Tries recipient `k`; returns when, and whether it bounced.
    pub fn deliver(&mut self, file: &mut QueueFile, k: usize, at: Micros, last: &mut Option<Remote>) -> (Micros, bool) {
        let recipient = file.recipients[k];
        let verdict = recipient.verdict(file.rounds);
        let agent = self.world.domain(recipient.domain).agent;
        let end = match (agent, verdict) {
            (Agent::Smtp, Verdict::Sent) => self.remote_sent(file, k, at, last),
            (Agent::Smtp, _) => self.remote_failed(file, k, at, verdict),
            (_, Verdict::Forwarded) => self.forward(file, k, at),
            _ => self.hosted(file, k, at, agent, verdict),
        };
        file.recipients[k].done = verdict != Verdict::Deferred;
        (end, verdict == Verdict::Bounced)
    }

    /// Writes the line.
    pub fn attempt(&mut self, file: &QueueFile, k: usize, a: &Attempt<'_>) {
        let recipient = &file.recipients[k];
        let (fact, at) =
            (Fact::Attempt { file: file.file, recipient: k as u16, domain: recipient.domain, outcome: a.outcome }, a.times.end());
        let status = match a.outcome {
            Outcome::Sent | Outcome::Forwarded(_) | Outcome::HandedOff(_) => "sent",
            Outcome::Bounced => "bounced",
            Outcome::Deferred => "deferred",
        };
        let mut text = self.schedule.blank();
        // A String takes everything.
        let _ = write_attempt(self, &mut text, file, recipient, a, status);
        self.schedule.line(at, fact, text);
    }

    /// An agent on this machine, or the relay to the mail server behind it.
    fn hosted(&mut self, file: &QueueFile, k: usize, at: Micros, agent: Agent, verdict: Verdict) -> Micros {
        let words = self.hosted_words(file, k, agent, verdict);
        let (daemon, program, relay) = match agent {
            Agent::Lmtp => (Daemon::Lmtp, "postfix/lmtp", "mail.corp.example[private/dovecot-lmtp]"),
            Agent::Virtual => (Daemon::Virtual, "postfix/virtual", "virtual"),
            Agent::Pipe => (Daemon::Pipe, "postfix/pipe", "ticketpipe"),
            Agent::RelaySmtp => (Daemon::Relay, "postfix/relay/smtp", "exchange.corp.example[192.0.2.40]:25"),
            Agent::Error => (Daemon::Error, "postfix/error", "none"),
            Agent::Local | Agent::Smtp => (Daemon::Local, "postfix/local", "local"),
        };
        let times = Times {
            in_qmgr: self.rng.range(300, 9 * MILLI),
            setup: if agent == Agent::RelaySmtp { self.rng.range(2 * MILLI, 60 * MILLI) } else { self.rng.below(900) },
            transmission: self.rng.range(MILLI, 60 * MILLI),
            began: at,
        };
        let pid = self.pid(daemon, at, times.end() - at);
        let outcome = match verdict {
            Verdict::Bounced => Outcome::Bounced,
            Verdict::Deferred => Outcome::Deferred,
            Verdict::Sent | Verdict::Forwarded => Outcome::Sent,
        };
        if verdict == Verdict::Deferred && agent == Agent::Virtual {
            say!(
                self,
                times.end() - 200,
                Fact::Nothing,
                "postfix/virtual[{pid}]: warning: maildir access problem for UID/GID=5000/5000: create maildir file \
                 /var/vmail/tmp/{}.P{pid}.mail: Permission denied",
                crate::simulation::unix(at)
            );
        }
        let attempt = Attempt { program, pid, relay, conn_use: 1, times, dsn: words.0, detail: &words.1, outcome };
        self.attempt(file, k, &attempt);
        times.end()
    }

    /// The status code and the words between the brackets.
    fn hosted_words(&mut self, file: &QueueFile, k: usize, agent: Agent, verdict: Verdict) -> (&'static str, String) {
        let recipient = file.recipients[k];
        let to = self.world.address(recipient.mailbox, recipient.shout);
        let lmtp = "mail.corp.example[private/dovecot-lmtp]";
        let (n, coin) = (self.rng.draw(), self.rng.below(4));
        match (agent, verdict) {
            (Agent::Error, _) => ("5.1.1", "mail to this domain is not accepted".to_owned()),
            (Agent::Lmtp, Verdict::Bounced) => {
                let words = format!("550 5.1.1 <{to}> User doesn't exist: {to}");
                ("5.1.1", format!("host {lmtp} said: {words} (in reply to RCPT TO command)"))
            }
            (Agent::Lmtp, Verdict::Deferred) => {
                let words = format!("452 4.2.2 <{to}> Quota exceeded (mailbox for user is full)");
                ("4.2.2", format!("host {lmtp} said: {words} (in reply to end of DATA command)"))
            }
            (Agent::Lmtp, _) => ("2.0.0", format!("250 2.0.0 <{to}> {:013x}AAZU03Dg Saved", n >> 12)),
            (Agent::Virtual, Verdict::Bounced) => ("5.1.1", format!("unknown user: \"{to}\"")),
            (Agent::Virtual, Verdict::Deferred) => {
                ("4.2.0", "maildir delivery failed: create maildir file /var/vmail/tmp: Permission denied".to_owned())
            }
            (Agent::Virtual, _) => ("2.0.0", "delivered to maildir".to_owned()),
            (Agent::Pipe, Verdict::Bounced) => ("5.3.0", "service unavailable. Command output: no such list ".to_owned()),
            (Agent::Pipe, Verdict::Deferred) if coin == 0 => {
                ("4.3.0", "Command died with signal 9: \"/usr/local/bin/ticketpipe\"".to_owned())
            }
            (Agent::Pipe, Verdict::Deferred) => ("4.3.0", "temporary failure. Command output: ticketpipe: database is locked ".to_owned()),
            (Agent::Pipe, _) => ("2.0.0", "delivered via ticketpipe service".to_owned()),
            (Agent::RelaySmtp, Verdict::Bounced) => {
                let words = format!("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup");
                let host = "exchange.corp.example[192.0.2.40]";
                ("5.1.10", format!("host {host} said: {words} (in reply to RCPT TO command)"))
            }
            (Agent::RelaySmtp, Verdict::Deferred) => {
                ("4.4.1", "connect to exchange.corp.example[192.0.2.40]:25: Connection refused".to_owned())
            }
            (Agent::RelaySmtp, _) => {
                ("2.6.0", format!("250 2.6.0 <{}.{n:x}@corp.example> [InternalId={}] Queued mail for delivery", file.id, n >> 30))
            }
            (Agent::Local | Agent::Smtp, Verdict::Bounced) => ("5.1.1", format!("unknown user: \"{}\"", local_part(&to))),
            (Agent::Local | Agent::Smtp, Verdict::Deferred) => (
                "4.2.0",
                "cannot update mailbox /var/mail/shared. unable to lock for exclusive access: Resource temporarily unavailable".to_owned(),
            ),
            (Agent::Local | Agent::Smtp, _) => {
                let words = [
                    "delivered to mailbox",
                    "delivered to maildir",
                    "delivered to mailbox",
                    "delivered to command: /usr/bin/procmail -a \"$EXTENSION\"",
                ];
                ("2.0.0", words[coin as usize].to_owned())
            }
        }
    }

    /// An alias on this machine that leads elsewhere: local(8) makes a new queue file before it says so.
    fn forward(&mut self, file: &QueueFile, k: usize, at: Micros) -> Micros {
        let alias = file.recipients[k].mailbox;
        let times =
            Times { in_qmgr: self.rng.range(300, 5 * MILLI), setup: 0, transmission: self.rng.range(2 * MILLI, 30 * MILLI), began: at };
        let born = times.end() - self.rng.range(200, 1_500);
        let (number, id) = self.new_file(born);
        let count = self.rng.pick(&[1, 1, 1, 2, 3]);
        let mut recipients: Vec<Recipient> = Vec::with_capacity(count);
        while recipients.len() < count {
            let domain = self.world.remote_domains.sample(&mut self.rng) as u32;
            let user = self.rng.below(u64::from(self.world.domain(domain).users)) as u32;
            let mut recipient = self.recipient(Mailbox::User { domain, user }, Some(alias), 1.0);
            recipient.fate.end = recipient.fate.end.without_alias();
            if recipients.iter().all(|r| r.mailbox != recipient.mailbox) {
                recipients.push(recipient);
            }
        }
        debug_assert!(recipients.iter().all(|r| (r.domain as usize) < DOMAINS));
        let child = QueueFile {
            file: number,
            id,
            from: file.from,
            size: file.size + 131,
            born,
            message_id: file.message_id,
            recipients,
            rounds: 0,
            warned: true,
        };
        self.cleanup(&child, born, Fact::Born(number, Birth::Forward));
        let pid = self.pid(Daemon::Local, at, times.end() - at);
        let detail = format!("forwarded as {id}");
        let outcome = Outcome::Forwarded(number);
        let attempt = Attempt { program: "postfix/local", pid, relay: "local", conn_use: 1, times, dsn: "2.0.0", detail: &detail, outcome };
        self.attempt(file, k, &attempt);
        let queued = self.after(times.end(), 200, 3 * MILLI);
        self.round(child, queued);
        times.end()
    }

    /// How long a remote conversation takes: mostly tenths of seconds, now and then many seconds.
    pub fn remote_times(&mut self, began: Micros) -> Times {
        let slow = if self.rng.chance(0.015) { 40.0 } else { 1.0 };
        let mut draw = |mean: f64| (self.rng.exponential() * mean) as Micros;
        Times {
            in_qmgr: draw(12.0 * MILLI as f64) + 200,
            setup: (draw(130.0 * MILLI as f64 * slow) + 4 * MILLI).min(280 * SECOND),
            transmission: (draw(160.0 * MILLI as f64 * slow) + 6 * MILLI).min(280 * SECOND),
            began,
        }
    }
}

fn local_part(address: &impl std::fmt::Display) -> String {
    let text = address.to_string();
    text.split('@').next().unwrap_or("").to_owned()
}

fn write_attempt(
    sim: &Simulation,
    out: &mut String,
    file: &QueueFile,
    recipient: &Recipient,
    a: &Attempt<'_>,
    status: &str,
) -> std::fmt::Result {
    use std::fmt::Write as _;
    let to = sim.world.address(recipient.mailbox, recipient.shout);
    write!(out, "{}[{}]: {}: to=<{to}>", a.program, a.pid, file.id)?;
    if let Some(original) = recipient.original {
        write!(out, ", orig_to=<{}>", sim.world.address(original, false))?;
    }
    write!(out, ", relay={}", a.relay)?;
    if a.conn_use > 1 {
        write!(out, ", conn_use={}", a.conn_use)?;
    }
    let t = a.times;
    write!(
        out,
        ", delay={}, delays={}/{}/{}/{}, dsn={}, status={status} ({})",
        Seconds(t.end() - file.born),
        Seconds(t.began - file.born),
        Seconds(t.in_qmgr),
        Seconds(t.setup),
        Seconds(t.transmission),
        a.dsn,
        a.detail
    )
}
