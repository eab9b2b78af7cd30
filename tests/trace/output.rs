//! What is shown: the story, lists, raw lines, filters, limits, and what is said where nothing is found.

use super::{ids, stories, trace};
use crate::support::{arrival, attempt, directory, file, log, log_of, program, removed, run_on};
use std::io::Write as _;
use std::process::Stdio;

/// Three messages: one delivered, one bounced, one that waits.
fn three() -> String {
    log_of(&[
        arrival("10:00:00", "A000000001", 1),
        attempt("10:00:01", "A000000001", "bob@x.example", "sent"),
        removed("10:00:01", "A000000001"),
        arrival("10:01:00", "A000000002", 2),
        attempt("10:01:01", "A000000002", "bob@x.example", "sent"),
        attempt("10:01:01", "A000000002", "ann@y.example", "bounced"),
        removed("10:01:01", "A000000002"),
        arrival("10:02:00", "A000000003", 1),
        attempt("10:02:01", "A000000003", "bob@x.example", "deferred"),
    ])
}

#[test]
fn the_story_is_told_step_by_step() {
    let told = trace(&three(), "A000000002", &[]).ok();
    let expected = "\
A000000002  sender@client.example -> bob@x.example and 1 more  1 delivered, 1 bounced
  2026-11-24 10:01:00  arrived from client.example[192.0.2.1]
  2026-11-24 10:01:00  message-id A000000002@client.example
  2026-11-24 10:01:00  queued, from sender@client.example, 1.0 kB, 2 recipients
  2026-11-24 10:01:01  bob@x.example: sent to mx.x.example[198.51.100.1]:25 after 1.00s (0.10s before the queue, 0.20s
                       in it, 0.30s connecting, 0.40s sending)
                         250 2.0.0 Ok
  2026-11-24 10:01:01  ann@y.example: bounced by mx.y.example[198.51.100.1]:25 after 1.00s (0.10s before the queue,
                       0.20s in it, 0.30s connecting, 0.40s sending): recipient_unknown
                         host mx.y.example[198.51.100.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)
  2026-11-24 10:01:01  removed from the queue
";
    assert_eq!(told, expected);
    let told = trace(&three(), "A000000003", &[]).ok();
    assert!(told.ends_with("  still in the queue at the end of the log\n"), "{told}");
}

