//! Rejects of every stage and kind, and texts that try to be one.

use super::{json, read, recognized, without};
use serde_json::Value;

const FIELDS: &str = "; from=<a@b> to=<c@d> proto=ESMTP helo=<h>";

/// The reject without its diagnostic, and without the fields of `FIELDS` where they were read right.
fn reject(program: &str, line: &str) -> Value {
    let mut event = read(program, line.as_bytes());
    assert_eq!(event["kind"], "reject", "{line}");
    if line.contains(FIELDS) {
        for (key, value) in [("envelope_sender", "a@b"), ("envelope_recipient", "c@d"), ("protocol", "ESMTP"), ("helo", "h")] {
            assert_eq!(event[key], value, "{line}");
            event = without(event, &[key]);
        }
    }
    without(event, &["kind", "diagnostic"])
}

#[test]
fn of_smtpd() {
    let client = json!({"name": "n", "ip": "192.0.2.1"});
    for (what, expected) in [
        ("reject: CONNECT", json!({"stage": "connect", "action": "reject", "class": "policy"})),
        ("reject: HELO", json!({"stage": "helo", "action": "reject", "class": "policy"})),
        ("reject: EHLO", json!({"stage": "helo", "action": "reject", "class": "policy"})),
        ("reject: MAIL", json!({"stage": "mail", "action": "reject", "class": "policy"})),
        ("reject: RCPT", json!({"stage": "rcpt", "action": "reject", "class": "policy"})),
        ("reject: DATA", json!({"stage": "data", "action": "reject", "class": "policy"})),
        ("reject: BDAT", json!({"stage": "bdat", "action": "reject", "class": "policy"})),
        ("reject: END-OF-MESSAGE", json!({"stage": "end_of_message", "action": "reject", "class": "policy"})),
        ("reject: VRFY", json!({"stage": "vrfy", "action": "reject", "class": "policy"})),
        ("reject: ETRN", json!({"stage": "etrn", "action": "reject", "class": "policy"})),
        ("reject: UNKNOWN", json!({"stage": "unknown", "action": "reject", "class": "policy"})),
        ("reject_warning: RCPT", json!({"stage": "rcpt", "action": "reject_warning", "class": "policy"})),
        ("hold: RCPT", json!({"stage": "rcpt", "action": "hold"})),
        ("discard: RCPT", json!({"stage": "rcpt", "action": "discard"})),
        ("redirect: RCPT", json!({"stage": "rcpt", "action": "redirect"})),
        ("filter: RCPT", json!({"stage": "rcpt", "action": "filter"})),
        ("prepend: RCPT", json!({"stage": "rcpt", "action": "prepend"})),
        ("bcc: RCPT", json!({"stage": "rcpt", "action": "bcc"})),
        ("warn: RCPT", json!({"stage": "rcpt", "action": "warn"})),
        ("info: RCPT", json!({"stage": "rcpt", "action": "info"})),
        ("permit: RCPT", json!({"stage": "rcpt", "action": "pass"})),
        ("hangup: RCPT", json!({"stage": "rcpt", "action": "reject", "class": "policy"})),
        ("milter-reject: UNKNOWN", json!({"stage": "unknown", "action": "reject", "by": "milter", "class": "policy"})),
        ("milter-hold: RCPT", json!({"stage": "rcpt", "action": "hold", "by": "milter"})),
        ("milter-discard: MAIL", json!({"stage": "mail", "action": "discard", "by": "milter"})),
    ] {
        let mut expected = expected;
        expected["reply_code"] = json!(554);
        expected["dsn"] = json!("5.7.1");
        expected["client"] = client.clone();
        if expected.get("by").is_none() {
            expected["by"] = json!("smtpd");
        }
        assert_eq!(reject("postfix/smtpd", &format!("NOQUEUE: {what} from n[192.0.2.1]: 554 5.7.1 no{FIELDS}")), expected, "{what}");
        expected["queue_id"] = json!("4B4199CCA6C");
        assert_eq!(reject("postfix/smtpd", &format!("4B4199CCA6C: {what} from n[192.0.2.1]: 554 5.7.1 no{FIELDS}")), expected, "{what}");
    }
}

