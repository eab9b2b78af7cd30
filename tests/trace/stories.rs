//! What a story holds: chains, hosts, notifications, the door.

use super::{ids, outcomes, stories, word, words};
use crate::support::{arrival, attempt, log, log_of, newsletter, removed};

/// Whichever of these ids is asked for, it is one story of them all.
#[track_caller]
fn assert_one_story(log: &str, ids: &[&str]) {
    for key in ids {
        let found = stories(log, key, &[]);
        assert_eq!(found.len(), 1, "{key}");
        assert_eq!(words(&found[0]["queue_ids"]), ids, "{key}");
    }
}

#[test]
fn a_content_filter_is_one_story_from_either_id() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=c.example[192.0.2.1]",
        "10:00:00 cleanup A000000001: message-id=<m@c.example>",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 smtpd B000000001: client=localhost[127.0.0.1]",
        "10:00:01 cleanup B000000001: message-id=<m@c.example>",
        "10:00:01 qmgr B000000001: from=<s@c.example>, size=1200, nrcpt=1 (queue active)",
        "10:00:01 smtp A000000001: to=<r@x.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, \
         status=sent (250 2.0.0 Ok: queued as B000000001)",
        "10:00:01 qmgr A000000001: removed",
        "10:00:03 smtp B000000001: to=<r@x.example>, relay=mx.x.example[198.51.100.1]:25, delay=2, delays=0/0/1/1, dsn=2.0.0, \
         status=sent (250 Ok)",
        "10:00:03 qmgr B000000001: removed",
    ]);
    let found = stories(&log, "A000000001", &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(words(&found[0]["queue_ids"]), ["A000000001", "B000000001"]);
    assert_eq!(outcomes(&found[0]), [("r@x.example".into(), "delivered".into())]);
    assert_eq!(found[0]["recipients"][0]["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(found[0]["recipients"][0]["delay_s"], 3.0);
    assert_eq!(found[0]["events"].as_array().map(Vec::len), Some(10));
    for key in ["B000000001", "m@c.example", "r@x.example", "192.0.2.1"] {
        assert_eq!(stories(&log, key, &[]), found, "{key}");
    }
}

#[test]
fn a_program_hands_it_back_with_no_more_than_its_message_id() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=c.example[192.0.2.1]",
        "10:00:00 cleanup A000000001: message-id=<m@c.example>",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 pipe A000000001: to=<r@x.example>, relay=filter, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered via filter \
         service)",
        "10:00:01 qmgr A000000001: removed",
        "10:00:02 pickup B000000001: uid=65 from=<s@c.example>",
        "10:00:02 cleanup B000000001: message-id=<m@c.example>",
        "10:00:02 qmgr B000000001: from=<s@c.example>, size=1200, nrcpt=1 (queue active)",
        "10:00:03 smtp B000000001: to=<r@x.example>, relay=mx.x.example[198.51.100.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, \
         status=sent (250 Ok)",
        "10:00:03 qmgr B000000001: removed",
    ]);
    assert_one_story(&log, &["A000000001", "B000000001"]);
}

#[test]
fn a_reader_of_a_newsletter_has_a_story_of_his_own() {
    for says in [true, false] {
        let log = newsletter(400, says);
        for key in ["reader123@there26.example", "A000000123", "B000000123"] {
            let found = stories(&log, key, &[]);
            assert_eq!(found.len(), 1, "{key}");
            assert_eq!(words(&found[0]["queue_ids"]), ["A000000123", "B000000123"], "{key}, said: {says}");
            assert_eq!(outcomes(&found[0]), [("reader123@there26.example".into(), "delivered".into())]);
        }
    }
}

#[test]
fn what_waited_for_its_filter_for_hours_is_found_from_either_side() {
    let log = log(&[
        &arrival("10:00:00", "A000000001", 1),
        "10:00:01 smtp A000000001: to=<r@x.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to \
         127.0.0.1[127.0.0.1]:10024: Connection refused)",
        "15:00:00 smtpd B000000001: client=localhost[127.0.0.1]",
        "15:00:00 cleanup B000000001: message-id=<A000000001@client.example>",
        "15:00:00 qmgr B000000001: from=<sender@client.example>, size=1200, nrcpt=1 (queue active)",
        "15:00:01 smtp A000000001: to=<r@x.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=18001, delays=18000/0/0/1, dsn=2.0.0, \
         status=sent (250 2.0.0 Ok)",
        "15:00:01 qmgr A000000001: removed",
        &attempt("15:00:03", "B000000001", "r@x.example", "sent"),
        &removed("15:00:03", "B000000001"),
    ]);
    assert_one_story(&log, &["A000000001", "B000000001"]);
}

