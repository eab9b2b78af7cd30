//! Those who never hand in a message: scanners, password guessers, and postscreen's visitors.

use crate::clock::{MILLI, Micros, SECOND};
use crate::names::GUESSES;
use crate::pids::Daemon;
use crate::session::{Client, Door, Tally};
use crate::simulation::{Simulation, say};
use crate::truth::Fact;

const SCREEN: u32 = 603;
const LISTS: [(&str, &str); 4] = [
    ("zen.spamhaus.org", "127.0.0.4"),
    ("bl.spamcop.net", "127.0.0.2"),
    ("b.barracudacentral.org", "127.0.0.2"),
    ("bl.mailspike.net", "127.0.0.10"),
];

const TLS_ERRORS: [&str; 3] = [
    "error:0A00010B:SSL routines::wrong version number:../ssl/record/ssl3_record.c:354:",
    "error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:",
    "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:",
];
const PIPELINED: &str = ": MAIL FROM:<x@partner.example>\\r\\nRCPT TO:<alice@corp.example>\\r\\nDATA\\r\\n";

impl Simulation {
    /// Guesses passwords until it is thrown out.
    pub fn guess_session(&mut self, at: Micros) {
        let client = self.stranger();
        let program = self.rng.pick(&["postfix/smtpd", "postfix/submission/smtpd", "postfix/submission/smtpd", "postfix/smtps/smtpd"]);
        let daemon = Daemon::of_smtpd(program);
        let worker = self.pids.take(&mut self.rng, daemon, at);
        let tls = program != "postfix/smtpd" && self.rng.chance(0.6);
        let door = Door { program, client, auth: None, tls, inbound: true, pid: worker.pid };
        let mut tally = Tally::default();
        let mut now = self.open_door(&door, at, &mut tally);
        let tries = self.rng.pick(&[1, 1, 1, 2, 3, 5]);
        for _ in 0..tries {
            let method = self.rng.pick(&["LOGIN", "LOGIN", "LOGIN", "PLAIN", "CRAM-MD5", "NTLM"]);
            let (pid, shown, user) = (door.pid, &door.client.shown, self.rng.pick(&GUESSES));
            let head = format!("{program}[{pid}]: warning: {shown}: SASL {method} authentication");
            let why = match self.rng.below(10) {
                0 => "failed: Connection lost to authentication server, sasl_username=(unavailable)".to_owned(),
                1 => "failed: Invalid authentication mechanism".to_owned(),
                2 => "failed: UGFzc3dvcmQ6".to_owned(),
                3 => "failed: authentication failure".to_owned(),
                4 => format!("failed: authentication failure, sasl_username={user}@corp.example"),
                _ => format!("failed: (reason unavailable), sasl_username={user}@corp.example"),
            };
            say!(self, now, Fact::AuthFailure, "{head} {why}");
            now = self.after(now, 300 * MILLI, 4 * SECOND);
        }
        tally.add("auth", 0, tries);
        let end = self.after(now, MILLI, SECOND);
        match self.rng.below(3) {
            0 => tally.add("quit", 1, 1),
            1 => self.lost(&door, end - 100, "AUTH"),
            _ => say!(self, end - 100, Fact::Nothing, "{program}[{}]: too many errors after AUTH from {}", door.pid, door.client.shown),
        }
        self.close_door(&door, end, &tally);
        self.pids.release(worker, end);
    }

    /// Looks whether there is something to break.
    pub fn scan_session(&mut self, at: Micros) {
        let client = self.stranger();
        let worker = self.pids.take(&mut self.rng, Daemon::Smtpd, at);
        let door = Door { program: "postfix/smtpd", client, auth: None, tls: false, inbound: true, pid: worker.pid };
        let mut tally = Tally::default();
        let now = self.open_door(&door, at, &mut tally);
        let mut end = self.after(now, 20 * MILLI, 4 * SECOND);
        match self.rng.below(16) {
            0..=6 => self.scan_and_leave(&door, end - 100, &mut tally),
            7..=8 => self.scan_tls(&door, end - 100, &mut tally),
            11..=12 => {
                let stages = ["CONNECT", "EHLO", "RCPT", "END-OF-MESSAGE"];
                let stage = self.rng.pick(&stages);
                end = self.after(now, 300 * SECOND, 301 * SECOND);
                self.scan_line(&door, end - 100, &format!("timeout after {stage} from"), "");
            }
            _ => self.scan_nonsense(&door, end - 100, &mut tally),
        }
        self.close_door(&door, end, &tally);
        self.pids.release(worker, end);
    }

