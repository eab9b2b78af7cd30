//! The keys of rows where an address or a relay has no name of its own, and what the lists add up.

use crate::support::{arrival, assert_figures, attempt, log, log_of, report_of, row};

const A: &str = "A000000001";

#[test]
fn addresses_without_a_domain_and_relays_without_a_name() {
    let log = log(&[
        "10:00:00 pickup A000000001: uid=0 from=<root>",
        "10:00:00 qmgr A000000001: from=<root>, size=500, nrcpt=1 (queue active)",
        "10:00:00 error A000000001: to=<nobody>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown user)",
        "10:00:00 qmgr A000000001: removed",
    ]);
    let report = report_of(&log, &[]);
    for list in ["domains", "relays", "providers", "sender_domains"] {
        assert_figures(row(&report, list, "(none)"), &[("bounced", 1), ("delivered", 0)]);
    }
    assert_figures(row(&report, "senders", "root"), &[("bounced", 1)]);
}

#[test]
fn the_null_sender_is_a_row_of_its_own() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]",
        "10:00:00 qmgr A000000001: from=<>, size=500, nrcpt=1 (queue active)",
        &attempt("10:00:01", A, "to@there.example", "sent"),
    ]);
    let report = report_of(&log, &[]);
    // A client's message from the null sender is a message: only bounce(8) makes notifications here.
    assert_figures(&report, &[("messages.received", 1), ("messages.notifications", 0), ("recipients.delivered", 1)]);
    assert_figures(row(&report, "senders", "<>"), &[("delivered", 1)]);
    assert_figures(row(&report, "sender_domains", "<>"), &[("delivered", 1)]);
}

#[test]
fn providers_are_known_by_the_relay() {
    let to = |name: &str| attempt("10:00:01", A, "to@hosted.example", "sent").replace("mx.hosted.example", name);
    let log = log_of(&[
        arrival("10:00:00", A, 3),
        to("aspmx.l.google.com"),
        to("hosted-example.mail.protection.outlook.com").replace("to@", "b@"),
        to("mx.nobody.example").replace("to@", "c@"),
    ]);
    let report = report_of(&log, &[]);
    assert_figures(row(&report, "domains", "hosted.example"), &[("delivered", 3)]);
    let providers = report["providers"].as_array().expect("a list");
    assert_eq!(providers.len(), 3, "{providers:?}");
    assert_figures(row(&report, "providers", "(none)"), &[("delivered", 1)]);
}

#[test]
fn rows_add_up_and_end_at_top_with_the_rest_in_other() {
    let mut lines = vec![arrival("10:00:00", A, 12)];
    let status = |n: u32| ["sent", "deferred", "bounced"][n as usize % 3];
    lines.extend((0..12).map(|n| attempt("10:00:01", A, &format!("to@d{n:02}.example"), status(n))));
    lines.push(attempt("10:00:02", A, "more@d05.example", "sent"));
    let log = log_of(&lines);
    let report = report_of(&log, &["--top", "3"]);
    let rows = report["domains"].as_array().expect("a list");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["domain"].as_str()).collect();
    // By weight (attempts that were deferred weigh too), ties by name.
    assert_eq!(names.len(), 3);
    assert!(names.contains(&"d05.example"), "{names:?}");
    let sum = |field: &str| {
        let rest = report["other"]["domains"][field].as_u64().unwrap_or(0);
        rows.iter().filter_map(|row| row[field].as_u64()).sum::<u64>() + rest
    };
    assert_eq!((sum("delivered"), sum("deferred"), sum("bounced")), (5, 4, 4));
    assert_figures(&report["distinct"], &[("recipient_domains", 12), ("recipients", 13), ("senders", 1)]);
    let whole = report_of(&log, &["--top", "100"]);
    assert_eq!(whole["domains"].as_array().map(Vec::len), Some(12));
}

#[test]
fn clients_that_handed_mail_in_are_distinct_clients() {
    let report = report_of(&log_of(&[arrival("10:00:00", A, 1), attempt("10:00:01", A, "to@there.example", "sent")]), &[]);
    assert_figures(row(&report, "clients", "192.0.2.1"), &[("received", 1)]);
    assert_figures(&report, &[("distinct.clients", 1)]);
}
