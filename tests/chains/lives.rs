//! Which lines belong to one life of a queue id, and which lives are messages.

use crate::support::{arrival, assert_figures, attempt, log, log_of, removed, report_of, rows_of, text};

const A: &str = "A000000001";
const B: &str = "B000000002";
const TO: &str = "to@there.example";

/// A message that is delivered at once and removed.
fn whole(time: &str, id: &str) -> String {
    [arrival(time, id, 1), attempt(time, id, TO, "sent"), removed(time, id)].join("\n")
}

#[test]
fn a_message_from_client_to_removal() {
    let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "sent"), removed("10:00:01", A)]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.queue_files", 1),
            ("messages.size_bytes", 1000),
            ("messages.removed", 1),
            ("messages.open", 0),
            ("messages.removed_unseen", 0),
            ("recipients.delivered", 1),
            ("attempts.total", 1),
            ("delay.count", 1),
            ("input.lines", 5),
            ("input.events", 5),
        ],
    );
    let rows = rows_of("recipients", &log, &[]);
    assert_eq!(rows.len(), 1);
    assert_eq!(text(&rows[0], "client_ip"), "192.0.2.1");
    assert_eq!(text(&rows[0], "envelope_sender"), "sender@client.example");
    assert_eq!(text(&rows[0], "first_queue_id"), A);
    assert_eq!(text(&rows[0], "message_id"), "A000000001@client.example");
}

#[test]
fn an_id_that_is_used_again_after_its_removal_starts_a_new_life() {
    for again in ["10:00:20", "10:30:00", "14:00:00"] {
        let log = log_of(&[
            arrival("10:00:00", A, 1),
            attempt("10:00:01", A, TO, "sent"),
            removed("10:00:01", A),
            arrival(again, A, 1),
            attempt(again, A, TO, "bounced"),
            removed(again, A),
        ]);
        assert_figures(
            &report_of(&log, &[]),
            &[
                ("messages.received", 2),
                ("messages.queue_files", 2),
                ("messages.removed", 2),
                ("recipients.delivered", 1),
                ("recipients.bounced", 1),
            ],
        );
    }
}

#[test]
fn an_open_id_that_is_used_again_starts_a_new_life() {
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        attempt("10:00:01", A, TO, "deferred"),
        arrival("12:00:00", A, 1),
        attempt("12:00:01", A, TO, "sent"),
        removed("12:00:01", A),
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 2), ("messages.queue_files", 2), ("recipients.deferred", 1), ("recipients.delivered", 1)],
    );
}

#[test]
fn long_and_short_ids_of_any_length() {
    let ids = ["ABCDE", "3F9C2", "58D1B9CCABC", "4jYXyH6xTcz1XQCP", "3ZJ7BfyRpbzzzzzzzz1XQCPbc"];
    let log = log_of(&ids.map(|id| whole("10:00:00", id)));
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 5), ("messages.queue_files", 5), ("recipients.delivered", 5), ("input.unrecognized", 0)],
    );
}

#[test]
fn lines_within_ten_minutes_after_removal_belong_to_the_life() {
    for late in ["10:00:07", "10:09:30"] {
        let log = log_of(&[
            arrival("10:00:00", A, 2),
            attempt("10:00:01", A, TO, "sent"),
            removed("10:00:01", A),
            attempt(late, A, "late@there.example", "sent"),
        ]);
        assert_figures(
            &report_of(&log, &[]),
            &[("messages.received", 1), ("messages.queue_files", 1), ("messages.removed", 1), ("recipients.delivered", 2)],
        );
    }
}

#[test]
fn a_line_later_than_that_belongs_to_nothing_known() {
    let log = log_of(&[whole("10:00:00", A), whole("10:12:00", B), attempt("10:12:00", A, "late@there.example", "sent")]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 2), ("messages.queue_files", 3), ("recipients.delivered", 3), ("messages.open", 1)],
    );
}

/// The lines of one message within two seconds, logged in this order.
#[track_caller]
fn assert_one_life(order: [usize; 5]) {
    let lines = [
        "10:00:01.10 smtpd A000000001: client=client.example[192.0.2.1]",
        "10:00:01.20 cleanup A000000001: message-id=<1@client.example>",
        "10:00:01.30 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        &attempt("10:00:01.40", A, TO, "sent"),
        "10:00:02.00 qmgr A000000001: removed",
    ];
    let report = report_of(&log(&order.map(|at| lines[at])), &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.queue_files", 1),
            ("messages.size_bytes", 1000),
            ("messages.removed", 1),
            ("messages.removed_unseen", 0),
            ("recipients.delivered", 1),
        ],
    );
}

#[test]
fn lines_of_one_moment_in_any_order() {
    for order in [[0, 1, 2, 3, 4], [1, 2, 0, 3, 4], [2, 1, 3, 0, 4], [3, 0, 1, 2, 4], [0, 1, 2, 4, 3], [3, 2, 1, 0, 4]] {
        assert_one_life(order);
    }
}

#[test]
fn a_removal_that_is_logged_before_the_arrival_of_the_same_moment() {
    for order in [[4, 0, 1, 2, 3], [3, 4, 2, 1, 0], [3, 4, 0, 1, 2]] {
        assert_one_life(order);
    }
}

#[test]
fn a_client_line_alone_is_no_message() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]",
        "10:00:01 smtpd B000000002: client=client.example[192.0.2.1]",
        "10:00:01 cleanup B000000002: message-id=<2@client.example>",
        "10:00:02 smtpd B000000002: reject: DATA from client.example[192.0.2.1]: 550 5.5.3 <DATA>: Data command rejected: Multi-recipient \
         bounce; from=<> proto=ESMTP helo=<client.example>",
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 0), ("messages.queue_files", 2), ("messages.size_bytes", 0), ("rejects.total", 1)],
    );
}

