//! What postsuper(1) does to messages: delete, hold, release, requeue.

use crate::support::{arrival, assert_figures, attempt, figure, log_of, removed, report_of, rows_of, text};

const A: &str = "A000000001";
const B: &str = "B000000002";
const TO: &str = "to@there.example";

/// One recipient was delivered to, the other is still open.
fn half_delivered() -> Vec<String> {
    vec![arrival("10:00:00", A, 2), attempt("10:00:01", A, "good@there.example", "sent"), attempt("10:00:01", A, TO, "deferred")]
}

#[track_caller]
fn assert_deleted(log: &str) {
    assert_figures(
        &report_of(log, &[]),
        &[
            ("messages.received", 1),
            ("messages.removed", 1),
            ("messages.removed_unseen", 0),
            ("messages.open", 0),
            ("recipients.delivered", 1),
            ("recipients.deleted", 1),
            ("recipients.deferred", 0),
            ("recipients.ever_deferred", 1),
        ],
    );
}

#[test]
fn deleting_a_message_deletes_the_recipients_that_are_open() {
    let mut lines = half_delivered();
    lines.push(format!("10:30:00 postsuper {A}: removed"));
    lines.push("10:30:00 postsuper Deleted: 1 message".into());
    assert_deleted(&log_of(&lines));
}

/// The same log in RFC 5424 as rsyslog writes it: APP-NAME without the daemon.
fn without_daemons(log: &str) -> String {
    let line = |line: &str| {
        let (time, rest) = line.split_once(" mail ").expect("a host");
        let text = rest.split_once("]: ").expect("a program").1;
        format!("<22>1 {time} mail postfix 7 - -  {text}\n")
    };
    log.lines().map(line).collect()
}

#[test]
fn a_deletion_is_told_without_the_daemons_name() {
    let mut lines = half_delivered();
    lines.push(format!("10:30:00 postsuper {A}: removed"));
    assert_deleted(&without_daemons(&log_of(&lines)));
}

/// On hold from its arrival on, and deleted by an administrator.
fn deleted_on_hold() -> String {
    log_of(&[
        "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]".into(),
        "10:00:00 cleanup A000000001: message-id=<1@client.example>".into(),
        "10:00:00 cleanup A000000001: hold: header Subject: x from client.example[192.0.2.1]; from=<sender@client.example> \
         to=<to@there.example> proto=ESMTP helo=<client.example>: wait"
            .into(),
        format!("10:30:00 postsuper {A}: removed"),
    ])
}

const DELETED_ON_HOLD: &[(&str, u64)] =
    &[("messages.received", 1), ("messages.removed", 1), ("messages.removed_unseen", 0), ("rejects.total", 0)];

#[test]
fn a_message_deleted_before_its_first_attempt_lost_no_lines() {
    assert_figures(&report_of(&deleted_on_hold(), &[]), DELETED_ON_HOLD);
}

#[test]
fn a_message_deleted_on_hold_lost_no_lines_without_the_daemons_name_either() {
    assert_figures(&report_of(&without_daemons(&deleted_on_hold()), &[]), DELETED_ON_HOLD);
}

#[test]
fn a_message_on_hold_is_received_and_open_until_it_is_released_and_delivered() {
    let mut lines = vec![
        "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]".to_owned(),
        "10:00:00 cleanup A000000001: message-id=<1@client.example>".to_owned(),
        "10:00:00 cleanup A000000001: hold: header Subject: x from client.example[192.0.2.1]; from=<sender@client.example> \
         to=<to@there.example> proto=ESMTP helo=<client.example>: wait"
            .to_owned(),
    ];
    assert_figures(
        &report_of(&log_of(&lines), &[]),
        &[("messages.received", 1), ("messages.open", 1), ("rejects.total", 0), ("rejects.actions.hold", 1)],
    );
    lines.extend([
        format!("10:30:00 postsuper {A}: released from hold"),
        "10:30:00 postsuper Released from hold: 1 message".into(),
        format!("10:30:01 qmgr {A}: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)"),
        attempt("10:30:02", A, TO, "sent"),
        removed("10:30:02", A),
    ]);
    assert_figures(&report_of(&log_of(&lines), &[]), &[("messages.received", 1), ("messages.open", 0), ("recipients.delivered", 1)]);
}

