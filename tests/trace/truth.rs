//! Every message of the samples, told as it happened: what the clients handed in is found by each of its names, and what is
//! told of a recipient is what the exported rows say, which are held against the record elsewhere.

use super::{word, words};
use crate::support::{directory, objects, rows_on, run_on, samples, set_time, text, unpacked};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tempfile::TempDir;

struct Log {
    path: PathBuf,
    _directory: TempDir,
    truth: &'static str,
}

fn log(name: &str, time: u64, truth: &'static str) -> Log {
    let directory = directory();
    let path = crate::support::file(&directory, "mail.log", unpacked(&samples().join(name)));
    set_time(&path, time);
    Log { path, _directory: directory, truth }
}

impl Log {
    fn trace(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = run_on(&[&["trace", "--format", "json", "--tz", "UTC"], arguments].concat(), &[&self.path]);
        objects(&ran.ok()).into_iter().map(Value::Object).collect()
    }

    /// Message-id, queue id, recipient of all that was handed in and got a queue id; a proxy's own ids are in no log line.
    fn record(&self) -> Vec<[String; 3]> {
        let record = String::from_utf8(unpacked(&samples().join("truth").join(self.truth))).expect("UTF-8");
        let names = |row| ["message_id", "queue_id", "recipient"].map(|name| text(&row, name).to_owned());
        let log = String::from_utf8_lossy(&unpacked(&self.path)).into_owned();
        let logged = |id: &String| !id.is_empty() && (log.contains(&format!(" {id}: ")) || log.contains(&format!(" {id} ")));
        objects(&record).into_iter().map(names).filter(|[_, id, _]| logged(id)).collect()
    }
}

fn has_recipient(story: &Value, address: &str) -> bool {
    let is_it = |r: &Value| ["envelope_recipient", "original_recipient"].iter().any(|name| word(&r[name]).eq_ignore_ascii_case(address));
    story["recipients"].as_array().into_iter().flatten().any(is_it)
}

/// Every message is one story, whichever of its names it is found by.
fn by_every_name(log: &Log, every: usize) {
    let all = log.trace(&[".", "--regex", "--first", "0"]);
    let mut by_id: BTreeMap<String, &Value> = BTreeMap::new();
    for story in &all {
        for id in words(&story["queue_ids"]) {
            assert!(by_id.insert(id.clone(), story).is_none(), "{id} is in two stories");
        }
    }
    let mut lost = Vec::new();
    for (number, [message_id, id, recipient]) in log.record().iter().enumerate() {
        let Some(story) = by_id.get(id) else {
            lost.push(format!("{id}: no story"));
            continue;
        };
        if number % every != 0 {
            continue;
        }
        assert!(log.trace(&[id]) == [(*story).clone()], "{id} by itself tells another story");
        let named: Vec<Value> = log.trace(&[message_id]);
        assert!(named.contains(story), "{message_id} is not {id}");
        assert!(named.iter().all(|story| word(&story["message_id"]) == *message_id), "{message_id} finds others");
        if has_recipient(story, recipient) {
            let named = log.trace(&[recipient, "--first", "0"]);
            assert!(named.contains(story), "{recipient} is not {id}");
            assert!(named.iter().all(|story| story.to_string().contains(recipient.as_str())), "{recipient} finds others");
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

/// What became of each recipient of each chain is what its rows say, hand-overs aside.
fn as_the_rows_say(log: &Log) {
    let mut rows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in rows_on("recipients", &[&log.path], &["--tz", "UTC"]) {
        let key = (text(&row, "first_queue_id").to_owned(), text(&row, "envelope_recipient").to_owned());
        rows.entry(key).or_default().insert(text(&row, "outcome").to_owned());
    }
    let mut told: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for story in log.trace(&[".", "--regex", "--first", "0"]) {
        for recipient in story["recipients"].as_array().expect("recipients") {
            let key = (word(&story["first_queue_id"]), word(&recipient["envelope_recipient"]));
            told.entry(key).or_default().insert(word(&recipient["outcome"]));
        }
    }
    for outcomes in rows.values_mut().chain(told.values_mut()) {
        outcomes.retain(|outcome| !["handed_off", "requeued", "probe"].contains(&outcome.as_str()));
    }
    rows.retain(|_, outcomes| !outcomes.is_empty());
    told.retain(|_, outcomes| !outcomes.is_empty());
    assert!(rows.len() > 40);
    assert_eq!(told, rows);
}

#[test]
fn every_message_of_the_small_server() {
    let log = log("mail.log", 1_795_502_096, "mail.recipients.jsonl.gz");
    by_every_name(&log, 20);
    as_the_rows_say(&log);
}

#[test]
fn every_message_of_postfix_3_10() {
    let log = log("postfix-3.10.log.gz", 1_795_502_096, "postfix-3.10.recipients.jsonl.gz");
    by_every_name(&log, 40);
    as_the_rows_say(&log);
}

#[test]
fn every_message_of_exim() {
    let log = log("../exim/mainlog", 1_795_502_096, "../../exim/truth/mainlog.recipients.jsonl.gz");
    by_every_name(&log, 30);
    as_the_rows_say(&log);
}

#[test]
fn every_message_across_a_years_end() {
    let log = log("new-year.log", 1_798_761_669, "new-year.recipients.jsonl.gz");
    by_every_name(&log, 5);
    as_the_rows_say(&log);
}
