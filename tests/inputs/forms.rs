//! Logs whose records are no syslog lines give the report of the plain log: JSON lines, container logs, the journal.

use super::{Line, TIME, sample, turned};
use crate::support::{assert_figures, directory, file, gzipped, report_of, report_on, rows_on, run_on, set_time, without_files};
use std::path::PathBuf;
use tempfile::TempDir;

const REPORT: &[&str] = &["report", "--format", "json", "--top", "50", "--tz", "UTC"];

/// A JSON string; bytes that are no UTF-8 stay.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for c in text {
        match c {
            b'"' | b'\\' | b'/' => quoted.extend([b'\\', *c]),
            b'<' | b'>' => quoted.extend(format!("\\u{c:04x}").bytes()),
            0..0x20 => quoted.extend(format!("\\u{c:04X}").bytes()),
            _ => quoted.push(*c),
        }
    }
    quoted.push(b'"');
    quoted
}

fn object(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<Vec<u8>> = members.iter().map(|(key, value)| [b"\"", key.as_bytes(), b"\":", *value].concat()).collect();
    [b"{".as_slice(), &members.join(b",".as_slice()), b"}"].concat()
}

fn rsyslog(line: &Line<'_>) -> Vec<u8> {
    let tag = if line.pid.is_empty() { format!("{}:", line.program) } else { format!("{}[{}]:", line.program, line.pid) };
    let name = line.program.split('/').next().unwrap_or_default();
    object(&[
        ("@timestamp", format!("\"{}.000000+00:00\"", line.time()).as_bytes()),
        ("host", b"\"mail\""),
        ("severity", b"\"info\""),
        ("program", &quoted(name.as_bytes())),
        ("tag", &quoted(tag.as_bytes())),
        ("procid", &quoted(if line.pid.is_empty() { b"-" } else { line.pid.as_bytes() })),
        ("message", &quoted(&[b" ", line.text].concat())),
    ])
}

fn generic(line: &Line<'_>) -> Vec<u8> {
    object(&[
        ("msg", &quoted(line.text)),
        ("extra", b"{\"a\":[1,\"}\",{}],\"b\":null}"),
        ("appname", &quoted(line.program.as_bytes())),
        ("pid", if line.pid.is_empty() { b"null" } else { line.pid.as_bytes() }),
        ("hostname", b"\"mail\""),
        ("timestamp", quoted(format!("{}Z", line.time()).as_bytes()).as_slice()),
    ])
}

fn docker(line: &Line<'_>) -> Vec<u8> {
    let pid = if line.pid.is_empty() { String::new() } else { format!("[{}]", line.pid) };
    // Every second minute the container's own clock is wrong: the runtime knows better.
    let own = if line.micros() / 60_000_000 % 2 == 0 { line.stamp.to_owned() } else { line.stamp.replacen(" 06:", " 07:", 1) };
    let log = [format!("{own} mail {}{pid}: ", line.program).as_bytes(), line.text, b"\n"].concat();
    let time = format!("\"{}.000000000Z\"", line.time());
    object(&[("log", &quoted(&log)), ("stream", b"\"stdout\""), ("time", time.as_bytes())])
}

fn kubernetes(line: &Line<'_>) -> Vec<u8> {
    let pid = if line.pid.is_empty() { String::new() } else { format!("[{}]", line.pid) };
    let text = [format!("{} mail {}{pid}: ", line.stamp, line.program).as_bytes(), line.text].concat();
    let begin = format!("{}.000000000+00:00 stderr ", line.time());
    let begin = begin.as_bytes();
    // Long lines come in pieces.
    match text.split_at_checked(200) {
        Some((one, two)) => [begin, b"P ", one, b"\n", begin, b"F ", two].concat(),
        None => [begin, b"F ", &text].concat(),
    }
}

fn journal_json(line: &Line<'_>) -> Vec<u8> {
    let bytes = || format!("{:?}", line.text).into_bytes();
    let message = if std::str::from_utf8(line.text).is_ok() { quoted(line.text) } else { bytes() };
    let time = format!("\"{}\"", line.micros());
    let mut members = vec![
        ("MESSAGE", message.as_slice()),
        ("_HOSTNAME", b"\"mail\""),
        ("__REALTIME_TIMESTAMP", b"\"1795501999999999\""),
        ("_SOURCE_REALTIME_TIMESTAMP", time.as_bytes()),
        ("_PID", b"\"1\""),
    ];
    let (program, pid) = (quoted(line.program.as_bytes()), quoted(line.pid.as_bytes()));
    members.push(("SYSLOG_IDENTIFIER", &program));
    members.push(("SYSLOG_PID", &pid));
    if line.pid.is_empty() {
        members.retain(|(key, _)| !key.ends_with("_PID"));
    }
    object(&members)
}

