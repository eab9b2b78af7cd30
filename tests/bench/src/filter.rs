//! The content filter: a message goes out to port 10024 and comes back through port 10025 as a second queue file.

use crate::clock::{MILLI, Micros, SECOND};
use crate::delivery::{Attempt, Times};
use crate::message::QueueFile;
use crate::pids::Daemon;
use crate::session::Tally;
use crate::simulation::{Simulation, say};
use crate::truth::{Birth, Fact, Outcome};

impl Simulation {
    /// Takes a new file through the filter. The second file arrives before the first is told about it.
    pub fn through_filter(&mut self, mut file: QueueFile, at: Micros, client: &str) {
        self.activate(&file, at);
        let busy = self.rng.range(30 * MILLI, 1_400 * MILLI);
        if self.rng.chance(0.02) {
            self.filter_refuses(&mut file, at, busy);
            return;
        }
        let born = at + busy;
        let (number, id) = self.new_file(born);
        let child = QueueFile {
            file: number,
            id,
            from: file.from,
            size: file.size + self.rng.range(280, 900) as u32,
            born,
            message_id: file.message_id,
            recipients: file.recipients.clone(),
            rounds: 0,
            warned: false,
        };
        let cleaned = self.arrive_back(&file, &child, client);
        let queued = self.after(cleaned, 200, 5 * MILLI);
        let told = self.after(queued, 300, 9 * MILLI);
        self.hand_off(&file, at, told, &child);
        self.remove(&file, told);
        // Either may come first: the second file's activation or the hand-over line of the first.
        if self.rng.chance(0.7) {
            self.activate(&child, queued);
            self.deliver_all(child, told);
        } else {
            self.round(child, told + 150);
        }
    }

    /// The session in which the filter hands the second file in; returns when cleanup has its header.
    fn arrive_back(&mut self, parent: &QueueFile, child: &QueueFile, client: &str) -> Micros {
        let born = child.born;
        let worker = self.pids.take(&mut self.rng, Daemon::Smtpd, born - 3 * MILLI);
        let (pid, id) = (worker.pid, child.id);
        let local = "localhost[127.0.0.1]";
        // The filter keeps its connection open for several messages.
        let fresh = self.rng.chance(0.4);
        if fresh {
            let at = born - 2 * MILLI;
            say!(self, at, Fact::Nothing, "postfix/smtpd[{pid}]: connect from {local}");
        }
        let origin = if self.rng.chance(0.3) { format!(", orig_queue_id={}, orig_client={client}", parent.id) } else { String::new() };
        let fact = Fact::Born(child.file, Birth::Filter);
        say!(self, born, fact, "postfix/smtpd[{pid}]: {id}: client={local}{origin}");
        let cleaned = self.after(born, 300, 6 * MILLI);
        self.cleanup(child, cleaned, Fact::Nothing);
        let end = self.after(cleaned, 15 * MILLI, 50 * MILLI);
        if fresh {
            let mut tally = Tally::default();
            for (command, times) in [("ehlo", 1), ("mail", 1), ("rcpt", child.recipients.len()), ("data", 1), ("quit", 1)] {
                tally.add(command, times as u64, times as u64);
            }
            let text = tally.text();
            say!(self, end, Fact::Nothing, "postfix/smtpd[{pid}]: disconnect from {local} {text}");
        }
        self.pids.release(worker, end);
        cleaned
    }

    /// The first file's lines: one a recipient, all naming the same second file.
    fn hand_off(&mut self, file: &QueueFile, began: Micros, told: Micros, child: &QueueFile) {
        let detail = format!("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {}", child.id);
        self.filter_lines(file, began, told, "2.0.0", &detail, Outcome::HandedOff(child.file));
    }

    /// The filter refuses the message, and it bounces.
    fn filter_refuses(&mut self, file: &mut QueueFile, at: Micros, busy: Micros) {
        let what = self.rng.pick(&["spam", "INFECTED: Eicar-Test-Signature", "BANNED: .exe", "BAD_HEADER"]);
        let (a, b) = (self.rng.range(1_000, 30_000), self.rng.range(1, 20));
        let detail =
            format!("host 127.0.0.1[127.0.0.1] said: 554 5.7.0 Reject, id={a:05}-{b:02} - {what} (in reply to end of DATA command)");
        let end = at + busy;
        self.filter_lines(file, at, end, "5.7.0", &detail, Outcome::Bounced);
        for recipient in &mut file.recipients {
            recipient.done = true;
        }
        self.finish_bounced(file, end);
    }

    fn filter_lines(&mut self, file: &QueueFile, began: Micros, end: Micros, dsn: &str, detail: &str, outcome: Outcome) {
        let in_qmgr = self.rng.range(100, 3 * MILLI);
        let times = Times { in_qmgr, setup: 900, transmission: (end - began).saturating_sub(in_qmgr + 900), began };
        let program = if self.rng.chance(0.3) { "postfix/amavis/smtp" } else { "postfix/smtp" };
        let pid = self.pid(Daemon::Filter, began, times.end() - began);
        let conn_use = if self.rng.chance(0.2) { self.rng.range(2, 9) } else { 1 };
        for k in 0..file.recipients.len() {
            let relay = "127.0.0.1[127.0.0.1]:10024";
            let attempt = Attempt { program, pid, relay, conn_use, times, dsn, detail, outcome };
            self.attempt(file, k, &attempt);
        }
        debug_assert!(times.end() - began < 60 * SECOND);
    }
}
