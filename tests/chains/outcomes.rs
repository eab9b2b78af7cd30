//! What became of each recipient, and how attempts add up to it.

use crate::support::{arrival, assert_figures, attempt, figure, log, log_of, removed, report_of, row, rows_of, text};

const A: &str = "A000000001";
const TO: &str = "to@there.example";
const EXPIRED: &str = "12:00:00 qmgr A000000001: from=<sender@client.example>, status=expired, returned to sender";

#[test]
fn a_final_outcome_beats_deferred_whatever_the_order_of_the_lines() {
    for (first, second) in [("deferred", "sent"), ("sent", "deferred")] {
        let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, first), attempt("10:00:02", A, TO, second)]);
        assert_figures(
            &report_of(&log, &[]),
            &[
                ("recipients.delivered", 1),
                ("recipients.deferred", 0),
                ("recipients.ever_deferred", 1),
                ("attempts.total", 2),
                ("attempts.deferred", 1),
                ("delay.count", 1),
            ],
        );
    }
}

#[test]
fn the_first_final_outcome_stands() {
    for (first, second, delivered, bounced) in [("bounced", "sent", 0, 1), ("sent", "bounced", 1, 0)] {
        let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, first), attempt("10:00:02", A, TO, second)]);
        assert_figures(
            &report_of(&log, &[]),
            &[("recipients.delivered", delivered), ("recipients.bounced", bounced), ("attempts.sent", 1), ("attempts.bounced", 1)],
        );
    }
}

#[test]
fn repeated_attempts_are_one_recipient_and_equal_lines_each_count() {
    let again = attempt("10:05:00", A, TO, "deferred");
    let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "deferred"), again.clone(), again]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[("recipients.deferred", 1), ("recipients.ever_deferred", 1), ("attempts.deferred", 3), ("attempts.total", 3), ("input.lines", 6)],
    );
    assert_eq!(rows_of("recipients", &log, &[])[0]["attempts"].as_u64(), Some(3));
    assert_eq!(rows_of("deliveries", &log, &[]).len(), 3);
}

#[test]
fn a_recipient_is_its_envelope_and_original_address_with_the_domain_in_lower_case() {
    let to = |address: &str, original: &str| {
        let line = attempt("10:00:01", A, address, "deferred");
        if original.is_empty() { line } else { line.replace(">, relay", &format!(">, orig_to=<{original}>, relay")) }
    };
    let recipients = |lines: &[String]| {
        let log = log_of(&[&[arrival("10:00:00", A, 2)], lines].concat());
        figure(&report_of(&log, &[]), "recipients.deferred").as_u64()
    };
    assert_eq!(recipients(&[to(TO, ""), to("to@THERE.example", "")]), Some(1));
    assert_eq!(recipients(&[to(TO, ""), to("To@there.example", "")]), Some(2));
    assert_eq!(recipients(&[to(TO, "a@here.example"), to(TO, "b@here.example"), to(TO, "")]), Some(3));
    assert_eq!(recipients(&[to(TO, "a@here.example"), to(TO, "a@HERE.example")]), Some(1));
}

#[test]
fn a_message_with_a_thousand_recipients() {
    let mut lines = vec![arrival("10:00:00", A, 1000)];
    for round in ["10:00:01", "10:00:02"] {
        lines.extend((0..1000).map(|n| attempt(round, A, &format!("user{n}@there.example"), if n % 2 == 0 { "sent" } else { "deferred" })));
    }
    assert_figures(
        &report_of(&log_of(&lines), &[]),
        &[("messages.received", 1), ("recipients.delivered", 500), ("recipients.deferred", 500), ("attempts.total", 2000)],
    );
}

#[test]
fn an_expiry_ends_the_recipients_that_are_still_open_and_no_others() {
    let log = log_of(&[
        arrival("10:00:00", A, 4),
        attempt("10:00:01", A, "good@there.example", "sent"),
        attempt("10:00:01", A, "bad@there.example", "bounced"),
        attempt("10:00:01", A, "full@there.example", "deferred"),
        attempt("10:00:01", A, "busy@there.example", "deferred"),
        attempt("11:00:00", A, "full@there.example", "deferred"),
        EXPIRED.into(),
        removed("12:00:00", A),
    ]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[
            ("recipients.delivered", 1),
            ("recipients.bounced", 1),
            ("recipients.expired", 2),
            ("recipients.deferred", 0),
            ("recipients.ever_deferred", 2),
            ("attempts.total", 5),
            ("attempts.deferred", 3),
            ("attempts.expired", 2),
            ("messages.removed_unseen", 0),
        ],
    );
    assert_eq!(figure(&report, "rates.bounce").as_f64(), Some(0.75));
    let rows = rows_of("recipients", &log, &[]);
    let full = rows.iter().find(|row| text(row, "envelope_recipient") == "full@there.example").expect("a row");
    assert_eq!((text(full, "outcome"), full["attempts"].as_u64()), ("expired", Some(2)));
    // An expired recipient's class is its last deferral's.
    assert_eq!(text(full, "class"), "mailbox_full");
    assert_figures(row(&report, "classes", "mailbox_full"), &[("recipients", 2)]);
}

