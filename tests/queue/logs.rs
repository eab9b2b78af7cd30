//! What the logs add to a listing.

use super::page::postqueue;
use super::{MIXED, queue};
use crate::support::{arrival, attempt, directory, file, log_of, removed};
use serde_json::json;

#[test]
fn attempts_and_rates_come_from_the_logs() {
    let directory = directory();
    let mut lines = vec![
        arrival("06:00:00", "A000000001", 1),
        attempt("06:00:01", "A000000001", "r@y.example", "deferred"),
        attempt("06:10:00", "A000000001", "r@y.example", "deferred"),
    ];
    // Ten more came and went, and one only went.
    for n in 0..10 {
        let (id, time) = (format!("B00000000{n}"), format!("06:2{n}:00"));
        lines.extend([arrival(&time, &id, 1), attempt(&time, &id, "r@z.example", "sent"), removed(&time, &id)]);
    }
    let log = file(&directory, "mail.log", log_of(&lines));
    let text = postqueue(&[(
        "A000000001",
        "deferred",
        1987,
        "sender@client.example",
        "r@y.example",
        "host mx.y.example[192.0.2.1] said: 452 4.2.2 full",
    )]);
    let listing = file(&directory, "queue.json", text);
    let found = queue(&[&listing], MIXED, &["--logs", log.to_str().expect("a path")]);
    let message = &found["messages"][0];
    assert_eq!((&message["attempts"], &message["last_attempt"]), (&json!(2), &json!("2026-11-24T06:10:00+00:00")));
    // Ten minutes old at its last attempt, it waits ten minutes more.
    assert_eq!((&message["next_attempt"], &message["next_attempt_estimated"]), (&json!("2026-11-24T06:20:00+00:00"), &json!(true)));
    let traffic = &found["traffic"];
    assert_eq!((&traffic["arrived"], &traffic["departed"]), (&json!(11), &json!(10)));
    assert_eq!(traffic["drained_in_s"], json!(null), "more came than went");
    assert_eq!(traffic["providers"], json!([{"provider": "(none)", "waiting": 1, "delivered": 10, "drained_in_s": 174}]));
}

#[test]
fn the_logs_tell_the_reasons_that_a_listing_lacks() {
    let directory = directory();
    let lines = [
        arrival("06:00:00", "A000000001", 1),
        attempt("06:10:00", "A000000001", "r@y.example", "deferred"),
        // After the listing: not part of what it shows.
        attempt("06:40:00", "A000000001", "r@y.example", "sent"),
        removed("06:40:00", "A000000001"),
    ];
    let log = file(&directory, "mail.log", log_of(&lines));
    let listing = file(&directory, "queue.json", postqueue(&[("A000000001", "active", 1987, "sender@client.example", "r@y.example", "")]));
    let found = queue(&[&listing], MIXED, &["--logs", log.to_str().expect("a path")]);
    let (message, recipient) = (&found["messages"][0], &found["messages"][0]["recipients"][0]);
    assert_eq!((&recipient["class"], &message["attempts"]), (&json!("mailbox_full"), &json!(1)));
    assert_eq!(message["next_attempt"], json!(null), "it is being tried");
    assert_eq!(found["traffic"]["departed"], 0);
}