    fn scan_line(&mut self, door: &Door, at: Micros, before: &str, after: &str) {
        let (pid, shown) = (door.pid, &door.client.shown);
        say!(self, at, Fact::Nothing, "postfix/smtpd[{pid}]: {before} {shown}{after}");
    }

    /// Hangs up in the middle.
    fn scan_and_leave(&mut self, door: &Door, at: Micros, tally: &mut Tally) {
        match self.rng.below(7) {
            0..=2 => {
                *tally = Tally::default();
                self.lost(door, at, "CONNECT");
            }
            3..=4 => self.lost(door, at, "EHLO"),
            5 => {
                tally.add("mail", 1, 1);
                self.lost(door, at, "MAIL");
            }
            _ => {
                tally.add("mail", 1, 1);
                tally.add("rcpt", 1, 1);
                tally.add("data", 0, 1);
                let bytes = self.rng.range(0, 9_000);
                self.lost(door, at, &format!("DATA ({bytes} bytes)"));
            }
        }
    }

    /// Tries what TLS can be had.
    fn scan_tls(&mut self, door: &Door, at: Micros, tally: &mut Tally) {
        tally.add("starttls", 0, 1);
        let ends = ["-1", "lost connection", "Connection timed out"];
        let what = self.rng.pick(&ends);
        self.scan_line(door, at - 60, "SSL_accept error from", &format!(": {what}"));
        if what == "-1" {
            let (error, pid) = (self.rng.pick(&TLS_ERRORS), door.pid);
            say!(self, at - 50, Fact::Nothing, "postfix/smtpd[{pid}]: warning: TLS library problem: {error}");
        }
        self.lost(door, at, "STARTTLS");
    }

    /// Says what no mail client says.
    fn scan_nonsense(&mut self, door: &Door, at: Micros, tally: &mut Tally) {
        match self.rng.below(5) {
            0..=1 => {
                let commands = ["GET / HTTP/1.1", "CONNECT 10.0.0.1:25 HTTP/1.0", "Subject: x"];
                let command = self.rng.pick(&commands);
                *tally = Tally::default();
                tally.add("unknown", 0, 1);
                self.scan_line(door, at, "warning: non-SMTP command from", &format!(": {command}"));
            }
            2 => {
                tally.add("unknown", 0, 12);
                self.scan_line(door, at, "too many errors after UNKNOWN from", "");
            }
            3 => self.scan_line(door, at, "improper command pipelining after EHLO from", PIPELINED),
            _ => tally.add("quit", 1, 1),
        }
    }

    /// A good client that postscreen lets through; returns when smtpd gets it.
    pub fn postscreen_pass(&mut self, at: Micros, client: &Client) -> Micros {
        let (ip, port) = (&client.ip, self.rng.range(1_024, 65_535));
        say!(self, at, Fact::Nothing, "postfix/postscreen[{SCREEN}]: CONNECT from [{ip}]:{port} to [192.0.2.25]:25");
        match self.rng.below(20) {
            0..17 => {
                say!(self, at + 200, Fact::Nothing, "postfix/postscreen[{SCREEN}]: PASS OLD [{ip}]:{port}");
                at + MILLI
            }
            17 => {
                say!(self, at + 200, Fact::Nothing, "postfix/postscreen[{SCREEN}]: ALLOWLISTED [{ip}]:{port}");
                at + MILLI
            }
            _ => {
                let passed = self.after(at, 6_000 * MILLI, 6_060 * MILLI);
                say!(self, passed, Fact::Nothing, "postfix/postscreen[{SCREEN}]: PASS NEW [{ip}]:{port}");
                passed + MILLI
            }
        }
    }