#[test]
fn each_proof_that_the_queue_took_a_message() {
    let client = "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]";
    let proofs = [
        "10:00:01 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 cleanup A000000001: hold: header Subject: look from client.example[192.0.2.1]; from=<sender@client.example> \
         to=<to@there.example> proto=ESMTP helo=<client.example>",
        &attempt("10:00:01", A, TO, "deferred"),
        "10:00:01 qmgr A000000001: removed",
    ];
    for proof in proofs {
        assert_figures(&report_of(&log(&[client, proof]), &[]), &[("messages.received", 1), ("messages.queue_files", 1)]);
    }
    let pickup = "10:00:00 pickup A000000001: uid=0 from=<root>";
    for proof in proofs {
        assert_figures(&report_of(&log(&[pickup, proof]), &[]), &[("messages.received", 1), ("messages.queue_files", 1)]);
    }
}

#[test]
fn a_message_without_its_arrival_line_is_not_received_but_delivered() {
    let log = log_of(&[attempt("10:00:01", A, TO, "sent"), removed("10:00:01", A)]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 0), ("messages.queue_files", 1), ("messages.removed", 1), ("recipients.delivered", 1)],
    );
}

#[test]
fn a_removal_whose_deliveries_were_lost_is_said_and_not_guessed() {
    let log = log_of(&[arrival("10:00:00", A, 1), removed("10:00:01", A), whole("10:00:02", B)]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 2), ("messages.removed", 2), ("messages.removed_unseen", 1), ("recipients.delivered", 1)],
    );
}

#[test]
fn a_daemon_of_another_name_is_the_same_message() {
    let log = log(&[
        "10:00:00 postfix/submission/smtpd A000000001: client=client.example[192.0.2.1], sasl_method=PLAIN, sasl_username=sender",
        "10:00:00 postfix/cleanup A000000001: message-id=<1@client.example>",
        "10:00:00 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        &attempt("10:00:01", A, TO, "sent").replace(" smtp ", " postfix/relay/smtp "),
        "10:00:01 qmgr A000000001: removed",
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 1), ("messages.queue_files", 1), ("recipients.delivered", 1), ("auth.successes", 1)],
    );
}

#[test]
fn two_instances_that_claim_the_same_open_id_are_told_apart_by_name() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]",
        "10:00:00 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:10 postfix-out/smtpd A000000001: client=other.example[192.0.2.9]",
        "10:00:10 postfix-out/qmgr A000000001: from=<sender@other.example>, size=50, nrcpt=1 (queue active)",
        &attempt("10:00:11", A, TO, "sent"),
        &attempt("10:00:11", A, "to@elsewhere.example", "bounced").replace(" smtp ", " postfix-out/smtp "),
        "10:00:12 postfix-out/qmgr A000000001: removed",
        "10:00:12 qmgr A000000001: removed",
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[
            ("messages.received", 2),
            ("messages.queue_files", 2),
            ("messages.removed", 2),
            ("messages.size_bytes", 1050),
            ("recipients.delivered", 1),
            ("recipients.bounced", 1),
        ],
    );
    let rows = rows_of("recipients", &log, &[]);
    let client = |to: &str| rows.iter().find(|row| text(row, "envelope_recipient") == to).map(|row| text(row, "client_ip"));
    assert_eq!((client(TO), client("to@elsewhere.example")), (Some("192.0.2.1"), Some("192.0.2.9")));
}

#[test]
fn the_same_id_on_two_hosts_is_two_messages() {
    let one = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "sent"), removed("10:00:02", A)]);
    let two =
        log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "bounced"), removed("10:00:02", A)]).replace(" mail ", " mx2 ");
    let both: String = one.lines().zip(two.lines()).map(|(one, two)| format!("{one}\n{two}\n")).collect();
    let report = report_of(&both, &[]);
    assert_figures(
        &report,
        &[("messages.received", 2), ("messages.queue_files", 2), ("recipients.delivered", 1), ("recipients.bounced", 1)],
    );
    for (host, delivered, bounced) in [("mail", 1, 0), ("mx2", 0, 1)] {
        let row = crate::support::row(&report, "hosts", host);
        assert_figures(row, &[("lines", 5), ("received", 1), ("delivered", delivered), ("bounced", bounced)]);
        let alone = report_of(&both, &["--host", host]);
        assert_figures(&alone, &[("messages.received", 1), ("recipients.delivered", delivered), ("recipients.bounced", bounced)]);
    }
}

#[test]
fn a_line_of_another_year_skews_nothing() {
    for stray in ["2031-01-01T00:00:00", "1999-01-01T00:00:00"] {
        let log = log_of(&[
            arrival("10:00:00", A, 1),
            attempt("10:00:01", A, TO, "deferred"),
            attempt(stray, B, TO, "deferred"),
            arrival("10:00:02", "C000000003", 1),
            attempt("10:05:00", A, TO, "sent"),
            removed("10:05:00", A),
            attempt("10:05:01", "C000000003", TO, "sent"),
            removed("10:05:01", "C000000003"),
        ]);
        assert_figures(
            &report_of(&log, &[]),
            &[
                ("messages.received", 2),
                ("messages.queue_files", 3),
                ("messages.removed", 2),
                ("messages.abandoned", 0),
                ("recipients.delivered", 2),
                ("recipients.deferred", 1),
            ],
        );
    }
}
