//! What is turned away, at every stage of the conversation.

use crate::clock::{MILLI, Micros, SECOND};
use crate::message::QueueFile;
use crate::names::GUESSES;
use crate::pids::Daemon;
use crate::replies::fill;
use crate::session::{Client, Door, Tally};
use crate::simulation::{Simulation, say};
use crate::truth::Fact;
use crate::world::{DOMAINS, Mailbox};

/// A refusal: the stage as Postfix names it, the text, and how often.
struct Refusal {
    stage: &'static str,
    text: &'static str,
    weight: u64,
}

const fn r(weight: u64, stage: &'static str, text: &'static str) -> Refusal {
    Refusal { stage, text, weight }
}

#[rustfmt::skip] // One line a refusal reads best.
const REFUSALS: &[Refusal] = &[
    r(200, "reject: RCPT", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
    r(60, "reject: RCPT", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table"),
    r(30, "reject: RCPT", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in relay recipient table"),
    r(130, "reject: RCPT", "554 5.7.1 <{away}>: Relay access denied"),
    r(160, "reject: RCPT", "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip}"),
    r(50, "reject: RCPT", "554 5.7.1 Service unavailable; Client host [{ip}] blocked using bl.spamcop.net; Blocked - see https://www.spamcop.net/bl.shtml?{ip}"),
    r(30, "reject: RCPT", "554 5.7.1 Service unavailable; Client host [{ip}] blocked using b.barracudacentral.org; http://www.barracudanetworks.com/reputation/?pr=1&ip={ip}"),
    r(20, "reject: RCPT", "554 5.7.1 Service unavailable; Sender address [{from}] blocked using dbl.spamhaus.org; https://www.spamhaus.org/query/domain/{fromdom}"),
    r(60, "reject: RCPT", "450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]"),
    r(50, "reject: RCPT", "504 5.5.2 <{helo}>: Helo command rejected: need fully-qualified hostname"),
    r(25, "reject: RCPT", "450 4.7.1 <{helo}>: Helo command rejected: Host not found"),
    r(10, "reject: RCPT", "501 5.5.2 <{helo}>: Helo command rejected: Invalid name"),
    r(12, "reject: RCPT", "554 5.7.1 <mail.corp.example>: Helo command rejected: You are not me"),
    r(40, "reject: RCPT", "450 4.1.8 <{from}>: Sender address rejected: Domain not found"),
    r(15, "reject: RCPT", "504 5.5.2 <{fromlocal}>: Sender address rejected: need fully-qualified address"),
    r(25, "reject: RCPT", "554 5.7.1 <{client}>: Client host rejected: Access denied"),
    r(15, "reject: RCPT", "550 5.7.1 <{from}>: Sender address rejected: blocked by local policy"),
    r(90, "reject: RCPT", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/{todom}.html"),
    r(20, "reject: RCPT", "550 5.7.23 <{to}>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why?s=mfrom;id={from};ip={ip};r=<UNKNOWN>"),
    r(15, "reject: RCPT", "452 4.2.2 <{to}>: Recipient address rejected: Mailbox is full"),
    r(10, "reject: RCPT", "452 4.5.3 Error: too many recipients"),
    r(10, "reject: RCPT", "451 4.3.0 <{to}>: Temporary lookup failure"),
    r(10, "reject: RCPT", "451 4.3.5 Server configuration error"),
    r(10, "reject: RCPT", "450 4.1.1 <{to}>: Recipient address rejected: unverified address: Address verification in progress"),
    r(10, "reject: RCPT", "421 4.7.0 <{client}>: Client host rejected: Closing on you"),
    r(10, "reject: RCPT", "450 4.1.7 <{from}>: Sender address rejected: unverified address: host mx.{fromdom}[198.51.100.50] said: 550 5.1.1 <{from}>: User unknown (in reply to RCPT TO command)"),
    r(12, "milter-reject: RCPT", "550 5.7.1 Command rejected"),
    r(12, "milter-reject: RCPT", "451 4.7.1 Try again later"),
    r(12, "reject: MAIL", "552 5.3.4 Message size exceeds fixed limit"),
    r(6, "reject: MAIL", "452 4.3.1 Insufficient system storage"),
    r(10, "milter-reject: MAIL", "550 5.7.1 Sender rejected by milter"),
    r(10, "milter-reject: MAIL", "451 4.7.1 Service unavailable - try again later"),
    r(10, "reject: EHLO", "450 4.7.1 <{helo}>: Helo command rejected: Host not found"),
    r(6, "milter-reject: EHLO", "550 5.7.1 Bad HELO says milter"),
    r(12, "reject: CONNECT", "450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]"),
    r(10, "reject: CONNECT", "554 5.7.1 <{client}>: Client host rejected: Access denied"),
    r(6, "milter-reject: CONNECT", "550 5.7.1 Milter does not like your host"),
    r(4, "reject: ETRN", "554 5.7.1 <corp.example>: Etrn command rejected: Access denied"),
    r(4, "reject: VRFY", "504 5.5.2 <{tolocal}>: Recipient address rejected: need fully-qualified address"),
];

/// Refusals of a message that has a queue id; the first word says which daemon speaks.
#[rustfmt::skip]
const CONTENT: &[(&str, &str, &str)] = &[
    ("smtpd", "reject: DATA", "554 5.7.1 <{from}>: Sender address rejected: data stage rejection"),
    ("smtpd", "reject: DATA", "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining"),
    ("smtpd", "reject: END-OF-MESSAGE", "554 5.7.1 <{from}>: Sender address rejected: end of data rejection"),
    ("cleanup", "milter-reject: END-OF-MESSAGE", "5.7.1 Command rejected"),
    ("cleanup", "milter-reject: END-OF-MESSAGE", "5.7.1 Spam message rejected"),
    ("cleanup", "milter-reject: END-OF-MESSAGE", "5.7.1 Command rejected: spam score 15.3"),
    ("cleanup", "milter-reject: END-OF-MESSAGE", "4.7.1 Service unavailable - try again later"),
    ("cleanup", "milter-reject: END-OF-MESSAGE", "5.7.1 Matched map: SPAM_BLACKLIST"),
    ("cleanup", "reject: header Subject: Cheap watches, buy now", "5.7.1 Header check says no"),
    ("cleanup", "reject: header Content-Type: application/octet-stream; name=\"invoice.exe\"", "5.7.1 Attachment type not allowed"),
    ("cleanup", "reject: body BODY viagra now", "5.7.1 Body check says no"),
];

/// The envelope of something that will be refused.
struct Wish {
    from: Mailbox,
    to: Mailbox,
    away: Mailbox,
}

impl Simulation {
    /// A session in which nothing is accepted.
    pub fn reject_session(&mut self, at: Micros) {
        let client = self.stranger();
        let worker = self.pids.take(&mut self.rng, Daemon::Smtpd, at);
        let tls = self.rng.chance(0.1);
        let door = Door { program: "postfix/smtpd", client, auth: None, tls, inbound: true, pid: worker.pid };
        let refusal = self.choose_refusal();
        let mut tally = Tally::default();
        let mut now = self.open_door(&door, at, &mut tally);
        if refusal.stage.ends_with("CONNECT") || refusal.stage.ends_with("EHLO") {
            tally = Tally::default();
        }
        let command = refusal.stage.rsplit(' ').next().unwrap_or("RCPT");
        if command == "RCPT" {
            tally.add("mail", 1, 1);
        }
        let times = if command == "RCPT" { self.rng.pick(&[1, 1, 1, 2, 2, 2, 3, 6]) } else { 1 };
        let mut wish = self.wish();
        for _ in 0..times {
            self.refuse(&door, now, refusal, &wish);
            now = self.after(now, 20 * MILLI, 700 * MILLI);
            let next = self.wish();
            (wish.to, wish.away) = (next.to, next.away);
        }
        match command {
            "RCPT" => tally.add("rcpt", 0, times),
            "MAIL" => tally.add("mail", 0, 1),
            "EHLO" => tally.add("ehlo", 0, 1),
            "ETRN" => tally.add("etrn", 0, 1),
            "VRFY" => tally.add("vrfy", 0, 1),
            _ => {}
        }
        let end = self.after(now, MILLI, SECOND);
        match command {
            _ if times == 6 => {
                say!(self, end - 200, Fact::Nothing, "postfix/smtpd[{}]: too many errors after RCPT from {}", door.pid, door.client.shown);
            }
            "CONNECT" => self.lost(&door, end - 200, "CONNECT"),
            _ if self.rng.chance(0.3) => self.lost(&door, end - 200, command),
            _ => {
                if command == "RCPT" && self.rng.chance(0.3) {
                    tally.add("rset", 1, 1);
                }
                tally.add("quit", 1, 1);
            }
        }
        self.close_door(&door, end, &tally);
        self.pids.release(worker, end);
    }

    pub fn lost(&mut self, door: &Door, at: Micros, stage: &str) {
        let (program, pid) = (door.program, door.pid);
        say!(self, at, Fact::Nothing, "{program}[{pid}]: lost connection after {stage} from {}", door.client.shown);
    }

    /// A host that no one knows, often without a name.
    pub fn stranger(&mut self) -> Client {
        let k = self.rng.below(4_000);
        let ip = match k % 8 {
            0 => format!("2001:db8:bad:{:x}::{:x}", k / 8, k % 250 + 1),
            1 | 2 => format!("198.51.100.{}", k / 8 % 254 + 1),
            _ => format!("203.0.113.{}", k / 8 % 254 + 1),
        };
        let named = k % 5 < 2;
        let name = if named { format!("host-{k}.dyn{}.example", k % 31) } else { "unknown".to_owned() };
        let helo = match k % 7 {
            0 => "localpc".to_owned(),
            1 => format!("[{ip}]"),
            2 => format!("WIN-{:X}", crate::rng::mix(k) >> 36),
            3 => "mail.corp.example".to_owned(),
            _ => format!("h{k}.gen.example"),
        };
        Client { shown: format!("{name}[{ip}]"), ip, helo }
    }

    fn choose_refusal(&mut self) -> &'static Refusal {
        let mut left = self.rng.below(REFUSALS.iter().map(|r| r.weight).sum());
        for refusal in REFUSALS {
            if left < refusal.weight {
                return refusal;
            }
            left -= refusal.weight;
        }
        &REFUSALS[0]
    }

    fn wish(&mut self) -> Wish {
        let sender = self.rng.below(self.world.senders.len() as u64) as u32;
        let hosted = DOMAINS as u32 + self.world.hosted_domains.sample(&mut self.rng) as u32;
        let remote = self.world.remote_domains.sample(&mut self.rng) as u32;
        let (user, other) = (self.rng.range(3_000, 400_000) as u32, self.rng.below(4_000) as u32);
        Wish {
            from: Mailbox::Sender(sender),
            to: Mailbox::User { domain: hosted, user },
            away: Mailbox::User { domain: remote, user: other },
        }
    }

    fn refuse(&mut self, door: &Door, at: Micros, refusal: &Refusal, wish: &Wish) {
        let to = if refusal.text.contains("{away}") { wish.away } else { wish.to };
        let text = self.refusal_text(refusal.text, door, wish.from, to);
        let (program, pid, shown, helo) = (door.program, door.pid, &door.client.shown, &door.client.helo);
        let (from, to) = (self.world.address(wish.from, false), self.world.address(to, false));
        let stage = refusal.stage;
        let head = format!("{program}[{pid}]: NOQUEUE: {stage} from {shown}: {text};");
        let tail = match stage.rsplit(' ').next() {
            Some("RCPT") => format!("from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>"),
            Some("MAIL") => format!("from=<{from}> proto=ESMTP helo=<{helo}>"),
            Some("CONNECT") => "proto=SMTP".to_owned(),
            Some("VRFY") => format!("to=<{}> proto=ESMTP helo=<{helo}>", GUESSES[pid as usize % 16]),
            Some("ETRN") => format!("proto=ESMTP helo=<{helo}>"),
            _ => format!("proto=SMTP helo=<{helo}>"),
        };
        say!(self, at, Fact::Reject, "{head} {tail}");
    }

    /// A recipient too many in a message that is accepted for others: the reject has the queue id.
    pub fn reject_recipient(&mut self, door: &Door, at: Micros, file: &QueueFile) {
        let wish = self.wish();
        let from = file.from.mailbox();
        let text = self.refusal_text(REFUSALS[0].text, door, from, wish.to);
        let (program, pid, id) = (door.program, door.pid, file.id);
        let (client, world) = (&door.client, &self.world);
        say!(
            self,
            at,
            Fact::Reject,
            "{program}[{pid}]: {id}: reject: RCPT from {}: {text}; from=<{}> to=<{}> proto=ESMTP helo=<{}>",
            client.shown,
            world.address(from, false),
            world.address(wish.to, false),
            client.helo
        );
    }

    /// What would be refused if the restriction weren't on trial.
    pub fn reject_warning(&mut self, door: &Door, at: Micros, file: &QueueFile) {
        let template = self.rng.pick(&[REFUSALS[8].text, REFUSALS[5].text, REFUSALS[10].text]);
        let (from, to) = (file.from.mailbox(), file.recipients[0].mailbox);
        let text = self.refusal_text(template, door, from, to);
        let (program, pid) = (door.program, door.pid);
        let (client, world) = (&door.client, &self.world);
        say!(
            self,
            at,
            Fact::RejectWarning,
            "{program}[{pid}]: NOQUEUE: reject_warning: RCPT from {}: {text}; from=<{}> to=<{}> proto=ESMTP helo=<{}>",
            client.shown,
            world.address(from, false),
            world.address(to, false),
            client.helo
        );
    }

    /// A message that is refused for what it says. Its queue file is never heard of again.
    pub fn refuse_content(&mut self, door: &Door, at: Micros, file: &QueueFile) -> Micros {
        let (daemon, stage, template) = self.rng.pick(CONTENT);
        let (from, to) = (file.from.mailbox(), file.recipients[0].mailbox);
        let text = self.refusal_text(template, door, from, to);
        if daemon == "cleanup" {
            self.cleanup(file, at.saturating_sub(400), Fact::Nothing);
        }
        let pid = if daemon == "cleanup" { self.pid(Daemon::Cleanup, at, MILLI) } else { door.pid };
        let (client, world, id) = (&door.client, &self.world, file.id);
        let (from, to) = (world.address(from, false), world.address(to, false));
        let (shown, helo) = (&client.shown, &client.helo);
        let fact = Fact::RejectFile(file.file);
        if stage.contains("header") || stage.contains("body") {
            say!(
                self,
                at,
                fact,
                "postfix/{daemon}[{pid}]: {id}: {stage} from {shown}; from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>: {text}"
            );
        } else {
            say!(
                self,
                at,
                fact,
                "postfix/{daemon}[{pid}]: {id}: {stage} from {shown}: {text}; from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>"
            );
        }
        at + 2 * MILLI
    }

    /// A header check that only looks.
    pub fn header_line(&mut self, door: &Door, at: Micros, file: &QueueFile) {
        let (action, subject) = (self.rng.pick(&["info", "warning", "info"]), self.rng.range(1_000, 9_999));
        let pid = self.pid(Daemon::Cleanup, at, MILLI);
        let (client, world, id) = (&door.client, &self.world, file.id);
        say!(
            self,
            at,
            Fact::Nothing,
            "postfix/cleanup[{pid}]: {id}: {action}: header Subject: Your order {subject} from {}; from=<{}> to=<{}> proto=ESMTP helo=<{}>: looked at",
            client.shown,
            world.address(file.from.mailbox(), false),
            world.address(file.recipients[0].mailbox, false),
            client.helo
        );
    }

    fn refusal_text(&mut self, template: &str, door: &Door, from: Mailbox, to: Mailbox) -> String {
        let (world, client) = (&self.world, &door.client);
        let mut out = String::with_capacity(120);
        fill(&mut out, template, |slot, out| {
            let address = |mailbox| world.address(mailbox, false).to_string();
            let domain = |mailbox| world.domain(world.domain_of(mailbox)).name.as_str();
            match slot {
                "to" | "away" => out.push_str(&address(to)),
                "todom" => out.push_str(domain(to)),
                "tolocal" => out.push_str(GUESSES[door.pid as usize % 16]),
                "from" => out.push_str(&address(from)),
                "fromlocal" => out.push_str(address(from).split('@').next().unwrap_or("")),
                "fromdom" => out.push_str(domain(from)),
                "ip" => out.push_str(&client.ip),
                "client" => out.push_str(&client.shown),
                "helo" => out.push_str(&client.helo),
                _ => {}
            }
        });
        out
    }
}
