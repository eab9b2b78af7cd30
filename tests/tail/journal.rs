//! The host's journal followed, by way of a journalctl that the tests put into PATH, and standard input in other forms than
//! lines.

use super::{Live, PATIENCE, assert_same_report};
use crate::inputs::{Line, TIME, sample, turned};
use crate::support::{directory, file, objects, program, set_time};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Stands between the entries of the test's journal.
const END: &[u8] = b"\x1e\x1e\x1e";

/// Gives the entries of the file beside it as journalctl does, and goes on while more are written; ends where it is told to,
/// in the midst of an entry, and where nobody reads it any more.
const JOURNALCTL: &str = r#"#!/usr/bin/env python3
import os, sys, time
here, parent = os.path.dirname(os.path.abspath(__file__)), os.getppid()
def entries():
    with open(here + "/journal", "rb") as file:
        return file.read().split(b"\x1e\x1e\x1e")[:-1]
after = [word for word in sys.argv if word.startswith("--after-cursor=s=")]
at = int(after[0].rsplit("=", 1)[1]) + 1 if after else 0
assert "SYSLOG_FACILITY=2" in sys.argv and "--output=export" in sys.argv
if "--lines=1" in sys.argv:
    sys.stdout.buffer.write(b"".join(entries()[-1:]))
    sys.exit()
assert "--follow" in sys.argv and "--no-tail" in sys.argv
while os.getppid() == parent:
    new = entries()[at:]
    if new and os.path.exists(here + "/end"):
        os.remove(here + "/end")
        sys.stdout.buffer.write(b"".join(new[:-1]) + new[-1][:len(new[-1]) * 2 // 3])
        sys.exit("the journal was moved")
    sys.stdout.buffer.write(b"".join(new))
    sys.stdout.buffer.flush()
    at += len(new)
    time.sleep(0.02)
"#;

/// The sample's lines as entries of a journal.
fn entries() -> Vec<Vec<u8>> {
    let entry = |line: &Line<'_>| {
        let (program, pid) = (line.program, if line.pid.is_empty() { "1" } else { line.pid });
        let head = format!("__REALTIME_TIMESTAMP={}\n_HOSTNAME=mail\nSYSLOG_IDENTIFIER={program}\nSYSLOG_PID={pid}\n", line.micros());
        [head.as_bytes(), b"MESSAGE\n", &(line.text.len() as u64).to_le_bytes(), line.text, b"\n\n", END].concat()
    };
    let whole = turned(&sample(), entry);
    let ends = memchr::memmem::find_iter(&whole, END).map(|at| at + END.len());
    let mut from = 0;
    ends.enumerate()
        .map(|(number, end)| {
            // A break of the form that nothing needs stands between.
            let entry = whole[std::mem::replace(&mut from, end)..end].trim_ascii_start();
            [format!("__CURSOR=s={number}\n").as_bytes(), entry].concat()
        })
        .collect()
}

fn journal(directory: &TempDir) -> Command {
    let path = file(directory, "journalctl", JOURNALCTL);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
    let mut command = program();
    let search = std::env::var("PATH").expect("PATH");
    command.env("PATH", format!("{}:{search}", directory.path().display()));
    command
}

fn append(path: &Path, entries: &[Vec<u8>]) {
    File::options().append(true).open(path).and_then(|mut file| file.write_all(&entries.concat())).expect("the journal");
}

/// The live report is that on the plain log, but that a stamp of another form is longer.
#[track_caller]
fn assert_as_plain(mut live: Value, directory: &TempDir) {
    let plain = file(directory, "mail.log", sample());
    set_time(&plain, TIME);
    live["input"]["bytes"] = sample().len().into();
    assert_same_report(live, &[plain]);
}

/// Entries come in bursts, journalctl ends twice, and the tail is killed meanwhile: nothing is counted twice or lost.
#[test]
fn totals_are_the_reports_over_kills_and_ends() {
    let directory = directory();
    let entries = entries();
    let written = file(&directory, "journal", "");
    let state = directory.path().join("state");
    let arguments = ["--journal", "--from", "start", "--state", state.to_str().expect("UTF-8")];
    let start = || Live::start_as(journal(&directory), directory.path(), Stdio::null(), &arguments);
    let mut live = start();
    for (burst, some) in entries.chunks(entries.len() / 8).enumerate() {
        append(&written, some);
        std::thread::sleep(Duration::from_millis(150));
        if burst % 3 == 2 {
            file(&directory, "end", "");
        } else if burst % 2 == 1 {
            live.child.kill().expect("a child");
            live.child.wait().expect("a child");
            live = start();
        }
    }
    assert_as_plain(live.end_after(7334), &directory);
}

/// Nothing but what is logged from now on, shown at once; and what was logged while nobody looked.
#[test]
fn a_tail_of_the_journal_begins_at_its_end_and_goes_on() {
    let directory = directory();
    let entries = entries();
    let written = file(&directory, "journal", entries[..4000].concat());
    let state = directory.path().join("state");
    let arguments = ["--journal", "--all", "--format", "jsonl", "--state", state.to_str().expect("UTF-8")];
    let output = directory.path().join("printed");
    let start = || Live::start_as(journal(&directory), directory.path(), File::create(&output).expect("a file"), &arguments);
    let begun = Instant::now();
    let live = start();
    while !state.exists() {
        assert!(begun.elapsed() < PATIENCE, "no state file");
        std::thread::sleep(Duration::from_millis(10));
    }
    append(&written, &entries[4000..4500]);
    let report = live.end_after(500);
    assert_eq!(report["input"]["lines"], 500);
    let times = || objects(&fs::read_to_string(&output).expect("UTF-8")).into_iter().map(|row| row["time"].clone()).collect::<Vec<Value>>();
    assert!(times().len() > 200, "{}", times().len());
    append(&written, &entries[4500..4600]);
    assert_eq!(start().end_after(600)["input"]["lines"], 600);
}

#[test]
fn without_journalctl_it_says_so() {
    let directory = directory();
    let output = program().env("PATH", directory.path()).args(["tail", "--journal"]).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("the journal can't be followed") && said.contains("journalctl"), "{said}");
}

