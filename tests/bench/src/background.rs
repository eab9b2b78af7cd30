//! What the server says about itself: statistics, complaints, reloads.

use crate::clock::{MILLI, Micros, SECOND, bsd};
use crate::replies::fill;
use crate::simulation::{Simulation, say, unix};
use crate::truth::Fact;

/// Single lines, `program: text`.
#[rustfmt::skip] // One line a shape reads best.
const LINES: &[(&str, &str)] = &[
    ("smtpd", "warning: 42.113.0.203.zen.spamhaus.org: RBL lookup error: Host or domain name not found. Name service error for name=42.113.0.203.zen.spamhaus.org type=A: Host not found, try again"),
    ("smtpd", "warning: Illegal address syntax from {client} in MAIL command: <bad address@@x>"),
    ("smtpd", "warning: Illegal address syntax from {client} in RCPT command: <bad address@@corp.example>"),
    ("smtpd", "warning: Connection rate limit exceeded: {n} from {client} for service smtp"),
    ("smtpd", "warning: Connection concurrency limit exceeded: {n} from {client} for service smtp"),
    ("smtpd", "warning: Recipient address rate limit exceeded: {n} from {client} for service smtp"),
    ("smtpd", "warning: {client}: request longer than 2048: MAIL FROM:<aaaaaaaaaaaaaaaaaaa..."),
    ("smtpd", "warning: problem talking to server 127.0.0.1:10040: Application error"),
    ("smtpd", "warning: connect to Milter service inet:127.0.0.1:11332: Connection refused"),
    ("smtpd", "warning: milter inet:127.0.0.1:11332: can't read SMFIC_BODYEOB reply packet header: Connection timed out"),
    ("smtpd", "warning: not enough free space in mail queue: {big} bytes < 1.5*message size limit"),
    ("smtpd", "warning: hash:/etc/postfix/access is unavailable. open database /etc/postfix/access.db: No such file or directory"),
    ("smtpd", "warning: unknown smtpd restriction: \"reject_foo\""),
    ("smtpd", "warning: SASL: Connect to private/auth failed: Connection refused"),
    ("smtpd", "warning: support for restriction \"reject_maps_rbl\" will be removed from Postfix; use \"reject_rbl_client domain-name\" instead"),
    ("smtp", "warning: no MX host for {dom} has a valid address record"),
    ("smtp", "warning: host {relay} greeted me with my own hostname mail.corp.example"),
    ("smtp", "warning: numeric domain name in resource data of MX record for {dom}: 203.0.113.{n}"),
    ("smtp", "SSL_connect error to {relay}:25: lost connection"),
    ("smtp", "SSL_connect error to {relay}:25: Connection timed out"),
    ("smtp", "server certificate verification failed for {relay}:25: certificate has expired"),
    ("smtp", "server certificate verification failed for {relay}:25: num=62:hostname mismatch"),
    ("smtp", "certificate verification failed for {relay}:25: untrusted issuer /C=XX/O=Example/CN=Example Root"),
    ("smtp", "warning: TLS library problem: error:0A000152:SSL routines::unsafe legacy renegotiation disabled:../ssl/statem/extensions.c:893:"),
    ("smtp", "connect to {relay}:25: Network is unreachable"),
    ("qmgr", "warning: connect to transport private/oldfilter: No such file or directory"),
    ("qmgr", "warning: mail for 127.0.0.1:10024 is using up {n} of 6000 active queue entries"),
    ("local", "warning: alias database loop for loopalias"),
    ("local", "warning: unable to create lock file /var/mail/shared.lock: Permission denied"),
    ("cleanup", "warning: unknown command in header_checks map: 550 5.7.1 Custom header rejection"),
    ("bounce", "warning: [built-in]: zero result in delay template conversion of parameter \"delay_warning_time_hours\""),
    ("trivial-rewrite", "warning: do not list domain {dom} in BOTH mydestination and virtual_mailbox_domains"),
    ("proxymap", "warning: connect to mysql server 192.0.2.60: Can't connect to MySQL server on '192.0.2.60:3306' (111)"),
    ("tlsmgr", "warning: request to update table btree:/var/lib/postfix/smtpd_scache in non-postfix directory /var/lib"),
    ("postdrop", "warning: uid=1000: File too large"),
    ("sendmail", "fatal: alice@corp.example(0): message file too big"),
    ("master", "warning: process /usr/lib/postfix/sbin/smtpd pid {big} exit status 1"),
    ("master", "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling"),
    ("postscreen", "cache btree:/var/lib/postfix/postscreen_cache full cleanup: retained={n} dropped={n} entries"),
    ("verify", "cache btree:/var/lib/postfix/verify_cache full cleanup: retained={n} dropped={n} entries"),
    ("postfix-script", "warning: not owned by root: /var/spool/postfix/etc/resolv.conf"),
];

