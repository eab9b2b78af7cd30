//! One truth, any split: the same log gives the same bytes, however it is cut into chunks and files, on any number of
//! threads, packed or not, and whatever the order and the names of the files.

use crate::support::{directory, gzipped, run_on, samples, set_time, without_files};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const CHUNK_SIZES: [&str; 7] = ["1", "7", "100", "1000", "4096", "65536", "1048576"];
const THREADS: [&str; 4] = ["1", "2", "3", "8"];

/// A sample and the time that its file had.
#[derive(Clone, Copy)]
struct Log {
    name: &'static str,
    time: u64,
}

const SMALL_SERVER: Log = Log { name: "mail.log", time: 1_795_502_096 };
const NEW_YEAR: Log = Log { name: "new-year.log", time: 1_798_761_669 };

impl Log {
    fn bytes(self) -> Vec<u8> {
        fs::read(samples().join(self.name)).expect("a sample")
    }

    fn put(self, directory: &TempDir) -> PathBuf {
        let path = crate::support::file(directory, self.name, self.bytes());
        set_time(&path, self.time);
        path
    }
}

fn output(arguments: &[&str], files: &[impl AsRef<Path>]) -> String {
    let ran = run_on(&[arguments, &["--tz", "UTC"]].concat(), files);
    assert_eq!(ran.stderr, "");
    ran.ok()
}

/// What was printed, with what was said beside it on standard error.
fn output_and_notices(arguments: &[&str], files: &[impl AsRef<Path>]) -> String {
    let ran = run_on(&[arguments, &["--tz", "UTC"]].concat(), files);
    let notices = ran.stderr.clone();
    format!("{notices}{}", ran.ok())
}

const REPORT: &[&str] = &["report", "--format", "json", "--top", "50"];
const PARSE: &[&str] = &["parse", "--all"];
const RECIPIENTS: &[&str] = &["export", "recipients", "--format", "jsonl"];
const DELIVERIES: &[&str] = &["export", "deliveries", "--format", "csv"];

/// The first line in which two outputs differ says more than both of them.
#[track_caller]
fn assert_same(one: &str, other: &str, how: &str) {
    if one == other {
        return;
    }
    let at = one.lines().zip(other.lines()).position(|(one, other)| one != other);
    let line = |text: &str| at.and_then(|at| text.lines().nth(at)).unwrap_or("(the end)").to_owned();
    panic!("{how}: line {:?} is\n{}\nand not\n{}", at.map(|at| at + 1), line(other), line(one));
}

fn assert_any_chunks(log: Log, arguments: &[&str]) {
    let directory = directory();
    let files = [log.put(&directory)];
    let whole = output(arguments, &files);
    assert!(whole.len() > 1000, "{whole}");
    assert_same_for_any_chunks(&whole, |more| output(&[arguments, more].concat(), &files));
}

/// What came of the whole, and what does with these arguments more.
fn assert_same_for_any_chunks(whole: &str, output: impl Fn(&[&str]) -> String) {
    for size in CHUNK_SIZES {
        for threads in THREADS {
            let cut = output(&["--chunk-size", size, "--threads", threads]);
            assert_same(whole, &cut, &format!("chunks of {size} bytes on {threads} threads"));
        }
    }
}

#[test]
fn the_report_is_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(SMALL_SERVER, REPORT);
}

#[test]
fn the_report_across_a_years_end_is_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(NEW_YEAR, REPORT);
}

#[test]
fn the_text_report_is_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(NEW_YEAR, &["report"]);
}

#[test]
fn the_events_are_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(SMALL_SERVER, PARSE);
}

#[test]
fn the_events_across_a_years_end_are_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(NEW_YEAR, PARSE);
}

#[test]
fn the_rows_are_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(NEW_YEAR, RECIPIENTS);
    assert_any_chunks(NEW_YEAR, DELIVERIES);
}

#[test]
fn a_window_of_the_log_is_the_same_for_any_chunks_and_threads() {
    assert_any_chunks(SMALL_SERVER, &[REPORT, &["--since", "2026-11-24 06:31:30", "--until", "2026-11-24 06:33:00"]].concat());
}

