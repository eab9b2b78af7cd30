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
use std::collections::BTreeMap;
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

/// Domain to total and columns of the matrix, and the totals as qshape names them.
fn rows_of_matrix(found: &Value) -> BTreeMap<String, Vec<u64>> {
    let matrix = &found["matrix"];
    let key = matrix["key"].as_str().expect("a key");
    let numbers = |value: &Value| value.as_array().expect("numbers").iter().filter_map(Value::as_u64).collect::<Vec<u64>>();
    let row = |row: &Value| {
        let cells = [vec![row["total"].as_u64().expect("a total")], numbers(&row["ages"])].concat();
        (row[key].as_str().expect("a name").to_owned(), cells)
    };
    let mut rows: BTreeMap<String, Vec<u64>> = matrix["rows"].as_array().expect("rows").iter().map(row).collect();
    let total = numbers(&matrix["total"]);
    rows.insert("TOTAL".to_owned(), [vec![total.iter().sum()], total].concat());
    rows
}

/// Numbers below a limit, the same every time (xorshift).
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut random = seed;
    move |limit| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % limit as u64).expect("smaller than the limit")
    }
}