impl Simulation {
    /// The first lines of the log.
    pub fn start(&mut self, at: Micros) {
        say!(self, at, Fact::Nothing, "postfix/postfix-script[517]: starting the Postfix mail system");
        say!(self, at + 5 * MILLI, Fact::Nothing, "postfix/master[519]: daemon started -- version 3.7.11, configuration /etc/postfix");
    }

    pub fn reload(&mut self, at: Micros) {
        let pid = self.qmgr(at) + 12_000;
        say!(self, at, Fact::Nothing, "postfix/postfix-script[{pid}]: refreshing the Postfix mail system");
        say!(self, at + 4 * MILLI, Fact::Nothing, "postfix/master[519]: reload -- version 3.7.11, configuration /etc/postfix");
    }

    /// Something that no message is to blame for.
    pub fn background(&mut self, at: Micros) {
        match self.rng.below(10) {
            0..=2 => self.anvil(at),
            3 => self.scache(at),
            _ => self.single_line(at),
        }
    }

    fn anvil(&mut self, at: Micros) {
        let ip = self.stranger().ip;
        let (count, earlier) = (self.rng.range(1, 140), self.rng.range(10, 200));
        let when = bsd(unix(at).saturating_sub(earlier));
        let pid = 640;
        for (what, value) in [
            ("connection rate", format!("{count}/60s")),
            ("connection count", format!("{}", count / 20 + 1)),
            ("message rate", format!("{}/60s", count / 2 + 1)),
        ] {
            say!(self, at, Fact::Nothing, "postfix/anvil[{pid}]: statistics: max {what} {value} for (smtp:{ip}) at {when}");
        }
        say!(self, at, Fact::Nothing, "postfix/anvil[{pid}]: statistics: max cache size {} at {when}", count / 9 + 1);
    }

    fn scache(&mut self, at: Micros) {
        let start = bsd(unix(at).saturating_sub(self.rng.range(60, 600)));
        let (hits, miss) = (self.rng.below(60), self.rng.range(1, 80));
        let success = hits * 100 / (hits + miss);
        let line = "postfix/scache[646]: statistics:";
        say!(self, at, Fact::Nothing, "{line} start interval {start}");
        say!(self, at, Fact::Nothing, "{line} domain lookup hits={hits} miss={miss} success={success}%");
        say!(self, at, Fact::Nothing, "{line} address lookup hits={} miss={miss} success={success}%", hits / 2);
        say!(
            self,
            at,
            Fact::Nothing,
            "{line} max simultaneous domains={} addresses={} connection={}",
            hits / 8 + 1,
            hits / 7 + 1,
            hits / 4 + 1
        );
    }

    fn single_line(&mut self, at: Micros) {
        let (program, template) = self.rng.pick(LINES);
        let client = self.stranger().shown;
        let relay = self.rng.below(self.world.relays.len() as u64) as usize;
        let domain = self.world.remote_domains.sample(&mut self.rng);
        let pid = match program {
            "qmgr" => self.qmgr(at),
            "master" => 519,
            "postscreen" => 603,
            _ => self.rng.range(2_000, 60_000) as u32,
        };
        let (rng, world) = (&mut self.rng, &self.world);
        let mut text = String::with_capacity(160);
        fill(&mut text, template, |slot, out| match slot {
            "n" => out.push_str(&rng.range(2, 250).to_string()),
            "big" => out.push_str(&rng.range(10_000, 90_000_000).to_string()),
            "client" => out.push_str(&client),
            "dom" => out.push_str(&world.domains[domain].name),
            "relay" => {
                let relay = &world.relays[relay];
                out.push_str(&relay.name);
                out.push('[');
                out.push_str(&relay.ip);
                out.push(']');
            }
            _ => {}
        });
        say!(self, at + SECOND / 1_000, Fact::Nothing, "postfix/{program}[{pid}]: {text}");
    }
}
