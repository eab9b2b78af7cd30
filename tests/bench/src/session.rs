//! How messages come in: sessions of smtpd, submission, and local programs through pickup.

use crate::clock::{MILLI, Micros};
use crate::message::{Envelope, MessageId, QueueFile, Recipient};
use crate::pids::Daemon;
use crate::rng::mix;
use crate::simulation::{Simulation, say};
use crate::truth::{Birth, Fact};
use crate::world::{Agent, DOMAINS, Family, Mailbox};

/// Who is connected.
pub struct Client {
    /// `name[ip]`, as Postfix shows it.
    pub shown: String,
    pub ip: String,
    pub helo: String,
}

/// A session's side of things that stay the same for all its messages.
pub struct Door {
    pub program: &'static str,
    pub client: Client,
    /// Method and user.
    pub auth: Option<(&'static str, String)>,
    pub tls: bool,
    pub inbound: bool,
    pub pid: u32,
}

/// How many commands were given, and how many of them taken.
#[derive(Default)]
pub struct Tally {
    commands: Vec<(&'static str, u64, u64)>,
}

impl Tally {
    /// Counts commands in the order of their first use.
    pub fn add(&mut self, name: &'static str, taken: u64, given: u64) {
        match self.commands.iter_mut().find(|(n, ..)| *n == name) {
            Some((_, ok, total)) => (*ok, *total) = (*ok + taken, *total + given),
            None => self.commands.push((name, taken, given)),
        }
    }

    /// `ehlo=1 mail=1 rcpt=0/1 commands=2/3`
    #[must_use]
    pub fn text(&self) -> String {
        let show = |name: &str, ok: u64, total: u64| {
            if ok == total { format!("{name}={ok}") } else { format!("{name}={ok}/{total}") }
        };
        let sums = self.commands.iter().fold((0, 0), |(a, b), (_, ok, total)| (a + ok, b + total));
        let mut parts: Vec<String> = self.commands.iter().map(|(n, ok, total)| show(n, *ok, *total)).collect();
        parts.push(if self.commands.is_empty() { "commands=0/0".to_owned() } else { show("commands", sums.0, sums.1) });
        parts.join(" ")
    }
}

const TLS_IN: [&str; 3] = [
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)",
    "TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256",
];

impl Simulation {
    /// A sender has something to send.
    pub fn mail_session(&mut self, at: Micros) {
        let rank = self.world.sender_ranks.sample(&mut self.rng) as u32;
        if !self.world.senders[rank as usize].outbound {
            let client = self.client_of(rank);
            let tls = self.rng.chance(0.22);
            let start = if self.rng.chance(0.08) { self.postscreen_pass(at, &client) } else { at };
            self.smtpd_session(start, "postfix/smtpd", client, None, tls, true, rank);
        } else if self.rng.chance(0.07) {
            self.pickup(at, rank);
        } else if self.rng.chance(0.45) {
            let user = self.world.senders[rank as usize].address.clone();
            let k = mix(u64::from(rank)) % 200;
            let ip = format!("198.51.100.{}", k + 20);
            let name = if k < 120 { format!("dsl-{k}.dyn.isp.example") } else { "unknown".to_owned() };
            let client = Client { shown: format!("{name}[{ip}]"), ip, helo: format!("[192.168.1.{}]", k + 10) };
            let method = self.rng.pick(&["PLAIN", "PLAIN", "PLAIN", "LOGIN", "CRAM-MD5"]);
            let program = if self.rng.chance(0.35) { "postfix/smtps/smtpd" } else { "postfix/submission/smtpd" };
            let user = if rank.is_multiple_of(3) { user.split('@').next().unwrap_or("").to_owned() } else { user };
            let tls = self.rng.chance(0.4);
            self.smtpd_session(at, program, client, Some((method, user)), tls, false, rank);
        } else {
            let k = mix(u64::from(rank) ^ 77) % 12;
            let ip = format!("192.0.2.{}", 100 + k);
            let name = if k < 9 { format!("app{k}.corp.example") } else { "unknown".to_owned() };
            let client = Client { shown: format!("{name}[{ip}]"), ip, helo: format!("app{k}.corp.example") };
            self.smtpd_session(at, "postfix/smtpd", client, None, false, false, rank);
        }
    }