#[test]
fn of_others() {
    for (program, line, expected) in [
        (
            "postfix/smtpd",
            format!("proxy-reject: END-OF-MESSAGE: 554 5.7.0 no{FIELDS}"),
            json!({"stage": "end_of_message", "action": "reject", "by": "proxy", "reply_code": 554, "dsn": "5.7.0", "class": "policy"}),
        ),
        (
            "postfix/smtpd",
            "NOQUEUE: abort: TLS from n[192.0.2.1]: No client certificate presented".to_owned(),
            json!({"stage": "starttls", "action": "reject", "by": "smtpd", "client": {"name": "n", "ip": "192.0.2.1"}, "class": "unknown"}),
        ),
        (
            "postfix/smtpd",
            format!("4B4199CCA6C: reject: DATA from n[192.0.2.1]: bare <LF> received{FIELDS}"),
            json!({"queue_id": "4B4199CCA6C", "stage": "data", "action": "reject", "by": "smtpd", "client": {"name": "n", "ip": "192.0.2.1"},
                   "class": "unknown"}),
        ),
        (
            "postfix/smtpd",
            "NOQUEUE: milter-reject: CONNECT from n[192.0.2.1]: 451 4.7.1 later; proto=SMTP".to_owned(),
            json!({"stage": "connect", "action": "reject", "by": "milter", "client": {"name": "n", "ip": "192.0.2.1"}, "reply_code": 451,
                   "dsn": "4.7.1", "protocol": "SMTP", "class": "policy"}),
        ),
        (
            "postfix/cleanup",
            format!("4B4199CCA6C: milter-reject: END-OF-MESSAGE from n[192.0.2.1]: 5.7.1 no{FIELDS}"),
            json!({"queue_id": "4B4199CCA6C", "stage": "end_of_message", "action": "reject", "by": "milter",
                   "client": {"name": "n", "ip": "192.0.2.1"}, "dsn": "5.7.1", "class": "policy"}),
        ),
        (
            "postfix/postscreen",
            "NOQUEUE: reject: RCPT from [2001:db8::1]:4000: 450 4.3.2 busy; from=<>, to=<c@d>, proto=ESMTP, helo=<h>".to_owned(),
            json!({"stage": "rcpt", "action": "reject", "by": "postscreen", "client": {"ip": "2001:db8::1", "port": 4000}, "reply_code": 450,
                   "dsn": "4.3.2", "envelope_sender": "<>", "envelope_recipient": "c@d", "protocol": "ESMTP", "helo": "h",
                   "class": "receiver_unavailable"}),
        ),
        (
            "postfix/postscreen",
            "reject: connect from [192.0.2.1]:4000: all screening ports busy".to_owned(),
            json!({"stage": "connect", "action": "reject", "by": "postscreen", "client": {"ip": "192.0.2.1", "port": 4000}, "class": "unknown"}),
        ),
    ] {
        assert_eq!(reject(program, &line), expected, "{line}");
    }
    let accepted = read("postfix/smtpd", format!("proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok{FIELDS}").as_bytes());
    assert_eq!(accepted["kind"], "other");
    for line in [
        "NOQUEUE: reject: Unsupported",
        "NOQUEUE: reject: LUNCH from n[192.0.2.1]: 554 5.7.1 no;",
        "NOQUEUE: objection: RCPT from n[192.0.2.1]: 554 5.7.1 no;",
        "NOQUEUE: reject: header X: y from n[192.0.2.1];",
    ] {
        assert!(!recognized("postfix/smtpd", line), "{line}");
    }
}

#[test]
fn content_checks() {
    for (line, stage, action, diagnostic) in [
        (format!("reject: header Subject: x from n[192.0.2.1]{FIELDS}: 5.7.1 no"), "header", "reject", "5.7.1 no"),
        (format!("warning: body x from n[192.0.2.1]{FIELDS}"), "body", "warn", "body x"),
        (format!("strip: header X: y from n[192.0.2.1]:4000{FIELDS}"), "header", "strip", "header X: y"),
        (format!("milter-header-replace: header X: y from n[192.0.2.1]{FIELDS}: X: z"), "header", "replace", "X: z"),
        (format!("milter-body-hold: body x from n[192.0.2.1]{FIELDS}: "), "body", "hold", "body x"),
        (
            format!(
                "hold: header Subject: from e[192.0.2.66]; from=<f@x> to=<t@y> proto=SMTP helo=<z>: 2.0.0 ok from n[192.0.2.1]{FIELDS}: 4.7.1 no"
            ),
            "header",
            "hold",
            "4.7.1 no",
        ),
    ] {
        let event = read("postfix/cleanup", format!("4B4199CCA6C: {line}").as_bytes());
        let fields = ["stage", "action", "diagnostic", "envelope_sender", "envelope_recipient", "protocol", "helo"]
            .map(|key| event[key].as_str().unwrap_or(""));
        assert_eq!(fields, [stage, action, diagnostic, "a@b", "c@d", "ESMTP", "h"], "{line}");
        assert_eq!(event["client"]["ip"], "192.0.2.1", "{line}");
    }
    assert_eq!(
        read(
            "postfix/cleanup",
            b"4B4199CCA6C: reject: mime-error MIME nesting exceeds safety limit: x from local; from=<a@b> to=<unknown>"
        ),
        json!({"kind": "reject", "queue_id": "4B4199CCA6C", "stage": "header", "action": "reject", "by": "cleanup",
               "diagnostic": "mime-error MIME nesting exceeds safety limit: x", "envelope_sender": "a@b", "class": "unknown"})
    );
}

