//! Logs that repeat lines of another one: Exim writes what it refuses into its reject log, what is grave into its panic
//! log, and both into the main log as well, with the same stamp and the same words; syslog daemons are told to write what is
//! grave into logs of its own, `mail.warn` and `mail.err`, beside the log of everything.
//!
//! Where such a log is given beside others, its lines are looked for in them before any is counted: whatever the order of
//! the files, and whatever each of them lost, an event is counted once. Two equal lines of one log are two events.

use super::order::Log;
use super::read::{self, Reading};
use hashbrown::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Lines of a log that others have too, by their hash.
#[derive(Default)]
pub struct Copies(HashSet<u64, foldhash::fast::FixedState>);

impl Copies {
    /// Whether another log has this line.
    #[must_use]
    pub fn has(&self, line: &[u8]) -> bool {
        self.0.contains(&hash(line))
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(5).build_hasher();
    hasher.write(line.strip_suffix(b"\r").unwrap_or(line));
    hasher.finish()
}

/// So many lines of such logs are looked for; what is beyond them counts as it stands.
const MOST: usize = 1 << 22;

/// What a log repeats, by its name: the log of everything nothing, a log of warnings what is in that, and a log of errors what is
/// in both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gravity {
    All,
    /// Refusals and panics of Exim, too, which it writes into its main log as well.
    Warnings,
    Errors,
}

impl Gravity {
    /// Such logs are named by what is in them: `rejectlog.1.gz`, `exim_panic.log` (Exim's `log_file_path`), `mail.warn.2.gz`.
    fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let says = |words: [&str; 2]| name.split('.').any(|part| words.contains(&part));
        if says(["err", "error"]) {
            Self::Errors
        } else if says(["warn", "warning"]) || name.contains("reject") || name.contains("panic") {
            Self::Warnings
        } else {
            Self::All
        }
    }
}

/// Tells each log that repeats others which of its lines those have.
pub fn find(logs: &mut [Log], reading: &Reading) {
    let of = |log: &Log| log.opened.is_none().then(|| Gravity::of(&log.path));
    for gravity in [Gravity::Warnings, Gravity::Errors] {
        let (these, others): (Vec<_>, Vec<_>) =
            logs.iter().filter(|log| of(log).is_some_and(|other| other <= gravity)).partition(|log| of(log) == Some(gravity));
        if others.is_empty() {
            continue;
        }
        let (mut wanted, mut found) = (Copies::default(), Copies::default());
        for log in these {
            each_line(&log.path, reading, |line| {
                if wanted.0.len() < MOST {
                    wanted.0.insert(line);
                }
            });
        }
        if wanted.0.is_empty() {
            continue;
        }
        for log in others {
            each_line(&log.path, reading, |line| {
                if wanted.0.contains(&line) {
                    found.0.insert(line);
                }
            });
        }
        let found = Arc::new(found);
        for log in logs.iter_mut().filter(|log| of(log) == Some(gravity)) {
            log.copies = Some(Arc::clone(&found));
        }
    }
}

/// The hashes of the lines that begin with a date.
fn each_line(path: &Path, reading: &Reading, mut with: impl FnMut(u64)) {
    read::each_block(path, reading, |block| {
        block.split(|c| *c == b'\n').filter(|line| begins_with_date(line)).for_each(|line| with(hash(line)));
        ControlFlow::Continue(())
    });
}

/// `2026-11-24 06:03:42`, `2026-11-24T06:03:42`, `Nov 24 06:03:42`.
fn begins_with_date(line: &[u8]) -> bool {
    matches!(line, [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', ..] | [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_seen_wherever_a_block_ends_and_behind_one_that_has_no_end() {
        let line = |n: usize| format!("Nov 24 06:03:42 mail postfix/smtpd[1]: warning: {n}");
        let lines: Vec<String> = (0..40_000).map(line).collect();
        let endless = "x".repeat(3 * read::BLOCK);
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (text, more) in [(format!("{endless}\n{}\r\n", lines.join("\n")), ""), (lines.join("\n"), "\nx"), (lines.join("\n"), "")] {
            std::fs::write(file.path(), text + more).expect("a log");
            let mut seen = Vec::new();
            each_line(file.path(), &Reading::default(), |hash| seen.push(hash));
            assert!(seen == lines.iter().map(|line| hash(line.as_bytes())).collect::<Vec<_>>());
        }
    }
}
