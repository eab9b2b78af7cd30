//! The same stories, however the log is cut, packed, named, and read.

use crate::support::{directory, file, gzipped, run_on, samples, set_time, unpacked};
use std::path::Path;

/// The time of the sample's file.
const TIME: u64 = 1_795_502_096;
const KEYS: [&str; 3] = ["8E47E9CCABE", "news@newsletter.example", "192.0.2.100"];

fn stories(key: &str, files: &[impl AsRef<Path>], more: &[&str]) -> String {
    let ran = run_on(&[&["trace", key, "--format", "json", "--tz", "UTC"], more].concat(), files);
    assert_eq!(ran.stderr, "");
    ran.ok()
}

#[test]
fn chunks_and_threads_change_nothing() {
    let directory = directory();
    let log = file(&directory, "mail.log", unpacked(&samples().join("mail.log")));
    set_time(&log, TIME);
    for key in KEYS {
        let whole = stories(key, &[&log], &["--threads", "1"]);
        assert!(!whole.is_empty());
        for size in ["1", "1000", "65537"] {
            assert!(stories(key, &[&log], &["--chunk-size", size, "--threads", "3"]) == whole, "{key}: chunks of {size}");
        }
    }
}

#[test]
fn rotated_and_packed_files_change_nothing() {
    let directory = directory();
    let text = unpacked(&samples().join("mail.log"));
    let whole = file(&directory, "whole.log", &text);
    let middle = text.len() / 3 + text[text.len() / 3..].iter().position(|c| *c == b'\n').expect("a line") + 1;
    let old = file(&directory, "mail.log.1.gz", gzipped(&text[..middle]));
    let new = file(&directory, "mail.log", &text[middle..]);
    [&whole, &old, &new].into_iter().for_each(|path| set_time(path, TIME));
    for key in KEYS {
        assert!(stories(key, &[&new, &old], &[]) == stories(key, &[&whole], &[]), "{key}");
    }
}
