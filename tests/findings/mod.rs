//! What the report says first: each finding where it is true, with its beginning, and not where it only looks so.

mod day;
mod limits;

use day::{Attempt, Day, LENGTH, assert_since, finding};
use serde_json::Value;

const GOOGLE: &str = "gmail-smtp-in.l.google.com[192.0.2.27]:25";

fn found(report: &Value) -> Vec<&str> {
    report["findings"].as_array().expect("a list").iter().map(|finding| finding["finding"].as_str().expect("a word")).collect()
}

/// Every so many minutes of a stretch.
fn minutes(from: u32, until: u32, step: usize) -> impl Iterator<Item = f64> {
    (from..until).step_by(step).map(|minute| f64::from(minute) + 0.7)
}

#[test]
fn nothing_is_found_where_mail_flows() {
    assert_eq!(found(&Day::healthy().report()), [""; 0]);
}

#[test]
fn a_few_failures_of_every_kind_are_everyday() {
    let mut day = Day::healthy();
    for (n, (status, dsn, reply)) in [
        ("bounced", "5.1.1", "host mx[192.0.2.9] said: 550 5.1.1 User unknown"),
        ("deferred", "4.7.28", "host mx[192.0.2.9] said: 421 4.7.28 rate limited"),
        ("deferred", "4.4.1", "connect to mx.there.example[192.0.2.9]:25: Connection refused"),
        ("bounced", "5.7.26", "host mx[192.0.2.9] said: 550 5.7.26 unauthenticated mail"),
    ]
    .into_iter()
    .enumerate()
    {
        for minute in minutes(100 * n as u32, 100 * n as u32 + 4, 1) {
            day.message(minute, &Attempt { status, dsn, reply, ..Attempt::default() });
        }
    }
    day.line(300.0, "smtpd", "warning: pc.here.example[192.0.2.1]: SASL LOGIN authentication failed: authentication failure");
    day.line(300.0, "smtpd", "warning: hostname a.example does not resolve to address 192.0.2.7");
    assert_eq!(found(&day.report()), [""; 0]);
}

#[test]
fn a_provider_that_limits_our_rate() {
    let slow = Attempt {
        relay: GOOGLE,
        to: "a@customer.example",
        status: "deferred",
        dsn: "4.7.28",
        reply: "host gmail-smtp-in.l.google.com[192.0.2.27] said: 421 4.7.28 Gmail has detected an unusual rate of mail from your address (in reply to end of DATA command)",
        ..Attempt::default()
    };
    let fine = Attempt { relay: GOOGLE, to: "a@customer.example", ..Attempt::default() };
    let mut day = Day::healthy();
    minutes(0, LENGTH, 2).for_each(|minute| _ = day.message(minute, &fine));
    let mut near = Day::healthy();
    minutes(0, LENGTH, 1).for_each(|minute| _ = near.message(minute, &fine));
    minutes(420, LENGTH, 3).for_each(|minute| _ = day.message(minute, &slow));
    minutes(420, LENGTH, 20).for_each(|minute| _ = near.message(minute, &slow));
    let report = day.report();
    let finding = assert_since(&report, "destination_refuses", 7);
    assert!(finding["title"].as_str().unwrap().starts_with("Google slows us down"), "{finding:#}");
    assert_eq!(finding["side"], "sender");
    assert_eq!(found(&near.report()), [""; 0]);
}

#[test]
fn a_block_list_that_names_us() {
    let listed = Attempt {
        status: "bounced",
        dsn: "5.7.1",
        reply: "host mx.there.example[192.0.2.9] said: 554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/198.51.100.7 (in reply to RCPT TO command)",
        ..Attempt::default()
    };
    let mut day = Day::healthy();
    minutes(600, LENGTH, 8).for_each(|minute| _ = day.message(minute, &listed));
    let finding = assert_since(&day.report(), "blocklisted", 10);
    assert!(finding["title"].as_str().unwrap().contains("spamhaus.org"), "{finding:#}");
    // That we block others with the same list is no finding.
    let mut near = Day::healthy();
    for minute in minutes(600, LENGTH, 8) {
        near.line(minute, "smtpd", "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org; from=<a@b.example> to=<c@here.example> proto=ESMTP helo=<x>");
    }
    assert_eq!(found(&near.report()), [""; 0]);
}

#[test]
fn authentication_that_fails_everywhere() {
    let mut day = Day::healthy();
    let mut near = Day::healthy();
    for (n, minute) in minutes(300, LENGTH, 6).enumerate() {
        let (relay, to) = (format!("mx.p{}.example[192.0.2.9]:25", n % 7), format!("a@p{}.example", n % 7));
        let reply = "host mx said: 550 5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass)";
        let attempt = Attempt { relay: &relay, to: &to, status: "bounced", dsn: "5.7.26", reply, ..Attempt::default() };
        day.message(minute, &attempt);
        if n < 10 {
            near.message(minute, &attempt);
        }
    }
    let finding = assert_since(&day.report(), "authentication_fails", 5);
    assert_eq!(finding["severity"], "critical");
    assert_eq!(self::finding(&near.report(), "authentication_fails"), None);
}