fn journal_export(line: &Line<'_>) -> Vec<u8> {
    let binary = |text: &[u8]| [&(text.len() as u64).to_le_bytes(), text].concat();
    let message = if line.text.is_ascii() && line.micros() % 2_000_000 == 0 {
        [b"MESSAGE=", line.text].concat()
    } else {
        [b"MESSAGE\n".as_slice(), &binary(line.text)].concat()
    };
    // A field of another kind, with all that could be taken for an entry's end.
    let other = [b"COREDUMP\n".as_slice(), &binary(b"\n\n__CURSOR=s=9\n\nMESSAGE=no\n")].concat();
    let pid = if line.pid.is_empty() { String::new() } else { format!("SYSLOG_PID={}\n", line.pid) };
    let head = format!("__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=mail\n", line.micros());
    let tail = format!("\n{pid}SYSLOG_IDENTIFIER={}\n", line.program);
    [head.as_bytes(), &other, b"\n", &message, tail.as_bytes()].concat()
}

type Form = (&'static str, fn(&Line<'_>) -> Vec<u8>);
const FORMS: &[Form] = &[
    ("rsyslog's JSON", rsyslog),
    ("JSON lines", generic),
    ("Docker", docker),
    ("Kubernetes", kubernetes),
    ("journalctl -o json", journal_json),
    ("journalctl -o export", journal_export),
];

fn put(directory: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = file(directory, name, bytes);
    set_time(&path, TIME);
    path
}

fn report(files: &[PathBuf], more: &[&str]) -> String {
    let ran = run_on(&[REPORT, more].concat(), files);
    assert_eq!(ran.stderr, "");
    without_files(&ran.ok())
}

#[test]
fn every_form_gives_the_report_of_the_plain_log() {
    let (directory, log) = (directory(), sample());
    let plain = report(&[put(&directory, "plain", &log)], &[]);
    for (name, form) in FORMS {
        let path = put(&directory, "log", &turned(&log, form));
        assert!(plain == report(&[path], &[]), "{name}");
    }
}

#[test]
fn every_form_gives_the_same_report_for_any_chunks_and_threads() {
    let (directory, log) = (directory(), sample());
    let log: Vec<u8> = log.split_inclusive(|c| *c == b'\n').take(1900).flatten().copied().collect();
    for (name, form) in FORMS {
        let path = put(&directory, "log", &turned(&log, form));
        let whole = report(std::slice::from_ref(&path), &["--threads", "1"]);
        for (size, threads) in [("1", "2"), ("7", "1"), ("1000", "3"), ("65536", "2"), ("1048576", "8")] {
            let cut = report(std::slice::from_ref(&path), &["--chunk-size", size, "--threads", threads]);
            assert!(whole == cut, "{name}, chunks of {size} bytes on {threads} threads");
        }
    }
}

#[test]
fn a_log_in_parts_of_every_form_is_one_log() {
    let (directory, log) = (directory(), sample());
    let plain = report(&[put(&directory, "plain", &log)], &[]);
    let lines: Vec<&[u8]> = log.split_inclusive(|c| *c == b'\n').collect();
    let mut files: Vec<PathBuf> = lines
        .chunks(lines.len() / FORMS.len() + 1)
        .zip(FORMS)
        .enumerate()
        .map(|(at, (part, (_, form)))| put(&directory, &format!("part.{at}"), &turned(&part.concat(), form)))
        .collect();
    files.rotate_left(2);
    files.swap(0, 1);
    assert!(plain == report(&files, &[]));
}

#[test]
fn what_stands_between_json_lines_is_read_by_itself() {
    let log = concat!(
        "Nov 24 10:00:00 mail postfix/smtpd[7]: connect from a.example[192.0.2.1]\n",
        "{\"time\":\"2026-11-24T10:00:01Z\",\"host\":\"mail\",\"program\":\"postfix/smtpd\",\"message\":\"connect from a.example[192.0.2.1]\"}\n",
        "{\"time\":\"2026-11-24T10:00:01Z\",\"host\":\"mail\",\"program\":\"postfix/smtpd\",\"mess\n",
        "{\"level\":\"info\"}\n",
        "\n",
        "{\"log\":\"postfix/smtpd[7]: connect from a.example[192.0.2.1]\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-24T10:00:02Z\"}\n",
        "{\"log\":\"2026-11-24T10:00:03Z mail postfix/smtpd[7]: connect from a.example[192.0.2.1]\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-24T10:00:02Z\"}",
    );
    let json_first = log.split_inclusive('\n').skip(1).collect::<String>();
    assert_figures(&report_of(&json_first, &[]), &[("input.lines", 6), ("input.events", 3), ("input.unrecognized", 3)]);
    let directory = directory();
    let parsed = run_on(&["parse", "--all", "--tz", "UTC"], &[file(&directory, "mail.json", &json_first)]).ok();
    assert_eq!(parsed.matches("JSON that is no log record").count(), 2, "{parsed}");
    assert!(parsed.contains("\"time\":\"2026-11-24T10:00:03+00:00\""), "{parsed}");
}