#[test]
fn a_message_put_on_hold_later_keeps_its_deferred_recipients() {
    let mut lines = half_delivered();
    lines.push(format!("10:30:00 postsuper {A}: placed on hold"));
    assert_figures(
        &report_of(&log_of(&lines), &[]),
        &[
            ("messages.received", 1),
            ("messages.open", 1),
            ("recipients.deferred", 1),
            ("recipients.delivered", 1),
            ("recipients.deleted", 0),
        ],
    );
}

/// A deferred message that gets another queue id; `orig_id=` is said by newer releases only.
fn requeued(orig_id: &str) -> Vec<String> {
    vec![
        arrival("10:00:00", A, 1),
        attempt("10:00:01", A, TO, "deferred"),
        format!("10:09:00 postsuper {A}: requeued"),
        "10:09:00 postsuper Requeued: 1 message".into(),
        format!("10:09:30 pickup {B}: uid=100 from=<sender@client.example>{orig_id}"),
        format!("10:09:30 cleanup {B}: message-id=<{A}@client.example>"),
        format!("10:09:30 qmgr {B}: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)"),
        attempt("10:10:00", B, TO, "sent").replace("delay=1,", "delay=600,"),
        removed("10:10:00", B),
    ]
}

#[track_caller]
fn assert_one_message(log: &str) {
    let report = report_of(log, &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.size_bytes", 1000),
            ("recipients.delivered", 1),
            ("recipients.deferred", 0),
            ("recipients.deleted", 0),
            ("attempts.total", 2),
            ("delay.count", 1),
        ],
    );
    assert_eq!(figure(&report, "delay.max_s").as_f64(), Some(600.0));
    let rows = rows_of("recipients", log, &[]);
    let delivered = rows.iter().find(|row| text(row, "outcome") == "delivered").expect("a delivered row");
    assert_eq!(text(delivered, "first_queue_id"), A);
    assert_eq!(text(delivered, "client_ip"), "192.0.2.1");
}

#[test]
fn a_requeued_message_goes_on_as_the_same_by_its_old_id() {
    assert_one_message(&log_of(&requeued(" orig_id=A000000001")));
}

#[test]
fn a_requeued_message_goes_on_as_the_same_by_its_message_id() {
    assert_one_message(&log_of(&requeued("")));
}

#[test]
fn a_requeued_message_that_keeps_failing_is_deferred_once() {
    let mut lines = requeued(" orig_id=A000000001");
    lines.truncate(7);
    lines.push(attempt("10:10:00", B, TO, "deferred"));
    assert_figures(
        &report_of(&log_of(&lines), &[]),
        &[("messages.received", 1), ("recipients.deferred", 1), ("attempts.deferred", 2), ("recipients.delivered", 0)],
    );
}

#[test]
fn requeued_messages_of_one_message_id_go_on_each_as_the_one_that_it_was() {
    let ids: Vec<(String, String)> = (0..40).map(|n| (format!("A{n:09}"), format!("B{n:09}"))).collect();
    for says_old_id in [true, false] {
        let lines = |(old, new): &(String, String)| {
            let orig_id = if says_old_id { format!(" orig_id={old}") } else { String::new() };
            let of_list = requeued(&orig_id).into_iter().map(|line| line.replace(&format!("<{A}@"), "<list@"));
            of_list.map(|line| line.replace(A, old).replace(B, new)).collect::<Vec<_>>()
        };
        let mut all: Vec<String> = ids.iter().flat_map(lines).collect();
        all.sort_by_key(|lines| lines[..8].to_owned());
        let rows = rows_of("recipients", &log_of(&all), &[]);
        let mut chains: Vec<(&str, &str)> = rows
            .iter()
            .filter(|row| text(row, "outcome") == "delivered")
            .map(|row| (text(row, "first_queue_id"), text(row, "queue_id")))
            .collect();
        chains.sort_unstable();
        let expected: Vec<(&str, &str)> = ids.iter().map(|(old, new)| (&**old, &**new)).collect();
        assert_eq!(chains, expected, "orig_id said: {says_old_id}");
    }
}
