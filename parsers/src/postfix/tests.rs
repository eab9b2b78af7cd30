//! Each shape with the exact fields that it must give. Whole logs are in `samples/postfix/shapes`.

use super::*;
use serde_json::{Value, json};

fn record<'a>(program: &'a str, text: &'a [u8]) -> Record<'a> {
    Record { program: Text(program.as_bytes()), text: Text(text), ..Record::default() }
}

/// The event of a line, or how it was taken otherwise.
fn read(program: &str, text: &[u8]) -> Value {
    let mut line = Line::Unrecognized(Unrecognized::Blank);
    if !parse(&record(program, text), &mut line) {
        return json!(null);
    }
    match line {
        Line::Event(event) => serde_json::to_value(event).expect("an event is JSON"),
        Line::Ignored(note) => json!({ "ignored": note }),
        Line::Unrecognized(why) => json!({ "unrecognized": why.reason() }),
    }
}

fn recognized(program: &str, text: &str) -> bool {
    read(program, text.as_bytes()).get("unrecognized").is_none()
}

/// All fields but those named.
fn without(mut event: Value, keys: &[&str]) -> Value {
    let object = event.as_object_mut().unwrap_or_else(|| panic!("no event"));
    keys.iter().for_each(|key| drop(object.remove(*key)));
    event
}

/// A delivery line of smtp with these recipients, relay and outcome, and of its event what they decide.
fn delivery(to: &str, relay: &str, dsn: &str, outcome: &str) -> Value {
    let line = format!("4B4199CCA6C: {to}, relay={relay}, delay=0.3, delays=0.1/0.05/0.1/0.05, dsn={dsn}, status={outcome}");
    let event = read("postfix/smtp", line.as_bytes());
    assert_eq!((&event["kind"], &event["queue_id"], &event["delay_s"]), (&json!("delivery"), &json!("4B4199CCA6C"), &json!(0.3)), "{line}");
    without(event, &["kind", "queue_id", "transport", "delay_s", "delays", "dsn"])
}

