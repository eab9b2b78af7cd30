//! The matcher itself: each rule with an example that fits and one that does not, so that a matcher
//! that lets everything through is found out.

use serde_json::json;
use serde_json::{Map, Value};

use super::classes::codes_decide;
use super::judging::{arrivals, figure, flatten, judge_entry, judge_object};
use super::matching::{Rule, compare, instant, rule};

fn fits(expected: Value, got: Value) -> bool {
    compare("", &expected, Some(&got)).is_empty()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn numbers_are_equal() {
    assert!(fits(json!({"delay_s": 11.0}), json!({"delay_s": 11})));
    assert!(!fits(json!({"delay_s": 11.0}), json!({"delay_s": 11.1})));
    assert!(!fits(json!({"reply_code": 550}), json!({"reply_code": 551})));
    assert!(!fits(json!({"reply_code": 550}), json!({"reply_code": "550"})));
}

#[test]
fn strings_of_other_fields_are_equal() {
    assert!(fits(json!({"queue_id": "4Ab"}), json!({"queue_id": "4Ab"})));
    assert!(!fits(json!({"queue_id": "4Ab"}), json!({"queue_id": "4aB"})));
    assert!(!fits(json!({"user": "a-b"}), json!({"user": "a_b"})));
    assert!(!fits(json!({"queue_id": "4Ab"}), json!({})));
}

#[test]
fn nested_objects_are_subsets() {
    let event = json!({"client": {"name": "a.example", "ip": "192.0.2.1"}, "pid": 1});
    assert!(fits(json!({}), event.clone()));
    assert!(fits(json!({"client": {"ip": "192.0.2.1"}}), event.clone()));
    assert!(!fits(json!({"client": {"ip": "192.0.2.2"}}), event.clone()));
    assert!(!fits(json!({"client": {"port": 25}}), event.clone()));
    let mismatches = compare("", &json!({"client": {"port": 25}}), Some(&event));
    assert_eq!(mismatches[0].path, "client.port");
    assert_eq!(mismatches[0].got, "nothing");
}

#[test]
fn words_ignore_case_and_joints() {
    assert!(fits(json!({"stage": "end_of_message"}), json!({"stage": "END-OF MESSAGE"})));
    assert!(!fits(json!({"stage": "data"}), json!({"stage": "rcpt"})));
    assert!(!fits(json!({"stage": "end_of_message"}), json!({"stage": "endofmessage"})));
    assert!(fits(json!({"helo": "[A.b]"}), json!({"helo": "[a.B]"})));
    assert!(fits(json!({"peer": {"name": "MX.example"}}), json!({"peer": {"name": "mx.example"}})));
    assert!(!fits(json!({"relay_name": "mx1.example"}), json!({"relay_name": "mx2.example"})));
    for field in "kind status stage action by trust direction cause notification severity \
        verdict mechanism protocol class host helo name client_name"
        .split_whitespace()
    {
        assert_eq!(rule(field), Rule::Word, "{field}");
    }
}

#[test]
fn tls_versions() {
    let got = json!({"tls_version": "TLS1.2"});
    assert!(fits(json!({"tls_version": "TLSv1.2"}), got.clone()));
    assert!(!fits(json!({"tls_version": "TLSv1.3"}), got.clone()));
    assert!(!fits(json!({"tls_version": "SSLv1.2"}), got));
}

#[test]
fn addresses_of_the_network_are_values() {
    assert!(fits(json!({"ip": "1.2.3.4"}), json!({"ip": "::ffff:1.2.3.4"})));
    assert!(fits(json!({"client_ip": "2001:DB8:0::1"}), json!({"client_ip": "2001:db8::1"})));
    assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "1.2.3.5"})));
    assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "::1.2.3.4"})));
    assert!(!fits(json!({"ip": "1.2.3.4"}), json!({"ip": "unknown"})));
}

