//! What the logs add to a listing.

use super::page::postqueue;
use super::{MIXED, queue, sample};
use crate::support::{arrival, attempt, directory, file, log_of, removed, run_on, samples_of, unpacked};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

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

/// Where the listing has no reasons, they are what the log's last line on each recipient says, in every part.
#[test]
fn an_exim_queue_has_its_reasons_from_the_last_attempts() {
    const NOW: &str = "2026-11-24T06:05:20Z";
    let log = samples_of("exim").join("mainlog");
    let found = queue(&[sample("exim/queue/mixed.txt")], NOW, &["--logs", log.to_str().expect("a path")]);
    let text = String::from_utf8_lossy(&unpacked(&log)).into_owned();
    // What was written up to the listing's second, but for lines that say only that it was not yet time.
    let lines: Vec<&str> = text.lines().filter(|line| line.get(..19).is_some_and(|stamp| stamp <= "2026-11-24 06:05:20")).collect();
    let (mut told, mut by_domain) = (0, BTreeMap::<String, BTreeSet<String>>::new());
    for message in found["messages"].as_array().expect("messages") {
        let id = message["queue_id"].as_str().expect("an id");
        for recipient in message["recipients"].as_array().expect("recipients") {
            let address = recipient["envelope_recipient"].as_str().expect("an address");
            let attempt = |line: &str, sign: &str| {
                let rest = line.split_once(&format!(" {id} {sign} ")).map_or("", |(_, rest)| rest);
                let is_of_it = rest.starts_with(&format!("{address} ")) || rest.contains(&format!("<{address}> "));
                // Not yet time to try is no attempt, and to have failed for long is what earlier attempts say.
                is_of_it
                    && !rest.contains("Retry time not yet")
                    && !rest.contains("failing for a long time")
                    && !rest.contains("retry time not reached")
            };
            // What is final stands, though a frozen bounce fails again each time it is thawed.
            let last = lines.iter().find(|line| attempt(line, "**")).or_else(|| lines.iter().rfind(|line| attempt(line, "==")));
            let said = recipient["diagnostic"].as_str();
            assert!(
                last.is_none_or(|line| said.is_some_and(|said| line.contains(said) || said.contains("etry time"))),
                "{id} {address}: {said:?}, {last:?}"
            );
            if let Some(class) = recipient["class"].as_str() {
                told += 1;
                let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
                by_domain.entry(domain.to_owned()).or_default().insert(class.to_owned());
            }
        }
    }
    assert!(told > 50, "{told}");
    for row in found["matrix"]["rows"].as_array().expect("rows") {
        let classes = by_domain.get(row["domain"].as_str().expect("a domain"));
        let class = row["class"].as_str();
        assert_eq!(class.is_some(), classes.is_some(), "{row}");
        assert!(class.is_none_or(|class| classes.is_some_and(|all| all.contains(class))), "{row}");
    }
    let reasons: u64 = found["reasons"].as_array().expect("reasons").iter().filter_map(|reason| reason["recipients"].as_u64()).sum();
    assert_eq!(reasons, told);
}

#[test]
fn who_hands_in_what_waits_is_told_and_named_where_it_floods() {
    let directory = directory();
    let senders: Vec<String> = (0..160).map(|n| format!("s{n}@forged.example")).collect();
    let ids: Vec<String> = (0..160).map(|n| format!("F{n:09}")).collect();
    let mut log = String::new();
    for (n, (id, sender)) in ids.iter().zip(&senders).enumerate() {
        let (client, login) = match n % 8 {
            0 => ("calm.example[192.0.2.1]", ""),
            1..=4 => ("bad.example[192.0.2.66]", ""),
            _ => ("unknown[192.0.2.67]", ", sasl_method=PLAIN, sasl_username=mary"),
        };
        log.push_str(&crate::support::log(&[
            &format!("06:{:02}:00 smtpd {id}: client={client}{login}", n % 30),
            &format!("06:{:02}:00 qmgr {id}: from=<{sender}>, size=1000, nrcpt=1 (queue active)", n % 30),
        ]));
    }
    let rows: Vec<_> =
        ids.iter().zip(&senders).map(|(id, sender)| (id.as_str(), "active", 600, sender.as_str(), "r@y.example", "")).collect();
    let (listing, log) = (file(&directory, "queue.json", postqueue(&rows)), file(&directory, "mail.log", log));
    let logs = ["--logs", log.to_str().expect("a path")];
    let found = queue(&[&listing], MIXED, &logs);
    assert_eq!(
        found["clients"],
        json!([
            {"client": "192.0.2.66", "name": "bad.example", "entries": 80, "recipients": 80, "size_bytes": 80_000},
            {"client": "192.0.2.67", "entries": 60, "recipients": 60, "size_bytes": 60_000},
            {"client": "192.0.2.1", "name": "calm.example", "entries": 20, "recipients": 20, "size_bytes": 20_000},
        ])
    );
    assert_eq!(found["auth_users"][0]["auth_user"], "mary");
    assert_eq!(found["messages"][1]["client"], json!({"name": "bad.example", "ip": "192.0.2.66"}));
    // A flood is a hundred messages.
    assert_eq!(found["findings"], json!([]));
    let doubled: Vec<String> = rows.iter().map(|row| postqueue(&[*row, *row])).collect();
    let listing = file(&directory, "twice.json", doubled.concat());
    let found = queue(&[&listing], MIXED, &logs);
    let titles: Vec<&str> = found["findings"].as_array().expect("findings").iter().filter_map(|found| found["title"].as_str()).collect();
    let account = "The account mary fills the queue: is its password known to others?";
    assert_eq!(titles, [account, "The client bad.example[192.0.2.66] fills the queue", "The client [192.0.2.67] fills the queue"]);
    assert!(found["findings"][1]["action"].as_str().is_some_and(|action| action.starts_with("postsuper -h F")), "{found}");
    let page = run_on(&["queue", "--tz", "UTC", "--now", MIXED, "--logs", log.to_str().expect("a path"), "--"], &[&listing]).ok();
    assert!(page.contains("bad.example[192.0.2.66]") && page.contains("Accounts"), "{page}");
}
