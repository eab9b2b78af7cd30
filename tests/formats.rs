//! Formats that are data, as a user has them: the definitions that come with the program, one of one's own, a wrong one.

use crate::support::{directory, figure, file, objects, program, report_on, rows_on, run, run_on, text};
use mailscope_parsers::generic::{BUILT_IN, Format};
use serde_json::Value;
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
    for name in ["postfix", "sendmail", "relay", "kumomta", "haraka", "haraka-outbound", "postal", "powermta"] {
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

/// A log of one's own format: two messages, one of which is delivered later than it was put off.
const OWN_LOG: &str = "at=1795501681 id=a1 from=x@corp.example sent_to=a@b.example how=no reply=\"450 4.2.1 busy\"\n\
                       at=1795501685 id=a1 from=x@corp.example sent_to=a@b.example how=yes reply=\"250 ok\"\n\
                       at=1795501686 id=a2 from=x@corp.example sent_to=c@d.example how=never reply=\"550 5.1.1 unknown\"\n";

fn own_format() -> String {
    let fields = "queue_id = \"id\"\nenvelope_sender = \"from\"\nstatus = \"how\"\ndiagnostic = \"reply\"\n";
    let values = "[values.status]\nyes = \"sent\"\nno = \"deferred\"\nnever = \"bounced\"\n";
    let own = OWN.replace(", status = \"sent\"", "").replace("[fields]\n", &format!("[fields]\n{fields}"));
    let own = own.replace("[[samples]]", &format!("{values}[[samples]]"));
    own.replace("at=1795501681 sent_to=a@b.example\"", "at=1795501681 sent_to=a@b.example how=yes\"")
}

#[test]
fn one_file_and_a_format_goes_through_every_command() {
    let directory = directory();
    let format = file(&directory, "own.toml", own_format()).display().to_string();
    let log = file(&directory, "own.log", OWN_LOG);
    assert_eq!(run(["formats", "check", &format]).status, Some(0));
    let with = ["--tz", "UTC", "--parser-file", &format];
    let report = report_on(&[&log], &with);
    for (name, expected) in [
        ("recipients.delivered", 1),
        ("recipients.bounced", 1),
        ("recipients.ever_deferred", 1),
        ("attempts.total", 3),
        ("messages.queue_files", 2),
        ("input.by_parser.own", 3),
        ("input.unrecognized", 0),
    ] {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
    let rows = rows_on("recipients", &[&log], &with);
    let of = |address: &str| rows.iter().find(|row| text(row, "envelope_recipient") == address).expect("a row").clone();
    assert_eq!((text(&of("a@b.example"), "outcome"), text(&of("a@b.example"), "envelope_sender")), ("delivered", "x@corp.example"));
    assert_eq!(text(&of("c@d.example"), "class"), "recipient_unknown");
    let story = run_on(&[&["trace", "a@b.example", "--format", "json"], &with[..]].concat(), &[&log]).ok();
    let story: Value = serde_json::from_str(&story).expect("one story");
    assert_eq!((&story["first_queue_id"], &story["recipients"][0]["outcome"]), (&Value::from("a1"), &Value::from("delivered")));
    assert_eq!(story["recipients"][0]["attempts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_log_of_ones_own_format_is_followed() {
    let directory = directory();
    let format = file(&directory, "own.toml", own_format());
    let (log, summary) = (file(&directory, "own.log", OWN_LOG), directory.path().join("summary.json"));
    let mut command = program();
    command.args(["tail", "--tz", "UTC", "--from", "start", "--format", "jsonl", "--all", "--parser-file"]).arg(&format);
    let mut following = command.arg("--summary").arg(&summary).arg(&log).stdout(std::process::Stdio::piped()).spawn().expect("a child");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(following.stdout.take().expect("its output")));
    let events: Vec<String> = lines.take(3).map(|line| line.expect("a line")).collect();
    let ended = std::process::Command::new("kill").arg(following.id().to_string()).status().expect("kill");
    assert!(ended.success() && following.wait().expect("an end").success());
    assert!(events[2].contains("\"status\":\"bounced\"") && events[2].contains("\"mta\":\"own\""), "{events:?}");
    let report: Value = serde_json::from_slice(&std::fs::read(summary).expect("a summary")).expect("JSON");
    assert_eq!(figure(&report, "recipients.bounced"), 1);
}

#[test]
fn formats_in_the_users_directory_are_read() {
    let directory = directory();
    let home = directory.path().join("home");
    std::fs::create_dir_all(home.join(".config/mailscope/formats")).expect("a directory");
    std::fs::write(home.join(".config/mailscope/formats/own.toml"), own_format()).expect("a format");
    let log = file(&directory, "own.log", OWN_LOG);
    let at_home = |arguments: &[&str]| {
        let output = program().env("HOME", &home).env_remove("XDG_CONFIG_HOME").args(arguments).output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(at_home(&["formats", "list"]).lines().any(|line| line.starts_with("own ") && line.ends_with("a log of one's own")));
    let log = log.display().to_string();
    for more in [&[][..], &["--parser", "own"][..]] {
        let events = objects(&at_home(&[&["parse", "--tz", "UTC", &log], more].concat()));
        assert_eq!(events.iter().map(|event| text(event, "mta")).collect::<Vec<_>>(), ["own"; 3], "{more:?}");
    }
}

#[test]
fn a_format_alone_is_asked_by_its_name() {
    let directory = directory();
    let mixed = RELAY.to_owned() + "2026-11-24T06:28:04+00:00 mail postfix/smtpd[1]: connect from mx[192.0.2.1]\n";
    let log = file(&directory, "mixed.log", mixed);
    let counts = |parser: &str| {
        let report = report_on(&[&log], &["--tz", "UTC", "--parser", parser]);
        (figure(&report, "input.events").clone(), figure(&report, "input.unrecognized").clone())
    };
    assert_eq!(counts("relay"), (Value::from(3), Value::from(1)));
    assert_eq!(counts("postfix"), (Value::from(1), Value::from(3)));
    let ran = run_on(&["report", "--parser", "realy"], &[&log]);
    assert!(ran.status == Some(2) && ran.stderr.contains("no parser or format realy; there are postfix"), "{}", ran.stderr);
}

/// The samples of a format that comes with the program, and what a container runtime makes of them.
#[test]
fn samples_are_read_in_every_form_of_log() {
    for (name, written) in BUILT_IN {
        let format = Format::read(written).expect("a format");
        let plain: String = format.samples.iter().map(|sample| format!("{}\n", sample.line)).collect();
        let wrapped = |line: &str| serde_json::json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026-11-24T06:29:00Z"});
        let docker: String = format.samples.iter().map(|sample| format!("{}\n", wrapped(&sample.line))).collect();
        let syslog: String = format.samples.iter().map(|sample| format!("2026-11-24T06:29:00Z mail app[1]: {}\n", sample.line)).collect();
        let directory = directory();
        // Accounting files are no program's output.
        let is_file = written.contains("shape = \"csv\"");
        for (form, log) in
            [("plain", plain), ("docker", docker), ("syslog", syslog)].into_iter().filter(|(form, _)| !is_file || *form != "docker")
        {
            let path = file(&directory, "app.log", log);
            let report = report_on(&[&path], &["--tz", "UTC"]);
            let read = figure(&report, &format!("input.by_parser.{}", format.name)).as_u64();
            assert_eq!(read, Some(format.samples.len() as u64), "{name} {form}: {}", report["unrecognized"]);
        }
    }
}

#[test]
fn two_messages_of_one_connection_are_two() {
    let line = |second: u32, transaction: &str, domain: &str| {
        format!(
            "2026-11-24T06:28:{second:02}.000Z {{\"level\":\"NOTICE\",\"uuid\":\"A6C1C1F8-7A0A-4B1E-9B8B-0123456789AB.{transaction}\",\
             \"origin\":\"outbound\",\"message\":\"\",\"delivered file\":\"x\",\"domain\":\"{domain}\",\"host\":\"mx\",\"mode\":\"SMTP\",\
             \"response\":\"ok\",\"delay\":0.4,\"rcpts\":\"1/0/0\"}}\n"
        )
    };
    let log = line(1, "1.1", "b.example") + &line(2, "1.2", "d.example") + &line(3, "2.1", "b.example");
    let directory = directory();
    let report = report_on(&[file(&directory, "haraka.log", log)], &["--tz", "UTC"]);
    for (name, expected) in [("messages.queue_files", 2), ("recipients.delivered", 3)] {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
}

#[test]
fn without_an_id_a_message_is_who_sent_it_when_to_whom() {
    let row = |kind: &str, second: u32, queued: u32, to: &str| {
        format!(
            "{kind},2026-11-24 06:28:{second:02}+0000,2026-11-24 06:28:{queued:02}+0000,x@corp.example,{to},,,4.2.1 (),smtp;450 4.2.1 busy,mx.b.example (198.51.100.50),,smtp,,smtp,,198.51.100.50,,1047,v,j,,b.example/v,\n"
        )
    };
    let header = "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus\n".to_owned();
    // Put off and then delivered; the same address again, queued later; another one.
    let log = header
        + &row("t", 2, 1, "a@b.example")
        + &row("d", 9, 1, "a@b.example")
        + &row("d", 12, 11, "a@b.example")
        + &row("b", 13, 11, "c@d.example");
    let directory = directory();
    let path = file(&directory, "acct.csv", log);
    let report = report_on(&[&path], &["--tz", "UTC"]);
    for (name, expected) in [
        ("messages.queue_files", 3),
        ("messages.open", 0),
        ("recipients.delivered", 2),
        ("recipients.bounced", 1),
        ("recipients.ever_deferred", 1),
        ("attempts.total", 4),
        ("input.ignored", 1),
    ] {
        assert_eq!(figure(&report, name), expected, "{name}");
    }
    let rows = rows_on("recipients", &[&path], &["--tz", "UTC"]);
    let first = rows.iter().find(|row| row["attempts"] == 2).expect("a row");
    assert_eq!((text(first, "envelope_sender"), first.get("queue_id")), ("x@corp.example", None));
    assert_eq!(first["delay_s"], 8.0);
    let told = run_on(&["trace", "a@b.example", "--tz", "UTC", "-l"], &[&path]).ok();
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.lines().all(|line| line.ends_with("x@corp.example -> a@b.example  delivered")), "{told}");
}
