//! A key means one thing, whole: no part of a word, and no other one.

use super::{ids, stories, trace, word};
use crate::support::{arrival, attempt, log, log_of, removed};

/// A message from one client address to one recipient, delivered.
fn message(time: &str, id: &str, recipient: &str) -> String {
    let second = format!("{time}.5");
    log_of(&[arrival(time, id, 1), attempt(&second, id, recipient, "sent"), removed(&second, id)])
}

#[test]
fn a_queue_id_is_no_part_of_another_one() {
    let log = message("10:00:00", "A000000001", "a@x.example")
        + &message("10:00:01", "A0000000012", "b@x.example")
        + &message("10:00:02", "BA000000001", "c@x.example");
    assert_eq!(ids(&log, "A000000001", &[]), ["A000000001"]);
    assert_eq!(ids(&log, "A00000000", &[]), [""; 0]);
    assert_eq!(ids(&log, "a000000001", &[]), [""; 0]);
}

#[test]
fn an_address_is_compared_whole_and_its_domain_in_any_case() {
    let log = message("10:00:00", "A000000001", "bob@X.Example")
        + &message("10:00:01", "A000000002", "jimbob@x.example")
        + &message("10:00:02", "A000000003", "bob@x.example.org")
        + &message("10:00:03", "A000000004", "Bob@x.example");
    assert_eq!(ids(&log, "bob@x.example", &[]), ["A000000001"]);
    assert_eq!(ids(&log, "<bob@X.EXAMPLE>", &[]), ["A000000001"]);
    assert_eq!(ids(&log, "Bob@x.example", &[]), ["A000000004"]);
}

#[test]
fn senders_accounts_clients_and_message_ids_are_keys() {
    let log = log(&[
        "10:00:00 submission/smtpd A000000001: client=app.Client.example[192.0.2.7], sasl_method=PLAIN, sasl_username=mary",
        "10:00:00 cleanup A000000001: message-id=<m1@client.example>",
        "10:00:00 qmgr A000000001: from=<mary@client.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 smtpd A000000002: client=other.example[192.0.2.70]",
        "10:00:01 cleanup A000000002: message-id=<m2@client.example>",
        "10:00:01 qmgr A000000002: from=<>, size=1000, nrcpt=1 (queue active)",
    ]);
    for key in ["mary", "mary@client.example", "192.0.2.7", "app.client.EXAMPLE", "m1@client.example", "<m1@client.example>"] {
        assert_eq!(ids(&log, key, &[]), ["A000000001"], "{key}");
    }
    assert_eq!(ids(&log, "<>", &[]), ["A000000002"]);
    for key in ["mar", "192.0.2", "client.example", "M1@client.example"] {
        assert_eq!(ids(&log, key, &[]), [""; 0], "{key}");
    }
}

#[test]
fn the_address_before_a_rewriting_is_a_key() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=c.example[192.0.2.1]",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 local A000000001: to=<real@x.example>, orig_to=<alias@x.example>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, \
         status=sent (delivered to mailbox)",
    ]);
    assert_eq!(ids(&log, "alias@x.example", &[]), ["A000000001"]);
}

#[test]
fn a_logged_subject_is_a_key() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=c.example[192.0.2.1]",
        "10:00:00 cleanup A000000001: warning: header Subject: the yearly numbers from c.example[192.0.2.1]; from=<s@c.example> \
         to=<r@x.example> proto=ESMTP helo=<c.example>: seen",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
    ]);
    assert_eq!(ids(&log, "the yearly numbers", &[]), ["A000000001"]);
    assert_eq!(ids(&log, "yearly", &[]), [""; 0]);
}

#[test]
fn a_pattern_means_whole_lines() {
    let log = message("10:00:00", "A000000001", "bob@x.example") + &message("10:00:01", "A000000002", "ann@y.example");
    assert_eq!(ids(&log, r"to=<(bob|eve)@", &["--regex"]), ["A000000001"]);
    assert_eq!(ids(&log, r"status=sent", &["--regex"]), ["A000000001", "A000000002"]);
    // A line is no more than a line.
    assert_eq!(ids(&log, r"A000000001: removed\s", &["--regex"]), [""; 0]);
    let ran = trace(&log, "(", &["--regex"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("--regex"), "{}", ran.stderr);
}

#[test]
fn a_message_is_found_in_the_window_and_told_whole() {
    let log = message("10:00:00", "A000000001", "bob@x.example")
        + &log_of(&[arrival("11:00:00", "A000000002", 1), attempt("11:00:01", "A000000002", "bob@x.example", "deferred")])
        + &log_of(&[attempt("13:00:00", "A000000002", "bob@x.example", "sent"), removed("13:00:00", "A000000002")]);
    let found = stories(&log, "bob@x.example", &["--since", "2026-11-24 10:30", "--until", "2026-11-24 12:00"]);
    assert_eq!(found.len(), 1);
    assert_eq!(word(&found[0]["first_queue_id"]), "A000000002");
    assert_eq!(found[0]["recipients"][0]["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(found[0]["recipients"][0]["outcome"], "delivered");
}

#[test]
fn an_id_that_was_used_again_is_another_message() {
    let log = message("10:00:00", "A000000001", "bob@x.example") + &message("2026-11-26T10:00:00", "A000000001", "ann@x.example");
    assert_eq!(stories(&log, "A000000001", &[]).len(), 2);
    let found = stories(&log, "ann@x.example", &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0]["arrival"].as_str().is_some_and(|time| time.starts_with("2026-11-26")), "{}", found[0]);
    assert_eq!(found[0]["events"].as_array().map(Vec::len), Some(5));
}
