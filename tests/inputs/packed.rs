//! Compressed logs: every packing, whole, in parts, damaged, and made to hurt.

use super::{TIME, sample};
use crate::support::{directory, figure, file, gzipped, peak_memory, program, run_on, set_time, without_files};
use bzip2::write::BzEncoder;
use liblzma::write::XzEncoder;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const REPORT: &[&str] = &["report", "--format", "json", "--top", "50", "--tz", "UTC"];

fn gzipped_best(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn bzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn xzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

type Packing = (&'static str, fn(&[u8]) -> Vec<u8>);
const PACKINGS: &[Packing] = &[("gzip", gzipped), ("bzip2", bzipped), ("xz", xzipped), ("zstd", zstandard)];

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
fn every_packing_gives_the_report_of_the_plain_log() {
    let (directory, log) = (directory(), sample());
    let plain = report(&[put(&directory, "plain", &log)], &[]);
    for (name, pack) in PACKINGS {
        // What it is, is told by its content and not by its name.
        let path = put(&directory, "mail.log", &pack(&log));
        for threads in ["1", "2", "5"] {
            assert!(
                plain == report(std::slice::from_ref(&path), &["--threads", threads, "--chunk-size", "5000"]),
                "{name} on {threads} threads"
            );
        }
    }
}

#[test]
fn one_log_under_two_names_is_read_once_however_each_is_packed() {
    let (directory, log) = (directory(), sample());
    let plain = put(&directory, "mail.log", &log);
    let expected = report(std::slice::from_ref(&plain), &[]);
    let packed = PACKINGS.iter().map(|(name, pack)| put(&directory, &format!("mail.info.{name}"), &pack(&log)));
    let better = put(&directory, "mail.info.better", &gzipped_best(&log));
    let names: Vec<PathBuf> = [plain].into_iter().chain(packed).chain([better]).collect();
    for (one, other) in names.iter().zip(&names[1..]).flat_map(|(one, other)| [(one, other), (other, one)]) {
        let ran = run_on(REPORT, &[one, other]);
        assert_eq!(ran.stderr, format!("mailscope: {} is the same as {}: read once\n", other.display(), one.display()));
        assert!(without_files(&ran.ok()) == expected);
    }
    // One of them may be behind, by some lines or a piece of one.
    for end in [log.len() - 1, log.len() - 1000, log.len() / 2] {
        let behind = put(&directory, "behind", &gzipped(&log[..end]));
        for (one, other) in [(&names[0], &behind), (&behind, &names[0])] {
            let ran = run_on(REPORT, &[one, other]);
            assert_eq!(ran.stderr, format!("mailscope: {} is the beginning of {}: read once\n", behind.display(), names[0].display()));
            assert!(without_files(&ran.ok()) == expected);
        }
    }
    // One that differs is another log, and so is one of a few lines.
    let differs = [&log[..log.len() - 2], b"?\n"].concat();
    for other in [&differs, &log[..1000]] {
        let ran = run_on(REPORT, &[&names[0], &put(&directory, "other", other)]);
        assert!(!ran.stderr.contains("read once"), "{}", ran.stderr);
        assert!(without_files(&ran.ok()) != expected);
    }
}

#[test]
fn members_streams_and_frames_one_behind_the_other() {
    let (directory, log) = (directory(), sample());
    let plain = report(&[put(&directory, "plain", &log)], &[]);
    for (name, pack) in PACKINGS {
        // Cuts in the middle of lines, and a member without anything.
        let cuts = [&log[..1234], &[], &log[1234..500_001], &log[500_001..]];
        let members: Vec<u8> = cuts.iter().flat_map(|part| pack(part)).collect();
        assert!(plain == report(&[put(&directory, "log", &members)], &[]), "{name}");
    }
    // Parallel zstd puts a frame that is to be skipped in front.
    let skipped = [b"\x50\x2a\x4d\x18\x04\0\0\0size".as_slice(), &zstandard(&log)].concat();
    assert!(plain == report(&[put(&directory, "log", &skipped)], &[]));
}

#[test]
fn many_packed_files_are_one_log() {
    let (directory, log) = (directory(), sample());
    let plain = report(&[put(&directory, "plain", &log)], &[]);
    let lines: Vec<&[u8]> = log.split_inclusive(|c| *c == b'\n').collect();
    let mut files: Vec<PathBuf> = lines
        .chunks(lines.len() / 10 + 1)
        .enumerate()
        .map(|(at, part)| put(&directory, &format!("mail.log.{at}"), &PACKINGS[at % 4].1(&part.concat())))
        .collect();
    files.reverse();
    for threads in ["1", "2", "8"] {
        assert!(plain == report(&files, &["--threads", threads]), "{threads} threads");
    }
}

#[test]
fn a_packed_file_that_is_cut_off_or_damaged_is_named_and_what_came_before_is_reported() {
    let (directory, log) = (directory(), sample());
    for (name, pack) in PACKINGS {
        let whole: Vec<u8> = [pack(&log[..400_000]), pack(&log[400_000..])].concat();
        let mut damaged = whole.clone();
        let middle = damaged.len() * 3 / 4;
        damaged[middle..middle + 64].fill(0xff);
        for bytes in [&whole[..whole.len() * 3 / 4], &damaged, &whole[..whole.len() - 1]] {
            let path = put(&directory, "mail.log", bytes);
            let ran = run_on(REPORT, &[&path]);
            assert_eq!(ran.status, Some(2), "{name}: {}", ran.stderr);
            assert!(ran.stderr.contains("mail.log: damaged or cut off compressed data"), "{name}: {}", ran.stderr);
            assert!(figure(&ran.report(), "input.lines").as_u64().is_some_and(|lines| lines > 2900), "{name}: {}", ran.report()["input"]);
        }
    }
}

/// A log, and then more nothing than any disk holds, packed to little.
#[test]
fn a_bomb_is_refused_and_what_came_before_is_reported() {
    let (directory, log) = (directory(), sample());
    let log: Vec<u8> = log.split_inclusive(|c| *c == b'\n').take(300).flatten().copied().collect();
    let nothing = vec![0; 24 << 20];
    for (name, pack) in PACKINGS {
        let middle = if *name == "gzip" { gzipped_best(&nothing) } else { pack(&nothing) };
        let bomb = [pack(&log), middle, pack(&log)].concat();
        let path = put(&directory, "bomb", &bomb);
        let begin = Instant::now();
        let result = directory.path().join("report.json");
        let mut child = program().args(REPORT).arg(&path).arg("-o").arg(&result).stderr(Stdio::piped()).spawn().expect("the program");
        let peak = peak_memory(&mut child);
        let output = child.wait_with_output().expect("a child");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        assert!(stderr.contains("bomb: unpacks to more than 200 times its size"), "{name}: {stderr}");
        let report: serde_json::Value = serde_json::from_slice(&fs::read(&result).expect("a report")).expect("a report");
        assert!(figure(&report, "input.lines").as_u64().is_some_and(|lines| (300..=301).contains(&lines)), "{name}: {}", report["input"]);
        assert!(peak.is_none_or(|peak| peak < 100 << 20), "{name}: {peak:?} bytes");
        assert!(begin.elapsed() < Duration::from_secs(20), "{name}: {:?}", begin.elapsed());
    }
}

/// A frame that asks for a window of two gigabytes is not given it.
#[test]
fn a_window_that_no_log_needs_is_refused() {
    let directory = directory();
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    let ran = run_on(REPORT, &[file(&directory, "wide.zst", frame)]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("wide.zst: ") && ran.stderr.contains("memory"), "{}", ran.stderr);
}

#[test]
fn what_is_packed_is_looked_at_too() {
    let (directory, log) = (directory(), sample());
    for (name, pack) in PACKINGS {
        let ran = run_on(REPORT, &[file(&directory, "core", pack(&[b"\x7fELF\x02\x01\x01\0".as_slice(), &[3; 9000]].concat()))]);
        assert!(ran.stderr.contains("binary"), "{name}: {}", ran.stderr);
        let json = super::turned(&log, |line| {
            format!(r#"{{"time":"{}Z","host":"mail","program":"{}","pid":"{}","message":"x"}}"#, line.time(), line.program, line.pid).into()
        });
        let plain = report(&[put(&directory, "json", &json)], &["--quiet"]);
        assert!(plain == report(&[put(&directory, "packed", &pack(&json))], &["--quiet"]), "{name}");
    }
}
