//! Input that is no good log, output that goes nowhere, wrong use: each gets a sensible result or a message that names
//! it, the exit status says so, and whatever else can be read is reported.

use crate::support::{Ran, assert_figures, directory, file, gzipped, peak_memory, program, report_of, report_on, run, run_on, samples};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Five lines, two of them with an event that the report counts.
const GOOD: &str = "2026-11-24T10:00:00+00:00 mail postfix/smtpd[7]: A000000001: client=client.example[192.0.2.1]
2026-11-24T10:00:00+00:00 mail postfix/cleanup[7]: A000000001: message-id=<1@client.example>
2026-11-24T10:00:00+00:00 mail postfix/qmgr[7]: A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)
2026-11-24T10:00:01+00:00 mail postfix/smtp[7]: A000000001: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=1, delays=0.1/0.2/0.3/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-24T10:00:01+00:00 mail postfix/qmgr[7]: A000000001: removed
";

const REPORT: &[&str] = &["report", "--format", "json", "--tz", "UTC"];

/// The report of a run in which one input could not be read and is named, and the good log was read.
#[track_caller]
fn assert_named_and_the_rest_read(bad: &Path, why: &str) {
    let directory = directory();
    let good = file(&directory, "good.log", GOOD);
    for files in [[bad, good.as_path()], [good.as_path(), bad]] {
        let ran = run_on(REPORT, &files);
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(&bad.display().to_string()), "not named: {}", ran.stderr);
        assert!(ran.stderr.to_lowercase().contains(why), "no word of {why:?}: {}", ran.stderr);
        assert_figures(&ran.report(), &[("messages.received", 1), ("recipients.delivered", 1), ("input.lines", 5), ("input.files", 1)]);
    }
    for arguments in [&["parse"][..], &["export", "recipients", "--format", "jsonl"]] {
        let ran = run_on(arguments, &[bad, good.as_path()]);
        assert_eq!(ran.status, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(&bad.display().to_string()), "not named: {}", ran.stderr);
        assert!(!ran.stdout.is_empty());
    }
    let alone = run_on(REPORT, &[bad]);
    assert_eq!(alone.status, Some(2), "{}", alone.stderr);
    assert!(alone.stderr.contains(&bad.display().to_string()), "not named: {}", alone.stderr);
}

// ---- files that are no log ---------------------------------------------------------------------

#[test]
fn a_directory() {
    let folder = directory();
    assert_named_and_the_rest_read(folder.path(), "directory");
}

#[test]
fn a_missing_file() {
    assert_named_and_the_rest_read(&directory().path().join("missing.log"), "no such file");
}

#[test]
fn a_file_that_can_not_be_opened() {
    // Permissions stop no administrator; a link to itself stops everybody.
    let folder = directory();
    let path = folder.path().join("loop.log");
    std::os::unix::fs::symlink(&path, &path).expect("a link");
    assert_named_and_the_rest_read(&path, "symbolic links");
}

#[test]
fn a_binary_file() {
    let folder = directory();
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 20).collect();
    assert_named_and_the_rest_read(&file(&folder, "core", [b"\x7fELF\x02\x01\x01\0".as_slice(), &bytes].concat()), "binary");
}

#[test]
fn packings_that_are_not_read() {
    let folder = directory();
    for (name, magic, word) in
        [("mail.log.zip", b"PK\x03\x04".as_slice(), "zip"), ("mail.log.Z", b"\x1f\x9d", ".z"), ("mail.log", b"\x04\x22\x4d\x18", "lz4")]
    {
        assert_named_and_the_rest_read(&file(&folder, name, [magic, &[7; 5000]].concat()), word);
    }
}

#[test]
fn an_empty_file() {
    let directory = directory();
    let empty = file(&directory, "empty.log", "");
    let good = file(&directory, "good.log", GOOD);
    assert_figures(&report_on(&[&empty], &[]), &[("input.lines", 0), ("messages.received", 0), ("attempts.total", 0)]);
    assert_figures(&report_on(&[&empty, &good], &[]), &[("input.lines", 5), ("messages.received", 1)]);
    assert_eq!(run_on(&["parse", "--all"], &[&empty]).ok(), "");
    assert!(!run_on(&["report"], &[&empty]).ok().is_empty());
    assert_figures(&report_on(&[file(&directory, "empty.gz", gzipped(b""))], &[]), &[("input.lines", 0)]);
}