#[test]
fn two_filters_one_after_the_other_the_second_hours_later() {
    let back = |time: &str, id: &str| {
        format!(
            "{time} smtpd {id}: client=localhost[127.0.0.1]\n{time} cleanup {id}: message-id=<A000000001@client.example>\n\
             {time} qmgr {id}: from=<sender@client.example>, size=1200, nrcpt=1 (queue active)"
        )
    };
    let handed = |time: &str, id: &str, reply: &str| {
        format!(
            "{time} smtp {id}: to=<r@x.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, \
             status=sent (250 2.0.0 Ok{reply})\n{time} qmgr {id}: removed"
        )
    };
    let log = log_of(&[
        arrival("10:00:00", "A000000001", 1),
        back("10:00:01", "B000000001"),
        handed("10:00:01", "A000000001", ": queued as B000000001"),
        back("15:00:01", "C000000001"),
        handed("15:00:01", "B000000001", ""),
        attempt("15:00:03", "C000000001", "r@x.example", "sent"),
        removed("15:00:03", "C000000001"),
    ]);
    assert_one_story(&log, &["A000000001", "B000000001", "C000000001"]);
}

#[test]
fn what_was_held_and_never_tried_goes_on_when_it_is_requeued() {
    let log = log(&[
        &arrival("10:00:00", "A000000001", 1),
        "10:01:00 postsuper A000000001: placed on hold",
        "10:09:00 postsuper A000000001: requeued",
        "10:09:30 pickup B000000001: uid=100 from=<sender@client.example>",
        "10:09:30 cleanup B000000001: message-id=<A000000001@client.example>",
        "10:09:30 qmgr B000000001: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)",
        &attempt("10:10:00", "B000000001", "to@there.example", "sent"),
        &removed("10:10:00", "B000000001"),
    ]);
    assert_one_story(&log, &["A000000001", "B000000001"]);
}