/// Whoever names nothing is told what is followed where there is no log, and that nothing is there yet.
#[test]
fn an_empty_journal_is_told_of() {
    let directory = directory();
    file(&directory, "journal", "");
    let child = journal(&directory).args(["tail", "--journal", "--format", "text"]).stderr(Stdio::piped()).spawn().expect("the program");
    super::await_handlers(&child);
    std::thread::sleep(Duration::from_millis(500));
    let sent = Command::new("kill").arg(child.id().to_string()).status().expect("kill(1)");
    assert!(sent.success());
    let output = child.wait_with_output().expect("a child");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("the journal holds nothing of the facility mail yet"), "{said}");
}

/// What `journalctl -o json -f` and container runtimes write into a pipe.
#[test]
fn standard_input_may_be_json() {
    let directory = directory();
    let json = turned(&sample(), |line| {
        let text = String::from_utf8_lossy(line.text);
        let pid = if line.pid.is_empty() { "1" } else { line.pid };
        let entry = serde_json::json!({"__REALTIME_TIMESTAMP": line.micros().to_string(), "_HOSTNAME": "mail",
            "SYSLOG_IDENTIFIER": line.program, "SYSLOG_PID": pid, "MESSAGE": text});
        entry.to_string().into_bytes()
    });
    let input = file(&directory, "json", json);
    let summary = directory.path().join("summary.json");
    let mut command = program();
    command.args(["tail", "--tz", "UTC", "--top", "5000", "--summary"]).arg(&summary).arg("-");
    let status = command.stdin(File::open(input).expect("a log")).stdout(Stdio::null()).status().expect("the program");
    assert!(status.success());
    assert_as_plain(serde_json::from_slice(&fs::read(&summary).expect("a report")).expect("JSON"), &directory);
}
