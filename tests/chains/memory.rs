//! What is given up: a life without a line for seven days, an id that never became a message after an hour; and that
//! memory is bounded by what is still open.

use crate::support::{
    arrival, assert_figures, attempt, directory, figure, file, log_of, peak_memory, program, removed, report_of, report_on,
};
use std::process::Stdio;

const A: &str = "A000000001";
const TO: &str = "to@there.example";

/// `2026-11-01` and so many hours.
fn hours(hours: u32) -> String {
    format!("2026-11-{:02}T{:02}:00:00", 1 + hours / 24, hours % 24)
}

/// A message every hour, so that the log's time goes on.
fn traffic(from: u32, until: u32) -> Vec<String> {
    (from..until)
        .map(|hour| {
            let (time, id) = (hours(hour), format!("F{hour:09X}"));
            [arrival(&time, &id, 1), attempt(&time, &id, TO, "sent"), removed(&time, &id)].join("\n")
        })
        .collect()
}

#[test]
fn a_life_without_a_line_for_seven_days_is_given_up_as_it_stood() {
    let begin = || vec![arrival(&hours(0), A, 1), attempt(&hours(0), A, TO, "deferred")];
    let run = |until: u32| report_of(&log_of(&[begin(), traffic(1, until)].concat()), &[]);
    // Six days and 23 hours.
    assert_figures(
        &run(7 * 24),
        &[("messages.abandoned", 0), ("messages.open", 1), ("recipients.deferred", 1), ("messages.received", 168)],
    );
    let given_up = run(7 * 24 + 12);
    assert_figures(&given_up, &[("messages.abandoned", 1), ("messages.open", 0), ("recipients.deferred", 1), ("messages.received", 180)]);
}

#[test]
fn a_life_that_is_tried_again_within_seven_days_is_kept() {
    let mut lines = vec![arrival(&hours(0), A, 1), attempt(&hours(0), A, TO, "deferred")];
    lines.extend(traffic(1, 6 * 24));
    lines.push(attempt(&hours(6 * 24), A, TO, "deferred"));
    lines.extend(traffic(6 * 24, 12 * 24));
    lines.push(attempt(&hours(12 * 24), A, TO, "sent"));
    lines.push(removed(&hours(12 * 24), A));
    assert_figures(
        &report_of(&log_of(&lines), &[]),
        &[
            ("messages.abandoned", 0),
            ("messages.open", 0),
            ("messages.received", 288),
            ("recipients.delivered", 288),
            ("attempts.deferred", 2),
        ],
    );
}

#[test]
fn an_id_that_never_became_a_message_is_given_up_after_an_hour() {
    let client = "2026-11-01T00:00:00 smtpd A000000001: client=client.example[192.0.2.1]";
    let at = |time: &str| {
        let last = [arrival(time, "B000000002", 1), attempt(time, "B000000002", TO, "sent"), removed(time, "B000000002")].join("\n");
        report_of(&log_of(&[vec![client.to_owned()], vec![last]].concat()), &[])
    };
    assert_figures(&at("2026-11-01T00:59:00"), &[("messages.abandoned", 0), ("messages.open", 1), ("messages.received", 1)]);
    assert_figures(&at("2026-11-01T01:01:00"), &[("messages.abandoned", 1), ("messages.open", 0), ("messages.received", 1)]);
}

#[test]
fn a_line_with_a_wrong_time_holds_nobody_up() {
    let (wrong, right) = ("2026-11-20T00:00:00", hours(1));
    let client = |time: &str, id: &str| format!("{time} smtpd {id}: client=client.example[192.0.2.1]");
    let begun = [arrival(&right, "C000000003", 1), attempt(&right, "C000000003", TO, "sent")].join("\n");
    for (stray, removed_in_all) in [(vec![client(wrong, "C000000003")], 7), (vec![begun, removed(wrong, "C000000003")], 8)] {
        for first in [true, false] {
            // Behind it an id that never becomes a message, and messages that come and go.
            let (before, after) = if first { (vec![], traffic(0, 1)) } else { (traffic(0, 1), vec![]) };
            let log = log_of(&[before, stray.clone(), after, vec![client(&right, A)], traffic(2, 8)].concat());
            let report = report_of(&log, &[]);
            let [removed, abandoned, open] =
                ["removed", "abandoned", "open"].map(|end| figure(&report, &format!("messages.{end}")).as_u64());
            assert_eq!((removed, abandoned, open), (Some(removed_in_all), Some(1), Some(8 - removed_in_all)), "{stray:?}, first: {first}");
        }
    }
}