#[test]
fn a_text_that_is_no_log_is_unrecognized_and_said() {
    let report = report_of("Dear postmaster,\n\nwhere is my mail?\n", &[]);
    assert_figures(&report, &[("input.lines", 3), ("input.unrecognized", 3), ("input.events", 0), ("input.ignored", 0)]);
}

// ---- damaged logs ------------------------------------------------------------------------------

#[test]
fn a_file_cut_in_the_middle_of_a_line() {
    let cut = &GOOD[..GOOD.len() - 3];
    let report = report_of(cut, &[]);
    assert_figures(&report, &[("input.lines", 5), ("messages.received", 1), ("recipients.delivered", 1), ("messages.removed", 0)]);
    assert_adds_up(&report);
    // The first line may be cut too, where a file was cut at its head.
    let report = report_of(&GOOD[20..], &[]);
    assert_figures(&report, &[("input.lines", 5), ("input.unrecognized", 1), ("recipients.delivered", 1)]);
    assert_adds_up(&report);
}

#[test]
fn every_cut_of_a_log_is_a_report() {
    let sample = fs::read(samples().join("new-year.log")).expect("a sample");
    let directory = directory();
    for end in (1..sample.len()).step_by(sample.len() / 37) {
        let path = file(&directory, "cut.log", &sample[..end]);
        let report = report_on(&[&path], &["--year", "2026"]);
        assert_figures(&report, &[("input.bytes", end as u64)]);
        assert_adds_up(&report);
    }
}

#[track_caller]
fn assert_adds_up(report: &Value) {
    let input = |name: &str| report["input"][name].as_u64().expect("a count");
    assert_eq!(input("lines"), input("events") + input("ignored") + input("unrecognized"), "{}", report["input"]);
}

#[test]
fn a_line_of_100_megabytes() {
    let directory = directory();
    let path = directory.path().join("long.log");
    let mut to = std::io::BufWriter::new(fs::File::create(&path).expect("a file"));
    let (first, last) = GOOD.split_at(GOOD.match_indices('\n').nth(2).expect("lines").0 + 1);
    to.write_all(first.as_bytes()).expect("a file");
    to.write_all(b"2026-11-24T10:00:01+00:00 mail postfix/smtpd[7]: warning: ").expect("a file");
    for _ in 0..100 {
        to.write_all(&[b'x'; 1 << 20]).expect("a file");
    }
    to.write_all(b"\n").and_then(|()| to.write_all(last.as_bytes())).and_then(|()| to.flush()).expect("a file");
    drop(to);
    let bytes = fs::metadata(&path).expect("a file").len();

    for more in [&[][..], &["--chunk-size", "1"], &["--threads", "2", "--chunk-size", "100000"]] {
        let mut command = program();
        command.args(REPORT).args(more).arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let peak = peak_memory(&mut child);
        let output = child.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("longer than"), "not said: {said:?}");
        assert!(peak.is_none_or(|peak| peak < 200 << 20), "{peak:?} bytes of memory");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_figures(
            &report,
            &[("input.lines", 6), ("input.overlong", 1), ("input.bytes", bytes), ("messages.received", 1), ("recipients.delivered", 1)],
        );
        assert_adds_up(&report);
    }
    let parsed = run_on(&["parse", "--all"], &[&path]);
    assert!(parsed.stderr.contains("longer than"), "{}", parsed.stderr);
    assert_eq!(parsed.ok().lines().count(), 6);
}

