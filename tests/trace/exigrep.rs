//! `trace --raw` of a message beside exigrep(8), which prints every line of each message of which a line holds the pattern:
//! all of its lines are among ours, and what we have besides is of the message's chain.
//!
//! Which lines exigrep prints for each id of the sample is kept in `exigrep.txt` (the id, and line numbers of the log); where
//! it is installed, it is asked again.

use crate::support::{run_on, samples_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A quarter of the messages is asked about in a run; which one does not matter.
const EVERY: usize = 4;
/// Exim could not take in the notification that this message gave rise to: its error line names the message, and there is
/// no queue file that the message went on as.
const NOT_FOLLOWED: &str = "Error while reading message with no usable sender address (R=";

fn log() -> PathBuf {
    samples_of("exim").join("mainlog")
}

/// The lines as they are printed: no control characters.
fn lines() -> Vec<String> {
    let text = fs::read(log()).expect("a sample");
    String::from_utf8_lossy(&text).lines().map(|line| line.replace('\t', "\\t")).collect()
}

/// The queue id that a line is of.
fn id(line: &str) -> Option<&str> {
    let id = line.get(20..36)?;
    let dashes = |at: usize| id.as_bytes()[at] == b'-';
    (dashes(6) && dashes(13) && id.bytes().filter(u8::is_ascii_alphanumeric).count() == 14).then_some(id)
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.map(|place| place.join("exigrep")).find(|program| program.is_file())
}

/// The numbers of the lines that exigrep prints, each line of the log once.
fn ask(program: &Path, id: &str, numbers: &BTreeMap<&str, Vec<usize>>) -> BTreeSet<usize> {
    let output = Command::new(program).args(["-I", "-l", id]).arg(log()).output().expect("exigrep");
    let said = String::from_utf8_lossy(&output.stdout).replace('\t', "\\t");
    let is_line = |line: &&str| !line.is_empty() && !line.starts_with("+++ ");
    said.lines().filter(is_line).flat_map(|line| numbers[line].clone()).collect()
}

/// `12 14-17`, and back.
fn ranges(numbers: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let shown = |(first, last): &(usize, usize)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    ranges.iter().map(shown).collect::<Vec<_>>().join(" ")
}

fn numbers(ranges: &str) -> BTreeSet<usize> {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let of = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (number(first), number(last))
    };
    ranges.split(' ').map(of).flat_map(|(first, last)| first..=last).collect()
}

#[test]
fn every_line_that_exigrep_prints_is_among_ours() {
    let lines = lines();
    let mut by_text: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        by_text.entry(line).or_default().push(at + 1);
    }
    let ids: BTreeSet<&str> = lines.iter().filter_map(|line| id(line)).collect();
    assert_eq!(ids.len(), 496);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace/exigrep.txt");
    let program = installed();
    if let Some(program) = program.as_ref().filter(|_| std::env::var_os("UPDATE_GOLDEN").is_some()) {
        let said = |id: &&str| format!("{id} {}\n", ranges(&ask(program, id, &by_text)));
        fs::write(&golden, ids.iter().map(said).collect::<String>()).expect("a golden");
    }
    let said = fs::read_to_string(&golden).expect("what exigrep printed");
    let said: BTreeMap<&str, BTreeSet<usize>> =
        said.lines().map(|line| line.split_once(' ').expect("an id")).map(|(id, ranges)| (id, numbers(ranges))).collect();
    assert_eq!(said.keys().copied().collect::<BTreeSet<_>>(), ids);
    if program.is_none() {
        eprintln!("exigrep is not installed: held against what it printed before");
    }
    for (at, id) in ids.iter().enumerate().filter(|(at, _)| at % EVERY == 0) {
        let theirs = &said[id];
        if let Some(program) = program.as_ref().filter(|_| at % (EVERY * EVERY) == 0) {
            assert_eq!(&ask(program, id, &by_text), theirs, "{id}");
        }
        hold_against(id, theirs, &lines);
    }
}

fn hold_against(id: &str, theirs: &BTreeSet<usize>, lines: &[String]) {
    let printed = run_on(&["trace", id, "--raw", "-q", "--tz", "UTC"], &[log()]).ok();
    let ours: BTreeSet<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
    let theirs: BTreeSet<&str> = theirs.iter().map(|number| lines[number - 1].as_str()).collect();
    let missing: Vec<&&str> = theirs.difference(&ours).filter(|line| !line.contains(NOT_FOLLOWED)).collect();
    assert!(missing.is_empty(), "{id}: {missing:?}");
    // What we have besides is of a message that one of those lines names: a notification's, or what it reports on.
    let named: Vec<&str> = theirs.iter().copied().collect();
    let besides = ours.difference(&theirs).filter(|line| !self::id(line).is_some_and(|of| named.iter().any(|line| line.contains(of))));
    assert_eq!(besides.collect::<Vec<_>>(), Vec::<&&str>::new(), "{id}");
}
