//! What `mailscope queue` prints, and what it says of what it can't read.

use super::{MIXED, ids, queue, sample};
use crate::support::{directory, file, gzipped, run, run_on, set_time};
use serde_json::{Value, json};
use std::path::Path;

/// A listing of `postqueue -j`, one message a row: id, state, age in seconds before `MIXED`, sender, recipient, reason.
pub fn postqueue(rows: &[(&str, &str, u64, &str, &str, &str)]) -> String {
    let mut text = String::new();
    for (id, state, age_s, sender, recipient, reason) in rows {
        let mut to = json!({"address": recipient});
        if !reason.is_empty() {
            to["delay_reason"] = json!(reason);
        }
        let entry = json!({"queue_name": state, "queue_id": id, "arrival_time": 1_795_501_987 - age_s, "message_size": 1000, "sender": sender, "recipients": [to]});
        text.push_str(&format!("{entry}\n"));
    }
    text
}

fn of(text: &str, more: &[&str]) -> Value {
    let directory = directory();
    queue(&[file(&directory, "queue.json", text)], MIXED, more)
}

#[test]
fn messages_are_shown_oldest_first_up_to_top() {
    let text = postqueue(&[
        ("A0000001", "deferred", 60, "a@x.example", "r@y.example", "host mx.y.example[192.0.2.1] said: 450 4.2.2 full"),
        ("A0000002", "active", 7200, "a@x.example", "r@z.example", ""),
        ("A0000003", "hold", 600, "MAILER-DAEMON", "r@Y.example", ""),
    ]);
    let all = of(&text, &[]);
    assert_eq!(ids(&all), ["A0000002", "A0000003", "A0000001"]);
    assert_eq!((&all["oldest_s"], &all["by_state"]), (&json!(7200), &json!({"active": 1, "deferred": 1, "hold": 1})));
    assert_eq!(all["messages"][1]["envelope_sender"], "<>");
    assert_eq!(all["messages"][2]["recipients"][0]["class"], "mailbox_full");
    let y = &all["matrix"]["rows"][0];
    assert_eq!((&y["domain"], &y["total"], &y["ages"]), (&json!("y.example"), &json!(2), &json!([1, 0, 1, 0, 0, 0, 0, 0, 0, 0])));
    let one = of(&text, &["--top", "1"]);
    assert_eq!(ids(&one), ["A0000002"]);
    assert_eq!((&one["entries"], &one["other"]["messages"]["rows"]), (&json!(3), &json!(2)));
    assert_eq!(ids(&of(&text, &["--state", "hold,active"])), ["A0000002", "A0000003"]);
}

#[test]
fn the_matrix_has_the_columns_asked_for() {
    let rows: Vec<(String, String)> = (0..5).map(|n| (format!("B000000{n}"), format!("r@d{n}.shop.example"))).collect();
    let text = postqueue(&rows.iter().map(|(id, to)| (id.as_str(), "deferred", 700, "a@x.example", to.as_str(), "")).collect::<Vec<_>>());
    let matrix = &of(&text, &["--buckets", "3", "--bucket-min", "10", "--linear", "--parents"])["matrix"];
    assert_eq!(matrix["buckets_min"], json!([10, 20]));
    assert_eq!((&matrix["rows"][0]["domain"], &matrix["rows"][0]["ages"]), (&json!(".shop.example"), &json!([0, 5, 0])));
    assert_eq!(matrix["total"], json!([0, 5, 0]), "parents are not counted twice");
    let none = of(&text, &["--parents", "--min-subdomains", "6"]);
    assert_eq!(none["matrix"]["rows"].as_array().map(Vec::len), Some(5));
}

#[test]
fn ages_count_from_the_files_time() {
    let directory = directory();
    let path = file(&directory, "queue.json", postqueue(&[("A0000001", "deferred", 0, "a@x.example", "r@y.example", "")]));
    set_time(&path, 1_795_501_987 + 90);
    let ran = run_on(&["queue", "--format", "json"], &[&path]);
    assert_eq!(ran.report()["oldest_s"], 90);
    assert_eq!(queue(&[&path], MIXED, &[])["oldest_s"], 0);
}

