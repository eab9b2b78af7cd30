//! The host's own journal, by way of a journalctl that the tests put into PATH.

use super::{TIME, sample, turned};
use crate::support::{Ran, assert_figures, directory, figure, file, log, program, report_on, run_on, samples, set_time, without_files};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// An entry of the journal's export.
fn entry(line: &super::Line<'_>) -> Vec<u8> {
    let (program, pid) = (line.program, if line.pid.is_empty() { "1" } else { line.pid });
    let head =
        format!("__CURSOR=s=1\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=mail\nSYSLOG_IDENTIFIER={program}\nSYSLOG_PID={pid}\n", line.micros());
    let text = [b"MESSAGE\n".as_slice(), &(line.text.len() as u64).to_le_bytes(), line.text].concat();
    [head.as_bytes(), &text, b"\n"].concat()
}

/// Puts a journalctl that keeps its arguments and does `what` into a directory of its own.
fn fake(directory: &TempDir, what: &str) {
    let at = directory.path().display();
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >'{at}/arguments'\n{what}\n");
    let path = file(directory, "journalctl", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
}

fn run_with(path: &Path, arguments: &[&str]) -> Ran {
    let search = format!("{}:/usr/bin:/bin", path.display());
    let output = program().env("PATH", search).args(arguments).output().expect("the program starts");
    Ran { status: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

const REPORT: &[&str] = &["report", "--format", "json", "--top", "50", "--tz", "UTC"];

#[test]
fn the_journal_gives_the_report_of_the_log() {
    let directory = directory();
    let export = turned(&sample(), entry);
    file(&directory, "export", export);
    fake(&directory, &format!("cat '{}/export'", directory.path().display()));
    let ran = run_with(directory.path(), &[REPORT, &["--journal"]].concat());
    assert_eq!(ran.stderr, "");
    let plain = file(&directory, "mail.log", sample());
    set_time(&plain, TIME);
    assert!(without_files(&ran.ok()) == without_files(&run_on(REPORT, &[&plain]).ok()));
    assert_eq!(
        fs::read_to_string(directory.path().join("arguments")).expect("arguments"),
        "--output=export\n--no-pager\nSYSLOG_FACILITY=2\n"
    );
    for arguments in [&["parse", "--journal"][..], &["export", "deliveries", "--journal"]] {
        assert!(run_with(directory.path(), arguments).ok().lines().count() > 500);
    }
}

#[test]
fn the_window_is_passed_on_with_what_may_have_begun_before() {
    let directory = directory();
    fake(&directory, "exit 0");
    let window = ["--journal", "--since", "2026-11-24T06:00:00Z", "--until", "2026-11-24T07:00:00Z"];
    run_with(directory.path(), &[REPORT, &window].concat()).ok();
    let arguments = fs::read_to_string(directory.path().join("arguments")).expect("arguments");
    // Seven days: so long a message may wait without a line.
    let (since, until) = (1_795_500_000 - 7 * 86_400, 1_795_500_000 + 3601);
    assert!(arguments.contains(&format!("--since\n@{since}\n--until\n@{until}\n")), "{arguments}");
}

#[test]
fn what_journalctl_says_and_how_it_ends_is_reported() {
    let directory = directory();
    fake(&directory, "echo 'Hint: You are\n currently not seeing messages' >&2");
    let ran = run_with(directory.path(), &[REPORT, &["--journal"]].concat());
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), "mailscope: journalctl: Hint: You are currently not seeing messages\n"));
    let ran = run_with(directory.path(), &[REPORT, &["--journal", "--quiet"]].concat());
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));

    fake(&directory, "echo 'No journal files were opened' >&2; exit 1");
    let ran = run_with(directory.path(), &[REPORT, &["--journal"]].concat());
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("the journal: journalctl ended with exit status: 1: No journal files were opened"), "{}", ran.stderr);

    // What came before is reported.
    let whole = turned(&sample()[..], entry);
    file(&directory, "export", &whole);
    fake(&directory, &format!("cat '{}/export'; echo lost >&2; kill -9 $$", directory.path().display()));
    let ran = run_with(directory.path(), &[REPORT, &["--journal"]].concat());
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("the journal: journalctl ended with signal: 9") && ran.stderr.contains("lost"), "{}", ran.stderr);
    assert_eq!(figure(&ran.report(), "input.lines"), 7334);
}