#[test]
fn bytes_that_are_no_text() {
    let odd: [&[u8]; 5] = [b"\0", b"\xff\xfe", b"gr\xfc\xdfe", "\u{202e}\u{9b}31m".as_bytes(), b"\x1b[2J\x1b]0;owned\x07"];
    for odd in odd {
        let directory = directory();
        let line: Vec<u8> = [
            b"2026-11-24T10:00:02+00:00 mail postfix/smtp[7]: B000000002: to=<a".as_slice(),
            odd,
            b"@there.example>, relay=mx[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=5.0.0, status=bounced (host mx[198.51.100.1] said: 550 ",
            odd,
            b" (in reply to RCPT TO command))\n2026-11-24T10:00:02+00:00 mail postfix/smtpd[7]: warning: ",
            odd,
            b" strange\n",
        ]
        .concat();
        let path = file(&directory, "mail.log", [GOOD.as_bytes(), &line, odd, b"\n"].concat());
        let report = run_on(REPORT, &[&path]).ok();
        let parsed: Value = serde_json::from_str(&report).expect("JSON");
        assert_figures(&parsed, &[("input.lines", 8), ("messages.received", 1), ("recipients.bounced", 1), ("recipients.delivered", 1)]);
        assert_adds_up(&parsed);
        let outputs = [
            report,
            run_on(&["report", "--tz", "UTC"], &[&path]).ok(),
            run_on(&["parse", "--all", "--tz", "UTC"], &[&path]).ok(),
            run_on(&["export", "recipients", "--format", "csv", "--tz", "UTC"], &[&path]).ok(),
            run_on(&["export", "deliveries", "--format", "jsonl", "--tz", "UTC"], &[&path]).ok(),
        ];
        for output in outputs {
            let dangerous = |c: char| (c.is_control() && !matches!(c, '\n' | '\r')) || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!output.contains(dangerous), "{odd:?} survives: {output}");
        }
    }
}

#[test]
fn nul_bytes_at_the_end_as_a_crash_leaves_them() {
    let log = GOOD.repeat(20);
    let report = report_of(&format!("{log}{}", "\0".repeat(4096)), &[]);
    assert_figures(&report, &[("input.lines", 101), ("input.unrecognized", 1), ("attempts.sent", 20)]);
}

#[test]
fn lines_that_end_in_carriage_returns() {
    let mut report = report_of(GOOD, &[]);
    let mut with_returns = report_of(&GOOD.replace('\n', "\r\n"), &[]);
    for report in [&mut report, &mut with_returns] {
        report["input"]["bytes"] = Value::Null;
    }
    assert_eq!(report, with_returns);
    let directory = directory();
    let path = file(&directory, "mail.log", fs::read_to_string(samples().join("new-year.log")).expect("a sample").replace('\n', "\r\n"));
    let events = run_on(&["parse", "--all", "--year", "2026", "--tz", "UTC"], &[path]).ok();
    let plain = run_on(&["parse", "--all", "--year", "2026", "--tz", "UTC"], &[samples().join("new-year.log")]).ok();
    assert_eq!(events, plain);
}

#[test]
fn blank_lines_are_lines() {
    let report = report_of(&GOOD.replace('\n', "\n\n"), &[]);
    assert_figures(&report, &[("input.lines", 10), ("messages.received", 1), ("recipients.delivered", 1)]);
    assert_adds_up(&report);
}

#[test]
fn what_a_file_is_does_not_depend_on_its_name() {
    let folder = directory();
    let plain = report_on(&[file(&folder, "mail.log", GOOD)], &["--tz", "UTC"]);
    assert_eq!(report_on(&[file(&folder, "plain.gz", GOOD)], &["--tz", "UTC"]), plain);
    assert_eq!(report_on(&[file(&folder, "packed.log", gzipped(GOOD.as_bytes()))], &["--tz", "UTC"]), plain);
}

// ---- the same twice ----------------------------------------------------------------------------

#[track_caller]
fn assert_read_once(files: &[PathBuf]) {
    let ran = run_on(REPORT, files);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains(&files[1].display().to_string()), "no notice: {:?}", ran.stderr);
    assert_figures(&ran.report(), &[("input.files", 1), ("input.lines", 5), ("messages.received", 1), ("attempts.total", 1)]);
    assert_eq!(run_on(&[REPORT, &["--quiet"]].concat(), files).stderr, "");
}

