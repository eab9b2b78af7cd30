//! This host's own logs, and what could not be read.

use super::read::ReadError;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where mail servers log by default, the most usual first (Debian, RHEL, SUSE, FreeBSD, Arch).
const DIRECTORY: &str = "/var/log";
const NAMES: &[&str] = &["mail.log", "maillog", "mail"];
/// Where Exim keeps its own main log, beside a syslog that knows nothing of mail (Debian, RHEL, FreeBSD).
const EXIM: &[(&str, &str)] = &[("exim4", "mainlog"), ("exim", "main.log"), ("exim", "mainlog")];

/// An input that could not be read, and why; the rest is still reported.
#[derive(Debug)]
pub struct Unreadable {
    pub path: PathBuf,
    pub why: ReadError,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

/// The mail logs of this host with their rotated and compressed elder versions (`mail.log`, `mail.log.1`,
/// `mail.log.2.gz`, `maillog-20261123`); empty where there are none.
#[must_use]
pub fn own_logs() -> Vec<PathBuf> {
    logs_below(Path::new(DIRECTORY))
}

/// The mail log that this host writes to now.
#[must_use]
pub fn own_log() -> Option<PathBuf> {
    NAMES.iter().map(|name| Path::new(DIRECTORY).join(name)).find(|path| path.is_file())
}

fn logs_below(directory: &Path) -> Vec<PathBuf> {
    let own = EXIM.iter().map(|(below, name)| logs_in(&directory.join(below), &[name]));
    std::iter::once(logs_in(directory, NAMES)).chain(own).find(|found| !found.is_empty()).unwrap_or_default()
}

fn logs_in(directory: &Path, names: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else { return Vec::new() };
    let files: Vec<(String, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .collect();
    for stem in names {
        let mut found: Vec<PathBuf> = files.iter().filter(|(name, _)| belongs(name, stem)).map(|(_, path)| path.clone()).collect();
        if !found.is_empty() {
            found.sort();
            return found;
        }
    }
    Vec::new()
}

/// Whether a name is the log itself or a rotated version of it: the rest holds a digit (`.1`, `-20261123.gz`).
fn belongs(name: &str, stem: &str) -> bool {
    let Some(rest) = name.strip_prefix(stem) else { return false };
    rest.is_empty() || (rest.starts_with(['.', '-']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_versions_belong_and_others_do_not() {
        for name in ["mail.log", "mail.log.1", "mail.log.2.gz", "mail.log-20261123"] {
            assert!(belongs(name, "mail.log"), "{name}");
        }
        for name in ["mail.err", "mail.log.offset", "mail.logger", "mail.warn.1"] {
            assert!(!belongs(name, "mail.log"), "{name}");
        }
    }

    #[test]
    fn a_directory_without_mail_logs_gives_none() {
        let empty = tempfile::tempdir().unwrap();
        assert!(logs_below(empty.path()).is_empty());
        std::fs::create_dir(empty.path().join("exim4")).unwrap();
        std::fs::write(empty.path().join("exim4/mainlog"), "x").unwrap();
        assert_eq!(logs_below(empty.path()), [empty.path().join("exim4/mainlog")]);
        std::fs::write(empty.path().join("maillog.1"), "x").unwrap();
        std::fs::write(empty.path().join("maillog"), "x").unwrap();
        assert_eq!(logs_below(empty.path()).len(), 2);
    }
}
