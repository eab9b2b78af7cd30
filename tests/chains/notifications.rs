//! Queue files born as bounces, delay warnings and success reports: counted as notifications, never as messages.

use crate::support::{arrival, assert_figures, attempt, figure, log_of, removed, report_of, row};

const A: &str = "A000000001";
const N: &str = "D000000004";
const TO: &str = "to@there.example";

/// A bounced message's lines up to its notification, which goes to the sender.
fn bounced() -> Vec<String> {
    vec![
        arrival("10:00:00", A, 1),
        attempt("10:00:01", A, TO, "bounced"),
        format!("10:00:01 cleanup {N}: message-id=<n@here.example>"),
        format!("10:00:01 bounce {A}: sender non-delivery notification: {N}"),
        format!("10:00:01 qmgr {N}: from=<>, size=3000, nrcpt=1 (queue active)"),
        removed("10:00:01", A),
    ]
}

#[test]
fn a_bounce_is_a_notification_and_its_delivery_leaves_the_rates_alone() {
    let mut lines = bounced();
    lines.extend([attempt("10:00:02", N, "sender@client.example", "sent"), removed("10:00:02", N)]);
    let report = report_of(&log_of(&lines), &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.notifications", 1),
            ("messages.reinjected", 0),
            ("messages.queue_files", 2),
            ("messages.size_bytes", 1000),
            ("messages.notification_outcomes.delivered", 1),
            ("messages.notification_outcomes.bounced", 0),
            ("recipients.delivered", 1),
            ("recipients.bounced", 1),
        ],
    );
    assert_eq!(figure(&report, "rates.bounce").as_f64(), Some(1.0));
    assert_figures(row(&report, "senders", "<>"), &[("delivered", 1)]);
    assert_figures(row(&report, "sender_domains", "<>"), &[("delivered", 1)]);
    assert_figures(row(&report, "domains", "client.example"), &[("delivered", 1)]);
    assert!(row(&report, "domains", "client.example").get("bounce_rate").is_none_or(|rate| rate.as_f64() == Some(0.0)));
}

#[test]
fn the_line_that_names_the_notification_may_come_first_or_last() {
    let lines = bounced();
    for order in [[0, 1, 3, 2, 4, 5], [0, 1, 2, 4, 3, 5], [0, 1, 2, 4, 5, 3]] {
        let log = log_of(&order.map(|at: usize| lines[at].clone()));
        assert_figures(&report_of(&log, &[]), &[("messages.received", 1), ("messages.notifications", 1), ("messages.queue_files", 2)]);
    }
}

#[test]
fn warnings_reports_and_postmaster_copies_are_notifications_too() {
    let log = log_of(&[
        arrival("10:00:00", A, 1),
        attempt("10:00:01", A, TO, "deferred"),
        format!("14:00:00 bounce {A}: sender delay notification: D000000001"),
        format!("14:00:00 bounce {A}: postmaster delay notification: D000000002"),
        format!("15:00:00 bounce {A}: sender delivery status notification: D000000003"),
        format!("16:00:00 bounce {A}: sender non-delivery notification: D000000004"),
        format!("16:00:00 bounce {A}: postmaster non-delivery notification: D000000005"),
    ]);
    assert_figures(&report_of(&log, &[]), &[("messages.received", 1), ("messages.notifications", 5), ("messages.queue_files", 6)]);
}

#[test]
fn a_notification_that_goes_through_the_filter_stays_one() {
    let mut lines = bounced();
    lines.extend([
        format!("10:00:02 smtpd E000000005: client=localhost[127.0.0.1], orig_queue_id={N}"),
        "10:00:02 cleanup E000000005: message-id=<n@here.example>".into(),
        "10:00:02 qmgr E000000005: from=<>, size=3300, nrcpt=1 (queue active)".into(),
        format!(
            "10:00:02 smtp {N}: to=<sender@client.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, \
             status=sent (250 2.0.0 Ok: queued as E000000005)"
        ),
        removed("10:00:02", N),
        attempt("10:00:03", "E000000005", "sender@client.example", "sent"),
        removed("10:00:03", "E000000005"),
    ]);
    let report = report_of(&log_of(&lines), &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.notifications", 1),
            ("messages.reinjected", 1),
            ("messages.queue_files", 3),
            ("messages.size_bytes", 1000),
            ("messages.notification_outcomes.delivered", 1),
            ("recipients.delivered", 1),
            ("recipients.handed_off", 1),
            ("recipients.bounced", 1),
        ],
    );
    assert_eq!(figure(&report, "rates.bounce").as_f64(), Some(1.0));
}

#[test]
fn the_bounce_rate_of_a_row_leaves_notifications_out() {
    let mut lines = bounced();
    lines.extend([
        attempt("10:00:02", N, "sender@there.example", "sent"),
        removed("10:00:02", N),
        arrival("10:00:03", "B000000002", 1),
        attempt("10:00:04", "B000000002", "good@there.example", "sent"),
        removed("10:00:04", "B000000002"),
    ]);
    let report = report_of(&log_of(&lines), &[]);
    let row = row(&report, "domains", "there.example");
    assert_figures(row, &[("delivered", 2), ("bounced", 1)]);
    assert_eq!(row["bounce_rate"].as_f64(), Some(0.5));
    assert_eq!(figure(&report, "rates.bounce").as_f64(), Some(0.5));
}

#[test]
fn a_notification_that_fails_is_an_outcome_and_no_bounce_of_mail() {
    let mut lines = bounced();
    lines.extend([attempt("10:00:02", N, "sender@client.example", "bounced"), removed("10:00:02", N)]);
    let report = report_of(&log_of(&lines), &[]);
    assert_figures(&report, &[("recipients.bounced", 2), ("messages.notification_outcomes.bounced", 1), ("messages.notifications", 1)]);
    assert_eq!(figure(&report, "rates.bounce").as_f64(), Some(1.0));
}