#[test]
fn the_same_file_twice_is_read_once() {
    let folder = directory();
    let path = file(&folder, "mail.log", GOOD);
    assert_read_once(&[path.clone(), path.clone()]);
    let link = folder.path().join("link.log");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    assert_read_once(&[path.clone(), link]);
    let hard = folder.path().join("hard.log");
    fs::hard_link(&path, &hard).expect("a link");
    assert_read_once(&[path, hard]);
}

#[test]
fn an_identical_copy_is_read_once() {
    let folder = directory();
    assert_read_once(&[file(&folder, "mail.log", GOOD), file(&folder, "copy.log", GOOD)]);
}

#[test]
fn equal_length_is_no_equal_content() {
    let folder = directory();
    let other = GOOD.replace("A000000001", "B000000002");
    let report = report_on(&[file(&folder, "mail.log", GOOD), file(&folder, "other.log", other)], &["--tz", "UTC"]);
    assert_figures(&report, &[("input.files", 2), ("messages.received", 2)]);
}

// ---- standard input and output -----------------------------------------------------------------

fn piped(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = program();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // The program may not read to the end.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("a thread");
    Ran { status: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

#[test]
fn standard_input_plain_and_packed() {
    let folder = directory();
    let plain = report_on(&[file(&folder, "mail.log", GOOD)], &["--tz", "UTC", "--top", "10"]);
    assert_eq!(piped(&[REPORT, &["-"]].concat(), GOOD.as_bytes()).report(), plain);
    assert_eq!(piped(&[REPORT, &["-"]].concat(), &gzipped(GOOD.as_bytes())).report(), plain);
    let sample = fs::read(samples().join("new-year.log")).expect("a sample");
    let parse = ["parse", "--all", "--year", "2026", "--tz", "UTC"];
    let events = piped(&[&parse[..], &["-"]].concat(), &sample).ok();
    assert_eq!(events, run_on(&parse, &[samples().join("new-year.log")]).ok());
}

#[test]
fn standard_input_beside_a_file() {
    let folder = directory();
    let other = GOOD.replace("A000000001", "B000000002");
    let path = file(&folder, "mail.log", other);
    let arguments = [REPORT, &["-", path.to_str().expect("UTF-8")]].concat();
    assert_figures(&piped(&arguments, GOOD.as_bytes()).report(), &[("input.files", 2), ("messages.received", 2)]);
    assert_eq!(piped(&[REPORT, &["-"]].concat(), b"").status, Some(0));
}

#[test]
fn what_is_read_several_times_goes_by_its_own_name_and_is_said_once() {
    let folder = directory();
    let workbook = folder.path().join("report.xlsx");
    let workbook = workbook.to_str().expect("UTF-8");
    let report = ["report", "--tz", "UTC", "--format", "xlsx", "-o", workbook, "-"];
    let told = piped(&report, format!("{GOOD}no line of a log\n").as_bytes());
    let number = GOOD.lines().count() + 1;
    assert_eq!((told.status, told.stderr), (Some(0), format!("mailscope: -: line {number}: no timestamp that can be read\n")));
    // Nobody else's name, and the same name twice is one log.
    let binary: Vec<u8> = (0..4096_u32).map(|n| (n * 7 % 31) as u8).collect();
    let query = ["query", "--tz", "UTC", "SELECT count(*) FROM recipients, messages", "-"];
    let several: &[&[&str]] = if cfg!(feature = "tables") { &[&report, &query] } else { &[&report] };
    for arguments in several {
        let refused = piped(arguments, &binary);
        assert_eq!((refused.status, refused.stderr.as_str()), (Some(2), "mailscope: -: is no text but a binary file\n"), "{arguments:?}");
    }
    let once = piped(&["trace", "A000000001", "--tz", "UTC", "-"], GOOD.as_bytes());
    let twice = piped(&["trace", "A000000001", "--tz", "UTC", "-", "-"], GOOD.as_bytes());
    assert_eq!((twice.status, twice.stdout, twice.stderr.as_str()), (Some(0), once.stdout, "mailscope: - is the same as -: read once\n"));
}

/// Starts the program and goes away after so many bytes of its output.
fn closed_pipe(arguments: &[&str], bytes: usize) {
    let mut child = program().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut vec![0; bytes]).expect("some output");
    drop(stdout);
    let output = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""), "{arguments:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sample = samples().join("mail.log");
    let sample = sample.to_str().expect("UTF-8");
    for bytes in [0, 1, 10_000] {
        for threads in ["1", "3"] {
            closed_pipe(&["parse", "--all", "--threads", threads, "--chunk-size", "1000", sample], bytes);
            closed_pipe(&["export", "deliveries", "--threads", threads, sample], bytes);
            closed_pipe(&["export", "recipients", "--format", "jsonl", "--threads", threads, sample], bytes);
            if cfg!(feature = "tables") {
                closed_pipe(&["export", "deliveries", "--format", "parquet", "--threads", threads, sample], bytes);
            }
        }
    }
    for arguments in [&["report"][..], &["report", "--format", "json"], &["formats"]] {
        closed_pipe(&if arguments == ["formats"] { arguments.to_vec() } else { [arguments, &[sample]].concat() }, 0);
    }
}