    /// A visitor that postscreen keeps out.
    pub fn postscreen_session(&mut self, at: Micros) {
        let client = self.stranger();
        let (ip, port, helo) = (client.ip, self.rng.range(1_024, 65_535), client.helo);
        let peer = format!("[{ip}]:{port}");
        self.screen(at, Fact::Nothing, &format!("CONNECT from {peer} to [192.0.2.25]:25"));
        let begun = self.after(at, MILLI, 900 * MILLI);
        let (mut now, refusal) = match self.rng.below(12) {
            0..=2 => self.pregreet(begun, &peer),
            3..=5 => self.listed(begun, &ip, &peer),
            k => self.other_test(begun, &peer, k),
        };
        if let Some(text) = refusal {
            now = self.after(now, 50 * MILLI, SECOND);
            let rank = self.rng.below(self.world.senders.len() as u64) as usize;
            let (from, to) = (&self.world.senders[rank].address, self.rng.pick(&GUESSES));
            let line =
                format!("NOQUEUE: reject: RCPT from {peer}: {text}; from=<{from}>, to=<{to}@corp.example>, proto=ESMTP, helo=<{helo}>");
            self.screen(now, Fact::Reject, &line);
        }
        let end = self.after(now, MILLI, 400 * MILLI);
        self.screen(end, Fact::Nothing, &format!("DISCONNECT {peer}"));
    }

    fn screen(&mut self, at: Micros, fact: Fact, text: &str) {
        say!(self, at, fact, "postfix/postscreen[{SCREEN}]: {text}");
    }

    fn pregreet(&mut self, at: Micros, peer: &str) -> (Micros, Option<String>) {
        let words = self.rng.pick(&[
            "EHLO spammer.example\\r\\n",
            "\\026\\003\\001\\002\\000\\001\\000\\001\\374\\003\\003",
            "GET / HTTP/1.0\\r\\n",
            "HELO ylmf-pc\\r\\n",
        ]);
        let (count, after) = (self.rng.range(11, 60), self.rng.below(99));
        let line = format!("PREGREET {count} after 0.{after:02} from {peer}: {words}");
        self.screen(at, Fact::Nothing, &line);
        (at, Some("550 5.5.1 Protocol error".to_owned()))
    }

    fn listed(&mut self, at: Micros, ip: &str, peer: &str) -> (Micros, Option<String>) {
        let count = self.rng.range(1, 3) as usize;
        let mut now = at;
        for (list, code) in &LISTS[..count] {
            let pid = SCREEN + 1 + self.rng.below(4) as u32;
            say!(self, now, Fact::Nothing, "postfix/dnsblog[{pid}]: addr {ip} listed by domain {list} as {code}");
            now += 2 * MILLI;
        }
        now = self.after(now, 5_900 * MILLI, 6_000 * MILLI);
        self.screen(now, Fact::Nothing, &format!("DNSBL rank {} for {peer}", count * 3));
        let list = LISTS[0].0;
        (now, Some(format!("550 5.7.1 Service unavailable; client [{ip}] blocked using {list}")))
    }

    fn other_test(&mut self, at: Micros, peer: &str, draw: u64) -> (Micros, Option<String>) {
        match draw {
            6..=7 => {
                let places = ["before", "before", "after"];
                let (after, place) = (self.rng.below(99), self.rng.pick(&places));
                let tests = format!("in tests {place} SMTP handshake");
                let line = format!("HANGUP after 0.{after:02} from {peer} {tests}");
                self.screen(at, Fact::Nothing, &line);
                (at, None)
            }
            8 => {
                self.screen(at, Fact::Nothing, &format!("DENYLISTED {peer}"));
                (at, None)
            }
            9 => {
                let (test, after) = self.rng.pick(&[
                    ("NON-SMTP COMMAND", "CONNECT: GET / HTTP/1.0"),
                    ("BARE NEWLINE", "MAIL FROM:<x@partner.example>"),
                    ("COMMAND PIPELINING", "MAIL: RCPT TO:<alice@corp.example>\\r\\nDATA\\r\\n"),
                ]);
                self.screen(at, Fact::Nothing, &format!("{test} from {peer} after {after}"));
                (at, Some("550 5.5.1 Protocol error".to_owned()))
            }
            10 => {
                let line = format!("NOQUEUE: reject: CONNECT from {peer}: too many connections");
                self.screen(at, Fact::Reject, &line);
                (at, None)
            }
            _ => (at, Some("450 4.3.2 Service currently unavailable".to_owned())),
        }
    }
}
