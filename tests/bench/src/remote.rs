//! Deliveries to other servers: what they say when they take a message, and when they don't.

use crate::clock::{MILLI, Micros, SECOND, iso};
use crate::delivery::{Attempt, Times, Verdict};
use crate::message::{QueueFile, Recipient};
use crate::pids::Daemon;
use crate::replies::{Permanence, Shape, Template, fill};
use crate::simulation::{QueueId, Simulation, say, unix};
use crate::truth::{Fact, Outcome};
use crate::world::{Family, OWN_IP};
use std::fmt::Write as _;

/// A conversation that can take the next recipient of the same domain along.
pub struct Remote {
    domain: u32,
    pid: u32,
    relay: String,
    conn_use: u64,
    times: Times,
    reply: String,
    dsn: &'static str,
}

const CIPHERS: [&str; 4] = [
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (P-256) server-digest SHA256",
    "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange ECDHE (P-256) server-signature RSA-PSS (4096 bits) server-digest SHA256",
];

impl Simulation {
    /// `name[ip]` of a relay.
    fn peer(&self, relay: u32) -> String {
        let relay = &self.world.relays[relay as usize];
        format!("{}[{}]", relay.name, relay.ip)
    }

    pub fn remote_sent(&mut self, file: &QueueFile, k: usize, at: Micros, last: &mut Option<Remote>) -> Micros {
        let domain = file.recipients[k].domain;
        if last.as_ref().is_none_or(|r| r.domain != domain) {
            *last = Some(self.converse(file, k, at));
        }
        let Some(remote) = last.as_ref() else {
            return at;
        };
        let attempt = Attempt {
            program: "postfix/smtp",
            pid: remote.pid,
            relay: &remote.relay,
            conn_use: remote.conn_use,
            times: remote.times,
            dsn: remote.dsn,
            detail: &remote.reply,
            outcome: Outcome::Sent,
        };
        self.attempt(file, k, &attempt);
        remote.times.end()
    }

    /// A conversation that goes well, with the lines before its delivery line.
    fn converse(&mut self, file: &QueueFile, k: usize, at: Micros) -> Remote {
        let recipient = file.recipients[k];
        let relays = self.world.domain(recipient.domain).relays;
        let second = self.rng.chance(0.12);
        let peer = self.peer(relays[usize::from(second)]);
        let times = self.remote_times(at);
        let worker = self.pids.take(&mut self.rng, Daemon::Smtp, at);
        self.pids.release(worker, times.end());
        let pid = worker.pid;
        let conn_use = if self.rng.chance(0.06) { self.rng.range(2, 12) } else { 1 };
        if second && self.rng.chance(0.15) {
            self.first_choice_failed(file, &recipient, pid, times);
        } else if conn_use == 1 && self.rng.chance(0.1) {
            let trust = self.rng.pick(&["Trusted", "Trusted", "Trusted", "Untrusted", "Verified", "Anonymous"]);
            let cipher = self.rng.pick(&CIPHERS);
            let shaken = times.end() - times.transmission - times.setup / 4;
            say!(self, shaken, Fact::Nothing, "postfix/smtp[{pid}]: {trust} TLS connection established to {peer}:25: {cipher}");
        }
        let (dsn, reply) = self.accepted(file, &recipient, times.end());
        Remote { domain: recipient.domain, pid, relay: format!("{peer}:25"), conn_use, times, reply, dsn }
    }

    /// The first mail exchanger didn't take it; the second will.
    fn first_choice_failed(&mut self, file: &QueueFile, recipient: &Recipient, pid: u32, times: Times) {
        let domain = self.world.domain(recipient.domain);
        let (relay, family) = (domain.relays[0], domain.family);
        let at = times.end() - times.transmission - times.setup / 2;
        let choice = Permanence::Transient.choose(&mut self.rng, family);
        let template = Permanence::Transient.template(choice);
        if !matches!(template.shape, Shape::Said(_) | Shape::Refused) {
            let why = self.rng.pick(&["Connection timed out", "Connection refused", "Network is unreachable", "No route to host"]);
            let peer = self.peer(relay);
            say!(self, at, Fact::Nothing, "postfix/smtp[{pid}]: connect to {peer}:25: {why}");
            return;
        }
        let words = self.words(file, recipient, template, template.variant(choice), relay, at);
        let id = file.id;
        say!(self, at, Fact::Nothing, "postfix/smtp[{pid}]: {id}: {words}");
    }