/// What is quoted in a reply, and where a field ends.
#[test]
fn hostile_text_loses() {
    let fake = "; from=<f@x> to=<t@y> proto=SMTP helo=<z";
    for (reply, from, to, helo, user) in [
        // a HELO name with fields of its own, not quoted in the reply
        ("554 5.7.1 <c@d>: Relay access denied", "a@b", "c@d", format!("x{fake}"), ""),
        ("554 5.7.1 <c@d>: Relay access denied", "a@b", "c@d", format!("x>{fake}"), ""),
        ("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "a@b", "c@d", format!("x>{fake}"), ""),
        ("554 5.7.1 <c@d>: Relay access denied", "a@b", "c@d", "x> sasl_method=PLAIN sasl_username=admin".to_owned(), ""),
        // the same, quoted in the reply
        ("504 5.5.2 <HELO>: Helo command rejected: need fully-qualified hostname", "a@b", "c@d", format!("x>{fake}"), ""),
        (
            "504 5.5.2 <HELO>: Helo command rejected: need fully-qualified hostname",
            "a@b",
            "c@d",
            format!("x>: Helo command rejected: y{fake}"),
            "",
        ),
        ("554 5.7.1 Service unavailable; Helo command [HELO] blocked using d", "a@b", "c@d", format!("x{fake}"), ""),
        // a remote host's reply, quoted
        (
            "550 5.1.1 <c@d>: Recipient address rejected: undeliverable address: host h[192.0.2.66] said: 550 FAKE>",
            "a@b",
            "c@d",
            "h".to_owned(),
            "",
        ),
        // addresses
        ("554 5.7.1 <TO>: Relay access denied", "a@b", r#""x; from=<f@x> to=<t@y> proto=SMTP helo=<z"@d"#, "h".to_owned(), ""),
        ("553 5.1.8 <FROM>: Sender address rejected: Domain not found", r#""x> to=<t@y> proto=SMTP helo=<z"@b"#, "c@d", "h".to_owned(), ""),
        ("554 5.7.1 <x; from=<f@x>@d>: Relay access denied", "a@b", r#""x; from=<f@x>"@d"#, "h".to_owned(), ""),
        // a real login, since 3.10
        ("554 5.7.1 <c@d>: Relay access denied", "a@b", "c@d", "h".to_owned(), " sasl_method=PLAIN sasl_username=Alice of Sales"),
        (
            "554 5.7.1 <c@d>: Relay access denied",
            "a@b",
            "c@d",
            "h>x".to_owned(),
            " sasl_method=PLAIN sasl_username=Alice of Sales sasl_sender=<>",
        ),
    ] {
        let reply = reply.replace("HELO", &helo).replace("FAKE", fake).replace("TO", to).replace("FROM", from);
        let line = format!("NOQUEUE: reject: RCPT from n[192.0.2.1]: {reply}; from=<{from}> to=<{to}> proto=ESMTP helo=<{helo}>{user}");
        let mut expected =
            json!({"diagnostic": reply, "envelope_sender": from, "envelope_recipient": to, "protocol": "ESMTP", "helo": helo});
        if !user.is_empty() {
            expected["auth"] = json!({"method": "PLAIN", "user": "Alice of Sales"});
        }
        let event = read("postfix/smtpd", line.as_bytes());
        assert_eq!(without(event, &["kind", "stage", "action", "by", "client", "reply_code", "dsn", "class"]), expected, "{line}");
    }
}

#[test]
fn logins_of_milter_verdicts_are_in_brackets() {
    let line = format!("NOQUEUE: milter-reject: RCPT from n[192.0.2.1]: 550 5.7.1 no{FIELDS} sasl_username=<Alice of Sales>");
    assert_eq!(reject("postfix/smtpd", &line)["auth"], json!({"user": "Alice of Sales"}));
}

#[test]
fn what_syslog_cut_is_read_as_far_as_it_goes() {
    let line = "NOQUEUE: reject: RCPT from n[192.0.2.1]: 554 5.7.1 no; from=<a@b> to=<c@d> proto=ESMTP helo=<very-lo";
    let event = read("postfix/smtpd", line.as_bytes());
    let fields = ["diagnostic", "envelope_sender", "envelope_recipient", "protocol", "helo"].map(|key| event[key].as_str().unwrap_or(""));
    assert_eq!(fields, ["554 5.7.1 no", "a@b", "c@d", "ESMTP", "very-lo"]);
}