#[test]
fn a_flood_is_named_with_the_command_against_it() {
    let rows: Vec<String> = (0..200).map(|n| format!("C{n:07}")).collect();
    let flood =
        |id| (id, "deferred", 60, "spam@victim.example", "r@y.example", "connect to mx.y.example[192.0.2.1]:25: Connection refused");
    let found = of(&postqueue(&rows.iter().map(|id| flood(id.as_str())).collect::<Vec<_>>()), &[]);
    let finding = &found["findings"][0];
    assert_eq!((&finding["severity"], &finding["title"]), (&json!("critical"), &json!("spam@victim.example fills the queue")));
    assert!(finding["action"].as_str().is_some_and(|action| action.starts_with("postsuper -h C00000")), "{finding}");
    let domains: Vec<String> = (0..200).map(|n| format!("r@d{n}.example")).collect();
    let scatter: Vec<_> =
        rows.iter().zip(&domains).map(|(id, to)| (id.as_str(), "deferred", 60, "MAILER-DAEMON", to.as_str(), "")).collect();
    let found = of(&postqueue(&scatter), &[]);
    assert!(found["findings"][0]["title"].as_str().is_some_and(|title| title.starts_with("Notifications fill the queue")), "{found}");
}

#[test]
fn what_will_expire_is_told() {
    let day = 86_400;
    let text = postqueue(&[
        ("A0000001", "deferred", 6 * day, "a@x.example", "r@y.example", ""),
        ("A0000002", "deferred", 5 * day - 600, "a@x.example", "r@y.example", ""),
        ("A0000003", "deferred", 4 * day + 7200, "a@x.example", "r@y.example", ""),
        ("A0000004", "hold", 30 * day, "a@x.example", "r@y.example", ""),
        ("A0000005", "deferred", day, "a@x.example", "r@y.example", ""),
    ]);
    assert_eq!(of(&text, &[])["expiring"], json!({"lifetime_s": 5 * day, "overdue": 1, "within_1h": 1, "within_24h": 2}));
    assert_eq!(of(&text, &["--lifetime", "36h"])["expiring"]["within_24h"], 1);
    assert_eq!(of(&text, &[])["stuck"], json!([{"state": "hold", "entries": 1, "queue_ids": ["A0000004"]}]));
}

#[test]
fn an_empty_queue_is_no_failure() {
    let directory = directory();
    for text in ["", "\n", "Mail queue is empty\n", "/var/spool/mqueue is empty\n\t\tTotal requests: 0\n"] {
        let empty = queue(&[file(&directory, "queue.txt", text)], MIXED, &[]);
        assert_eq!((&empty["entries"], &empty["messages"]), (&json!(0), &json!([])), "{text:?}");
    }
}

#[test]
fn what_is_no_listing_is_named_with_what_was_tried() {
    let directory = directory();
    let garbage = file(&directory, "garbage.txt", "hello\nworld\n");
    let ran = run_on(&["queue"], &[&garbage]);
    assert_eq!(ran.status, Some(2));
    assert!(
        ran.stderr.contains("garbage.txt: nothing that looks like a queue listing: tried postqueue -j, postqueue -p, "),
        "{}",
        ran.stderr
    );
    let ran =
        run_on(&["queue", "--format", "json"], &[garbage.as_path(), &sample("postfix/queue/mixed.json"), Path::new("/nonexistent/x")]);
    assert_eq!((ran.status, &ran.report()["entries"]), (Some(2), &json!(38)));
    assert!(ran.stderr.contains("garbage.txt") && ran.stderr.contains("/nonexistent/x"), "{}", ran.stderr);
}

#[test]
fn odd_lines_within_a_listing_are_counted() {
    let text = format!("{}{{\"queue_id\": \n", postqueue(&[("A0000001", "active", 0, "a@x.example", "r@y.example", "")]));
    let found = of(&text, &[]);
    assert_eq!((&found["entries"], &found["listings"][0]["unrecognized"]), (&json!(1), &json!(1)));
}

#[test]
fn packed_listings_are_read() {
    let directory = directory();
    let bytes = std::fs::read(sample("postfix/queue/mixed.json")).expect("a sample");
    assert_eq!(queue(&[file(&directory, "queue.gz", gzipped(&bytes))], MIXED, &[])["entries"], 38);
}

#[test]
fn wrong_use_is_said() {
    for (arguments, words) in [
        (&["queue", "--lifetime", "soon", "x"][..], "--lifetime"),
        (&["queue", "--state", "asleep", "x"], "states are maildrop, incoming, active"),
        (&["queue", "--live", "x"], "leave the files out"),
        (&["queue", "--watch", "5", "x"], "leave the files out"),
        (&["queue", "--now", "never", "x"], "--now"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn the_page_fits_its_width_and_names_what_matters() {
    let page = run_on(&["queue", "--tz", "UTC", "--now", MIXED, "--top", "5"], &[sample("postfix/queue/mixed.json")]).ok();
    for words in ["Waiting               38  messages, 48 recipients", "isp.example", "receiver_unavailable", "$ postsuper -H ", "33 more"]
    {
        assert!(page.contains(words), "{words:?} is not in\n{page}");
    }
    let long: Vec<&str> = page.lines().filter(|line| line.chars().count() > 120 && !line.contains("$ ")).collect();
    assert!(long.is_empty(), "{long:?}");
}
