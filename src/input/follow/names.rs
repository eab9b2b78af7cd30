//! Which names are one log: `mail.log`, `mail.log.1`, `mail.log.2.gz`, `mail.log-20261123`, `mail-20261123.log`. A name
//! without its rotation mark and packing is the log's own name.

use super::candidate::candidates;
use std::cmp::Ordering;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, slice};

/// What is to be followed, as it was named.
#[derive(Debug)]
pub struct Pattern {
    pub directory: PathBuf,
    pub path: PathBuf,
    /// An earlier run, whose positions are known, followed it.
    pub is_known: bool,
    names: Names,
}

#[derive(Debug)]
enum Names {
    /// A file, and what it is rotated to.
    File(String),
    /// Everything in the directory.
    All,
    /// `*` and `?` in the last part of the path.
    Glob(String),
}

impl Pattern {
    pub fn new(path: &Path, is_known: bool) -> Self {
        let own = path.to_path_buf();
        if path.is_dir() {
            return Self { directory: own.clone(), path: own, is_known, names: Names::All };
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
        let is_glob = name.contains(['*', '?']) && !path.exists();
        Self { directory, path: own, is_known, names: if is_glob { Names::Glob(name) } else { Names::File(name) } }
    }

    /// Why nothing is followed of it now, if there is nothing.
    pub fn absence(&self) -> Option<String> {
        let path = self.path.display();
        match (&self.names, fs::metadata(&self.path)) {
            (Names::Glob(_), _) if !candidates(&self.directory, slice::from_ref(self)).is_empty() => None,
            (Names::Glob(_), _) => Some(format!("no file is called {path} yet: it is followed as soon as there is one")),
            (_, Ok(_)) => None,
            (_, Err(why)) if why.kind() == ErrorKind::NotFound => Some(format!("{path} is not there yet: it is followed as soon as it is")),
            (_, Err(why)) => Some(format!("{path}: {why}")),
        }
    }

    /// The log that a file of this directory belongs to.
    pub fn log(&self, name: &str) -> Option<String> {
        let log = log_name(name);
        match &self.names {
            Names::File(own) if is_short_mark(own) => (own == name).then(|| own.clone()),
            Names::File(own) => (log_name(own) == log).then_some(log),
            Names::All => (!name.starts_with('.')).then_some(log),
            Names::Glob(glob) => (matches(glob, name) || matches(glob, &log)).then_some(log),
        }
    }

    /// Whether this very file was named, and not only an elder version of it.
    pub fn is_named(&self, name: &str) -> bool {
        match &self.names {
            Names::File(own) => own == name,
            Names::All => !name.starts_with('.'),
            Names::Glob(glob) => matches(glob, name),
        }
    }
}

const PACKED: &[&str] = &[".gz", ".bz2", ".xz", ".zst"];

fn unpacked(name: &str) -> &str {
    PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The name without parts that are numbers or dates, and without packing.
fn log_name(name: &str) -> String {
    let mut log = String::with_capacity(name.len());
    for part in parts(unpacked(name)) {
        let word = part.trim_start_matches(['.', '-', '_']);
        let is_mark = !word.is_empty() && word.len() < part.len() && word.bytes().all(|c| c.is_ascii_digit());
        if !(is_mark || part == ".old") {
            log.push_str(part);
        }
    }
    log
}

/// The elder file first: `mail.log.2`, `mail.log.1`, `mail.log`; of names with a date the earlier.
pub fn by_age(a: &Path, b: &Path) -> Ordering {
    let age = |path: &Path| {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let digits: String = unpacked(&name).chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse::<i64>().unwrap_or(0);
        if is_short_mark(&name) { -number } else { number }
    };
    age(a).cmp(&age(b))
}

/// `mail.log.1`: somebody means this very file, and no other.
fn is_short_mark(name: &str) -> bool {
    let (log, name) = (log_name(name), unpacked(name));
    log != name && name.bytes().filter(u8::is_ascii_digit).count() - log.bytes().filter(u8::is_ascii_digit).count() < 6
}

/// The parts of a name, each with the separator before it.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?.len_utf8();
        let end = rest[first..].find(['.', '-', '_']).map_or(rest.len(), |at| first + at);
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

/// `*` is any text, `?` any character.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if g < glob.len() && glob[g] == '*' {
            star = Some((g, n));
            g += 1;
        } else if g < glob.len() && (glob[g] == '?' || glob[g] == name[n]) {
            (g, n) = (g + 1, n + 1);
        } else if let Some((at, from)) = star {
            // The last star takes one character more.
            star = Some((at, from + 1));
            (g, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_versions_have_the_name_of_their_log() {
        for name in
            ["mail.log", "mail.log.1", "mail.log.12.gz", "mail.log-20261123", "mail.log-2026-11-23.xz", "mail-20261123.log", "mail.log.old"]
        {
            assert_eq!(log_name(name), "mail.log", "{name}");
        }
        assert_eq!(log_name("mx1.log"), "mx1.log");
        assert_eq!(log_name("mail.err.1"), "mail.err");
        assert_eq!(log_name("2026"), "2026");
    }

    #[test]
    fn a_pattern_takes_what_it_names_and_what_that_is_rotated_to() {
        let of = |path: &str| Pattern::new(Path::new(path), false);
        assert_eq!(of("/nowhere/mail.log").log("mail.log.2.gz").as_deref(), Some("mail.log"));
        assert!(of("/nowhere/mail.log").log("mail.err").is_none());
        assert!(of("/nowhere/mail.log.1").log("mail.log").is_none());
        assert!(of("/nowhere/mail-20261123.log").log("mail-20261124.log").is_some());
        assert!(of("/nowhere/m*.log").log("mail.log.1").is_some());
        assert!(!of("/nowhere/m*.log").is_named("mail.log.1") && of("/nowhere/m*.log").is_named("mail.log"));
        assert!(of("/nowhere/m*.log").log("other.log").is_none());
    }

    #[test]
    fn elder_files_come_first() {
        for names in [["mail.log.10.gz", "mail.log.2", "mail.log"], ["mail-20261123.log", "mail-20261124.log", "mail-20261201.log"]] {
            assert!(names.windows(2).all(|pair| by_age(Path::new(pair[0]), Path::new(pair[1])) == Ordering::Less), "{names:?}");
        }
    }

    #[test]
    fn globs() {
        assert!(matches("*", "") && matches("a*c?", "abcbcd") && matches("mail-*.log", "mail-1.log"));
        assert!(!matches("a*c", "abcd") && !matches("?", "") && !matches("a", "ab"));
    }
}