#[test]
fn nothing_is_said_on_standard_error_when_all_is_well() {
    let folder = directory();
    let path = file(&folder, "mail.log", GOOD);
    for arguments in [&["report"][..], REPORT, &["parse", "--all"], &["export", "recipients"], &["export", "deliveries"]] {
        let ran = run_on(arguments, &[&path]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!ran.stdout.contains(&0x1b), "colours in a pipe");
    }
}

#[test]
fn a_host_without_logs_is_told_which_files_were_looked_for() {
    let is_mail_log =
        |name: &str| ["mail.log", "maillog"].iter().any(|stem| name.starts_with(stem)) || name == "mail" || name.starts_with("mail.");
    let names = fs::read_dir("/var/log").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    if names.into_iter().any(|name| is_mail_log(&name)) {
        eprintln!("skipped: this host has mail logs");
        return;
    }
    // Nor is there a journal where there is no journalctl.
    let nowhere = directory();
    let output = program().env("PATH", nowhere.path()).arg("report").output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("/var/log") && stderr.contains("maillog") && stderr.contains("journalctl"), "{stderr}");
    assert!(output.stdout.is_empty());
}

// ---- files that are written --------------------------------------------------------------------

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_written_holds_what_would_have_been_printed() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let to = folder.path().join("out.json");
    let name = to.to_str().expect("UTF-8");
    let cases: [&[&str]; 4] = [
        REPORT,
        &["report", "--tz", "UTC"],
        &["parse", "--all", "--tz", "UTC"],
        &["export", "recipients", "--format", "jsonl", "--tz", "UTC"],
    ];
    for arguments in cases {
        let printed = run_on(arguments, &[&log]).ok();
        // An older file is replaced.
        fs::write(&to, "an older report").expect("a file");
        assert_eq!(run_on(&[arguments, &["-o", name]].concat(), &[&log]).ok(), "");
        assert_eq!(fs::read_to_string(&to).expect("the file"), printed);
        assert_eq!(names(&folder), ["mail.log", "out.json"]);
    }
}

#[test]
fn the_ending_of_the_file_says_the_format() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let export = |name: &str| {
        let to = folder.path().join(name);
        let ran = run_on(&["export", "recipients", "-o", to.to_str().expect("UTF-8")], &[&log]);
        (ran.status, fs::read_to_string(to).unwrap_or_default())
    };
    assert!(export("out.csv").1.starts_with("host,queue_id,"));
    assert!(export("out.jsonl").1.starts_with("{\"host\":"));
    assert_eq!(export("out.docx"), (Some(2), String::new()));
    assert_eq!(names(&folder), ["mail.log", "out.csv", "out.jsonl"]);
}

/// A run that fails while it writes: the shell's limit on the size of a file stops it.
fn stopped_while_writing(folder: &TempDir, to: &Path) -> Option<i32> {
    let script = "trap '' XFSZ; ulimit -f 8 || exit 99; exec \"$0\" export deliveries --tz UTC -o \"$1\" \"$2\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_mailscope")]).arg(to).arg(samples().join("mail.log"));
    command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("a shell").code()
}

