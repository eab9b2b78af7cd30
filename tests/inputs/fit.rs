//! A log that nobody can read: every command that reads logs says what was tried, and shows the first lines.

use super::{TIME, sample};
use crate::support::{Ran, directory, file, program, run_on, samples, set_time};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

const LINES: &str =
    "day 328, 06:31 ann@stranger.example wrote\n\nday 328, 06:32 bob read it\nday 328, 06:33 nothing\nday 328, 06:34 more\n";

fn commands() -> Vec<Vec<&'static str>> {
    let mut commands = vec![
        vec!["report"],
        vec!["report", "--format", "xlsx"],
        vec!["parse"],
        vec!["trace", "ann@stranger.example"],
        vec!["export", "recipients"],
        vec!["export", "bounces"],
        vec!["export", "rejects"],
        vec!["export", "domains"],
        vec!["tail", "--from", "start", "--format", "text"],
    ];
    if cfg!(feature = "tables") {
        commands.push(vec!["query", "select count(*) from recipients"]);
    }
    commands
}

/// What the command says of the log; `tail` reads it from standard input, where it ends.
fn ran(command: &[&str], more: &[&str], log: &Path) -> Ran {
    if command[0] != "tail" {
        return run_on(&[command, more, &["--tz", "UTC"]].concat(), &[log]);
    }
    let mut tail = program();
    let output = tail.args(command).args(more).arg("-").stdin(File::open(log).expect("a log")).output().expect("the program");
    Ran { status: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

#[test]
fn every_command_says_that_nothing_fits() {
    let directory = directory();
    let log = file(&directory, "strange.log", LINES);
    for command in commands() {
        let said = ran(&command, &[], &log).stderr;
        assert_eq!(said.matches("none of the 5 lines could be read. Tried: syslog lines (RFC 3164").count(), 1, "{command:?}: {said}");
        assert!(said.contains("with the parsers postfix, ") && said.contains("The log begins:"), "{command:?}: {said}");
        assert!(said.contains("day 328, 06:31 ann@stranger.example wrote\n") && said.contains("06:33 nothing\n"), "{command:?}: {said}");
        assert!(!said.contains("06:34 more"), "{command:?}: {said}");
        let one = ran(&command, &["--parser", "exim"], &log).stderr;
        assert!(one.contains("with the parsers exim. "), "{command:?}: {one}");
        let quiet = ran(&command, &["-q"], &log).stderr;
        assert!(!quiet.contains("could be read"), "{command:?}: {quiet}");
        let hidden = ran(&command, &["--anonymize"], &log).stderr;
        let shown = &hidden[hidden.find("none of the 5 lines").expect("said")..];
        assert!(shown.contains("06:31 u") && !shown.contains("stranger"), "{command:?}: {hidden}");
    }
}

#[test]
fn a_log_of_which_one_line_fits_is_a_log() {
    let directory = directory();
    let line = "2026-11-24T06:31:15.623456+00:00 mail postfix/qmgr[1]: A000000001: removed\n";
    let log = file(&directory, "strange.log", format!("{LINES}{line}"));
    for command in commands() {
        let said = ran(&command, &[], &log).stderr;
        assert!(!said.contains("lines could be read"), "{command:?}: {said}");
    }
}

#[test]
fn a_tail_says_it_while_it_runs() {
    let mut tail = program();
    let mut child = tail.args(["tail", "--format", "text", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().expect("the program");
    let mut input = child.stdin.take().expect("a pipe");
    // A log of another program may become one of mail; not after so many lines.
    input.write_all(LINES.repeat(20).as_bytes()).expect("room");
    let mut said = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).expect("a line");
    assert!(line.starts_with("mailscope: none of the 100 lines could be read."), "{line}");
    drop(input);
    assert!(child.wait().expect("a child").success());
}

#[test]
fn logs_of_a_queue_are_tried_too() {
    let directory = directory();
    let log = file(&directory, "strange.log", LINES);
    let command = ["queue", "--tz", "UTC", "--logs", log.to_str().expect("UTF-8"), "--"];
    let said = run_on(&command, &[samples().join("queue/mixed.json")]).stderr;
    assert!(said.contains("none of the 5 lines could be read"), "{said}");
}

#[test]
fn where_nothing_is_of_that_day_or_host_it_is_said_what_there_is() {
    let directory = directory();
    let log = file(&directory, "mail.log", sample());
    set_time(&log, TIME);
    let said = |more: &[&str]| {
        let output = program().args(["report", "--tz", "UTC", "--format", "json"]).args(more).arg(&log).output().expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let held = "the logs hold 2026-11-24 06:31:15+00:00 to 2026-11-24 06:34:56+00:00";
    for day in ["2031-01-01", "2026-11-25", "2020-11-24"] {
        assert_eq!(said(&["--day", day]), (Some(0), format!("mailscope: nothing in this time: {held}\n")), "{day}");
    }
    let of_host = format!("mailscope: nothing of the host mx: {held}, first of mail\n");
    assert_eq!(said(&["--host", "mx"]), (Some(0), of_host));
    for command in [&["export", "recipients"][..], &["export", "rejects"], &["parse"]] {
        let ran = run_on(&[command, &["--tz", "UTC", "--day", "2031-01-01"]].concat(), &[&log]);
        assert_eq!((ran.status, ran.stderr), (Some(0), format!("mailscope: nothing in this time: {held}\n")), "{command:?}");
    }
    for more in [&["--host", "mail"][..], &["--day", "2026-11-24"], &["--day", "2031-01-01", "--quiet"]] {
        assert_eq!(said(more), (Some(0), String::new()), "{more:?}");
    }
}
