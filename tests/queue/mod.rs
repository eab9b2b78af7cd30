//! `mailscope queue`: listings of every server, what is made of them, and what is said of those that are none.

mod corpora;
mod hostile;
mod live;
mod logs;
mod page;
mod qshape;
mod samples;
mod table;

use crate::support::run_on;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// 2026-11-24 06:33:07 UTC, when the Postfix listings of the samples were made.
const MIXED: &str = "2026-11-24T06:33:07Z";

/// A listing of the samples.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// The queue of some listings, at a moment.
fn queue(files: &[impl AsRef<Path>], now: &str, more: &[&str]) -> Value {
    let all: &[&str] = if more.contains(&"--top") { &[] } else { &["--top", "5000"] };
    let ran = run_on(&[&["queue", "--format", "json", "--tz", "UTC", "--now", now], all, more, &["--"]].concat(), files);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.report()
}

/// The messages' ids.
fn ids(queue: &Value) -> Vec<&str> {
    queue["messages"].as_array().expect("messages").iter().filter_map(|message| message["queue_id"].as_str()).collect()
}
