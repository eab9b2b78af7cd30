//! `tail --anonymize`: no name of the log leaves the program, on whichever way, and the totals are the report's with the same
//! key.

use super::screen::Tmux;
use super::{Live, assert_same_as};
use crate::pseudonyms::{logs, names_in, nothing_of};
use crate::support::{directory, file, run_on, samples, unpacked};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

const KEYED: &[&str] = &["--anonymize", "--anonymize-key", "k"];

fn names_of(log: &Path) -> BTreeSet<String> {
    let names = names_in(&String::from_utf8_lossy(&unpacked(log)));
    assert!(names.len() > 200, "{}", names.len());
    names
}

#[test]
fn no_name_is_in_lines_or_totals() {
    for log in logs() {
        let (names, directory) = (names_of(&log), directory());
        let summary = directory.path().join("summary.json");
        for format in ["text", "jsonl"] {
            let mut command = crate::support::program();
            command.args(["tail", "--tz", "UTC", "--year", "2026", "--top", "5000", "--all", "--format", format, "--summary"]);
            command.arg(&summary).args(KEYED).arg("-").stdin(File::open(&log).expect("a log"));
            let output = command.output().expect("the program");
            assert!(output.status.success());
            let printed = String::from_utf8(output.stdout).expect("UTF-8");
            assert!(printed.lines().count() > 500, "{printed}");
            nothing_of(&names, &(printed + &String::from_utf8_lossy(&output.stderr)), format);
            nothing_of(&names, &fs::read_to_string(&summary).expect("a report"), "the totals");
        }
        let live = serde_json::from_slice(&fs::read(&summary).expect("a report")).expect("JSON");
        assert_same_as(live, KEYED, &[log]);
    }
}

/// What was counted with other names is not told on.
#[test]
fn a_state_with_other_names_keeps_its_positions_only() {
    let directory = directory();
    let text = fs::read(samples().join("mail.log")).expect("a sample");
    let cut = memchr::memchr_iter(b'\n', &text).nth(3000).expect("a line") + 1;
    let log = file(&directory, "mail.log", &text[..cut]);
    let state = directory.path().join("state");
    let arguments = ["--from", "start", "--state", state.to_str().expect("UTF-8"), log.to_str().expect("UTF-8")];
    Live::start(directory.path(), Stdio::null(), &arguments).end_after(3001);
    File::options().append(true).open(&log).and_then(|mut file| file.write_all(&text[cut..])).expect("room");
    let begun = Live::start(directory.path(), Stdio::null(), &[&arguments, KEYED].concat()).end_after(7334 - 3001);
    nothing_of(&names_of(&log), &begun.to_string(), "the totals after a run with real names");
    // With the same key it goes on, and with another one, or none, it begins anew again.
    let same = Live::start(directory.path(), Stdio::null(), &[&arguments, KEYED].concat()).end_after(7334 - 3001);
    assert_eq!(begun, same);
    for other in [&["--anonymize", "--anonymize-key", "other"][..], &[]] {
        Live::start(directory.path(), Stdio::null(), &[&arguments, other].concat()).end_after(0);
    }
    let ran = run_on(&["tail", "--anonymize", "--state", state.to_str().expect("UTF-8")], &[&log]);
    assert!(ran.status == Some(2) && ran.stderr.contains("needs --anonymize-key"), "{}", ran.stderr);
}

#[test]
fn the_screen_and_its_stories_show_no_name() {
    let directory = directory();
    let log = file(&directory, "mail.log", "");
    let Some(tmux) = Tmux::start_with("pseudonyms", directory.path(), &log, "--anonymize") else { return };
    tmux.until("the keys are shown", |shown| shown.contains("q quit"));
    let attempt = |second: u32, user: &str, domain: &str| {
        format!(
            "Nov 24 10:00:0{second} inbound postfix/smtp[1]: A00000000{second}: to=<{user}@{domain}>, relay=mx.{domain}[198.51.100.1]:25, \
             delay=1, dsn=5.1.1, status=bounced (host mx.{domain}[198.51.100.1] said: 550 5.1.1 <{user}@{domain}> unknown)\n"
        )
    };
    let lines = attempt(1, "bob", "first.invalid") + &attempt(2, "eve", "second.invalid");
    File::options().append(true).open(&log).and_then(|mut file| file.write_all(lines.as_bytes())).expect("room");
    let is_clean =
        |shown: &str| ["bob", "eve", "first", "second.", ".invalid", "inbound", "198.51"].iter().all(|name| !shown.contains(name));
    tmux.until("failures are shown", |shown| shown.contains("A000000002"));
    tmux.until("a new pattern is shown", |shown| shown.contains("new"));
    assert!(is_clean(&tmux.shown()), "{}", tmux.shown());
    tmux.press("Tab");
    tmux.until("domains are shown", |shown| shown.contains("100.0 %"));
    assert!(is_clean(&tmux.shown()), "{}", tmux.shown());
    for key in ["Down", "Down", "Enter"] {
        tmux.press(key);
    }
    tmux.until("the story is told, with the names of the screen", |shown| {
        shown.contains("story of A00000000") && shown.matches(".example").count() > 1
    });
    assert!(is_clean(&tmux.shown()), "{}", tmux.shown());
    tmux.press("q");
}
