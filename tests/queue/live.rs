//! This host's own queue, asked of programs that a test puts in the way.

use super::sample;
use crate::support::{Ran, directory, program};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Runs `mailscope queue` where the given commands are all there are of their names.
fn live(programs: &[(&str, &str)], more: &[&str]) -> Ran {
    let directory = directory();
    for (name, script) in programs {
        let path = directory.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a program");
    }
    let path = format!("{}:/usr/bin:/bin", directory.path().display());
    let output = program().env("PATH", path).arg("queue").args(more).output().expect("the program starts");
    Ran { status: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

fn cat(path: &Path) -> String {
    format!("cat '{}'", path.display())
}

#[test]
fn the_first_command_that_works_is_believed() {
    let text = cat(&sample("postfix/queue/mixed.txt"));
    // An old Postfix: no JSON, but the text.
    let script = format!("case \"$1\" in -p) {text};; *) echo 'postqueue: illegal option -- j' >&2; exit 64;; esac");
    let ran = live(&[("postqueue", &script)], &["--live", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let queue: Value = ran.report();
    assert_eq!((&queue["entries"], &queue["listings"][0]["from"]), (&json!(38), &json!("postqueue -p")));
}

#[test]
fn a_server_that_refuses_is_quoted() {
    let refuse = "echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2; exit 69";
    let ran = live(&[("postqueue", refuse), ("exim", "exit 1"), ("exim4", "exit 1"), ("smtpctl", "exit 1"), ("mailq", "exit 1")], &[]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("can't be listed (postqueue -j: postqueue: fatal: Queue report unavailable"), "{}", ran.stderr);
}

#[test]
fn exim_is_asked_where_there_is_no_postfix() {
    // Where the machine that runs the tests has a Postfix of its own, that one answers.
    if ["/usr/sbin/postqueue", "/sbin/postqueue", "/usr/local/sbin/postqueue", "/usr/bin/postqueue"]
        .iter()
        .any(|path| Path::new(path).exists())
    {
        eprintln!("skipped: a Postfix is installed here");
        return;
    }
    let ran = live(&[("exim", &cat(&sample("exim/queue/exiqgrep-frozen.txt")))], &["--format", "json"]);
    assert_eq!(ran.report()["by_state"], json!({"frozen": 26}));
}