#[test]
fn a_list_has_one_line_a_message_and_raw_lines_are_the_logs() {
    let list = trace(&three(), "bob@x.example", &["--list"]).ok();
    let expected = "\
2026-11-24 10:00:00  A000000001    sender@client.example -> bob@x.example  delivered
2026-11-24 10:01:00  A000000002    sender@client.example -> bob@x.example and 1 more  1 delivered, 1 bounced
2026-11-24 10:02:00  A000000003    sender@client.example -> bob@x.example  deferred
";
    assert_eq!(list, expected);
    assert_eq!(trace(&three(), "bob@x.example", &["-l"]).ok(), expected);
    let raw = trace(&three(), "A000000002", &["--raw"]).ok();
    let lines: Vec<String> = three().lines().filter(|line| line.contains("A000000002")).map(str::to_owned).collect();
    assert_eq!(raw.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn filters_leave_what_was_asked_for() {
    let found = |more: &[&str]| ids(&three(), "192.0.2.1", more);
    assert_eq!(found(&[]), ["A000000001", "A000000002", "A000000003"]);
    assert_eq!(found(&["--status", "bounced"]), ["A000000002"]);
    assert_eq!(found(&["--status", "sent"]), ["A000000001", "A000000002"]);
    assert_eq!(found(&["--status", "deferred"]), ["A000000003"]);
    assert_eq!(found(&["--class", "mailbox_full"]), ["A000000003"]);
    assert_eq!(found(&["--to", "ann@y.example"]), ["A000000002"]);
    assert_eq!(found(&["--to", "y.EXAMPLE"]), ["A000000002"]);
    assert_eq!(found(&["--to", "example"]), [""; 0]);
    assert_eq!(found(&["--from", "@client.example", "--status", "open"]), ["A000000003"]);
    assert_eq!(found(&["--client", "client.example", "--class", "recipient_unknown"]), ["A000000002"]);
    assert_eq!(found(&["--client", "192.0.2.2"]), [""; 0]);
    let ran = trace(&three(), "192.0.2.1", &["--client", "192.0.2.2"]);
    assert_eq!((ran.status, ran.stdout.is_empty()), (Some(0), true));
    assert!(ran.stderr.contains("3 messages match 192.0.2.1"), "{}", ran.stderr);
    assert_eq!(trace(&three(), "x", &["--status", "happy"]).status, Some(2));
}

#[test]
fn the_first_few_are_told_and_the_rest_is_said() {
    let many: String = (0..1200)
        .map(|n| format!("10:{:02}:{:02} smtpd A00000{n:04}: client=client.example[192.0.2.1]", n / 60, n % 60))
        .map(|line| log(&[&line]))
        .collect();
    assert_eq!(ids(&many, "192.0.2.1", &["--first", "2"]), ["A000000000", "A000000001"]);
    assert_eq!(trace(&many, "192.0.2.1", &["--first", "2"]).stderr, "");
    let ran = trace(&many, "192.0.2.1", &["--list"]);
    assert!(ran.stderr.contains("1000 messages") && ran.stderr.contains("200 further lines"), "{}", ran.stderr);
    assert_eq!(ran.ok().lines().count(), 1000);
    assert_eq!(ids(&many, "192.0.2.1", &["--first", "0"]).len(), 1200);
}

#[test]
fn where_nothing_is_found_it_says_what_was_searched_and_what_is_like_it() {
    let ran = trace(&three(), "bbo@x.example", &[]);
    assert_eq!((ran.status, ran.stdout.is_empty()), (Some(0), true));
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        said[0],
        "mailscope: nothing about bbo@x.example in 15 lines of 1 file, 2026-11-24 10:00:00+00:00 to 2026-11-24 10:02:01+00:00"
    );
    assert_eq!(said[1], "  bob@x.example  (differs in two letters)");
    for (key, like) in [
        ("BOB@x.example", "bob@x.example  (the same in another case)"),
        ("bob@z.test", "bob@x.example  (the same name in another domain)"),
        ("eve@y.example", "ann@y.example  (the same domain)"),
        ("a000000001", "A000000001  (the same in another case)"),
        ("A00000000", "A000000001  (differs in one letter)"),
        ("000001@client", "A000000001@client.example  (holds it)"),
    ] {
        let said = trace(&three(), key, &[]).stderr;
        assert!(said.contains(like), "{key}: {said}");
    }
    let said = trace(&three(), "bob@x.example", &["--since", "2026-11-25"]).stderr;
    assert!(said.contains("since 2026-11-25 00:00:00+00:00"), "{said}");
}

#[test]
fn standard_input_and_pipes_are_read_as_often_as_needed() {
    let mut child = program()
        .args(["trace", "bob@x.example", "--tz", "UTC", "--list", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(three().as_bytes()).expect("room");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), trace(&three(), "bob@x.example", &["-l"]).ok());
}

#[test]
fn what_strangers_wrote_does_no_harm() {
    let log = log(&[
        "10:00:00 smtpd A000000001: client=c.example[192.0.2.1]",
        "10:00:00 qmgr A000000001: from=<s@c.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 smtp A000000001: to=<r@x.example>, relay=mx.x.example[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=5.0.0, \
         status=bounced (host said: 550 \x1b]0;gone\x07 \u{202e}olleh)",
    ]);
    for more in [&[][..], &["--raw"], &["-l"], &["--format", "json"]] {
        let shown = trace(&log, "A000000001", more).ok();
        assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']), "{shown:?}");
    }
    assert!(stories(&log, "A000000001", &[])[0].to_string().contains("olleh"));
}

#[test]
fn a_story_can_go_to_a_file() {
    let directory = directory();
    let (log, to) = (file(&directory, "mail.log", three()), directory.path().join("story.json"));
    let to_text = to.to_str().expect("UTF-8");
    assert_eq!(run_on(&["trace", "A000000001", "--tz", "UTC", "--format", "json", "-o", to_text], &[&log]).ok(), "");
    let written = std::fs::read_to_string(&to).expect("a file");
    assert_eq!(written, trace(&three(), "A000000001", &["--format", "json"]).ok());
}