    /// A remote server that sends for a sender.
    fn client_of(&mut self, rank: u32) -> Client {
        let domain = self.world.domain(self.world.senders[rank as usize].domain);
        let h = mix(u64::from(self.world.senders[rank as usize].domain) ^ 0xC11E) + self.rng.below(3);
        let ip = match h % 9 {
            0 => format!("2001:db8:{:x}::{:x}", h / 9 % 0xffff, h % 60 + 1),
            k if k < 5 => format!("203.0.113.{}", h / 9 % 254 + 1),
            _ => format!("198.51.100.{}", h / 9 % 254 + 1),
        };
        let helo = match domain.family {
            Family::Google => format!("mail-wr1-f{}.google.com", h % 60 + 1),
            Family::Microsoft => format!("mail-am6eur05on2{:03}.outbound.protection.outlook.com", h % 200),
            Family::Yahoo => format!("sonic{}-{}.consmr.mail.ir2.yahoo.com", h % 400, h % 30),
            _ => format!("mail.{}", domain.name),
        };
        let unknown = h / 100 % 100 < 12;
        let shown = if unknown { format!("unknown[{ip}]") } else { format!("{helo}[{ip}]") };
        Client { shown, ip, helo }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a session, each used once")]
    fn smtpd_session(
        &mut self,
        at: Micros,
        program: &'static str,
        client: Client,
        auth: Option<(&'static str, String)>,
        tls: bool,
        inbound: bool,
        rank: u32,
    ) {
        let daemon = Daemon::of_smtpd(program);
        let worker = self.pids.take(&mut self.rng, daemon, at);
        let door = Door { program, client, auth, tls, inbound, pid: worker.pid };
        let mut tally = Tally::default();
        let mut now = self.open_door(&door, at, &mut tally);
        let more = if inbound { 0.17 } else { 0.42 };
        let mut sender = rank;
        loop {
            now = self.accept(&door, now, sender, &mut tally);
            if !self.rng.chance(more) {
                break;
            }
            now = self.after(now, 20 * MILLI, 900 * MILLI);
            if inbound && self.rng.chance(0.5) {
                // A big provider sends for others, too.
                let other = self.world.sender_ranks.sample(&mut self.rng) as u32;
                let same = self.world.senders[other as usize].domain == self.world.senders[rank as usize].domain;
                sender = if same { other } else { sender };
            }
        }
        tally.add("quit", 1, 1);
        let end = self.after(now, 2 * MILLI, 300 * MILLI);
        self.close_door(&door, end, &tally);
        self.pids.release(worker, end);
    }

    /// Connect, and what comes before the first MAIL.
    pub fn open_door(&mut self, door: &Door, at: Micros, tally: &mut Tally) -> Micros {
        let (program, pid, client) = (door.program, door.pid, &door.client);
        if door.inbound && client.shown.starts_with("unknown") && self.rng.chance(0.25) {
            let (name, ip) = (&client.helo, &client.ip);
            if self.rng.chance(0.5) {
                say!(self, at, Fact::Nothing, "{program}[{pid}]: warning: hostname {name} does not resolve to address {ip}");
            } else {
                say!(
                    self,
                    at,
                    Fact::Nothing,
                    "{program}[{pid}]: warning: hostname {name} does not resolve to address {ip}: Name or service not known"
                );
            }
        }
        say!(self, at, Fact::Nothing, "{program}[{pid}]: connect from {}", client.shown);
        let mut now = self.after(at, 10 * MILLI, 250 * MILLI);
        if door.tls {
            let trust = self.rng.pick(&["Anonymous", "Anonymous", "Anonymous", "Untrusted", "Trusted"]);
            let cipher = self.rng.pick(&TLS_IN);
            say!(self, now, Fact::Nothing, "{program}[{pid}]: {trust} TLS connection established from {}: {cipher}", client.shown);
            now = self.after(now, 5 * MILLI, 90 * MILLI);
        }
        // On port 465 TLS comes before EHLO.
        if door.tls && program != "postfix/smtps/smtpd" {
            tally.add("ehlo", 2, 2);
            tally.add("starttls", 1, 1);
        } else {
            tally.add("ehlo", 1, 1);
        }
        if door.auth.is_some() {
            tally.add("auth", 1, 1);
        }
        now
    }

    pub fn close_door(&mut self, door: &Door, at: Micros, tally: &Tally) {
        let (program, pid) = (door.program, door.pid);
        say!(self, at, Fact::Nothing, "{program}[{pid}]: disconnect from {} {}", door.client.shown, tally.text());
    }

    /// One message of a session, from `client=` to the queue. Returns when the client has its answer.
    fn accept(&mut self, door: &Door, at: Micros, rank: u32, tally: &mut Tally) -> Micros {
        let mut file = self.new_message(at, rank, door.inbound);
        let (program, pid, id) = (door.program, door.pid, file.id);
        let warned = door.inbound && self.rng.chance(0.012);
        if warned {
            self.reject_warning(door, at.saturating_sub(500), &file);
        }
        let fact = Fact::Born(file.file, Birth::Arrival);
        match &door.auth {
            Some((method, user)) => {
                say!(self, at, fact, "{program}[{pid}]: {id}: client={}, sasl_method={method}, sasl_username={user}", door.client.shown)
            }
            None => say!(self, at, fact, "{program}[{pid}]: {id}: client={}", door.client.shown),
        }
        let count = file.recipients.len() as u64;
        tally.add("mail", 1, 1);
        tally.add("rcpt", count, count);
        if door.inbound && self.rng.chance(0.02) {
            let wrong = self.rng.range(1, 3);
            for k in 0..wrong {
                self.reject_recipient(door, at + (k + 1) * 3 * MILLI, &file);
            }
            tally.add("rcpt", 0, wrong);
        }
        let cleaned = self.after(at, 12 * MILLI, 180 * MILLI);
        if door.inbound && self.rng.chance(0.006) {
            tally.add("data", 0, 1);
            return self.refuse_content(door, cleaned, &file);
        }
        tally.add("data", 1, 1);
        self.cleanup(&file, cleaned, Fact::Nothing);
        if self.rng.chance(0.008) {
            self.header_line(door, cleaned + 100, &file);
        }
        let queued = self.after(cleaned, 2 * MILLI, 40 * MILLI);
        file.size += 300;
        if self.rng.chance(0.05) {
            self.through_filter(file, queued, &door.client.shown);
        } else {
            self.round(file, queued);
        }
        queued
    }

    /// A local program hands in a message.
    fn pickup(&mut self, at: Micros, rank: u32) {
        let file = self.new_message(at, rank, false);
        let (pid, id, uid) = (self.pickup_pid(at), file.id, self.rng.pick(&[0, 33, 33, 100, 1_000, 1_001]));
        let fact = Fact::Born(file.file, Birth::Arrival);
        say!(self, at, fact, "postfix/pickup[{pid}]: {id}: uid={uid} from=<{}>", self.world.address(file.from.mailbox(), false));
        let cleaned = self.after(at, 500, 9 * MILLI);
        self.cleanup(&file, cleaned, Fact::Nothing);
        let queued = self.after(cleaned, 500, 12 * MILLI);
        self.round(file, queued);
    }

    fn new_message(&mut self, at: Micros, rank: u32, inbound: bool) -> QueueFile {
        let (file, id) = self.new_file(at);
        let from = if inbound && self.rng.chance(0.015) { Envelope::Null } else { Envelope::Sender(rank) };
        let recipients = self.recipients(inbound);
        let family = self.world.domain(self.world.senders[rank as usize].domain).family;
        let style = match family {
            _ if self.rng.chance(0.004) => 5,
            Family::Google => 3,
            _ => [0, 1, 2, 4][(mix(u64::from(rank)) % 4) as usize],
        };
        let size = (1_800.0 * (self.rng.exponential() * 1.15).exp()).min(24_000_000.0) as u32;
        QueueFile {
            file,
            id,
            from,
            size,
            born: at,
            message_id: MessageId { style, number: file, sender: Envelope::Sender(rank) },
            recipients,
            rounds: 0,
            warned: false,
        }
    }

    /// Different recipients; those of one message often share a domain.
    fn recipients(&mut self, inbound: bool) -> Vec<Recipient> {
        let count = self.world.recipient_counts.sample(&mut self.rng) + 1;
        let mut all: Vec<Recipient> = Vec::with_capacity(count);
        let mut tries = 0;
        while all.len() < count && tries < 4 * count {
            tries += 1;
            let domain = match all.last() {
                Some(last) if self.rng.chance(0.45) => last.domain,
                _ if inbound || self.rng.chance(0.16) => DOMAINS as u32 + self.world.hosted_domains.sample(&mut self.rng) as u32,
                _ => self.world.remote_domains.sample(&mut self.rng) as u32,
            };
            let mailbox = self.user_of(domain);
            let agent = self.world.domain(domain).agent;
            let aliased = matches!(agent, Agent::Virtual | Agent::Lmtp) && self.rng.chance(0.05);
            let recipient = if aliased && self.rng.chance(0.3) {
                // A virtual alias that leads to another provider.
                let elsewhere = self.world.remote_domains.sample(&mut self.rng) as u32;
                let target = self.user_of(elsewhere);
                self.recipient(target, Some(mailbox), 1.0)
            } else {
                let original = if aliased { Some(self.user_of(domain)) } else { None };
                self.recipient(mailbox, original, 1.0)
            };
            if all.iter().all(|r| r.mailbox != recipient.mailbox) {
                all.push(recipient);
            }
        }
        all
    }

    /// Some users of a domain get much more mail than others.
    pub fn user_of(&mut self, domain: u32) -> Mailbox {
        let users = f64::from(self.world.domain(domain).users);
        let user = (users.powf(self.rng.unit().sqrt()) as u32).max(1) - 1;
        Mailbox::User { domain, user }
    }
}