#[test]
fn mail_addresses_ignore_the_case_of_the_domain() {
    let got = json!({"envelope_sender": "Tom@example.com"});
    assert!(fits(json!({"envelope_sender": "Tom@EXAMPLE.com"}), got.clone()));
    assert!(!fits(json!({"envelope_sender": "tom@example.com"}), got));
    let null = json!({"envelope_sender": "<>"});
    assert!(fits(json!({"envelope_sender": "<>"}), null));
    assert!(!fits(json!({"envelope_recipient": "<>"}), json!({"envelope_recipient": ""})));
}

#[test]
fn message_ids_with_and_without_brackets() {
    let got = json!({"message_id": "<a@b>"});
    assert!(fits(json!({"message_id": "a@b"}), got.clone()));
    assert!(fits(json!({"message_id": "<a@b>"}), got.clone()));
    assert!(!fits(json!({"message_id": "A@b"}), got.clone()));
    assert!(!fits(json!({"message_id": "a@b>"}), got));
}

#[test]
fn any_of_a_list() {
    let expected = json!({"kind": {"any": ["tls", "other"]}, "n": {"any": [7, 8]}});
    assert!(fits(expected.clone(), json!({"kind": "Other", "n": 8})));
    assert!(!fits(expected.clone(), json!({"kind": "reject", "n": 8})));
    assert!(!fits(expected.clone(), json!({"kind": "tls", "n": 9})));
    assert!(!fits(expected, json!({"kind": "tls"})));
}

#[test]
fn contains_ignores_case_and_runs_of_blanks() {
    let expected = json!({"text": {"contains": "user  UNKNOWN in"}});
    assert!(fits(expected.clone(), json!({"text": "5.1.1 User unknown\tin table"})));
    assert!(!fits(expected.clone(), json!({"text": "userunknown in"})));
    assert!(!fits(expected, json!({})));
    assert!(!fits(json!({"pid": {"contains": "1"}}), json!({"pid": 1})));
}

#[test]
fn not_is_present_and_different() {
    let expected = json!({"kind": {"not": "delivery"}});
    assert!(fits(expected.clone(), json!({"kind": "other"})));
    assert!(!fits(expected.clone(), json!({"kind": "Delivery"})));
    assert!(!fits(expected, json!({})));
}

#[test]
fn absent_and_present() {
    let absent = json!({"message_id": {"absent": true}});
    assert!(fits(absent.clone(), json!({})));
    assert!(!fits(absent.clone(), json!({"message_id": ""})));
    assert!(!fits(absent, json!({"message_id": null})));
    let present = json!({"commands": {"present": true}});
    assert!(fits(present.clone(), json!({"commands": {}})));
    assert!(!fits(present.clone(), json!({"commands": null})));
    assert!(!fits(present, json!({})));
}

#[test]
fn times_with_a_zone_are_instants() {
    let expected = json!({"time": "2024-08-26T01:33:38.572449+00:00"});
    assert!(fits(expected.clone(), json!({"time": "2024-08-26T03:33:38.572449+02:00"})));
    assert!(fits(expected.clone(), json!({"time": "2024-08-25T22:03:38.57244900-03:30"})));
    for other in ["2024-08-26T01:33:38.572448Z", "2024-08-26T01:33:38.572449+02:00", "2024-08-26T01:33:38.572449"] {
        assert!(!fits(expected.clone(), json!({"time": other})), "{other}");
    }
    assert_eq!(instant("1970-01-01T00:00:00Z"), Some((0, 0)));
    assert_eq!(instant("2024-02-29T12:00:00.5Z"), Some((1_709_208_000, 500_000_000)));
    assert_eq!(instant("2024-03-01T00:00:00Z"), Some((1_709_251_200, 0)));
}

#[test]
fn times_without_a_zone_are_prefixes() {
    let expected = json!({"time": "2005-02-21T09:21:54"});
    assert!(fits(expected.clone(), json!({"time": "2005-02-21T09:21:54+02:00"})));
    assert!(fits(expected.clone(), json!({"time": "2005-02-21T09:21:54.25Z"})));
    assert!(!fits(expected, json!({"time": "2005-02-21T09:21:55Z"})));
}