#[test]
fn a_line_that_says_expired_counts_at_least_one_expiry() {
    let report = report_of(&log(&[EXPIRED]), &[]);
    assert_figures(&report, &[("attempts.expired", 1), ("attempts.total", 0), ("recipients.expired", 0), ("messages.received", 0)]);
}

#[test]
fn force_expired_is_expired() {
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        attempt("10:00:01", A, TO, "deferred"),
        "10:30:00 postsuper A000000001: expired".into(),
        "10:30:00 postsuper Force-expired: 1 message".into(),
        EXPIRED.replace("expired", "force-expired"),
        removed("12:00:00", A),
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[
            ("recipients.expired", 1),
            ("recipients.deferred", 0),
            ("recipients.deleted", 0),
            ("attempts.expired", 1),
            ("messages.received", 1),
        ],
    );
}

#[test]
fn last_message_repeated_adds_to_counts_and_is_one_line() {
    let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "deferred")])
        + "2026-11-24T10:00:02+00:00 mail last message repeated 3 times\n";
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[
            ("attempts.deferred", 4),
            ("attempts.total", 4),
            ("recipients.deferred", 1),
            ("recipients.ever_deferred", 1),
            ("input.lines", 5),
            ("input.events", 5),
            ("input.unrecognized", 0),
        ],
    );
    assert_figures(row(&report, "domains", "there.example"), &[("deferred_attempts", 4), ("deferred", 1)]);
    assert_eq!(rows_of("recipients", &log, &[])[0]["attempts"].as_u64(), Some(4));
}

#[test]
fn message_repeated_in_brackets_adds_to_counts_and_is_one_line() {
    let attempt = attempt("10:00:01", A, TO, "deferred");
    let inner = attempt.split_once("smtp ").expect("a program").1;
    let failure = "unknown[198.51.100.9]: SASL LOGIN authentication failed: authentication failure";
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        attempt.clone(),
        format!("10:00:02 smtp message repeated 2 times: [ {inner}]"),
        format!("10:00:03 smtpd warning: {failure}"),
        format!("10:00:04 smtpd message repeated 5 times: [ warning: {failure}]"),
    ]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[("attempts.deferred", 3), ("recipients.deferred", 1), ("auth.failures", 6), ("input.lines", 7), ("input.events", 7)],
    );
    assert_figures(row(&report, "clients", "198.51.100.9"), &[("auth_failures", 6)]);
}

#[test]
fn a_repetition_of_another_hosts_line_repeats_nothing() {
    let log = log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, TO, "deferred")])
        + "2026-11-24T10:00:02+00:00 other last message repeated 3 times\n";
    assert_figures(&report_of(&log, &[]), &[("attempts.deferred", 1), ("input.lines", 5)]);
}

#[test]
fn discard_takes_mail_and_delivers_none() {
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        "10:00:01 discard A000000001: to=<to@there.example>, relay=none, delay=1, delays=0.5/0/0/0.5, dsn=2.0.0, status=sent (thrown away)"
            .into(),
        removed("10:00:01", A),
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[("recipients.discarded", 1), ("recipients.delivered", 0), ("messages.received", 1), ("attempts.sent", 1), ("delay.count", 0)],
    );
}

