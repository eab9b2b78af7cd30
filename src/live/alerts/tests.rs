use super::*;
use crate::input::Zone;
use crate::pipeline::{Reader, Settings};
use mailscope_parsers::classify::Classifier;

const SECOND: Micros = 1_000_000;
/// 2026-11-24 12:00 UTC.
const NOON: Micros = 1_795_521_600 * SECOND;

struct Fed {
    alerts: Alerts,
    reader: Reader,
}

impl Fed {
    fn new(rules: Vec<Rule>) -> Self {
        let zone = Zone::Named(chrono_tz::Tz::UTC);
        let reader = Reader::new(Settings { zone, parser: None, classifier: Classifier::built_in(), formats: &[] });
        Self { alerts: Alerts::new(rules, Memory::default(), NOON), reader }
    }

    fn line(&mut self, second: i64, text: &str) {
        let raw = format!("2026-11-24T12:00:00Z mail postfix/{text}");
        self.alerts.see(&self.reader.again(raw.as_bytes(), NOON + second * SECOND));
    }

    fn attempt(&mut self, second: i64, to: &str, status: &str) {
        let why = if status == "sent" { "250 Ok" } else { "host said: 452 4.2.2 Mailbox full" };
        self.line(
            second,
            &format!("smtp[1]: A{second:09X}: to=<u@{to}>, relay=mx.{to}[198.51.100.1]:25, delay=1, dsn=4.2.2, status={status} ({why})"),
        );
    }

    /// What has changed by that second: `-` before what is over.
    fn told(&mut self, second: i64) -> Vec<String> {
        self.alerts.tick(NOON + second * SECOND, NOON + second * SECOND);
        let changes = self.alerts.take_changes();
        changes.iter().map(|change| format!("{}{}/{}", if change.until.is_some() { "-" } else { "" }, change.alert, change.key)).collect()
    }
}

fn rule(name: &str, condition: Condition) -> Rule {
    Rule { name: name.into(), severity: Severity::Warning, condition, hold: 0, release: 0, channels: Vec::new() }
}

fn rate(measure: Measure, by: By, above: f64, only: &[&str]) -> Condition {
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    Condition::Rate { measure, by, only, window_s: 300, limits: Limits { above, clear: above / 2.0 }, at_least: 10 }
}

#[test]
fn each_domain_has_its_own_rate() {
    let by_domain = rule("domain", rate(Measure::DeferralRate, By::Domain, 0.5, &[]));
    let one = rule("one", rate(Measure::Deferred, By::Domain, 5.0, &["example.org"]));
    let mut fed = Fed::new(vec![by_domain, one]);
    for second in 0..20 {
        fed.attempt(second, "bad.example.com", "deferred");
        fed.attempt(second, "good.example.com", if second < 5 { "deferred" } else { "sent" });
        fed.attempt(second, "sub.example.org", "deferred");
        if second < 5 {
            fed.attempt(second, "few.example.com", "deferred");
        }
    }
    assert_eq!(fed.told(20), ["domain/bad.example.com", "domain/sub.example.org", "one/sub.example.org"]);
    assert!(fed.told(100).is_empty());
    assert_eq!(fed.told(400), ["-domain/bad.example.com", "-domain/sub.example.org", "-one/sub.example.org"]);
}

#[test]
fn senders_are_known_by_their_messages_and_classes_by_the_reply() {
    let sender = rule("sender", rate(Measure::Received, By::Sender, 8.0, &[]));
    let failing = rule("failing", rate(Measure::DeferralRate, By::Sender, 0.9, &[]));
    let class = rule("class", rate(Measure::DeferralRate, By::Class, 0.4, &[]));
    let mut fed = Fed::new(vec![sender, failing, class]);
    for second in 0..12 {
        // The queue manager names the sender at every attempt.
        for _ in 0..3 {
            let from = if second < 10 { "Ann@Example.org" } else { "bob@example.org" };
            fed.line(second, &format!("qmgr[1]: A{second:09X}: from=<{from}>, size=1, nrcpt=1 (queue active)"));
        }
        fed.attempt(second, "example.net", "deferred");
    }
    (12..20).for_each(|second| fed.attempt(second, "example.net", "sent"));
    assert_eq!(fed.told(20), ["sender/ann@example.org", "failing/ann@example.org", "class/mailbox_full"]);
}