#[test]
fn repetitions_and_unreadable_lines_are_the_same_for_any_chunks_and_threads() {
    let failure = "postfix/smtpd[7]: warning: unknown[198.51.100.9]: SASL LOGIN authentication failed: authentication failure";
    let mut log = String::new();
    for second in 0..60 {
        log += &format!("Nov 24 10:00:{second:02} mail {failure}\nno line of a log\n");
        log += &format!("Nov 24 10:00:{second:02} mail last message repeated {second} times\n\n");
        log += &format!("Nov 24 10:00:{second:02} mail unheard-of[1]: of no parser \x1b[31m\n");
    }
    let directory = directory();
    let path = crate::support::file(&directory, "mail.log", log);
    set_time(&path, SMALL_SERVER.time);
    for arguments in [REPORT, PARSE] {
        let whole = output_and_notices(arguments, &[&path]);
        assert_eq!(whole.contains("mail.log: line 2: "), arguments == REPORT);
        assert_same_for_any_chunks(&whole, |more| output_and_notices(&[arguments, more].concat(), &[&path]));
    }
}

#[test]
fn texts_that_read_alike_are_one_pattern_for_any_chunks_and_threads() {
    let mut log = Vec::new();
    for second in 0..60_u8 {
        // Another byte that is no UTF-8 each time; the reader sees the same sign.
        let (id, sender) = (format!("4bXyZ{:02}k1zqW", second % 10), 0x80 + second);
        log.extend(
            format!("Nov 24 10:00:{second:02} mail postfix/smtp[7]: {id}: to=<a@b.example>, relay=mx.b.example[192.0.2.{second}]:25, ")
                .bytes(),
        );
        log.extend(b"delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 User ");
        log.extend([sender, b' ']);
        log.extend(b"is not known here (in reply to RCPT TO command))\n");
    }
    let directory = directory();
    let path = crate::support::file(&directory, "mail.log", log);
    set_time(&path, SMALL_SERVER.time);
    let whole = output(REPORT, &[&path]);
    let report: serde_json::Value = serde_json::from_str(&whole).expect("a report");
    let patterns = report["patterns"].as_array().expect("patterns");
    assert_eq!((patterns.len(), &patterns[0]["count"]), (1, &60.into()), "{patterns:?}");
    assert_same_for_any_chunks(&whole, |more| output(&[REPORT, more].concat(), &[&path]));
}

// ---- cut into files ----------------------------------------------------------------------------

/// How a log is cut and handed over.
#[derive(Clone, Debug)]
struct Cut {
    /// Places in the log, as shares of its lines.
    at: Vec<f64>,
    /// In which order the parts are named on the command line, and which names they get.
    order: Vec<usize>,
    names: Vec<usize>,
    packed: Vec<bool>,
}

fn cuts() -> impl Strategy<Value = Cut> {
    (2_usize..=6).prop_flat_map(|parts| {
        let at = prop::collection::vec(0.0..1.0, parts - 1);
        let shuffled = || Just((0..parts).collect::<Vec<_>>()).prop_shuffle();
        (at, shuffled(), shuffled(), prop::collection::vec(any::<bool>(), parts)).prop_map(|(at, order, names, packed)| Cut {
            at,
            order,
            names,
            packed,
        })
    })
}

/// The parts of a log, cut before these lines.
fn parts<'l>(lines: &[&'l [u8]], before: &[usize]) -> Vec<Vec<&'l [u8]>> {
    let mut before = before.to_vec();
    before.sort_unstable();
    let ends = before.iter().copied().chain([lines.len()]);
    let mut from = 0;
    let part = |end: usize| {
        let part = lines[from..end].to_vec();
        from = end;
        part
    };
    ends.map(part).collect()
}

/// The stamp of the first and the last line. Parts that are equal in both can be told apart by their names only.
fn stamps(part: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
    let stamp = |line: &&[u8]| line[..15].to_vec();
    Some((part.first().map(stamp)?, part.last().map(stamp)?))
}