#[test]
fn recipients_of_every_form() {
    for (to, expected) in [
        ("to=<a@b.example>", json!({"envelope_recipient": "a@b.example"})),
        ("to=<>", json!({})),
        ("to=<root>, orig_to=<Postmaster>", json!({"envelope_recipient": "root", "original_recipient": "Postmaster"})),
        (r#"to=<"a b"@d.example>"#, json!({"envelope_recipient": r#""a b"@d.example"#})),
        (r#"to=<"a>, status=sent b"@d>"#, json!({"envelope_recipient": r#""a>, status=sent b"@d"#})),
        (r#"to=<"a\">, relay=x"@d>"#, json!({"envelope_recipient": r#""a\">, relay=x"@d"#})),
        (r#"to=<"a@b">"#, json!({"envelope_recipient": r#""a@b""#})),
        ("to=<jürgen@müller.example>", json!({"envelope_recipient": "jürgen@müller.example"})),
        // Before 3.5, and with info_log_address_format = internal, nothing is quoted.
        ("to=<a>b@d>", json!({"envelope_recipient": "a>b@d"})),
        (r#"to=<"a@d>"#, json!({"envelope_recipient": r#""a@d"#})),
        (r#"to=<"a"b@d>, orig_to=<x"y"@d>"#, json!({"envelope_recipient": r#""a"b@d"#, "original_recipient": r#"x"y"@d"#})),
        // Ancient
        ("to=a@b.example", json!({"envelope_recipient": "a@b.example"})),
    ] {
        let mut expected = expected;
        expected["status"] = json!("bounced");
        expected["diagnostic"] = json!(r#"user "x" unknown"#);
        expected["class"] = json!("recipient_unknown");
        assert_eq!(delivery(to, "none", "5.1.1", r#"bounced (user "x" unknown)"#), expected, "{to}");
    }
}

#[test]
fn relays_of_every_form() {
    for (relay, expected) in [
        ("none", json!(null)),
        ("local", json!({"name": "local"})),
        ("unix:/var/run/lmtp", json!({"name": "unix:/var/run/lmtp"})),
        ("mail[private/dovecot-lmtp]", json!({"name": "mail"})),
        ("h.example[192.0.2.1]:25", json!({"name": "h.example", "ip": "192.0.2.1", "port": 25})),
        ("h.example[192.0.2.1]", json!({"name": "h.example", "ip": "192.0.2.1"})),
        ("h.example[2001:db8::1]:465", json!({"name": "h.example", "ip": "2001:db8::1", "port": 465})),
        ("[192.0.2.1]:10024", json!({"ip": "192.0.2.1", "port": 10024})),
    ] {
        assert_eq!(delivery("to=<a@b>", relay, "4.0.0", "deferred (x)")["relay"], expected, "{relay}");
    }
}

#[test]
fn outcomes_of_every_kind() {
    let at = "h[192.0.2.1]:25";
    for (relay, dsn, outcome, expected) in [
        (at, "2.0.0", "sent (250 2.0.0 Ok)", json!({"status": "sent", "reply_code": 250, "diagnostic": "250 2.0.0 Ok"})),
        (
            at,
            "2.0.0",
            "sent (250 2.0.0 from MTA: 250 Ok: queued as 7EE668039)",
            json!({"status": "sent", "reply_code": 250, "queued_as": "7EE668039", "diagnostic": "250 2.0.0 from MTA: 250 Ok: queued as 7EE668039"}),
        ),
        (
            "local",
            "2.0.0",
            "sent (forwarded as 7EE668039)",
            json!({"status": "forwarded", "queued_as": "7EE668039", "diagnostic": "forwarded as 7EE668039"}),
        ),
        (
            "local",
            "2.0.0",
            "sent (delivered to command: x queued as y)",
            json!({"status": "sent", "diagnostic": "delivered to command: x queued as y"}),
        ),
        (at, "2.0.0", "sent", json!({"status": "sent"})),
        (at, "4.0.0", "deferred ()", json!({"status": "deferred", "class": "unknown"})),
        (
            at,
            "4.2.2",
            "SOFTBOUNCE (host h[192.0.2.1] said: 552 5.2.2 full (in reply to RCPT TO command))",
            json!({"status": "deferred", "reply_code": 552, "class": "mailbox_full",
                   "diagnostic": "host h[192.0.2.1] said: 552 5.2.2 full (in reply to RCPT TO command)"}),
        ),
        (
            "none",
            "4.7.0",
            "deferred (delivery temporarily suspended: host h[2001:db8::1] refused to talk to me: 421 4.7.0 busy)",
            json!({"status": "deferred", "reply_code": 421, "class": "policy",
                   "diagnostic": "delivery temporarily suspended: host h[2001:db8::1] refused to talk to me: 421 4.7.0 busy"}),
        ),
        (
            "mypipe",
            "5.3.0",
            "bounced (Command output: host h[192.0.2.1] said: 550 5.1.1 no)",
            json!({"status": "bounced", "class": "receiver_unavailable", "diagnostic": "Command output: host h[192.0.2.1] said: 550 5.1.1 no"}),
        ),
        (at, "2.1.5", "deliverable (250 2.1.5 Ok)", json!({"status": "deliverable", "reply_code": 250, "diagnostic": "250 2.1.5 Ok"})),
        (
            "none",
            "5.1.1",
            "undeliverable-but-not-cached (no)",
            json!({"status": "undeliverable", "class": "recipient_unknown", "diagnostic": "no"}),
        ),
    ] {
        let event = without(delivery("to=<a@b>", relay, dsn, outcome), &["envelope_recipient", "relay"]);
        assert_eq!(event, expected, "{outcome}");
    }
    assert_eq!(
        without(
            read("postfix/discard", b"4B4199CCA6C: to=<a@b>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (x)"),
            &["delays"]
        ),
        json!({"kind": "delivery", "queue_id": "4B4199CCA6C", "envelope_recipient": "a@b", "status": "discarded", "transport": "discard",
               "delay_s": 0.0, "dsn": "2.0.0", "diagnostic": "x"})
    );
    assert!(!recognized("postfix/smtp", "4B4199CCA6C: to=<a@b>, relay=none, delay=0, dsn=2.0.0, status=lost (x)"));
    assert!(!recognized("postfix/smtp", "4B4199CCA6C: to=<a@b>, relay=none, delay=3"));
}

#[test]
fn fields_are_found_by_name() {
    let line = b"4B4199CCA6C: to=<a@b>, relay=h[192.0.2.1]:25, conn_use=2, delay=86400, delays=86390/0/9.5/0.5, \
        tls=dane/!requiretls:nocertmatch, dsn=2.0.0, status=sent (250 ok dsn=5.0.0, status=bounced)";
    assert_eq!(
        read("postfix/relay/smtp", line),
        json!({"kind": "delivery", "queue_id": "4B4199CCA6C", "envelope_recipient": "a@b", "status": "sent", "transport": "smtp",
               "relay": {"name": "h", "ip": "192.0.2.1", "port": 25}, "delay_s": 86400.0,
               "delays": {"before_qmgr": 86390.0, "in_qmgr": 0.0, "conn_setup": 9.5, "transmission": 0.5},
               "dsn": "2.0.0", "reply_code": 250, "diagnostic": "250 ok dsn=5.0.0, status=bounced"})
    );
}

#[test]
fn the_life_of_a_queue_file() {
    for (program, text, expected) in [
        (
            "qmgr",
            "from=<>, size=591, nrcpt=1 (queue active)",
            json!({"kind": "queued", "envelope_sender": "<>", "size_bytes": 591, "nrcpt": 1}),
        ),
        (
            "qmgr",
            r#"from=<"a>, size=1, nrcpt=9 (queue active)"@b>, size=591, nrcpt=2 (queue active)"#,
            json!({"kind": "queued", "envelope_sender": r#""a>, size=1, nrcpt=9 (queue active)"@b"#, "size_bytes": 591, "nrcpt": 2}),
        ),
        (
            "qmgr",
            "from=<a@b>, status=expired, returned to sender",
            json!({"kind": "delivery", "envelope_sender": "a@b", "status": "expired", "class": "expired"}),
        ),
        (
            "qmgr",
            "from=<>, status=force-expired, returned to sender",
            json!({"kind": "delivery", "envelope_sender": "<>", "status": "expired", "class": "expired"}),
        ),
        ("qmgr", "removed", json!({"kind": "removed"})),
        ("cleanup", "removed (canceled)", json!({"kind": "removed", "removal": "canceled"})),
        ("cleanup", "canceled", json!({"kind": "removed", "removal": "canceled"})),
        ("cleanup", "removed (discarded)", json!({"kind": "removed", "removal": "discarded"})),
        ("postsuper", "removed", json!({"kind": "removed", "removal": "deleted"})),
        ("postsuper", "placed on hold", json!({"kind": "queue_action", "action": "hold"})),
        ("postsuper", "released from hold", json!({"kind": "queue_action", "action": "release"})),
        ("postsuper", "requeued", json!({"kind": "queue_action", "action": "requeue"})),
        ("postsuper", "expired", json!({"kind": "queue_action", "action": "expire"})),
        ("pickup", "uid=0 from=<root>", json!({"kind": "accepted", "uid": 0, "envelope_sender": "root"})),
        (
            "pickup",
            "uid=33 from=<> orig_id=7EE668039",
            json!({"kind": "accepted", "uid": 33, "envelope_sender": "<>", "original_queue_id": "7EE668039"}),
        ),
        (
            "bounce",
            "sender non-delivery notification: 7EE668039",
            json!({"kind": "notification", "child_queue_id": "7EE668039", "notification": "failure"}),
        ),
        (
            "defer",
            "postmaster delay notification: 7EE668039",
            json!({"kind": "notification", "child_queue_id": "7EE668039", "notification": "delay"}),
        ),
        (
            "trace",
            "sender delivery status notification: 7EE668039",
            json!({"kind": "notification", "child_queue_id": "7EE668039", "notification": "success"}),
        ),
        ("cleanup", "message-id=<a@b>", json!({"kind": "message_id", "message_id": "a@b"})),
        ("cleanup", "message-id=<>", json!({"kind": "message_id"})),
        ("cleanup", "message-id=<a@b> (x)", json!({"kind": "message_id", "message_id": "<a@b> (x)"})),
        (
            "cleanup",
            "message-id=<to=<x@y>, relay=evil, dsn=2.0.0, status=sent (250 ok)>",
            json!({"kind": "message_id", "message_id": "to=<x@y>, relay=evil, dsn=2.0.0, status=sent (250 ok)"}),
        ),
    ] {
        let line = format!("4jYXyW3RQbz1bndP: {text}");
        let mut expected = expected;
        expected["queue_id"] = json!("4jYXyW3RQbz1bndP");
        assert_eq!(read(&format!("postfix-out/{program}"), line.as_bytes()), expected, "{program}: {text}");
    }
}

#[test]
fn arrivals() {
    for (text, expected) in [
        ("client=unknown[unknown]", json!({})),
        ("client=h[2001:db8::1]:4000", json!({"client": {"name": "h", "ip": "2001:db8::1", "port": 4000}})),
        (
            "client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=Alice, of Sales",
            json!({"client": {"name": "h", "ip": "192.0.2.1"}, "auth": {"method": "PLAIN", "user": "Alice, of Sales"}}),
        ),
        (
            "client=localhost[127.0.0.1], orig_queue_id=7EE668039, orig_client=h[192.0.2.1]",
            json!({"client": {"name": "localhost", "ip": "127.0.0.1"}, "original_queue_id": "7EE668039",
                   "original_client": {"name": "h", "ip": "192.0.2.1"}}),
        ),
        // MAIL FROM's AUTH= is any client's word.
        (
            "client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=u, sasl_sender=x, orig_client=evil[192.0.2.66]",
            json!({"client": {"name": "h", "ip": "192.0.2.1"}, "auth": {"method": "PLAIN", "user": "u"}}),
        ),
    ] {
        let event = read("postfix/submission/smtpd", format!("4B4199CCA6C: {text}").as_bytes());
        assert_eq!(without(event, &["kind", "queue_id"]), expected, "{text}");
    }
    assert_eq!(read("postfix/smtpd", b"NOQUEUE: client=h[192.0.2.1]"), json!({"kind": "other", "text": "client=h[192.0.2.1]"}));
    assert!(!recognized("postfix/smtpd", "4B4199CCA6C: client=h[192.0.2.1], color=red"));
}

#[test]
fn failed_logins() {
    for (text, expected) in [
        ("failed: (reason unavailable), sasl_username=root", json!({"user": "root", "reason": "(reason unavailable)"})),
        ("failed: Connection lost, sasl_username=(unavailable)", json!({"reason": "Connection lost"})),
        ("failed: UGFzc3dvcmQ6", json!({"reason": "UGFzc3dvcmQ6"})),
        ("failed: ", json!({})),
        ("failed:", json!({})),
        ("aborted", json!({"reason": "authentication aborted"})),
        ("failed: no, sasl_username=x, sasl_username=root", json!({"user": "x, sasl_username=root", "reason": "no"})),
    ] {
        let event = read("postfix/smtpd", format!("warning: unknown[192.0.2.1]: SASL cram-md5 authentication {text}").as_bytes());
        let mut expected = expected;
        expected["kind"] = json!("auth_failure");
        expected["client"] = json!({"ip": "192.0.2.1"});
        expected["mechanism"] = json!("cram-md5");
        assert_eq!(event, expected, "{text}");
    }
}

#[test]
fn sessions() {
    let lost = |stage: &str, cause: &str| json!({"kind": "lost_connection", "client": {"ip": "192.0.2.1"}, "stage": stage, "cause": cause});
    for (text, expected) in [
        ("lost connection after STARTTLS from unknown[192.0.2.1]", lost("starttls", "lost")),
        ("NOQUEUE: timeout after END-OF-MESSAGE from unknown[192.0.2.1]", lost("end_of_message", "timeout")),
        ("lost connection after DATA (75 bytes) from unknown[192.0.2.1]", lost("data", "lost")),
        ("lost connection after BDAT (approximately 75 bytes) from unknown[192.0.2.1]", lost("bdat", "lost")),
        ("connect from unknown[192.0.2.1]", json!({"kind": "connect", "client": {"ip": "192.0.2.1"}})),
        ("disconnect from unknown[192.0.2.1]", json!({"kind": "disconnect", "client": {"ip": "192.0.2.1"}})),
        (
            "disconnect from unknown[192.0.2.1] ehlo=2 rcpt=0/3 commands=2/5 notes=bare_lf",
            json!({"kind": "disconnect", "client": {"ip": "192.0.2.1"},
                   "commands": {"ehlo": {"ok": 2, "total": 2}, "rcpt": {"ok": 0, "total": 3}}}),
        ),
        (
            "Trusted TLS connection established from unknown[192.0.2.1] to mx.example: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519",
            json!({"kind": "tls", "direction": "inbound", "peer": {"ip": "192.0.2.1"}, "trust": "trusted", "tls_version": "TLSv1.3",
                   "cipher": "TLS_AES_256_GCM_SHA384", "bits": 256}),
        ),
    ] {
        assert_eq!(read("postfix/smtpd", text.as_bytes()), expected, "{text}");
    }
    for text in [
        "connect from unknown[192.0.2.1] again",
        "disconnect from unknown[192.0.2.1] for ever",
        "lost connection after LUNCH from unknown[192.0.2.1]",
        "lost connection after RCPT from unknown[192.0.2.1] again",
        "improper command pipelining after RCPT from unknown[192.0.2.1] again",
        "Trusted TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher X (256/256 bits) and more",
        "NOQUEUE: abort: TLS from unknown[192.0.2.1]",
    ] {
        assert!(!recognized("postfix/smtpd", text), "{text}");
    }
}

#[test]
fn complaints_name_the_message() {
    for (text, expected) in [
        ("warning: 4B4199CCA6C: x", json!({"queue_id": "4B4199CCA6C", "severity": "warning", "text": "4B4199CCA6C: x"})),
        ("warning: 4jYXyW3RQbz1bndP: x", json!({"queue_id": "4jYXyW3RQbz1bndP", "severity": "warning", "text": "4jYXyW3RQbz1bndP: x"})),
        ("warning: NOQUEUE: x", json!({"severity": "warning", "text": "NOQUEUE: x"})),
        ("warning: 2001:db8::1: hostname x", json!({"severity": "warning", "text": "2001:db8::1: hostname x"})),
        ("error: x", json!({"severity": "error", "text": "x"})),
        ("fatal: x", json!({"severity": "fatal", "text": "x"})),
        ("panic: x", json!({"severity": "panic", "text": "x"})),
    ] {
        assert_eq!(without(read("postfix/showq", text.as_bytes()), &["kind"]), expected, "{text}");
    }
}

#[test]
fn queue_ids_of_every_kind() {
    for id in ["1A2B3", "4B4199CCA6C", "4jYXyW3RQbz1bndP", "bcdfghjklm", "BCDFGHJKLMNPQRSTVWXYZbcdfghjkl"] {
        assert_eq!(read("postfix/qmgr", format!("{id}: removed").as_bytes()), json!({"kind": "removed", "queue_id": id}));
    }
    for id in ["1A2B", "NOQUEUE", "4b4199cca6c", "status", "4jYXyW3", "4jYXyW3RQaz1bndP"] {
        assert!(!recognized("postfix/qmgr", &format!("{id}: removed")), "{id}");
    }
}

#[test]
fn the_daemon_is_the_last_part_of_the_name() {
    for program in ["postfix/smtpd", "postfix/submission/smtpd", "postfix-out/smtpd", "mx.in/smtpd", "postfix"] {
        assert_eq!(read(program, b"connect from unknown[192.0.2.1]")["kind"], "connect", "{program}");
    }
    for program in ["postfix/smtp", "postfix/anvil", "postfix/qmgr"] {
        assert!(!recognized(program, "connect from unknown[192.0.2.1]"), "{program}");
    }
    assert_eq!(read("dovecot", b"connect from unknown[192.0.2.1]"), json!(null));
    assert_eq!(read("other/thing", b"connect from unknown[192.0.2.1]"), json!(null));
}

mod rejects;

/// Every shape of the closed sets is in a sample, so that its golden was read.
#[test]
fn every_shape_has_its_sample() {
    let shapes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/postfix/shapes");
    let logs = std::fs::read_dir(&shapes).expect("samples").map(|entry| entry.expect("an entry").path());
    let mut texts = Vec::new();
    for log in logs.filter(|path| path.extension().is_some_and(|end| end == "log")) {
        let log = std::fs::read(&log).expect("a log");
        for line in log.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            let text = memchr::memmem::find(line, b"]: ").map(|at| &line[at + 3..]).unwrap_or_default().to_vec();
            texts.push(queue_id(&text).map_or(text.clone(), |(_, rest)| rest.to_vec()));
        }
    }
    let patterns =
        notes::EVERY_DAEMON.iter().chain(notes::EVERY_MESSAGE).flat_map(|set| set.iter()).flat_map(|(_, patterns)| patterns.iter());
    let missing: Vec<_> = patterns.filter(|pattern| !texts.iter().any(|text| crate::scan::shape::fits(pattern.as_bytes(), text))).collect();
    assert!(missing.is_empty(), "no sample of {missing:#?}");
}