#[test]
fn silence_is_told_by_the_clock_and_ends_with_a_line() {
    let lines = rule("lines", Condition::Silence { measure: Measure::Lines, length: 60 * SECOND });
    let delivered = rule("delivered", Condition::Silence { measure: Measure::Delivered, length: 120 * SECOND });
    let mut fed = Fed::new(vec![lines, delivered]);
    assert!(fed.told(50).is_empty());
    assert_eq!(fed.told(61), ["lines/"]);
    fed.attempt(70, "example.org", "deferred");
    assert_eq!(fed.told(71), ["-lines/"]);
    (80..200).step_by(10).for_each(|second| fed.attempt(second, "example.org", "deferred"));
    assert_eq!(fed.told(200), ["delivered/"]);
    fed.attempt(201, "example.org", "sent");
    assert_eq!(fed.told(202), ["-delivered/"]);
}

#[test]
fn a_queue_that_grows() {
    let mut fed = Fed::new(vec![rule("queue", Condition::Queue { window_s: 600, limits: Limits { above: 5.0, clear: 2.0 } })]);
    let arrival = |second: i64| format!("smtpd[1]: A{second:09X}: client=c.example[192.0.2.1]");
    (0..8).for_each(|second| fed.line(second, &arrival(second)));
    assert_eq!(fed.told(10), ["queue/"]);
    (0..5).for_each(|second| fed.line(20 + second, &format!("qmgr[1]: A{second:09X}: removed")));
    assert!(fed.told(30).is_empty(), "three more than before is between the limits");
    fed.line(31, "qmgr[1]: A000000006: removed");
    assert_eq!(fed.told(40), ["-queue/"]);
}

#[test]
fn what_was_for_long_is_told_and_a_rule_that_goes_is_forgotten() {
    let mut slow = rule("slow", rate(Measure::Deferred, By::All, 3.0, &[]));
    slow.hold = 60 * SECOND;
    let mut fed = Fed::new(vec![slow.clone()]);
    (0..200).step_by(2).for_each(|second| fed.attempt(second, "example.org", "deferred"));
    assert_eq!(fed.told(200), ["slow/"]);
    fed.alerts.follow(vec![slow]);
    assert_eq!((fed.alerts.firing().len(), fed.told(201).len()), (1, 0));
    fed.alerts.follow(Vec::new());
    assert_eq!((fed.alerts.firing().len(), fed.told(202)), (0, vec!["-slow/".to_owned()]));
}

#[test]
fn a_stamp_of_next_year_makes_nothing_old() {
    let mut fed = Fed::new(vec![rule("deferred", rate(Measure::Deferred, By::All, 3.0, &[]))]);
    fed.attempt(0, "example.org", "deferred");
    fed.attempt(365 * 86_400, "example.org", "deferred");
    (1..5).for_each(|second| fed.attempt(second, "example.org", "deferred"));
    assert_eq!(fed.told(10), ["deferred/"]);
}

#[test]
fn far_from_normal() {
    let condition = Condition::Normal { measure: Measure::Delivered, direction: Direction::Less, times: 4.0, days: 7 };
    let mut fed = Fed::new(vec![rule("normal", condition)]);
    // A hundred an hour for five days; from the fifth noon on five.
    for minute in 0..(5 * 24 + 3) * 60 {
        if minute < 5 * 24 * 60 || minute % 12 == 0 {
            fed.attempt(minute * 60, "example.org", "sent");
            fed.attempt(minute * 60 + 30, "example.org", if minute % 3 == 0 { "deferred" } else { "sent" });
        }
    }
    let changes = fed.told((5 * 24 + 3) * 3600);
    assert_eq!(changes, ["normal/"]);
    assert!(fed.alerts.firing()[0].text.contains("are normal"), "{}", fed.alerts.firing()[0].text);
}