#[test]
fn what_cleanup_discards_is_not_received_and_no_reject() {
    let client = "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]
10:00:00 cleanup A000000001: message-id=<1@client.example>";
    let from = "from client.example[192.0.2.1]";
    let envelope = "from=<sender@client.example> to=<to@there.example> proto=ESMTP helo=<client.example>";
    let discards = [
        format!("10:00:00 cleanup A000000001: discard: header Subject: spam {from}; {envelope}: no thanks"),
        format!("10:00:00 cleanup A000000001: discard: body spam {from}; {envelope}: no thanks"),
        format!("10:00:00 cleanup A000000001: milter-discard: END-OF-MESSAGE {from}: milter triggers DISCARD action; {envelope}"),
    ];
    for discard in discards {
        for last in ["", "10:00:00 cleanup A000000001: removed (discarded)"] {
            let report = report_of(&log(&[client, &discard, last]), &[]);
            assert_figures(
                &report,
                &[("messages.received", 0), ("messages.size_bytes", 0), ("messages.removed_unseen", 0), ("rejects.total", 0)],
            );
            assert_eq!(figure(&report, "rejects.actions.discard").as_u64(), Some(1));
        }
    }
}

#[test]
fn a_probe_is_no_mail() {
    for (status, dsn) in [("deliverable", "2.1.5"), ("undeliverable", "5.1.1")] {
        let log = log(&[
            "10:00:00 cleanup A000000001: message-id=<20261124100000.A000000001@here.example>",
            "10:00:00 qmgr A000000001: from=<double-bounce@here.example>, size=230, nrcpt=1 (queue active)",
            &format!(
                "10:00:00 smtp A000000001: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=0.1, delays=0/0/0.1/0, \
                 dsn={dsn}, status={status} (250 2.1.5 Ok)"
            ),
            "10:00:00 qmgr A000000001: removed",
        ]);
        assert_figures(
            &report_of(&log, &[]),
            &[
                ("messages.received", 0),
                ("messages.notifications", 0),
                ("messages.size_bytes", 0),
                ("recipients.delivered", 0),
                ("recipients.bounced", 0),
                ("recipients.deferred", 0),
                ("delay.count", 0),
            ],
        );
        assert_eq!(rows_of("recipients", &log, &[]).len(), 0);
    }
}

#[test]
fn a_probe_of_sendmail_bv_is_not_received() {
    let log = log(&[
        "10:00:00 pickup A000000001: uid=0 from=<root>",
        "10:00:00 cleanup A000000001: message-id=<1@here.example>",
        "10:00:00 qmgr A000000001: from=<root@here.example>, size=230, nrcpt=1 (queue active)",
        "10:00:00 local A000000001: to=<to@here.example>, relay=local, delay=0.1, delays=0/0/0.1/0, dsn=2.0.0, status=deliverable \
         (delivers to mailbox)",
        "10:00:00 cleanup B000000002: message-id=<2@here.example>",
        "10:00:00 bounce A000000001: sender delivery status notification: B000000002",
        "10:00:00 qmgr B000000002: from=<>, size=2300, nrcpt=1 (queue active)",
        "10:00:00 qmgr A000000001: removed",
        "10:00:00 local B000000002: to=<root@here.example>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)",
        "10:00:00 qmgr B000000002: removed",
    ]);
    assert_figures(&report_of(&log, &[]), &[("messages.received", 0), ("messages.notifications", 1), ("recipients.delivered", 1)]);
}

#[test]
fn one_reject_a_line_and_other_actions_apart() {
    let smtpd = |action: &str| {
        format!(
            "10:00:00 smtpd NOQUEUE: {action}: RCPT from client.example[192.0.2.1]: 554 5.7.1 <to@there.example>: Recipient address rejected: \
             Access denied; from=<sender@client.example> to=<to@there.example> proto=ESMTP helo=<client.example>"
        )
    };
    let said =
        |action: &str| smtpd(action).replace("554 5.7.1 ", "").replace("Recipient address rejected: Access denied", "Recipient address x");
    let log = log_of(&[
        smtpd("reject"),
        smtpd("reject"),
        smtpd("reject_warning"),
        said("hold"),
        said("discard"),
        said("filter"),
        said("redirect"),
        arrival("10:00:00", A, 1),
    ]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[
            ("rejects.total", 2),
            ("rejects.warnings", 1),
            ("rejects.by_stage.rcpt", 2),
            ("rejects.actions.hold", 1),
            ("rejects.actions.discard", 1),
            ("rejects.actions.filter", 1),
            ("rejects.actions.redirect", 1),
            ("messages.received", 1),
        ],
    );
    assert_eq!(report["rejects"]["by_dsn"]["5.7.1"].as_u64(), Some(2));
    let rate = figure(&report, "rates.reject").as_f64().expect("a rate");
    assert!((rate - 2.0 / 3.0).abs() < 1e-6, "{rate}");
}