/// Ordinary traffic of up to 89 days from 1 February on, every `removed` line lost.
fn never_removed(days: u32, a_day: u32) -> String {
    let mut log = String::new();
    for message in 0..days * a_day {
        let second = u64::from(message) * 86_400 / u64::from(a_day);
        let (day, rest) = (second / 86_400, second % 86_400);
        let (month, day) = match day {
            0..28 => (2, day + 1),
            28..59 => (3, day - 27),
            _ => (4, day - 58),
        };
        let time = format!("2026-{month:02}-{day:02}T{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        let id = format!("{:010X}", 0xA0_0000_0000_u64 + u64::from(message));
        log += &log_of(&[arrival(&time, &id, 1), attempt(&time, &id, TO, "sent")]);
    }
    log
}

#[test]
fn removals_that_were_lost_do_not_keep_messages_for_ever() {
    let (days, a_day) = (30, 24);
    let report = report_of(&never_removed(days, a_day), &[]);
    let total = u64::from(days * a_day);
    assert_figures(&report, &[("messages.received", total), ("recipients.delivered", total), ("messages.queue_files", total)]);
    let (open, abandoned) = (figure(&report, "messages.open").as_u64(), figure(&report, "messages.abandoned").as_u64());
    assert_eq!(open.unwrap_or(0) + abandoned.unwrap_or(0), total);
    // What was touched in the last seven days is open; what is older than eight is not.
    assert!(open.is_some_and(|open| (7 * 24..=8 * 24).contains(&open)), "{open:?} open");
}

#[test]
fn what_is_given_up_depends_on_the_logs_time_and_not_on_chunks() {
    let directory = directory();
    let path = [file(&directory, "mail.log", never_removed(20, 24))];
    let whole = report_on(&path, &["--tz", "UTC"]);
    for size in ["1", "500", "10000"] {
        for threads in ["1", "3"] {
            let cut = report_on(&path, &["--tz", "UTC", "--chunk-size", size, "--threads", threads]);
            assert_eq!(whole, cut, "chunks of {size} bytes on {threads} threads");
        }
    }
}

#[test]
fn memory_is_bounded_by_what_is_open_and_not_by_the_days_of_the_log() {
    let directory = directory();
    let peak = |days: u32| {
        let path = file(&directory, "mail.log", never_removed(days, 300));
        let mut command = program();
        command.args(["report", "--format", "json", "--tz", "UTC", "--threads", "1", "--chunk-size", "65536"]).arg(path);
        peak_memory(&mut command.stdout(Stdio::null()).spawn().expect("the program starts"))
    };
    let (Some(short), Some(long)) = (peak(15), peak(75)) else {
        eprintln!("skipped: this system does not say how much memory a process used");
        return;
    };
    assert!(long < short + short / 5, "15 days took {short} bytes, 75 days {long}");
}

/// All count in the same lists: a worker's own ones would be as long as the log has domains, whatever part of it was his.
#[test]
fn memory_does_not_grow_with_the_threads_as_the_lists_do() {
    const DOMAINS: u32 = 20_000;
    let directory = directory();
    let mut log = String::new();
    for message in 0..5 * DOMAINS {
        let second = message / 2;
        let time = format!("2026-11-01T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let (id, to) = (format!("{:010X}", 0xA0_0000_0000_u64 + u64::from(message)), format!("to@there{}.example", message % DOMAINS));
        log += &log_of(&[arrival(&time, &id, 1), attempt(&time, &id, &to, "sent"), removed(&time, &id)]);
    }
    let path = file(&directory, "mail.log", log);
    let peak = |threads: &str| {
        let mut command = program();
        command.args(["report", "--format", "json", "--tz", "UTC", "--chunk-size", "65536", "--threads", threads]).arg(&path);
        peak_memory(&mut command.stdout(Stdio::null()).spawn().expect("the program starts"))
    };
    let (Some(one), Some(eight)) = (peak("1"), peak("8")) else {
        eprintln!("skipped: this system does not say how much memory a process used");
        return;
    };
    assert!(eight < one + one / 2, "one thread took {one} bytes, eight {eight}");
}

/// Of ids that are over and of lives that wait for late lines so many are remembered, however fast they come.
#[test]
fn what_is_remembered_does_not_depend_on_how_fast_a_log_is() {
    use mailscope::correlate::{Correlator, Detail, Fact, Spare, Step};
    use mailscope_parsers::model::{Accepted, Delivery, MessageId, Peer, Queued, Removal, Removed, Status, Text};
    let mut correlator = Correlator::new(Detail::Counts, None);
    let mut messages = 0_u32..;
    let mut stored_after = |wanted: u32| {
        for number in messages.by_ref().take(wanted as usize) {
            let id = format!("{number:010X}");
            let queue_id = Text(id.as_bytes());
            // Every third one comes from inside, and may belong to another one.
            let ip = Text(if number.is_multiple_of(3) { b"127.0.0.1" } else { b"192.0.2.1" });
            let accepted = Accepted { queue_id, client: Peer { ip, ..Peer::default() }, ..Accepted::default() };
            let delivery = Delivery { envelope_recipient: Text(b"to@there.example"), ..Delivery::new(queue_id, Status::Sent) };
            let facts = [
                Fact::Accepted(&accepted),
                Fact::MessageId(&MessageId { queue_id, message_id: queue_id }),
                Fact::Queued(&Queued { queue_id, envelope_sender: Text(b"a@b.example"), size_bytes: 1, nrcpt: 1 }),
                Fact::Delivery(&delivery),
                Fact::Removed(&Removed { queue_id, how: Removal::Done }),
            ];
            for (fact, microsecond) in facts.into_iter().zip(0..) {
                // A message a millisecond.
                let time = i64::from(number) * 1000 + microsecond;
                correlator.step(&Step { time, host: Text(b"mail"), instance: 0, count: 1, fact });
            }
            let closed = correlator.take_closed();
            correlator.recycle(Spare::of(closed, Detail::Counts));
        }
        postcard::to_allocvec(&correlator).expect("room").len()
    };
    let (before, after) = (stored_after(90_000), stored_after(120_000));
    assert!(after < before + before / 10, "{before} bytes, and then {after}");
}