#[test]
fn one_senders_list_is_told_from_a_directory_that_is_out_of_date() {
    let day = |senders: u32| {
        let mut day = Day::healthy();
        for (n, minute) in minutes(200, 400, 1).enumerate() {
            let (to, from) = (format!("nobody{n}@d{}.example", n % 40), format!("list{}@here.example", n as u32 % senders));
            let reply = "host mx said: 550 5.1.1 User unknown";
            day.message(minute, &Attempt { to: &to, from: &from, status: "bounced", dsn: "5.1.1", reply, ..Attempt::default() });
        }
        day.report()
    };
    let (one, many) = (day(1), day(100));
    let finding = assert_since(&one, "recipients_unknown", 3);
    assert!(finding["title"].as_str().unwrap().starts_with("list0@here.example sent to 200 recipients"), "{finding:#}");
    assert_eq!(&finding["until"].as_str().unwrap()[11..13], "07");
    assert!(assert_since(&many, "recipients_unknown", 3)["action"].as_str().unwrap().starts_with("no single sender"));
    // 200 of 1,640 is above five in a hundred too.
    assert_eq!(assert_since(&one, "bounce_rate", 3)["severity"], "critical");
}

#[test]
fn a_domain_that_is_gone_from_dns() {
    fn gone(to: &str) -> Attempt<'_> {
        Attempt {
            relay: "none",
            to,
            status: "deferred",
            dsn: "4.4.3",
            reply: "Host or domain name not found. Name service error for name=gone.example type=MX: Host not found, try again",
            ..Attempt::default()
        }
    }
    let (mut day, mut near) = (Day::healthy(), Day::healthy());
    minutes(540, LENGTH, 5).for_each(|minute| _ = day.message(minute, &gone("a@gone.example")));
    // A few of many domains are typing errors.
    for (n, minute) in minutes(540, LENGTH, 5).enumerate() {
        near.message(minute, &gone(&format!("a@gone{n}.example")));
    }
    let finding = assert_since(&day.report(), "domain_invalid", 9);
    assert!(finding["title"].as_str().unwrap().contains("gone.example"));
    assert_eq!(self::finding(&near.report(), "domain_invalid"), None);
}

#[test]
fn log_ins_that_are_guessed() {
    let attack = |user: &str, network: u32, step: usize| {
        let mut day = Day::healthy();
        for (n, minute) in minutes(360, LENGTH, step).enumerate() {
            let client = format!("unknown[203.0.{network}.{}]", n % 250);
            day.line(
                minute,
                "smtpd",
                &format!("warning: {client}: SASL LOGIN authentication failed: authentication failure, sasl_username={user}"),
            );
        }
        day.report()
    };
    let finding = assert_since(&attack("boss@here.example", 113, 3), "log_ins_fail", 6);
    assert!(finding["title"].as_str().unwrap().contains("boss@here.example"), "{finding:#}");
    assert_eq!(found(&attack("boss@here.example", 113, 30)), [""; 0]);
}

#[test]
fn a_queue_that_grows() {
    let wait = Attempt { status: "deferred", dsn: "4.3.0", reply: "host mx said: 451 4.3.0 Temporary failure", ..Attempt::default() };
    let mut day = Day::healthy();
    minutes(480, LENGTH, 1).for_each(|minute| _ = day.message(minute, &wait));
    assert_since(&day.report(), "queue_grows", 8);
    // What waits and then leaves is no growth.
    let mut near = Day::healthy();
    let ids: Vec<String> = minutes(300, 500, 1).map(|minute| near.message(minute, &wait)).collect();
    for (n, id) in ids.iter().enumerate() {
        let minute = 520.0 + n as f64 * 0.5;
        near.line(minute, "smtp", &format!("{id}: to=<to@there.example>, relay=mx.there.example[192.0.2.9]:25, delay=9000, delays=8999/0.1/0.5/0.4, dsn=2.0.0, status=sent (250 Ok)"));
        near.line(minute, "qmgr", &format!("{id}: removed"));
    }
    assert_eq!(self::finding(&near.report(), "queue_grows"), None);
}