    /// A server's answer to a message it takes.
    fn accepted(&mut self, file: &QueueFile, recipient: &Recipient, at: Micros) -> (&'static str, String) {
        let (n, m, id) = (self.rng.draw(), self.rng.draw(), file.id);
        let (size, letter) = (file.size, (b'a' + (m % 26) as u8) as char);
        match self.world.domain(recipient.domain).family {
            Family::Google => ("2.0.0", format!("250 2.0.0 OK  {} {} - gsmtp", unix(at), google_id(n, m))),
            Family::Microsoft => (
                "2.6.0",
                format!(
                    "250 2.6.0 <{id}.{}@mail.corp.example> [InternalId={}, Hostname=DM6PR20MB{}.namprd20.prod.outlook.com] \
                     {size} bytes in 0.{:03}, {}.{:03} KB/sec Queued mail for delivery -> 250 2.1.5",
                    n % 1_000_000,
                    20_000_000_000 + n % 70_000_000_000,
                    1_000 + m % 9_000,
                    m % 900 + 50,
                    m % 300,
                    n % 1_000
                ),
            ),
            Family::Yahoo => ("2.0.0", "250 ok dirdel".to_owned()),
            Family::Apple => ("2.0.0", format!("250 2.0.0 Ok: queued as {:010X}", n >> 24)),
            Family::Gmx => (
                "2.0.0",
                format!(
                    "250 Requested mail action okay, completed: id=1M{letter}{:05x}-1{:05x}00{:02x}-00A{letter}",
                    n >> 44,
                    m >> 44,
                    m % 256
                ),
            ),
            Family::Telekom => ("2.0.0", format!("250 2.0.0 Message accepted. ID=1r{:06x}-0{:05x}0", n >> 40, m >> 44)),
            Family::Proofpoint => ("2.0.0", format!("250 2.0.0 3{letter}{:010x}-1 Message accepted for delivery", n >> 24)),
            Family::Mimecast => ("2.0.0", format!("250 {:012x} SmtpThread-{}-{}@{letter}mx [eumx1]", n >> 16, m % 90_000, unix(at))),
            Family::Plain => ("2.0.0", plain_reply(n, m, unix(at))),
        }
    }

    pub fn remote_failed(&mut self, file: &QueueFile, k: usize, at: Micros, verdict: Verdict) -> Micros {
        let recipient = file.recipients[k];
        let (permanence, choice, outcome) = match verdict {
            Verdict::Bounced => (Permanence::Permanent, recipient.fate.permanent, Outcome::Bounced),
            _ => (Permanence::Transient, recipient.fate.transient, Outcome::Deferred),
        };
        let template = permanence.template(choice);
        let relays = self.world.domain(recipient.domain).relays;
        let relay = relays[usize::from(file.rounds % 2)];
        let times = self.failed_times(template, at);
        let words = self.words(file, &recipient, template, template.variant(choice), relay, times.end());
        let daemon = if template.shape == Shape::Suspended { Daemon::Error } else { Daemon::Smtp };
        let pid = self.pid(daemon, at, times.end() - at);
        if template.shape == Shape::Unreached && words.starts_with("connect to") {
            self.told_before(times.end() - 1, pid, None, &words, 0.6);
        }
        let tried_twice = permanence == Permanence::Transient && relays[0] != relays[1];
        if tried_twice && matches!(template.shape, Shape::Said(_)) {
            let other = relays[usize::from(file.rounds.is_multiple_of(2))];
            let (variant, early) = (template.variant(choice), times.end() - times.transmission);
            let words = self.words(file, &recipient, template, variant, other, early);
            self.told_before(early, pid, Some(file.id), &words, 0.18);
        }
        let (program, place) = match template.shape {
            Shape::Suspended => ("postfix/error", "none".to_owned()),
            Shape::Unreached => ("postfix/smtp", "none".to_owned()),
            _ => ("postfix/smtp", format!("{}:25", self.peer(relay))),
        };
        let attempt = Attempt { program, pid, relay: &place, conn_use: 1, times, dsn: template.dsn, detail: &words, outcome };
        self.attempt(file, k, &attempt);
        times.end()
    }

    /// What smtp(8) says of a host before it goes on to the next, or gives up.
    fn told_before(&mut self, at: Micros, pid: u32, id: Option<QueueId>, words: &str, probability: f64) {
        if self.rng.chance(probability) {
            let id = id.map(|id| format!("{id}: ")).unwrap_or_default();
            say!(self, at, Fact::Nothing, "postfix/smtp[{pid}]: {id}{words}");
        }
    }

