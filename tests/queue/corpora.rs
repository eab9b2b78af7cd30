//! The queue listings of the conformance corpora, entry by entry.

use mailscope_parsers::model::{Arrival, Found, QueueEntry};
use mailscope_parsers::{Listing, listing};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The listings of the corpora; `None`, and said, where there are none.
fn corpora() -> Option<Vec<PathBuf>> {
    let Some(root) = std::env::var_os("MAILSCOPE_CORPORA") else {
        eprintln!("skipped: MAILSCOPE_CORPORA does not say where the corpora are");
        return None;
    };
    let directory = fs::read_dir(PathBuf::from(root).join("queues")).expect("the corpora hold queues");
    let mut paths: Vec<PathBuf> = directory.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expected.json"));
    paths.sort();
    Some(paths)
}

#[test]
fn every_listing_of_the_corpora_is_read_right() {
    let Some(paths) = corpora() else { return };
    assert!(paths.len() >= 25, "{} listings", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read(&path).expect("a listing");
        let expected = fs::read(format!("{}.expected.json", path.display())).expect("what is expected of it");
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match listing(&text) {
            Some(listing) => wrong.extend(differences(listing, &text, &expected).into_iter().map(|what| format!("{name}: {what}"))),
            None => wrong.push(format!("{name}: not taken for a listing")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(listing: &Listing, text: &[u8], expected: &Value) -> Vec<String> {
    let mut entries = Vec::new();
    let mut wrong = Vec::new();
    (listing.parse)(text, &mut |found| match found {
        Found::Entry(entry) => entries.push(entry.clone()),
        Found::Unrecognized(line) => wrong.push(format!("unrecognized: {}", String::from_utf8_lossy(line))),
    });
    let mut by_state = BTreeMap::new();
    entries.iter().for_each(|entry| *by_state.entry(entry.state.name()).or_insert(0) += 1);
    let found = json!({
        "mta": listing.mta,
        "entries": entries.len(),
        "recipients": entries.iter().map(|entry| entry.recipients.len()).sum::<usize>(),
        "by_state": by_state,
        "size_bytes": entries.iter().filter_map(|entry| entry.size_bytes).sum::<u64>(),
    });
    let keys = found.as_object().expect("an object").iter();
    wrong.extend(keys.filter(|(key, value)| expected[key] != **value).map(|(key, value)| format!("{key}: {value}, not {}", expected[key])));
    for (which, entry) in [("first", entries.first()), ("last", entries.last())] {
        match entry {
            Some(entry) => wrong.extend(of_entry(entry, &expected[which]).into_iter().map(|what| format!("{which}: {what}"))),
            None => wrong.push(format!("no {which} entry")),
        }
    }
    wrong
}

/// What differs of one entry.
fn of_entry(entry: &QueueEntry<'_>, expected: &Value) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let sender = entry.envelope_sender.as_deref().map(|sender| if sender.is_empty() { "<>".to_owned() } else { text(sender) });
    let mut found = json!({
        "queue_id": text(&entry.queue_id),
        "envelope_sender": sender,
        "state": entry.state.name(),
        "size_bytes": entry.size_bytes,
        "recipients": entry.recipients.iter().map(|waiting| text(&waiting.envelope_recipient)).collect::<Vec<_>>(),
    });
    match entry.arrival {
        Arrival::At(time) => found["arrival_epoch"] = json!(time / 1_000_000),
        Arrival::Ago { age_s, .. } => found["age_text"] = json!(expected["age_text"].as_str().filter(|text| seconds(text) == age_s)),
        Arrival::Local { month, day, hour, minute, second } => {
            let told = expected["arrival_text"].as_str().expect("an arrival");
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let date = format!("{} {day:>2} {hour:02}:{minute:02}", months[month as usize - 1]);
            let is_it = told.ends_with(&date) || told.ends_with(&format!("{date}:{second:02}"));
            found["arrival_text"] = json!(is_it.then_some(told));
        }
        Arrival::Unknown => {}
    }
    let mut wrong = Vec::new();
    for (key, value) in expected.as_object().expect("an entry") {
        let is_right = match key.as_str() {
            // Delivered already: not counted, and so not among the recipients.
            "delivered" => true,
            "diagnostic" => {
                let part = value["contains"].as_str().expect("a part");
                entry.recipients.iter().any(|waiting| text(&waiting.diagnostic).contains(part))
            }
            _ => found[key] == *value,
        };
        if !is_right {
            wrong.push(format!("{key}: {}, not {value}", found[key]));
        }
    }
    wrong
}

/// `10h` in seconds.
fn seconds(age: &str) -> u64 {
    let (number, unit) = age.split_at(age.len() - 1);
    number.parse::<u64>().expect("a number")
        * [("m", 60), ("h", 3600), ("d", 86_400)].iter().find(|(name, _)| *name == unit).expect("a unit").1
}
