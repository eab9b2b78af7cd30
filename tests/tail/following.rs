//! The follower by itself: names, links, ends without a newline, every way to rotate. No event of the file system is used
//! here but to look earlier.

use crate::support::{directory, gzipped};
use mailscope::input::follow::{Follower, From, Positions, Stamps};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Lines {
    follower: Follower,
    read: Vec<String>,
}

impl Lines {
    fn follow(paths: &[&Path], from: From, positions: Option<Positions>) -> Self {
        let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
        let stamps = Stamps { zone: "UTC".parse().expect("a zone"), year: Some(2026) };
        let follower = Follower::new(&paths, false, stamps, from, positions, &(Arc::new(|| ()) as _)).expect("a follower");
        Self { follower, read: Vec::new() }
    }

    fn look(&mut self) {
        while let Some(chunk) = self.follower.next_chunk() {
            let text = String::from_utf8(chunk.lines().to_vec()).expect("UTF-8");
            self.read.extend(text.lines().map(str::to_owned));
        }
    }

    /// Reads until there are so many, then a little longer: there must not be more.
    #[track_caller]
    fn expect(&mut self, lines: &[&str]) {
        let begun = Instant::now();
        while self.read.len() < lines.len() && begun.elapsed() < Duration::from_secs(15) {
            self.look();
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(30));
        self.look();
        assert_eq!(self.read.iter().map(|line| text_of(line)).collect::<Vec<_>>(), lines);
        self.read.clear();
    }
}

/// A line of a log, with a text of its own.
fn line(text: &str) -> String {
    format!("Nov 24 10:00:00 mail postfix/smtpd[1]: connect from {text}.example.org[192.0.2.1]\n")
}

fn text_of(line: &str) -> &str {
    line.split(" from ").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or(line)
}

fn append(path: &Path, bytes: &str) {
    File::options().create(true).append(true).open(path).and_then(|mut file| file.write_all(bytes.as_bytes())).expect("a log");
}

fn log(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("mail.log")
}

#[test]
fn a_file_that_is_not_there_yet_and_lines_without_an_end() {
    let directory = directory();
    let path = log(&directory);
    let mut lines = Lines::follow(&[&path], From::End, None);
    lines.expect(&[]);
    append(&path, &(line("a") + &line("b")[..20]));
    lines.expect(&["a"]);
    append(&path, &line("b")[20..]);
    lines.expect(&["b"]);
}

#[test]
fn from_the_start_the_end_or_the_middle_of_a_line() {
    let directory = directory();
    let path = log(&directory);
    append(&path, &(line("a") + &line("b")[..30]));
    let (mut start, mut end) = (Lines::follow(&[&path], From::Start, None), Lines::follow(&[&path], From::End, None));
    append(&path, &line("b")[30..]);
    start.expect(&["a", "b"]);
    end.expect(&["b"]);
}

#[test]
fn the_old_file_is_read_to_its_end_before_the_new_one() {
    let directory = directory();
    let path = log(&directory);
    append(&path, &line("a"));
    let mut lines = Lines::follow(&[&path], From::Start, None);
    lines.expect(&["a"]);
    let mut old = File::options().append(true).open(&path).expect("the log");
    fs::rename(&path, directory.path().join("mail.log.1")).expect("a rename");
    append(&path, "");
    old.write_all(line("b").as_bytes()).expect("room");
    lines.expect(&["b"]);
    old.write_all(line("c").as_bytes()).expect("room");
    append(&path, &line("d"));
    lines.expect(&["c", "d"]);
    // A second writer that has not been told yet.
    old.write_all(line("e").as_bytes()).expect("room");
    lines.expect(&["e"]);
}

#[test]
fn a_truncated_log_goes_on_in_its_copy_and_begins_anew() {
    let directory = directory();
    let path = log(&directory);
    append(&path, &(line("a") + &line("b")));
    let mut lines = Lines::follow(&[&path], From::Start, None);
    lines.expect(&["a", "b"]);
    append(&path, &line("c"));
    fs::copy(&path, directory.path().join("mail.log.1")).expect("a copy");
    File::create(&path).expect("a truncated log");
    append(&path, &(line("d") + &line("e") + &line("f") + &line("g")));
    lines.expect(&["c", "d", "e", "f", "g"]);
    File::create(&path).expect("a truncated log");
    append(&path, &line("h"));
    lines.expect(&["h"]);
}