#[test]
fn an_entry_claims_at_least_that_the_line_is_known() {
    let failures = |entry: Value, event: Value| judge_entry(&entry, &object(event)).failures;
    assert!(failures(json!(null), json!({"kind": "ignored"})).is_empty());
    assert!(failures(json!(null), json!({"kind": "other"})).is_empty());
    assert!(!failures(json!(null), json!({"kind": "unrecognized"})).is_empty());
    assert!(!failures(json!(null), json!({})).is_empty());
    let entry = json!({"kind": {"not": "delivery"}});
    assert!(failures(entry.clone(), json!({"kind": "ignored"})).is_empty());
    assert!(!failures(entry, json!({"kind": "unrecognized"})).is_empty());
}

#[test]
fn rows_join_nested_names() {
    let expected = object(json!({
        "client_ip": "192.0.2.1",
        "relay": {"name": "mx", "port": 25},
        "diagnostic": {"contains": "said"},
    }));
    let expected = flatten(&expected);
    let row = json!({"client_ip": "192.0.2.1", "relay_name": "MX", "relay_port": 25,
        "diagnostic": "host said so"});
    assert!(judge_object(&expected, &object(row)).failures.is_empty());
    let event = flatten(&object(json!({"client": {"ip": "192.0.2.1"},
        "relay": {"name": "mx", "port": 26}, "diagnostic": "host said so"})));
    let failures = judge_object(&expected, &event).failures;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].path, "relay_port");
}

#[test]
fn arrivals_have_the_facts_of_their_queue_id() {
    let events = [
        json!({"kind": "accepted", "queue_id": "A", "client": {"ip": "192.0.2.1"}}),
        json!({"kind": "message_id", "queue_id": "B", "message_id": "other@x"}),
        json!({"kind": "message_id", "queue_id": "A", "message_id": "this@x"}),
    ]
    .map(object);
    let rows = arrivals(&events);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["message_id"], "this@x");
    assert_eq!(rows[0]["client_ip"], "192.0.2.1");
    assert_eq!(rows[0]["kind"], "accepted");
    assert!(!arrivals(&events[..2])[0].contains_key("message_id"));
}

#[test]
fn figures_of_a_report() {
    let report = json!({"rejects": {"by_dsn": {"4.7.25": 1}, "total": 3}, "a": {"b": 2}});
    let holds = |path: &str, expected: Value| compare(path, &expected, figure(&report, path).as_ref()).is_empty();
    assert!(holds("rejects.by_dsn.4.7.25", json!(1)));
    assert!(!holds("rejects.by_dsn.4.7.25", json!(2)));
    assert!(!holds("rejects.by_dsn.4.7.1", json!(1)));
    assert!(holds("rejects.total+a.b", json!(5)));
    assert!(!holds("rejects.total+a.b", json!(3)));
    assert!(!holds("rejects.total+a.c", json!(3)));
    assert!(holds("rejects.total", json!({"any": [3, 4]})));
    assert!(!holds("rejects.total", json!({"any": [4, 5]})));
}

#[test]
fn classes_are_judged_where_a_code_decides() {
    let decide = |class: &str, event: Value| codes_decide(class, &object(event));
    assert!(decide("credentials", json!({"dsn": "4.7.8"})));
    assert!(decide("credentials", json!({"reply_code": 535})));
    assert!(decide("credentials", json!({"reply_code": 535, "dsn": "5.0.0"})));
    assert!(decide("content_format", json!({"dsn": "5.5.2"})));
    assert!(!decide("credentials", json!({"reply_code": 535, "dsn": "5.7.1"})));
    assert!(!decide("credentials", json!({})));
    assert!(!decide("domain_invalid", json!({"dsn": "5.1.1"})));
    assert!(!decide("relay_denied", json!({"dsn": "5.7.1"})));

    let expected = object(json!({"class": "credentials"}));
    let wrong = object(json!({"class": "policy", "dsn": "5.7.8"}));
    assert_eq!(judge_object(&expected, &wrong).failures.len(), 1);
    let open = object(json!({"class": "policy", "dsn": "5.7.1"}));
    let judgement = judge_object(&expected, &open);
    assert!(judgement.failures.is_empty());
    assert_eq!(judgement.classes_skipped, 1);
}