#[test]
fn a_form_that_is_cut_anywhere_is_a_report() {
    let (directory, log) = (directory(), sample());
    let log: Vec<u8> = log.split_inclusive(|c| *c == b'\n').skip(300).take(40).flatten().copied().collect();
    for (name, form) in FORMS {
        let bytes = turned(&log, form);
        for from in (0..bytes.len()).step_by(bytes.len() / 23) {
            for part in [&bytes[from..], &bytes[..from + 1]] {
                let report = report_on(&[put(&directory, "cut", part)], &["--tz", "UTC"]);
                let input = &report["input"];
                let sum: u64 = ["events", "ignored", "unrecognized"].iter().filter_map(|name| input[name].as_u64()).sum();
                assert_eq!(input["lines"].as_u64(), Some(sum), "{name} cut at {from}");
                assert!(sum <= 80, "{name} cut at {from}: {input}");
            }
        }
    }
}

#[test]
fn damage_costs_the_damaged_records_only() {
    let (directory, log) = (directory(), sample());
    let whole = report_on(&[put(&directory, "plain", &log)], &["--tz", "UTC"]);
    for (name, form) in FORMS {
        let mut bytes = turned(&log, form);
        let middle = bytes.len() / 2;
        bytes[middle..middle + 300].fill(0xff);
        let report = report_on(&[put(&directory, "damaged", &bytes)], &["--tz", "UTC"]);
        let (lines, all) = (report["input"]["lines"].as_i64().unwrap_or(0), whole["input"]["lines"].as_i64().unwrap_or(0));
        assert!((all - lines).abs() <= 4, "{name}: {lines} lines of {all}");
        assert!(report["input"]["unrecognized"].as_u64().is_some_and(|lines| lines <= 3), "{name}: {}", report["input"]);
    }
}

#[test]
fn a_record_without_end_does_not_fill_memory() {
    let (directory, log) = (directory(), sample());
    let log: Vec<u8> = log.split_inclusive(|c| *c == b'\n').take(100).flatten().copied().collect();
    for (at, begin) in
        [&b"{\"message\":\""[..], b"__CURSOR=1\nMESSAGE=", b"__CURSOR=1\nMESSAGE\n\0\0\0\x03\0\0\0\0"].into_iter().enumerate()
    {
        let (_, form) = [FORMS[0], FORMS[5], FORMS[5]][at];
        let end: &[u8] = if at == 0 { b"\n" } else { b"\n\n" };
        let endless = [begin, &vec![b'x'; 3 << 24][..], end, &turned(&log, form)].concat();
        let plain = report_on(&[put(&directory, "plain", &log)], &["--tz", "UTC"]);
        let report = report_on(&[put(&directory, "endless", &endless)], &["--tz", "UTC"]);
        assert_figures(&report, &[("input.unrecognized", 1)]);
        assert_eq!(report["input"]["events"], plain["input"]["events"]);
    }
}

#[test]
fn every_row_says_what_the_plain_logs_row_says() {
    let (directory, log) = (directory(), sample());
    let plain = rows_on("recipients", &[put(&directory, "plain", &log)], &["--tz", "UTC"]);
    assert!(plain.len() > 500, "{}", plain.len());
    for (name, form) in [FORMS[0], FORMS[5]] {
        let rows = rows_on("recipients", &[put(&directory, "log", &turned(&log, form))], &["--tz", "UTC"]);
        assert!(plain == rows, "{name}");
    }
}

/// `mailscope report <(zcat mail.log.2.gz)`: what was looked at of a pipe is not there a second time.
#[test]
fn a_pipe_gives_the_report_of_the_file() {
    let (directory, log) = (directory(), sample());
    let plain = file(&directory, "mail.log", &log);
    set_time(&plain, TIME);
    let more = ["--year", "2026"];
    let expected = without_files(&run_on(&[REPORT, &more].concat(), &[&plain]).ok());
    for packed in [log.clone(), gzipped(&log)] {
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let into = pipe.clone();
        let writer = std::thread::spawn(move || std::fs::write(into, packed));
        let ran = run_on(&[REPORT, &more].concat(), &[&pipe]);
        writer.join().expect("a writer").expect("a pipe that is read to its end");
        assert_eq!(ran.stderr, "");
        assert!(without_files(&ran.ok()) == expected);
        std::fs::remove_file(pipe).expect("the pipe");
    }
}