/// Writes the parts and names them in the cut's order.
fn put(directory: &TempDir, parts: &[Vec<&[u8]>], cut: &Cut, time: u64) -> Vec<PathBuf> {
    let keys: Vec<_> = parts.iter().map(|part| stamps(part)).collect();
    let ambiguous = (1..keys.len()).any(|at| keys[..at].contains(&keys[at]));
    let paths: Vec<PathBuf> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            let name = if ambiguous { at } else { cut.names[at] };
            let text = part.concat();
            let packed = cut.packed[at];
            let bytes = if packed { gzipped(&text) } else { text };
            let path = crate::support::file(directory, &format!("part.{name}{}", if packed { ".gz" } else { "" }), bytes);
            set_time(&path, time);
            path
        })
        .collect();
    cut.order.iter().map(|at| paths[*at].clone()).collect()
}

fn assert_any_cut(log: Log, cases: u32) {
    let bytes = log.bytes();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let whole = {
        let directory = directory();
        without_files(&output(REPORT, &[log.put(&directory)]))
    };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    // The same cuts every time: a failure is one for everybody.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, random).run(&cuts(), |cut| {
        let before: Vec<usize> = cut.at.iter().map(|share| (share * lines.len() as f64) as usize).collect();
        let parts = parts(&lines, &before);
        let directory = directory();
        // Empty parts that are equal would be read once, with a notice.
        let ran = run_on(&[REPORT, &["--quiet", "--tz", "UTC"]].concat(), &put(&directory, &parts, &cut, log.time));
        let report = without_files(&ran.ok());
        let differs = whole.lines().zip(report.lines()).find(|(one, other)| one != other);
        prop_assert!(whole == report, "cut before lines {before:?}: {differs:?}");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn the_report_is_the_same_for_any_cut_into_files() {
    assert_any_cut(SMALL_SERVER, 24);
}

#[test]
fn the_report_across_a_years_end_is_the_same_for_any_cut_into_files() {
    assert_any_cut(NEW_YEAR, 24);
}

/// A cut within one second leaves parts whose first stamps are equal: the last ones decide, of packed parts too.
#[test]
fn parts_of_less_than_a_second_keep_their_place() {
    let bytes = SMALL_SERVER.bytes();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let busy = lines.windows(40).position(|w| w.iter().all(|line| line[..15] == w[0][..15])).expect("a busy second");
    let directory = directory();
    let whole = without_files(&output(REPORT, &[SMALL_SERVER.put(&directory)]));
    for packed in [[false; 3], [true; 3], [false, true, false], [true, false, false], [false, true, true]] {
        let cut = Cut { at: Vec::new(), order: vec![2, 0, 1], names: vec![2, 1, 0], packed: packed.to_vec() };
        let parts = parts(&lines, &[busy + 5, busy + 20]);
        let files = put(&directory, &parts, &cut, SMALL_SERVER.time);
        assert_same(&whole, &without_files(&output(REPORT, &files)), &format!("packed {packed:?}"));
        files.iter().for_each(|file| fs::remove_file(file).expect("a file"));
    }
}

#[test]
fn the_events_of_a_cut_log_are_those_of_the_whole() {
    for log in [SMALL_SERVER, NEW_YEAR] {
        let bytes = log.bytes();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let directory = directory();
        let whole = output(PARSE, &[log.put(&directory)]);
        let cut = Cut { at: Vec::new(), order: vec![1, 2, 0], names: vec![1, 0, 2], packed: vec![true, false, true] };
        let parts = parts(&lines, &[lines.len() / 3, lines.len() / 2]);
        assert_same(&whole, &output(PARSE, &put(&directory, &parts, &cut, log.time)), log.name);
    }
}

#[test]
fn two_hosts_in_one_log_or_two() {
    let one: String =
        (0..40).map(|n| format!("2026-11-24T10:{n:02}:00+00:00 one postfix/smtpd[1]: connect from a.example[192.0.2.1]\n")).collect();
    let two = one.replace(" one ", " two ").replace(":00+00", ":30+00");
    let both: String = one.lines().zip(two.lines()).map(|(one, two)| format!("{one}\n{two}\n")).collect();
    let directory = directory();
    let whole = crate::support::file(&directory, "both", both);
    let apart = [crate::support::file(&directory, "two", two), crate::support::file(&directory, "one", one)];
    assert_same(&without_files(&output(REPORT, &[whole])), &without_files(&output(REPORT, &apart)), "one host a file");
}
