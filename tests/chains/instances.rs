//! Instances of one machine, which may write under names of their own, or to logs of their own: what one hands to the other is
//! one message all the same.

use crate::support::{assert_figures, attempt, directory, figure, file, log, report_on, rows_on, text};
use std::path::PathBuf;
use tempfile::TempDir;

/// What the first instance says: in comes a message, out it goes to the second, and comes back.
const FIRST: [&str; 7] = [
    "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]",
    "10:00:00 cleanup A000000001: message-id=<1@client.example>",
    "10:00:00 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
    "10:00:01 smtp A000000001: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10125, delay=1, delays=0/0/0/1, dsn=2.0.0, \
     status=sent (250 2.0.0 Ok: queued as B000000002)\n10:00:01 qmgr A000000001: removed",
    "10:00:03 smtpd C000000003: client=localhost[127.0.0.1]",
    "10:00:03 cleanup C000000003: message-id=<1@client.example>",
    "10:00:03 qmgr C000000003: from=<sender@client.example>, size=1200, nrcpt=1 (queue active)",
];

/// What the second one says, by its host's name.
fn second(host: &str) -> [String; 3] {
    [
        "10:00:01 smtpd B000000002: client=localhost[127.0.0.1]\n\
         10:00:01 cleanup B000000002: message-id=<1@client.example>\n\
         10:00:01 qmgr B000000002: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)",
        "10:00:03 smtp B000000002: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10126, delay=2, delays=0/0/0/2, dsn=2.0.0, \
         status=sent (250 2.0.0 Ok: queued as C000000003)",
        "10:00:03 qmgr B000000002: removed",
    ]
    .map(|lines| {
        let lines = lines.lines().map(|line| {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            format!("{} postfix-out/{}@{host} {}", words[0], words[1], words[2])
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// The message leaves; other messages pass for an hour, so that nothing is left of it that only waits for late lines.
fn later(first_id: &str) -> String {
    let end = [attempt("10:00:09", first_id, "to@there.example", "sent"), format!("10:00:09 qmgr {first_id}: removed")];
    let others = (0..6).map(|n| format!("11:{n}0:00 smtpd connect from other.example[192.0.2.9]"));
    end.into_iter().chain(others).map(|line| line + "\n").collect()
}

/// The second instance's log goes on, too.
const PASSING: &str = "11:00:00 postfix-out/smtpd@out connect from other.example[192.0.2.9]";

#[track_caller]
fn assert_there_and_back(files: &[PathBuf]) {
    let report = report_on(files, &["--tz", "UTC"]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.reinjected", 2),
            ("messages.queue_files", 3),
            ("messages.size_bytes", 1000),
            ("recipients.delivered", 1),
            ("recipients.handed_off", 2),
            ("delay.count", 1),
        ],
    );
    assert_eq!(figure(&report, "delay.max_s").as_f64(), Some(9.0));
    let rows = rows_on("recipients", files, &["--tz", "UTC"]);
    assert!(rows.len() == 3 && rows.iter().all(|row| text(row, "first_queue_id") == "A000000001"), "{rows:?}");
}

/// The log of each instance.
fn two_logs(directory: &TempDir, names: [&str; 2], host: &str) -> [PathBuf; 2] {
    let first = log(&[&FIRST[..], &[later("C000000003").as_str()]].concat());
    let second = second(host);
    let second = log(&[&second[0], &second[1], &second[2], &PASSING.replace("@out", &format!("@{host}"))]);
    [file(directory, names[0], first), file(directory, names[1], second)]
}

#[test]
fn there_and_back_again_is_one_message_under_one_name_or_two() {
    for host in ["mail", "out"] {
        let directory = directory();
        let ([arrived, handed, gone], later) = (second(host), later("C000000003"));
        // As they were written, and with what the second one says of its work behind it all.
        let in_time = [&FIRST[..3], &[&arrived], &FIRST[3..], &[&handed, &gone, &later]].concat();
        let behind = [&FIRST[..], &[&arrived, &handed, &gone, &later]].concat();
        for lines in [in_time, behind] {
            assert_there_and_back(&[file(&directory, "mail.log", log(&lines))]);
        }
    }
}

#[test]
fn in_a_log_of_its_own() {
    for host in ["out", "mail"] {
        let directory = directory();
        assert_there_and_back(&two_logs(&directory, ["mail.log", "out.log"], host));
    }
}

#[test]
fn whatever_the_logs_are_called_and_however_they_are_cut() {
    let directory = directory();
    let files = two_logs(&directory, ["z.log", "a.log"], "out");
    assert_there_and_back(&files);
    for size in ["1", "300", "65536"] {
        for threads in ["1", "3"] {
            let report = report_on(&files, &["--tz", "UTC", "--chunk-size", size, "--threads", threads]);
            assert_figures(&report, &[("messages.received", 1), ("messages.reinjected", 2), ("recipients.delivered", 1)]);
        }
    }
}

/// The second instance bounces the message, and hands the notification in by the address that the machine has outside: whichever
/// log begins first.
#[test]
fn by_the_machines_own_address() {
    let later = later("D000000004").replace("there.example", "client.example");
    let first = [
        &FIRST[..4],
        &[
            "10:00:05 smtpd D000000004: client=mail.here.example[192.0.2.10]",
            "10:00:05 cleanup D000000004: message-id=<E000000005@out.here.example>",
            "10:00:05 qmgr D000000004: from=<>, size=2000, nrcpt=1 (queue active)",
            &later,
        ],
    ]
    .concat();
    let [arrived, _, gone] = second("out");
    let second = [
        &arrived,
        "10:00:03 postfix-out/smtp@out B000000002: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=2, \
         delays=0/0/0/2, dsn=5.1.1, status=bounced (host mx.there.example[198.51.100.1] said: 550 5.1.1 Unknown)",
        "10:00:03 postfix-out/bounce@out B000000002: sender non-delivery notification: E000000005",
        "10:00:03 postfix-out/cleanup@out E000000005: message-id=<E000000005@out.here.example>",
        "10:00:03 postfix-out/qmgr@out E000000005: from=<>, size=1900, nrcpt=1 (queue active)",
        &gone,
        "10:00:05 postfix-out/smtp@out E000000005: to=<to@client.example>, relay=mail.here.example[192.0.2.10]:25, delay=2, \
         delays=0/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as D000000004)",
        "10:00:05 postfix-out/qmgr@out E000000005: removed",
        PASSING,
    ];
    for early in ["09:59:00 smtpd connect from a.example[192.0.2.8]", "09:59:00 postfix-out/smtpd@out connect from a.example[192.0.2.8]"] {
        let directory = directory();
        let [first, second] = [(&first[..], false), (&second, true)].map(|(lines, is_second)| {
            let early = if early.contains("@out") == is_second { log(&[early]) } else { String::new() };
            [early, log(lines)].concat()
        });
        let files = [file(&directory, "mail.log", first), file(&directory, "out.log", second)];
        assert_figures(
            &report_on(&files, &["--tz", "UTC"]),
            &[
                ("messages.received", 1),
                ("messages.notifications", 1),
                ("messages.reinjected", 2),
                ("recipients.bounced", 1),
                ("recipients.delivered", 1),
                ("recipients.handed_off", 2),
            ],
        );
    }
}

/// The domain of a relay is enough to ask, but not to know: only the address that the message came from makes it sure.
#[test]
fn a_relay_of_the_same_domain_may_be_another_machine() {
    for (came_from, received) in [("192.0.2.10", 1), ("192.0.2.11", 2)] {
        let log = log(&[
            "10:00:01 postfix-out/smtpd@out B000000002: client=client.example[192.0.2.1]",
            "10:00:01 postfix-out/cleanup@out B000000002: message-id=<1@client.example>",
            "10:00:01 postfix-out/qmgr@out B000000002: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)",
            "10:00:03 postfix-out/smtp@out B000000002: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=2, \
             delays=0/0/0/2, dsn=5.1.1, status=bounced (host mx.there.example[198.51.100.1] said: 550 5.1.1 Unknown)",
            "10:00:03 postfix-out/bounce@out B000000002: sender non-delivery notification: E000000005",
            "10:00:03 postfix-out/cleanup@out E000000005: message-id=<E000000005@out.here.example>",
            "10:00:03 postfix-out/qmgr@out E000000005: from=<>, size=1900, nrcpt=1 (queue active)",
            "10:00:03 postfix-out/qmgr@out B000000002: removed",
            &format!("10:00:05 smtpd D000000004: client=mail.here.example[{came_from}]"),
            "10:00:05 cleanup D000000004: message-id=<E000000005@out.here.example>",
            "10:00:05 qmgr D000000004: from=<>, size=2000, nrcpt=1 (queue active)",
            "10:00:05 postfix-out/smtp@out E000000005: to=<to@client.example>, relay=mail.here.example[192.0.2.10]:25, delay=2, \
             delays=0/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as D000000004)",
            "10:00:05 postfix-out/qmgr@out E000000005: removed",
            &later("D000000004").replace("there.example", "client.example"),
        ]);
        let directory = directory();
        let report = report_on(&[file(&directory, "mail.log", log)], &["--tz", "UTC"]);
        assert_figures(
            &report,
            &[("messages.received", received), ("messages.reinjected", 2 - received), ("recipients.delivered", received)],
        );
    }
}

#[test]
fn an_id_alone_proves_nothing() {
    for (what, by) in [("<1@client.example>", "<2@client.example>"), ("localhost[127.0.0.1]", "client.example[192.0.2.1]")] {
        let directory = directory();
        let [first, _] = two_logs(&directory, ["mail.log", "out.log"], "out");
        let other = second("out").map(|lines| lines.replace(what, by));
        let other = file(&directory, "out.log", log(&[&other[0], &other[1], &other[2], PASSING]));
        // What the first instance says alone is one message, by its message-id; the other's is another one.
        let report = report_on(&[first, other], &["--tz", "UTC"]);
        assert_figures(&report, &[("messages.queue_files", 3), ("messages.received", 2), ("messages.reinjected", 1)]);
    }
}

#[test]
fn eleven_minutes_later_it_is_another_message() {
    let directory = directory();
    let first = log(&[&FIRST[..4], &[later("A000000001").as_str()]].concat());
    let late = |line: String| line.replace("10:00:0", "10:12:0");
    let second = second("out").map(late);
    let second = log(&[&second[0], &second[1], &second[2], PASSING]);
    let files = [file(&directory, "mail.log", first), file(&directory, "out.log", second)];
    assert_figures(&report_on(&files, &["--tz", "UTC"]), &[("messages.received", 2), ("messages.reinjected", 0)]);
}

#[test]
fn all_recipients_that_one_log_hands_to_the_other() {
    let directory = directory();
    let recipients = ["one@there.example", "two@there.example", "three@there.example"];
    let to = |id: &str, time: &str, daemon: &str, reply: &str| {
        let line = |to: &&str| {
            format!(
                "{time} {daemon} {id}: to=<{to}>, relay=127.0.0.1[127.0.0.1]:10125, delay=1, delays=0/0/0/1, dsn=2.0.0, \
                 status=sent (250 2.0.0 Ok{reply})\n"
            )
        };
        recipients.iter().map(line).collect::<String>() + &format!("{time} {} {id}: removed", daemon.replace("smtp", "qmgr"))
    };
    let first = log(&[
        FIRST[0],
        FIRST[1],
        &FIRST[2].replace("nrcpt=1", "nrcpt=3"),
        &to("A000000001", "10:00:01", "smtp", ": queued as B000000002"),
    ]);
    let arrived = second("out")[0].replace("nrcpt=1", "nrcpt=3");
    let gone =
        to("B000000002", "10:00:03", "postfix-out/smtp@out", "").replace("127.0.0.1[127.0.0.1]:10125", "mx.there.example[198.51.100.1]:25");
    let files = [file(&directory, "mail.log", first), file(&directory, "out.log", log(&[&arrived, &gone]))];
    assert_figures(
        &report_on(&files, &["--tz", "UTC"]),
        &[("messages.received", 1), ("messages.reinjected", 1), ("recipients.delivered", 3), ("recipients.handed_off", 3)],
    );
}