#[test]
fn without_journalctl_it_says_so() {
    let empty = directory();
    let output = program().env("PATH", empty.path()).args(["report", "--journal"]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("the journal: journalctl can't be started"), "{stderr}");
}

#[test]
fn without_files_and_logs_the_journal_is_read() {
    if ["mail.log", "maillog", "mail"].iter().any(|name| Path::new("/var/log").join(name).exists()) {
        eprintln!("skipped: this host has a mail log");
        return;
    }
    let directory = directory();
    file(&directory, "export", turned(&sample(), entry));
    fake(&directory, &format!("cat '{}/export'", directory.path().display()));
    let ran = run_with(directory.path(), REPORT);
    assert_eq!(figure(&ran.report(), "input.lines"), 7334);
    fake(&directory, "exit 0");
    let ran = run_with(directory.path(), REPORT);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("no mail log in /var/log") && ran.stderr.contains("the journal holds nothing"), "{}", ran.stderr);
    fake(&directory, "echo 'No journal files were found.' >&2; exit 1");
    let ran = run_with(directory.path(), REPORT);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("no mail log in /var/log") && ran.stderr.contains("No journal files were found."), "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_away_ends_journalctl_too() {
    let directory = directory();
    file(&directory, "export", turned(&sample(), entry));
    let at = directory.path().display();
    fake(&directory, &format!("while cat '{at}/export'; do :; done"));
    let command = format!("'{}' parse --journal | head -n 5", env!("CARGO_BIN_EXE_mailscope"));
    let output = program_shell(&command, directory.path());
    assert_eq!((String::from_utf8_lossy(&output.stdout).lines().count(), output.status.code()), (5, Some(0)));
}

fn program_shell(command: &str, path: &Path) -> std::process::Output {
    std::process::Command::new("sh").arg("-c").arg(command).env("PATH", format!("{}:/usr/bin:/bin", path.display())).output().expect("sh")
}

// ---- beside a log of the same lines ------------------------------------------------------------

#[test]
fn the_journal_and_the_log_of_one_time_are_warned_of() {
    let directory = directory();
    let text = sample();
    let export = file(&directory, "journal.export", turned(&text, entry));
    let packed = file(&directory, "journal.export.gz", crate::support::gzipped(&turned(&text, entry)));
    let plain = file(&directory, "mail.log", &text);
    set_time(&plain, TIME);
    for journal in [&export, &packed] {
        let ran = run_on(&[REPORT, &["--threads", "2"]].concat(), &[journal, &plain]);
        assert!(ran.stderr.contains("mail.log are of one time and of one host, mail: what is in both counts twice"), "{}", ran.stderr);
        assert_eq!(figure(&ran.report(), "input.lines"), 2 * 7334);
    }
    // Another host, or another time: nothing is said.
    let of_mx2 = turned(&text, |line| [format!("{} mx2 {}[1]: ", line.stamp, line.program).as_bytes(), line.text].concat());
    let other_host = file(&directory, "other.log", of_mx2);
    set_time(&other_host, TIME);
    let other_time = file(&directory, "later.log", log(&["2026-11-25T10:00:00 smtpd connect from a.example[192.0.2.1]"]));
    assert_eq!(run_on(REPORT, &[&export, &other_host, &other_time]).stderr, "");
    assert!(figure(&report_on(&[&export, &other_time], &[]), "input.files") == 2);
}

// ---- what journalctl really writes -------------------------------------------------------------

#[test]
fn both_forms_of_a_real_journal() {
    let of = |name: &str| run_on(REPORT, &[samples().join(name)]).ok();
    let export = of("journal.export.gz");
    assert!(without_files(&export) == without_files(&of("journal.json.gz")));
    let report: serde_json::Value = serde_json::from_str(&export).expect("a report");
    assert_figures(
        &report,
        &[
            ("input.lines", 1400),
            ("input.unrecognized", 0),
            ("messages.received", 142),
            ("recipients.delivered", 100),
            ("attempts.sent", 100),
        ],
    );
    assert_eq!(figure(&report, "window.from"), "2026-11-24T05:51:37.566754+00:00");
}