#[test]
fn a_run_that_fails_while_it_writes_leaves_nothing_behind() {
    let folder = directory();
    let to = folder.path().join("out.csv");
    assert_eq!(stopped_while_writing(&folder, &to), Some(2));
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    // And an older file as it was.
    fs::write(&to, "an older export").expect("a file");
    assert_eq!(stopped_while_writing(&folder, &to), Some(2));
    assert_eq!(fs::read_to_string(&to).expect("the file"), "an older export");
    assert_eq!(names(&folder), ["out.csv"]);
}

#[test]
fn a_place_that_can_not_be_written_to_is_named() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let missing = folder.path().join("missing/out.json");
    for to in [missing.as_path(), folder.path()] {
        let ran = run_on(&[REPORT, &["-o", to.to_str().expect("UTF-8")]].concat(), &[&log]);
        assert_eq!(ran.status, Some(2));
        let named = to.parent().expect("a folder").to_str().expect("UTF-8");
        assert!(ran.stderr.contains(named), "{}", ran.stderr);
        assert_eq!(names(&folder), ["mail.log"]);
    }
}

#[test]
fn wrong_use_writes_no_file() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let to = folder.path().join("out.json");
    let ran = run_on(&["report", "--since", "someday", "-o", to.to_str().expect("UTF-8")], &[&log]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(names(&folder), ["mail.log"]);
}

#[test]
fn an_unreadable_input_beside_a_good_one_still_gives_the_file() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let to = folder.path().join("out.json");
    let ran = run_on(&[REPORT, &["-o", to.to_str().expect("UTF-8")]].concat(), &[&log, &folder.path().join("missing.log")]);
    assert_eq!(ran.status, Some(2));
    let report: Value = serde_json::from_slice(&fs::read(&to).expect("the file")).expect("JSON");
    assert_figures(&report, &[("messages.received", 1)]);
    assert_eq!(names(&folder), ["mail.log", "out.json"]);
}

// ---- wrong use ---------------------------------------------------------------------------------

#[test]
fn wrong_use_is_exit_status_2_and_says_what_is_wrong() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    let log = log.to_str().expect("UTF-8");
    let cases: [(&[&str], &str); 19] = [
        (&[], "usage"),
        (&["reprot", log], "reprot"),
        (&["report", "--no-such-flag", log], "--no-such-flag"),
        (&["report", "--format", "pdf", log], "pdf"),
        (&["report", "--threads", "many", log], "many"),
        (&["report", "--top", "-1", log], "-1"),
        (&["report", "--year", "26", log], "26"),
        (&["report", "--tz", "Atlantis/Center", log], "atlantis"),
        (&["report", "--since", "someday", log], "--since"),
        (&["report", "--until", "2026-13-01", log], "--until"),
        (&["report", "--day", "someday", log], "--day"),
        (&["report", "--day", "today", "--since", "today", log], "--since"),
        (&["report", "--since", "2026-11-25", "--until", "2026-11-24", log], "--until"),
        (&["report", "--since", "2026-11-24", "--until", "2026-11-24", log], "--until"),
        (&["report", "--parser", "qmail", log], "qmail"),
        (&["export", log], "recipients"),
        (&["export", "mailboxes", log], "mailboxes"),
        (&["export", "recipients", "--format", "docx", log], "docx"),
        (&["export", "recipients", "-o", "out", log], "out"),
    ];
    for (arguments, word) in cases {
        let ran = run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.to_lowercase().contains(word), "{arguments:?}: no word of {word:?} in {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?} printed something");
        assert!(!ran.stderr.contains("panicked"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [&["--help"][..], &["--version"], &["report", "--help"], &["export", "--help"], &["help", "parse"]] {
        let ran = run(arguments);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!ran.stdout.is_empty());
    }
}

#[test]
fn odd_numbers_are_no_panic() {
    let folder = directory();
    let log = file(&folder, "mail.log", GOOD);
    for more in
        [["--chunk-size", "0"], ["--top", "0"], ["--threads", "0"], ["--threads", "64"], ["--year", "9999"], ["--since", "1970-01-01"]]
    {
        let ran = run_on(&[&["report"][..], &more].concat(), &[&log]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{more:?}");
    }
}
