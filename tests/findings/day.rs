//! A day of mail: healthy traffic, and what goes wrong in it from some minute on.

use crate::support::report_of;
use serde_json::Value;

/// Minutes of the day that the log covers: twelve hours.
pub const LENGTH: u32 = 720;

/// A log that grows by the minute; its lines are sorted by time at the end.
pub struct Day {
    lines: Vec<(f64, String)>,
    ids: u32,
}

/// Where a message went and what became of it.
pub struct Attempt<'a> {
    pub relay: &'a str,
    pub to: &'a str,
    pub from: &'a str,
    pub status: &'a str,
    pub dsn: &'a str,
    pub reply: &'a str,
    pub delays: [f64; 4],
}

impl Default for Attempt<'_> {
    fn default() -> Self {
        Self {
            relay: "mx.there.example[192.0.2.9]:25",
            to: "to@there.example",
            from: "sender@here.example",
            status: "sent",
            dsn: "2.0.0",
            reply: "250 2.0.0 Ok",
            delays: [0.1, 0.01, 0.2, 0.3],
        }
    }
}

impl Day {
    /// Two messages a minute to many domains, all delivered.
    pub fn healthy() -> Self {
        let mut day = Self { lines: Vec::new(), ids: 0 };
        for minute in 0..LENGTH {
            for n in 0..2 {
                let (domain, sender) = ((minute * 2 + n) % 40, (minute + n) % 25);
                let (relay, to, from) = (
                    format!("mx.d{domain}.example[192.0.2.{domain}]:25"),
                    format!("u{minute}@d{domain}.example"),
                    format!("s{sender}@here.example"),
                );
                day.message(
                    f64::from(minute) + 0.1 + f64::from(n) * 0.2,
                    &Attempt { relay: &relay, to: &to, from: &from, ..Attempt::default() },
                );
            }
        }
        day
    }

    /// One line of a program at a minute of the day.
    pub fn line(&mut self, minute: f64, program: &str, text: &str) {
        let second = minute * 60.0;
        let (h, m, s) = ((second / 3600.0) as u32, (second / 60.0) as u32 % 60, second % 60.0);
        self.lines.push((minute, format!("2026-11-24T{h:02}:{m:02}:{s:09.6}+00:00 mail postfix/{program}[1]: {text}")));
    }

    /// A message from arrival to its one attempt; it leaves the queue unless it was deferred.
    pub fn message(&mut self, minute: f64, attempt: &Attempt<'_>) -> String {
        self.ids += 1;
        let id = format!("{:010X}", 0xA0_0000_0000_u64 + u64::from(self.ids));
        let Attempt { relay, to, from, status, dsn, reply, delays: [a, b, c, d] } = attempt;
        let delay = a + b + c + d;
        self.line(minute, "smtpd", &format!("{id}: client=pc.here.example[192.0.2.1]"));
        self.line(minute, "cleanup", &format!("{id}: message-id=<{id}@here.example>"));
        self.line(minute, "qmgr", &format!("{id}: from=<{from}>, size=1000, nrcpt=1 (queue active)"));
        let end = minute + delay / 60.0;
        let how = format!("delay={delay:.2}, delays={a}/{b}/{c}/{d}, dsn={dsn}, status={status} ({reply})");
        self.line(end, "smtp", &format!("{id}: to=<{to}>, relay={relay}, {how}"));
        if *status != "deferred" {
            self.line(end + 0.001, "qmgr", &format!("{id}: removed"));
        }
        id
    }

    pub fn log(mut self) -> String {
        self.lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.lines.into_iter().map(|(_, line)| line + "\n").collect()
    }

    pub fn report(self) -> Value {
        report_of(&self.log(), &[])
    }
}

/// The finding of that word, if it was found.
pub fn finding<'r>(report: &'r Value, word: &str) -> Option<&'r Value> {
    report["findings"].as_array().expect("a list").iter().find(|finding| finding["finding"] == word)
}

/// That it was found, and began in the hour that it should, or the one beside it.
pub fn assert_since(report: &Value, word: &str, hour: u32) -> Value {
    let finding = finding(report, word).unwrap_or_else(|| panic!("no {word} in {:#}", report["findings"]));
    let since = finding["since"].as_str().unwrap_or_else(|| panic!("no beginning: {finding:#}"));
    let found: u32 = since[11..13].parse().expect("an hour");
    assert!(found.abs_diff(hour) <= 1, "{word} since {since}, not {hour} o'clock");
    finding.clone()
}
