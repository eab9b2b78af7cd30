//! `mailscope trace`: what a key means, whole stories, what is shown, and that the samples' messages are told as they were.

mod exigrep;
mod keys;
mod memory;
mod output;
mod split;
mod stories;
mod truth;
mod verdicts;

use crate::support::{Ran, directory, file, objects, run_on};
use serde_json::Value;

/// Traces a key in a log; `more` are further arguments.
fn trace(log: &str, key: &str, more: &[&str]) -> Ran {
    let directory = directory();
    run_on(&[&["trace", key, "--tz", "UTC"], more].concat(), &[file(&directory, "mail.log", log)])
}

/// The stories of a key, as JSON.
fn stories(log: &str, key: &str, more: &[&str]) -> Vec<Value> {
    let printed = trace(log, key, &[&["--format", "json"], more].concat()).ok();
    objects(&printed).into_iter().map(Value::Object).collect()
}

/// The first queue ids of the stories of a key.
fn ids(log: &str, key: &str, more: &[&str]) -> Vec<String> {
    stories(log, key, more).iter().map(|story| word(&story["first_queue_id"])).collect()
}

/// A text, or nothing where there is none.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The texts of a list.
fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(word).collect()
}

/// Recipient and outcome of each of a story's recipients.
fn outcomes(story: &Value) -> Vec<(String, String)> {
    let recipients = story["recipients"].as_array().expect("recipients");
    recipients.iter().map(|r| (word(&r["envelope_recipient"]), word(&r["outcome"]))).collect()
}
