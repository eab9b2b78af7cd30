//! Real listings: each entry as a golden beside it, two listings of one queue against each other, and qshape's figures.

use super::{MIXED, ids, queue, rows_of_matrix, sample};
use crate::support::run_on;
use mailscope_parsers::model::{Arrival, Found, QueueEntry};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every listing of the samples.
fn listings() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for mta in ["exim", "opensmtpd", "postfix", "sendmail"] {
        let directory = fs::read_dir(sample(mta).join("queue")).expect("the samples hold queues");
        found.extend(directory.map(|entry| entry.expect("a directory entry").path()));
    }
    found.retain(|path| path.extension().is_some_and(|end| end == "txt" || end == "json"));
    found.sort();
    assert!(found.len() >= 9, "{found:?}");
    found
}

/// An entry in words.
fn told(entry: &QueueEntry<'_>) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let arrival = match entry.arrival {
        Arrival::Unknown => Value::Null,
        Arrival::At(time) => json!({"at_s": time / 1_000_000}),
        Arrival::Local { month, day, hour, minute, second } => json!(format!("{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")),
        Arrival::Ago { age_s, step_s, birth } => json!({"age_s": age_s, "step_s": step_s, "birth_s": birth.map(|birth| birth / 1_000_000)}),
    };
    let recipients: Vec<Value> = entry
        .recipients
        .iter()
        .map(|waiting| match &*waiting.diagnostic {
            b"" => json!(text(&waiting.envelope_recipient)),
            diagnostic => json!([text(&waiting.envelope_recipient), text(diagnostic)]),
        })
        .collect();
    let mut told = json!({
        "queue_id": text(&entry.queue_id),
        "state": entry.state.name(),
        "arrival": arrival,
        "size_bytes": entry.size_bytes,
        "envelope_sender": entry.envelope_sender.as_deref().map(text),
        "recipients": recipients,
    });
    if let Some(wait) = entry.next_attempt_s {
        told["next_attempt_s"] = json!(wait);
    }
    if let Some(expires) = entry.expires {
        told["expires_s"] = json!(expires / 1_000_000);
    }
    told
}

#[test]
fn entries_are_those_of_the_goldens() {
    let mut wrong = Vec::new();
    for path in listings() {
        let text = fs::read(&path).expect("a listing");
        let form = mailscope_parsers::listing(&text).unwrap_or_else(|| panic!("{} is no listing", path.display()));
        let mut found = format!("{}\n", json!({"form": form.name}));
        (form.parse)(&text, &mut |piece| match piece {
            Found::Entry(entry) => found.push_str(&format!("{}\n", told(entry))),
            Found::Unrecognized(line) => found.push_str(&format!("{}\n", json!({"unrecognized": String::from_utf8_lossy(line)}))),
        });
        let golden = PathBuf::from(format!("{}.entries", path.display()));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &found).expect("a golden");
        }
        if fs::read_to_string(&golden).ok().as_deref() != Some(&found) {
            wrong.push(golden.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 writes them, and then they are to be read: {}", wrong.join(", "));
}

/// What both forms of a Postfix listing say of a message.
fn facts(queue: &Value) -> BTreeMap<String, Value> {
    let messages = queue["messages"].as_array().expect("messages").iter();
    let fact = |message: &Value| {
        let mut fact = message.clone();
        // Only one of them knows what is forced to expire, and incoming from deferred.
        let id = fact["queue_id"].take().as_str().expect("an id").to_owned();
        (id, fact)
    };
    messages.map(fact).collect()
}

#[test]
fn both_listings_of_a_postfix_queue_say_the_same() {
    let of = |name: &str| queue(&[sample(name)], MIXED, &[]);
    let (json, text) = (of("postfix/queue/mixed.json"), of("postfix/queue/mixed.txt"));
    assert_eq!(json["entries"], 38);
    assert_eq!(facts(&json), facts(&text));
    for key in ["entries", "recipients", "size_bytes", "by_state", "oldest_s", "matrix", "reasons", "senders", "stuck", "findings"] {
        assert_eq!(json[key], text[key], "{key}");
    }
}

#[test]
fn both_listings_of_a_sendmail_queue_hold_the_same_messages() {
    let of = |name: &str| queue(&[sample(name)], "2026-11-24T06:31:56Z", &[]);
    let (short, long) = (of("sendmail/queue/late.txt"), of("sendmail/queue/late-v.txt"));
    assert_eq!((&short["entries"], &short["size_bytes"]), (&json!(20), &json!(199_582)));
    assert_eq!(ids(&short), ids(&long));
    for key in ["recipients", "by_state", "senders", "size_bytes"] {
        assert_eq!(short[key], long[key], "{key}");
    }
}

/// Domain to total and columns, as qshape printed them.
fn qshape(name: &str) -> BTreeMap<String, Vec<u64>> {
    let text = fs::read_to_string(sample(name)).expect("what qshape printed");
    let rows = text.lines().skip(1).map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name").replace("MAILER-DAEMON", "<>");
        (name, words.map(|word| word.parse().expect("a number")).collect())
    });
    rows.collect()
}

#[test]
fn the_matrix_is_qshapes() {
    let cases: [(&str, &[&str]); 3] = [
        ("postfix/queue/mixed.qshape", &[]),
        ("postfix/queue/mixed.qshape-deferred", &["--state", "deferred"]),
        ("postfix/queue/mixed.qshape-sender-deferred", &["--state", "deferred", "--by", "sender"]),
    ];
    for (figures, options) in cases {
        let queue = queue(&[sample("postfix/queue/mixed.json")], MIXED, options);
        assert_eq!(rows_of_matrix(&queue), qshape(figures), "{figures}");
    }
}

#[test]
fn several_listings_add_up_each_with_its_own_time() {
    let files = [sample("exim/queue/delivered-to-some.txt"), sample("sendmail/queue/late.txt")];
    let of = |file: &Path| queue(&[file], MIXED, &[])["recipients"].as_u64().expect("a number");
    let both = queue(&files, MIXED, &[]);
    assert_eq!(both["recipients"].as_u64(), Some(of(&files[0]) + of(&files[1])));
    let forms: BTreeSet<&str> = both["listings"].as_array().expect("listings").iter().filter_map(|one| one["form"].as_str()).collect();
    assert_eq!(forms, BTreeSet::from(["exim -bp", "sendmail mailq"]));
}

#[test]
fn who_has_the_message_already_is_not_counted() {
    let text = fs::read_to_string(sample("exim/queue/delivered-to-some.txt")).expect("a listing");
    assert!(text.contains("        D u1@refuse.example"));
    let ran = run_on(&["queue", "--format", "csv", "--top", "5000"], &[sample("exim/queue/delivered-to-some.txt")]).ok();
    assert!(!ran.contains("u1@refuse.example"), "{ran}");
}
