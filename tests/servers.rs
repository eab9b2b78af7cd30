//! Sendmail's and OpenSMTPD's logs against what really happened, and what is theirs alone: several recipients on a line,
//! messages that are given up by a notification, queue files whose end is not logged.

use crate::support::{directory, figure, file, report_on, rows_of, rows_on, samples_of, set_time, text, unpacked};
use crate::truth::{Told, judge};
use serde_json::Value;
use std::fs;

/// Totals, lines and recipients of a server's log against the record; gives how many recipients were judged.
fn assert_truth(server: &str) -> usize {
    let (samples, directory) = (samples_of(server), directory());
    let all: Value = serde_json::from_slice(&fs::read(samples.join("truth/expected.json")).expect("expected.json")).expect("JSON");
    let expected = &all["mail.log.gz"];
    let path = directory.path().join("mail.log.gz");
    fs::copy(samples.join("mail.log.gz"), &path).expect("a sample");
    set_time(&path, expected["file_time"].as_u64().expect("a time"));
    let report = report_on(&[&path], &["--tz", "UTC"]);
    for (total, range) in expected["totals"].as_object().expect("totals") {
        let got: u64 = total.split('+').map(|name| figure(&report, name).as_u64().expect("a count")).sum();
        let (min, max) = (range["min"].as_u64().expect("a count"), range["max"].as_u64().expect("a count"));
        assert!((min..=max).contains(&got), "{total} = {got}, should be {range}");
    }
    let input = |name: &str| report["input"][name].as_u64().expect("a count");
    assert_eq!(input("lines"), unpacked(&path).iter().filter(|byte| **byte == b'\n').count() as u64);
    assert_eq!(input("lines"), input("events") + input("ignored"), "{}", report["unrecognized"]);
    let rows = rows_on("recipients", &[&path], &["--tz", "UTC"]);
    let rows: Vec<Told> = rows.into_iter().map(|row| serde_json::from_value(Value::Object(row)).expect("a row")).collect();
    judge(&rows, expected, &String::from_utf8(unpacked(&samples.join("truth/mail.recipients.jsonl.gz"))).expect("UTF-8"))
}

#[test]
fn what_became_of_every_recipient_of_sendmail() {
    assert_eq!(assert_truth("sendmail"), 225);
}

#[test]
fn what_became_of_every_recipient_of_opensmtpd() {
    assert_eq!(assert_truth("opensmtpd"), 205);
}

/// Lines of one Sendmail, a second apart.
fn sendmail(lines: &[&str]) -> String {
    let line = |(second, line): (usize, &&str)| format!("2026-11-24T07:00:{second:02}+00:00 mail sm-mta[700]: {line}\n");
    lines.iter().enumerate().map(line).collect()
}

const ARRIVAL: &str = "6AO700Ca000700: from=<a@corp.example>, size=100, class=0, nrcpts=3, msgid=<1@corp.example>, proto=ESMTP, \
                       daemon=MTA, relay=app1.corp.example [192.0.2.100]";

fn report(log: &str) -> Value {
    let directory = directory();
    report_on(&[file(&directory, "mail.log", log)], &["--tz", "UTC"])
}