#[test]
fn delays_that_sit_in_one_stage() {
    let slow = Attempt { delays: [0.1, 0.1, 45.0, 0.3], ..Attempt::default() };
    let (mut day, mut near) = (Day::healthy(), Day::healthy());
    for minute in minutes(600, LENGTH - 2, 1) {
        (0..4).for_each(|_| _ = day.message(minute, &slow));
    }
    minutes(600, LENGTH - 2, 10).for_each(|minute| _ = near.message(minute, &slow));
    let finding = assert_since(&day.report(), "delay_in_stage", 10);
    assert!(finding["title"].as_str().unwrap().contains("connecting"), "{finding:#}");
    assert_eq!(self::finding(&near.report(), "delay_in_stage"), None);
}

#[test]
fn one_destination_out_of_reach_is_theirs_and_all_are_ours() {
    let out = |relays: usize, step: usize| {
        let mut day = Day::healthy();
        for (n, minute) in minutes(480, LENGTH, 1).enumerate().flat_map(|(n, minute)| (0..step).map(move |k| (n * step + k, minute))) {
            let to = format!("a@x{}.example", n % relays);
            let reply = format!("connect to mx.x{}.example[192.0.2.9]:25: Connection timed out", n % relays);
            day.message(minute, &Attempt { relay: "none", to: &to, status: "deferred", dsn: "4.4.1", reply: &reply, ..Attempt::default() });
        }
        day.report()
    };
    let one = out(1, 1);
    let finding = assert_since(&one, "destination_unreachable", 8);
    assert!(finding["title"].as_str().unwrap().starts_with("x0.example"), "{finding:#}");
    assert_eq!(self::finding(&one, "nothing_reachable"), None);
    assert_since(&out(30, 3), "nothing_reachable", 8);
}

#[test]
fn errors_of_this_server() {
    let mut day = Day::healthy();
    for minute in minutes(660, LENGTH, 10) {
        day.line(minute, "cleanup", "warning: 0BADBADBAD: write queue file: No space left on device");
        day.line(minute, "smtpd", "fatal: open database /etc/aliases.db: No such file or directory");
    }
    let finding = assert_since(&day.report(), "local_errors", 11);
    assert!(finding["title"].as_str().unwrap().contains("disk space"), "{finding:#}");
    let mut near = Day::healthy();
    near.line(660.0, "smtpd", "warning: 203.0.113.9: hostname space.left.example verification failed: Name or service not known");
    assert_eq!(found(&near.report()), [""; 0]);
}

#[test]
fn what_is_over_says_when_it_ended() {
    let mut day = Day::healthy();
    let slow =
        Attempt { relay: GOOGLE, status: "deferred", dsn: "4.7.28", reply: "host g said: 421 4.7.28 too fast", ..Attempt::default() };
    minutes(240, 360, 1).for_each(|minute| _ = day.message(minute, &slow));
    let report = day.report();
    let finding = assert_since(&report, "destination_refuses", 4);
    assert_eq!(&finding["until"].as_str().expect("an end")[11..13], "06");
}

#[test]
fn no_more_than_seven_and_the_text_report_begins_with_them() {
    let mut day = Day::healthy();
    for n in 0..20 {
        let (relay, to) = (format!("mx.p{n}.example[192.0.2.9]:25"), format!("a@p{n}.example"));
        for (class, minute) in minutes(100, LENGTH, 2).enumerate() {
            let replies = [
                ("deferred", "4.7.28", "host mx said: 421 4.7.28 rate limited"),
                ("bounced", "5.1.1", "host mx said: 550 5.1.1 User unknown"),
                ("bounced", "5.7.26", "host mx said: 550 5.7.26 not authenticated"),
                ("bounced", "5.1.8", "host mx said: 550 5.1.8 Sender address rejected"),
                ("deferred", "4.3.2", "host mx said: 451 4.3.2 System not accepting network messages"),
                ("bounced", "5.7.25", "host mx said: 550 5.7.25 no reverse DNS"),
                ("deferred", "4.4.6", "mail for p.example loops back to myself"),
            ];
            let (status, dsn, reply) = replies[class % replies.len()];
            day.message(minute, &Attempt { relay: &relay, to: &to, status, dsn, reply, ..Attempt::default() });
        }
    }
    for minute in minutes(100, LENGTH, 5) {
        day.line(minute, "smtpd", "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: authentication failure");
        day.line(minute, "smtpd", "fatal: no SASL authentication mechanisms");
    }
    let log = day.log();
    let report = crate::support::report_of(&log, &[]);
    assert_eq!(found(&report).len(), 7);
    let folder = crate::support::directory();
    let text = crate::support::run_on(&["report"], &[crate::support::file(&folder, "mail.log", &log)]).ok();
    let title = report["findings"][0]["title"].as_str().expect("a title");
    let first = text.lines().find(|line| line.starts_with("* ")).expect("a finding");
    assert!(first[2..].starts_with(&title[..40.min(title.len())]), "{first}");
}