    /// Timeouts take their time; what was suspended takes none.
    fn failed_times(&mut self, template: &Template, began: Micros) -> Times {
        let mut times = self.remote_times(began);
        match template.shape {
            Shape::Suspended => (times.setup, times.transmission) = (0, self.rng.below(9 * MILLI)),
            Shape::Unreached => times.transmission = 0,
            _ => {}
        }
        if template.text.contains("timed out") || (template.text.starts_with("connect to") && self.rng.chance(0.4)) {
            times.setup += self.rng.pick(&[30, 30, 60, 300]) * SECOND;
        }
        times
    }

    /// What stands between the brackets.
    fn words(&mut self, file: &QueueFile, recipient: &Recipient, template: &Template, variant: &str, relay: u32, at: Micros) -> String {
        let Self { rng, world, .. } = self;
        let host = &world.relays[relay as usize];
        let domain = world.domain(recipient.domain);
        let mut out = String::with_capacity(200);
        // A String takes everything.
        let _ = match template.shape {
            Shape::Said(_) => write!(out, "host {}[{}] said: ", host.name, host.ip),
            Shape::Refused => write!(out, "host {}[{}] refused to talk to me: ", host.name, host.ip),
            _ => Ok(()),
        };
        fill(&mut out, template.text, |slot, out| {
            let _ = match slot {
                "var" => out.write_str(variant),
                "rcpt" => write!(out, "{}", world.address(recipient.mailbox, recipient.shout)),
                "from" => write!(out, "{}", world.address(file.from.mailbox(), false)),
                "fromdom" => out.write_str(&world.domain(world.domain_of(file.from.mailbox())).name),
                "ip" => out.write_str(OWN_IP),
                "dom" => out.write_str(&domain.name),
                "mx" => out.write_str(&host.name),
                "peer" => write!(out, "{}[{}]", host.name, host.ip),
                "gid" => out.write_str(&google_id(rng.draw(), rng.draw())),
                "hex" => write!(out, "{:012x}", rng.draw() >> 16),
                "HEX" => write!(out, "{:016X}", rng.draw()),
                "utc" => write!(out, "{}.{:03}Z", iso(unix(at)), at / MILLI % 1_000),
                "n" => write!(out, "{}", rng.range(1, 4_999)),
                "score" => write!(out, "{}.{}", rng.range(6, 31), rng.below(10)),
                "size" => write!(out, "{}", file.size),
                "limit" => write!(out, "{}", file.size / 2 + 1_000),
                "eop" => write!(out, "BN8NAM11FT{:03}.eop-nam11.prod.protection.outlook.com", rng.below(400)),
                "yahoo" => write!(out, "mta{}.mail.bf1.yahoo.com", rng.range(4_000, 4_400)),
                "region" => out.write_str(rng.pick(&["uk", "us", "de"])),
                _ => write!(out, "{{{slot}}}"),
            };
        });
        if let Shape::Said(command) = template.shape {
            let _ = write!(out, " (in reply to {command} command)");
        }
        out
    }
}

/// `b29ff4ed5e61-20020a5d4b01000000b0031f8a8d6d3dsi1234567wrq.138`
fn google_id(n: u64, m: u64) -> String {
    let letters = ["wrq", "edb", "ljp", "pfi", "qtb", "ejc"];
    format!("{:012x}-20020a5d{:012x}b0031f8asi{:07}{}.{}", n >> 16, m >> 16, n % 10_000_000, letters[(m % 6) as usize], m % 1_000)
}

/// What servers of all kinds answer, from two random numbers. Queue ids of ours have eleven digits, these don't.
fn plain_reply(n: u64, m: u64, unix: u64) -> String {
    let letter = (b'a' + (m % 26) as u8) as char;
    match m % 10 {
        0..=4 => format!("250 2.0.0 Ok: queued as {:010X}", n >> 24),
        5 => format!("250 2.0.0 Ok: queued as 4{letter}Y{:06x}z{:02x}Q", n >> 40, m % 256),
        6 => format!("250 OK id=1r{:04x}-000{:03x}-2{letter}", n >> 48, m >> 52),
        7 => format!("250 ok {unix} qp {}", n % 60_000),
        8 => format!("250 2.0.0 {:014x} Message accepted for delivery", n >> 8),
        _ => format!("250 2.0.0 {:08x} Message accepted for delivery", n >> 32),
    }
}