#[test]
fn each_recipient_of_a_line_counts() {
    let log = sendmail(&[
        ARRIVAL,
        "6AO700Ca000700: to=<b@isp.example>,<c@isp.example>,<d@gmail.example>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, \
         pri=1, relay=mx.isp.example. [198.51.100.50], dsn=2.0.0, stat=Sent (ok)",
    ]);
    let report = report(&log);
    for (name, expected) in
        [("messages.received", 1), ("recipients.delivered", 3), ("attempts.sent", 3), ("messages.removed", 1), ("messages.open", 0)]
    {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
    assert_eq!(rows_of("deliveries", &log, &[]).len(), 3);
}

#[test]
fn a_notification_that_gives_up_expires_who_waits() {
    let log = sendmail(&[
        ARRIVAL,
        "6AO700Ca000700: to=<b@isp.example>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.isp.example. [198.51.100.50], dsn=2.0.0, \
         stat=Sent (ok)",
        "6AO700Ca000700: to=<c@isp.example>,<d@isp.example>, delay=00:00:02, mailer=esmtp, pri=1, relay=mx.isp.example., dsn=4.0.0, \
         stat=Deferred: Connection refused by mx.isp.example.",
        "6AO700Ca000700: 6AO703Ca000703: sender notify: Warning: could not send message for past 4 hours",
        "6AO700Ca000700: 6AO704Ca000704: DSN: Cannot send message for 5 days",
        "6AO704Ca000704: to=<a@corp.example>, delay=00:00:00, mailer=local, pri=1, dsn=2.0.0, stat=Sent",
    ]);
    let report = report(&log);
    for (name, expected) in [
        ("messages.received", 1),
        ("messages.notifications", 2),
        ("recipients.expired", 2),
        ("attempts.expired", 2),
        ("recipients.delivered", 2),
        ("messages.removed", 2),
    ] {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
    let rows = rows_of("recipients", &log, &[]);
    let expired = rows.iter().find(|row| text(row, "envelope_recipient") == "d@isp.example").expect("a row");
    assert_eq!((text(expired, "outcome"), text(expired, "class")), ("expired", "connection"));
}

#[test]
fn a_client_whose_recipients_were_all_refused_handed_nothing_in() {
    let log = sendmail(&[
        "6AO700Ca000700: <x@corp.example>... User unknown",
        "6AO700Ca000700: from=<a@isp.example>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=mx.isp.example [198.51.100.50]",
    ]);
    let report = report(&log);
    for (name, expected) in [("messages.received", 0), ("messages.queue_files", 0), ("rejects.total", 1)] {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
}

#[test]
fn a_message_of_the_submission_program_is_one_message() {
    let log = sendmail(&[
        "6AO700Ca000700: from=a@corp.example, size=100, class=0, nrcpts=1, msgid=<1@corp.example>, relay=root@localhost",
        "6AO701Ca000701: from=<a@corp.example>, size=200, class=0, nrcpts=1, msgid=<1@corp.example>, proto=ESMTP, daemon=MTA, \
         relay=localhost [127.0.0.1]",
        "6AO700Ca000700: to=b@isp.example, ctladdr=root (0/0), delay=00:00:01, xdelay=00:00:00, mailer=relay, pri=1, \
         relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6AO701Ca000701 Message accepted for delivery)",
        "6AO701Ca000701: to=<b@isp.example>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx.isp.example. [198.51.100.50], dsn=2.0.0, \
         stat=Sent (ok)",
    ]);
    let report = report(&log);
    for (name, expected) in
        [("messages.received", 1), ("messages.reinjected", 1), ("recipients.handed_off", 1), ("recipients.delivered", 1)]
    {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
}

#[test]
fn verdicts_of_companions_are_counted_by_program_check_and_result() {
    let log = "2026-11-24T07:00:01+00:00 mail opendkim[1]: 4jYXyH6xTcz1XQCP: DKIM verification successful\n\
               2026-11-24T07:00:02+00:00 mail opendkim[1]: 4jYXyH6xTcz1XQCQ: bad signature data\n\
               2026-11-24T07:00:03+00:00 mail opendkim[1]: 4jYXyH6xTcz1XQCR: DKIM verification successful\n\
               2026-11-24T07:00:04+00:00 mail opendmarc[1]: 4jYXyH6xTcz1XQCP: isp.example pass\n";
    let expected = serde_json::json!([
        {"by": "opendkim", "check": "dkim", "result": "pass", "count": 2},
        {"by": "opendkim", "check": "dkim", "result": "fail", "count": 1},
        {"by": "opendmarc", "check": "dmarc", "result": "pass", "count": 1},
    ]);
    assert_eq!(report(log)["verdicts"], expected);
}
