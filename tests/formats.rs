//! Formats that are data, as a user has them: the definitions that come with the program, one of one's own, a wrong one.

use crate::support::{directory, figure, file, objects, report_on, run, run_on, text};
use std::path::Path;

#[test]
fn definitions_that_come_with_the_program_are_right() {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("parsers/formats");
    for entry in std::fs::read_dir(formats).expect("formats") {
        let path = entry.expect("a directory entry").path();
        let ran = run(["formats", "check", &path.display().to_string()]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", String::from_utf8_lossy(&ran.stdout));
    }
}

#[test]
fn the_list_has_parsers_and_formats() {
    let list = run(["formats", "list"]).ok();
    for name in ["postfix", "sendmail", "relay", "kumomta", "haraka", "powermta"] {
        assert!(list.lines().any(|line| line.split(' ').next() == Some(name)), "{name}");
    }
}

const RELAY: &str = "time=2026-11-24T06:28:01Z id=1 from=<a@corp.example> to=<b@isp.example> result=delivered reply=\"250 2.0.0 Ok\"\n\
                     time=2026-11-24T06:28:02Z id=1 from=<a@corp.example> to=<c@isp.example> result=temporary reply=\"450 4.2.1 busy\"\n\
                     2026-11-24T06:28:03+00:00 mail relayd[1]: id=1 from=<a@corp.example> to=<c@isp.example> result=gave-up\n";

#[test]
fn lines_without_a_header_and_below_one_count_alike() {
    let directory = directory();
    let report = report_on(&[file(&directory, "relay.log", RELAY)], &["--tz", "UTC"]);
    for (name, expected) in [("recipients.delivered", 1), ("recipients.expired", 1), ("attempts.deferred", 1), ("input.by_parser.relay", 3)]
    {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
}

#[test]
fn accounting_in_columns() {
    let directory = directory();
    let log = "type,timeLogged,timeQueued,orig,rcpt\nd,2026-11-24 06:28:01+0000,2026-11-24 06:28:00+0000,a@corp.example,b@isp.example,,relayed,2.0.0 (success),smtp;250 ok,mx (1),,,,,,198.51.100.50\n";
    let events = objects(&run_on(&["parse", "--tz", "UTC"], &[file(&directory, "acct.csv", log)]).ok());
    assert_eq!((text(&events[0], "kind"), text(&events[0], "status"), text(&events[0], "mta")), ("delivery", "sent", "powermta"));
}

const OWN: &str = r#"
name = "own"
reads = "a log of one's own"
shape = "key-value"
contains = "sent_to="
time = { field = "at", format = "epoch" }
constants = { kind = "delivery", status = "sent" }
[fields]
envelope_recipient = "sent_to"
[[samples]]
line = "at=1795501681 sent_to=a@b.example"
event = { kind = "delivery", envelope_recipient = "a@b.example" }
"#;

#[test]
fn a_format_of_ones_own() {
    let directory = directory();
    let (format, log) = (file(&directory, "own.toml", OWN), file(&directory, "own.log", "at=1795501681 sent_to=a@b.example\n"));
    let ran = run(["formats", "check", &format.display().to_string()]);
    assert_eq!(ran.status, Some(0), "{}", String::from_utf8_lossy(&ran.stdout));
    let events = objects(&run_on(&["parse", "--tz", "UTC", "--parser-file", &format.display().to_string()], &[log]).ok());
    assert_eq!(text(&events[0], "time"), "2026-11-24T06:28:01+00:00");
}

#[test]
fn wrong_definitions_are_told_what_is_wrong() {
    for (from, to, expected) in [
        ("\"a@b.example\" }", "\"x@b.example\" }", "envelope_recipient should be \"x@b.example\", is \"a@b.example\""),
        ("at=1795501681", "at=yesterday", "sample 1: no timestamp that can be read"),
        ("sent_to=a@b.example\"", "to=a@b.example\"", "sample 1: not a line of this format"),
        ("line = \"at=1795501681 ", "line = \"time=2026-11-24T06:28:01Z result=ok at=1795501681 ", "sample 1: relay claims this line too"),
    ] {
        let directory = directory();
        let path = file(&directory, "own.toml", OWN.replacen(from, to, 1));
        let ran = run(["formats", "check", &path.display().to_string()]);
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status == Some(2) && said.contains(expected), "{from}: {said}");
    }
}