#[test]
fn several_rotations_while_nobody_looked() {
    let directory = directory();
    let path = log(&directory);
    let elder = |number: u32, end: &str| directory.path().join(format!("mail.log.{number}{end}"));
    append(&elder(1, ""), &line("before"));
    append(&path, &line("a"));
    let mut lines = Lines::follow(&[&path], From::Start, None);
    lines.expect(&["a"]);
    let positions = lines.follower.positions();
    drop(lines);
    append(&path, &line("b"));
    // Packed, so that its inode is gone; a new log, renamed; another one, copied and truncated.
    fs::write(elder(3, ".gz"), gzipped(&fs::read(&path).expect("the log"))).expect("a file");
    fs::rename(elder(1, ""), elder(4, "")).expect("a rename");
    fs::remove_file(&path).expect("the log");
    std::thread::sleep(Duration::from_millis(20));
    append(&elder(2, ""), &(line("c") + &line("d")));
    std::thread::sleep(Duration::from_millis(20));
    append(&path, &line("e"));
    fs::copy(&path, elder(1, "")).expect("a copy");
    File::create(&path).expect("a truncated log");
    std::thread::sleep(Duration::from_millis(20));
    append(&path, &line("f"));
    let mut lines = Lines::follow(&[&path], From::End, Some(positions));
    lines.expect(&["b", "c", "d", "e", "f"]);
    // Packing what was read is no news.
    fs::write(elder(2, ".gz"), gzipped(&fs::read(elder(2, "")).expect("a log"))).expect("a file");
    fs::remove_file(elder(2, "")).expect("a log");
    append(&path, &line("g"));
    lines.expect(&["g"]);
}

#[test]
fn a_link_that_moves_and_names_with_a_date() {
    let directory = directory();
    let day = |day: u32| directory.path().join(format!("mail-2026112{day}.log"));
    let link = directory.path().join("current");
    let point = |to: &Path| {
        let new = directory.path().join("new");
        std::os::unix::fs::symlink(to, &new).expect("a link");
        fs::rename(new, &link).expect("a rename");
    };
    append(&day(3), &line("a"));
    point(&day(3));
    let mut through_link = Lines::follow(&[&link], From::Start, None);
    let mut by_date = Lines::follow(&[&day(3)], From::Start, None);
    through_link.expect(&["a"]);
    by_date.expect(&["a"]);
    append(&day(3), &line("b"));
    append(&day(4), &line("c"));
    point(&day(4));
    through_link.expect(&["b", "c"]);
    by_date.expect(&["b", "c"]);
}

#[test]
fn directories_and_patterns_in_which_files_appear() {
    let directory = directory();
    append(&log(&directory), &line("a"));
    let mut all = Lines::follow(&[directory.path()], From::End, None);
    let mut some = Lines::follow(&[&directory.path().join("m*.log")], From::Start, None);
    append(&directory.path().join("mx.log"), &line("b"));
    append(&directory.path().join("other"), &line("c"));
    some.expect(&["a", "b"]);
    all.look();
    all.read.sort();
    all.expect(&["b", "c"]);
}

#[test]
fn a_line_without_an_end_in_a_finished_file_is_a_line() {
    let directory = directory();
    let path = log(&directory);
    append(&path, &(line("a") + line("b").trim_end()));
    let mut lines = Lines::follow(&[&path], From::Start, None);
    lines.expect(&["a"]);
    fs::rename(&path, directory.path().join("mail.log.1")).expect("a rename");
    append(&path, &line("c"));
    lines.expect(&["c", "b"]);
}

#[test]
fn an_endless_line_is_cut_and_those_after_it_are_read() {
    let directory = directory();
    let path = log(&directory);
    let mut lines = Lines::follow(&[&path], From::Start, None);
    append(&path, &(line("a") + &"x".repeat(1 << 20)));
    lines.look();
    append(&path, &("x".repeat(1000) + "\n" + &line("b")));
    let begun = Instant::now();
    while lines.read.len() < 3 && begun.elapsed() < Duration::from_secs(15) {
        lines.look();
    }
    assert_eq!(lines.read.iter().map(|line| line.len()).collect::<Vec<_>>()[1], 1 << 16);
    assert_eq!((text_of(&lines.read[0]), text_of(&lines.read[2]), lines.read.len()), ("a", "b", 3));
}
