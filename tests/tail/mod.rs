//! `mailscope tail`: what it reads of logs that are rotated under it, what it prints, and that its totals are the report's
//! however often it was killed.

#[cfg(feature = "alerts")]
mod alerts;
mod following;
mod journal;
mod metrics;
mod pseudonyms;
mod replayer;
mod screen;

use crate::support::{arrival, attempt, directory, log_of, objects, peak_memory, program, removed, run_on, samples};
use replayer::{Random, Replayer};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a tail handles signals: one that nobody handles yet would end it.
fn await_handlers(tail: &Child) {
    let begun = Instant::now();
    let handles = || {
        let status = fs::read_to_string(format!("/proc/{}/status", tail.id())).unwrap_or_default();
        let caught =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:")).and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        // SIGUSR1 is the tenth.
        caught.is_some_and(|mask| mask & (1 << 9) != 0)
    };
    while !handles() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A tail that is running.
struct Live {
    child: Child,
    summary: PathBuf,
}

impl Live {
    fn start(directory: &Path, output: impl Into<Stdio>, more: &[&str]) -> Self {
        Self::start_as(program(), directory, output, more)
    }

    fn start_as(mut command: Command, directory: &Path, output: impl Into<Stdio>, more: &[&str]) -> Self {
        let summary = directory.join("summary.json");
        command.args(["tail", "--tz", "UTC", "--year", "2026", "--top", "5000", "--quiet", "--summary"]).arg(&summary);
        let child = command.args(more).stdout(output).spawn().expect("the program starts");
        let live = Self { child, summary };
        await_handlers(&live.child);
        live
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().expect("kill(1)");
        assert!(sent.success());
    }

    /// Waits until the totals count so many lines, and ends it well; its report.
    fn end_after(mut self, lines: u64) -> Value {
        let begun = Instant::now();
        loop {
            let _ = fs::remove_file(&self.summary);
            self.signal("USR1");
            let counted = self.read().map(|report| report["input"]["lines"].as_u64());
            if counted == Some(Some(lines)) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{counted:?} of {lines} lines");
        }
        self.signal("TERM");
        assert!(self.child.wait().expect("a child").success());
        self.read().expect("a report at the end")
    }

    fn read(&self) -> Option<Value> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            if let Ok(text) = fs::read(&self.summary) {
                return Some(serde_json::from_slice(&text).expect("a whole report"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

/// The report without what a copy or a cut changes.
fn figures(mut report: Value) -> Value {
    report["input"].as_object_mut().expect("input").remove("files");
    report
}

#[track_caller]
fn assert_same_report(live: Value, files: &[PathBuf]) {
    assert_same_as(live, &[], files);
}

#[track_caller]
fn assert_same_as(live: Value, more: &[&str], files: &[PathBuf]) {
    let arguments = ["report", "--tz", "UTC", "--year", "2026", "--top", "5000", "--format", "json", "--quiet"];
    let whole = run_on(&[&arguments, more].concat(), files).report();
    let (live, whole) = (figures(live), figures(whole));
    let keys = live.as_object().expect("an object").keys();
    let differ: Vec<String> =
        keys.filter(|key| live[*key] != whole[*key]).map(|key| format!("{key}: {} and {}", live[key], whole[key])).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn lines_of(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| crate::support::unpacked(file).iter().filter(|c| **c == b'\n').count() as u64).sum()
}

/// Everything at once: a log that is written in bursts and rotated in three ways, and a tail that is killed and started
/// again ten times meanwhile. Nothing is counted twice and nothing is lost; nothing that had to be printed is missing.
#[test]
fn totals_are_the_reports_over_rotations_and_kills() {
    let directory = directory();
    let log = directory.path().join("mail.log");
    let state = directory.path().join("tail.state");
    let arguments = ["--format", "jsonl", "--state", state.to_str().expect("UTF-8"), log.to_str().expect("UTF-8")];
    // Another seed, other moments: `MAILSCOPE_SEED=8 cargo test totals_are`.
    let seed = std::env::var("MAILSCOPE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut random = Random::new(seed);
    let output = |run: usize| File::create(directory.path().join(format!("printed.{run}"))).expect("a file");
    let mut live = Live::start(directory.path(), output(0), &arguments);
    // What is there before the first checkpoint is no news.
    let begun = Instant::now();
    while !state.exists() {
        assert!(begun.elapsed() < PATIENCE, "no state file");
        std::thread::sleep(Duration::from_millis(10));
    }
    let replayer = Replayer::start(&log, &samples().join("mail.log"), 13, seed);
    for run in 1..=10 {
        std::thread::sleep(Duration::from_millis(random.below(700)));
        live.child.kill().expect("a child");
        live.child.wait().expect("a child");
        std::thread::sleep(Duration::from_millis(random.below(300)));
        live = Live::start(directory.path(), output(run), &arguments);
    }
    replayer.finish();
    let files: Vec<PathBuf> = replayer::rotated(&log);
    assert!(files.len() > 10, "{files:?}");
    let lines = lines_of(&files);
    assert_eq!(lines, 7334);
    assert_same_report(live.end_after(lines), &files);
    let printed: Vec<String> =
        (0..=10).map(|run| fs::read_to_string(directory.path().join(format!("printed.{run}"))).expect("UTF-8")).collect();
    assert_printed(&printed);
}

/// Every failure of the sample was printed at least once, and nothing else was.
fn assert_printed(runs: &[String]) {
    let parsed = run_on(&["parse", "--tz", "UTC", "--year", "2026"], &[samples().join("mail.log")]).ok();
    let is_news = |line: &&str| {
        let row = &objects(line)[0];
        let is = |key: &str, words: &[&str]| row.get(key).and_then(Value::as_str).is_some_and(|word| words.contains(&word));
        is("kind", &["auth_failure", "problem"])
            || is("kind", &["delivery"]) && is("status", &["deferred", "bounced", "expired"])
            || is("action", &["reject"])
    };
    let mut expected: Vec<&str> = parsed.lines().filter(is_news).collect();
    // A line that was being written when the program was killed has no end.
    let printed: Vec<&str> = runs.iter().flat_map(|run| run.split_inclusive('\n')).filter_map(|line| line.strip_suffix('\n')).collect();
    for line in &printed {
        assert!(expected.contains(line), "printed, and no news: {line}");
    }
    expected.retain(|line| !printed.contains(line));
    assert!(expected.is_empty(), "not printed: {}", expected.join("\n"));
}

/// A message that began before a restart is correlated with what comes after it.
#[test]
fn a_message_goes_on_over_a_restart() {
    let directory = directory();
    let text = fs::read(samples().join("mail.log")).expect("a sample");
    let cut = memchr::memchr_iter(b'\n', &text).nth(3000).expect("a line") + 1;
    let log = crate::support::file(&directory, "mail.log", &text[..cut]);
    let state = directory.path().join("state");
    let arguments = ["--from", "start", "--state", state.to_str().expect("UTF-8"), log.to_str().expect("UTF-8")];
    let first = Live::start(directory.path(), Stdio::null(), &arguments).end_after(3001);
    assert!(first["messages"]["open"].as_u64() > Some(0));
    let mut file = File::options().append(true).open(&log).expect("the log");
    file.write_all(&text[cut..]).expect("room");
    let second = Live::start(directory.path(), Stdio::null(), &arguments).end_after(7334);
    assert_same_report(second, &[log]);
}

#[test]
fn a_time_to_begin_from_is_the_beginning_of_the_window() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", fs::read(samples().join("mail.log")).expect("a sample"));
    let since = "2026-11-24 06:32:00";
    let window = run_on(&["report", "--tz", "UTC", "--year", "2026", "--format", "json", "--since", since], &[&log]).report();
    let lines = window["input"]["lines"].as_u64().expect("a figure");
    assert!((1..7334).contains(&lines));
    let live = Live::start(directory.path(), Stdio::null(), &["--from", since, log.to_str().expect("UTF-8")]).end_after(lines);
    assert_same_as(live, &["--since", since], &[log]);
}

#[test]
fn a_state_of_another_version_keeps_its_positions() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", fs::read(samples().join("mail.log")).expect("a sample"));
    let state = directory.path().join("state");
    let arguments = ["--from", "start", "--state", state.to_str().expect("UTF-8"), log.to_str().expect("UTF-8")];
    Live::start(directory.path(), Stdio::null(), &arguments).end_after(7334);
    let stored = fs::read(&state).expect("a state");
    let end = memchr::memchr(b'\n', &stored).expect("a first line");
    fs::write(&state, [b"mailscope.state/1 0.0.1", &stored[end..]].concat()).expect("room");
    let mut file = File::options().append(true).open(&log).expect("the log");
    file.write_all(b"Nov 24 10:00:00 mail postfix/qmgr[1]: A000000001: removed\n").expect("room");
    let report = Live::start(directory.path(), Stdio::null(), &arguments).end_after(1);
    assert_eq!(report["messages"]["queue_files"], 1);
}

#[test]
fn a_line_is_printed_at_once() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", "");
    let mut live = Live::start(directory.path(), Stdio::piped(), &[log.to_str().expect("UTF-8")]);
    let mut printed = BufReader::new(live.child.stdout.take().expect("a pipe"));
    let mut file = File::options().append(true).open(&log).expect("the log");
    let mut quickest = Duration::MAX;
    // The first line may find the program still on its way.
    for second in 10..20 {
        let line = format!("Nov 24 10:00:{second} mail postfix/smtpd[1]: warning: no. {second}\n");
        std::thread::sleep(Duration::from_millis(100));
        let begun = Instant::now();
        file.write_all(line.as_bytes()).expect("room");
        let mut shown = String::new();
        printed.read_line(&mut shown).expect("a line");
        assert_eq!(shown, format!("2026-11-24 10:00:{second} mail warning postfix/smtpd: no. {second}\n"));
        quickest = quickest.min(begun.elapsed());
    }
    assert!(quickest < Duration::from_millis(250), "{quickest:?}");
    live.child.kill().expect("a child");
    live.child.wait().expect("a child");
}

#[test]
fn standard_input_is_followed_to_its_end() {
    let directory = directory();
    let summary = directory.path().join("summary.json");
    let mut command = program();
    command.args(["tail", "--tz", "UTC", "--year", "2026", "--top", "5000", "--summary"]).arg(&summary).arg("-");
    let log = samples().join("mail.log");
    let status = command.stdin(File::open(&log).expect("a sample")).stdout(Stdio::null()).status().expect("the program");
    assert!(status.success());
    let report = serde_json::from_slice(&fs::read(&summary).expect("a report")).expect("JSON");
    assert_same_report(report, &[log]);
}

/// Ordinary traffic that comes to its end, one message a second.
fn traffic(messages: u32, recipient: impl Fn(u32) -> String) -> String {
    let message = |second: u32| {
        let time = format!("2026-11-{:02}T{:02}:{:02}:{:02}", 1 + second / 86_400, second / 3600 % 24, second / 60 % 60, second % 60);
        let id = format!("F{second:09X}");
        log_of(&[arrival(&time, &id, 1), attempt(&time, &id, &recipient(second), "sent"), removed(&time, &id)])
    };
    (0..messages).map(message).collect()
}

#[test]
fn memory_does_not_grow_with_the_log() {
    assert_flat(4_000, 24_000, |_| "to@there.example".to_owned());
}

/// Lists that only ever grow would, however slowly.
#[test]
fn memory_does_not_grow_with_the_names() {
    assert_flat(12_000, 36_000, |second| format!("to@there{second}.example"));
}

/// Messages that wait, each of which begins when one to so many others has come to its end.
fn waiting_after(messages: u32, others: u32) -> String {
    let message = |number: u32| {
        let at = |second: u32| {
            let second = number * 10 + second;
            format!("2026-11-24T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
        };
        let (list, one) = (format!("E{number:09X}"), format!("F{number:09X}"));
        let mut lines = vec![arrival(&at(0), &list, others)];
        lines.extend((0..others).map(|other| attempt(&at(0), &list, &format!("to{other}@there.example"), "sent")));
        lines.extend([removed(&at(0), &list), arrival(&at(9), &one, 1), attempt(&at(9), &one, "to@there.example", "deferred")]);
        log_of(&lines)
    };
    (0..messages).map(message).collect()
}

/// What a message with many recipients took is given back, and not passed on to the messages that come after it.
#[test]
fn memory_does_not_grow_with_the_largest_message() {
    assert_grows_little(&waiting_after(60, 250), &waiting_after(360, 250));
}

#[track_caller]
fn assert_flat(few: u32, many: u32, recipient: impl Fn(u32) -> String) {
    assert_grows_little(&traffic(few, &recipient), &traffic(many, &recipient));
}

/// The tail of the second log takes no more than 5 MiB more than that of the first.
#[track_caller]
fn assert_grows_little(first: &str, second: &str) {
    let directory = directory();
    let peak = |log: &str| {
        let log = crate::support::file(&directory, "log", log);
        let mut command = program();
        command.args(["tail", "--tz", "UTC", "-"]).stdin(File::open(log).expect("a log")).stdout(Stdio::null());
        peak_memory(&mut command.spawn().expect("the program starts"))
    };
    let (Some(before), Some(after)) = (peak(first), peak(second)) else {
        eprintln!("skipped: this system does not say how much memory a process used");
        return;
    };
    assert!(after < before + (5 << 20), "{before} bytes, and then {after}");
}

#[test]
fn wrong_use_is_told() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", "");
    let ran = run_on(&["tail", "--from", "checkpoint"], &[&log]);
    assert!(ran.status == Some(2) && ran.stderr.contains("--state"), "{}", ran.stderr);
    let ran = run_on(&["tail", "--from", "tomorrow"], &[&log]);
    assert!(ran.status == Some(2) && ran.stderr.contains("--from"), "{}", ran.stderr);
    let other = crate::support::file(&directory, "other", "something else\n");
    let ran = run_on(&["tail", "--state", other.to_str().expect("UTF-8")], &[&log]);
    assert!(ran.status == Some(2) && ran.stderr.contains("no state"), "{}", ran.stderr);
}

#[test]
fn what_is_not_there_is_said_to_be_waited_for() {
    let directory = directory();
    let (missing, said) = (directory.path().join("mail.log"), directory.path().join("said"));
    let (glob, there) = (directory.path().join("other*.log"), directory.path().join("there.log"));
    fs::write(&there, "").expect("a log");
    let mut command = program();
    command.args(["tail", "--tz", "UTC"]).args([&missing, &glob, &there]).stdout(Stdio::null());
    let mut child = command.stderr(File::create(&said).expect("a file")).spawn().expect("the program starts");
    await_handlers(&child);
    let expected = format!(
        "mailscope: {} is not there yet: it is followed as soon as it is\n\
         mailscope: no file is called {} yet: it is followed as soon as there is one\n",
        missing.display(),
        glob.display()
    );
    let begun = Instant::now();
    while fs::read_to_string(&said).expect("a file").len() < expected.len() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a child");
    child.wait().expect("an end");
    assert_eq!(fs::read_to_string(&said).expect("a file"), expected);
}

#[test]
fn a_pipe_that_is_named_is_refused() {
    let output = program().args(["tail", "/dev/stdin"]).stdin(Stdio::piped()).output().expect("an end");
    let said = "mailscope: /dev/stdin is neither a file nor a directory: let it be standard input, and name it -\n";
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(2), said));
}