#[test]
fn a_message_is_followed_from_host_to_host() {
    let log = log(&[
        "10:00:00 smtpd@mx1 A000000001: client=c.example[192.0.2.1]",
        "10:00:00 cleanup@mx1 A000000001: message-id=<m@c.example>",
        "10:00:00 qmgr@mx1 A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 smtpd@mx2 B000000001: client=mx1.x.example[198.51.100.1]",
        "10:00:01 cleanup@mx2 B000000001: message-id=<m@c.example>",
        "10:00:01 qmgr@mx2 B000000001: from=<s@c.example>, size=1200, nrcpt=1 (queue active)",
        "10:00:01 smtp@mx1 A000000001: to=<r@x.example>, relay=mx2.x.example[198.51.100.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
         status=sent (250 2.0.0 Ok: queued as B000000001)",
        "10:00:01 qmgr@mx1 A000000001: removed",
        "10:00:02 virtual@mx2 B000000001: to=<r@x.example>, relay=virtual, delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (unknown \
         user: \"r@x.example\")",
        "10:00:02 qmgr@mx2 B000000001: removed",
    ]);
    let found = stories(&log, "A000000001", &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(words(&found[0]["queue_ids"]), ["A000000001", "B000000001"]);
    assert_eq!(outcomes(&found[0]), [("r@x.example".into(), "bounced".into())]);
    let attempts = found[0]["recipients"][0]["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.iter().map(|attempt| word(&attempt["host"])).collect::<Vec<_>>(), ["mx1", "mx2"]);
    assert_eq!(stories(&log, "B000000001", &[]), found);
    assert_eq!(words(&stories(&log, "A000000001", &["--host", "mx1"])[0]["queue_ids"]), ["A000000001"]);
}

#[test]
fn a_notification_is_told_with_its_message_and_by_itself() {
    let log = log_of(&[
        arrival("10:00:00", "A000000001", 1),
        attempt("10:00:01", "A000000001", "r@x.example", "bounced"),
        "10:00:01 cleanup C000000001: message-id=<C000000001@mail>".into(),
        "10:00:01 bounce A000000001: sender non-delivery notification: C000000001".into(),
        "10:00:01 qmgr C000000001: from=<>, size=3000, nrcpt=1 (queue active)".into(),
        removed("10:00:01", "A000000001"),
        attempt("10:00:02", "C000000001", "sender@client.example", "sent"),
        removed("10:00:02", "C000000001"),
    ]);
    let found = stories(&log, "A000000001", &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(words(&found[0]["queue_ids"]), ["A000000001"]);
    let notification = &found[0]["notifications"][0];
    assert_eq!((word(&notification["queue_id"]), word(&notification["notification"])), ("C000000001".into(), "failure".into()));
    assert_eq!(outcomes(notification), [("sender@client.example".into(), "delivered".into())]);
    let own = stories(&log, "C000000001", &[]);
    assert_eq!(own.len(), 1);
    assert_eq!((word(&own[0]["first_queue_id"]), word(&own[0]["parent_queue_id"])), ("C000000001".into(), "A000000001".into()));
}

#[test]
fn what_is_turned_away_has_a_story() {
    let reject = "554 5.7.1 <r@x.example>: Relay access denied; from=<s@c.example> to=<r@x.example> proto=ESMTP helo=<c.example>";
    let log = log_of(&[
        format!("10:00:00 smtpd NOQUEUE: reject: RCPT from c.example[192.0.2.1]: {reject}"),
        format!(
            "10:00:01 smtpd A000000001: client=c.example[192.0.2.1]\n10:00:01 smtpd A000000001: reject: DATA from c.example[192.0.2.1]: {reject}"
        ),
    ]);
    for key in ["r@x.example", "s@c.example", "192.0.2.1", "c.example"] {
        let found = stories(&log, key, &[]);
        assert_eq!(found.len(), 2, "{key}");
        assert!(found.iter().all(|story| story["rejected"] == true && story["open"] == false), "{key}");
        assert!(word(&found[0]["events"][0]["diagnostic"]).contains("Relay access denied"), "{}", found[0]);
        assert_eq!(word(&found[1]["first_queue_id"]), "A000000001");
    }
}

#[test]
fn repeated_lines_count_and_are_kept() {
    let line = "2026-11-24T10:00:00+00:00 mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from c.example[192.0.2.1]: 554 5.7.1 <r@x.example>: \
                Relay access denied; from=<s@c.example> to=<r@x.example> proto=ESMTP helo=<c.example>\n";
    let repeated = "2026-11-24T10:00:30+00:00 mail last message repeated 3 times\n";
    let found = stories(&format!("{line}{repeated}"), "r@x.example", &[]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1]["events"][0]["repeated"], 3);
    assert!(word(&found[1]["events"][0]["time"]).contains("10:00:30"));
    // A chunk that ends between the two changes nothing.
    assert_eq!(stories(&format!("{line}{repeated}"), "r@x.example", &["--chunk-size", "1"]), found);
}

#[test]
fn what_still_waits_is_open() {
    let waiting = log_of(&[arrival("10:00:00", "A000000001", 1), attempt("10:00:01", "A000000001", "r@x.example", "deferred")]);
    let found = stories(&waiting, "A000000001", &[]);
    assert_eq!(found[0]["open"], true);
    assert_eq!(outcomes(&found[0]), [("r@x.example".into(), "deferred".into())]);
    assert_eq!(found[0]["recipients"][0]["attempts"][0]["class"], "mailbox_full");
    assert_eq!(ids(&waiting, "A000000001", &["--status", "open"]), ["A000000001"]);
    let done = waiting + &log_of(&[attempt("10:10:00", "A000000001", "r@x.example", "sent"), removed("10:10:00", "A000000001")]);
    assert_eq!(stories(&done, "A000000001", &[])[0]["open"], false);
}

#[test]
fn the_tls_of_its_connections_is_part_of_the_story() {
    let tls = |from: &str| format!("TLS connection established {from}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)");
    let log = log(&[
        "10:00:00 submission/smtpd connect from c.example[192.0.2.1]",
        &format!("10:00:00 submission/smtpd Untrusted {}", tls("from c.example[192.0.2.1]")),
        "10:00:00 submission/smtpd A000000001: client=c.example[192.0.2.1], sasl_method=PLAIN, sasl_username=mary",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        &format!("10:00:01 smtp Trusted {}", tls("to mx.x.example[198.51.100.1]:25")),
        "10:00:01 smtp A000000001: to=<r@x.example>, relay=mx.x.example[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent \
         (250 Ok)",
        "10:00:01 qmgr A000000001: removed",
        "10:00:02 submission/smtpd disconnect from c.example[192.0.2.1]",
        "10:00:03 submission/smtpd connect from c.example[192.0.2.1]",
        "10:00:03 submission/smtpd A000000002: client=c.example[192.0.2.1]",
        "10:00:03 qmgr A000000002: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:04 smtp A000000002: to=<r@x.example>, relay=mx.x.example[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent \
         (250 Ok)",
    ]);
    let kinds =
        |story: &serde_json::Value| story["events"].as_array().expect("events").iter().map(|e| word(&e["kind"])).collect::<Vec<_>>();
    let found = stories(&log, "s@c.example", &[]);
    assert_eq!(kinds(&found[0]), ["tls", "accepted", "queued", "tls", "delivery", "removed"]);
    assert_eq!(word(&found[0]["events"][0]["trust"]), "untrusted");
    assert_eq!(kinds(&found[1]), ["accepted", "queued", "delivery"]);
    for size in ["1", "300"] {
        assert_eq!(stories(&log, "s@c.example", &["--chunk-size", size]), found, "chunks of {size}");
    }
}
