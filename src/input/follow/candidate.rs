//! A file as a look at its directory shows it, and how its content begins.

use super::names::Pattern;
use crate::input::read::{self, ReadError, Reading};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So much of the beginning tells a file from others.
pub const HEAD: usize = 1024;

/// The same file, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inode {
    pub device: u64,
    pub number: u64,
}

impl Inode {
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }
}

/// Changes with every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stand {
    pub size: u64,
    pub modified_ns: i128,
}

impl Stand {
    pub fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()) }
    }
}

impl Stand {
    /// Whether nobody has written to it for so long.
    pub fn is_older_than(self, age: Duration) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos().cast_signed());
        now - self.modified_ns > age.as_nanos().cast_signed()
    }
}

/// One file.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub path: PathBuf,
    /// The log that it is of.
    pub log: String,
    /// Whether it was named itself.
    pub is_named: bool,
    pub inode: Inode,
    pub stand: Stand,
}

/// The regular files of a directory that a pattern takes; links are followed.
pub fn candidates(directory: &Path, patterns: &[Pattern]) -> Vec<Candidate> {
    let Ok(entries) = directory.read_dir() else { return Vec::new() };
    let patterns: Vec<&Pattern> = patterns.iter().filter(|pattern| pattern.directory == directory).collect();
    let candidate = |name: &str| {
        let log = patterns.iter().find_map(|pattern| pattern.log(name))?;
        let path = directory.join(name);
        let metadata = read::facts(&path).ok()??;
        let is_named = patterns.iter().any(|pattern| pattern.is_named(name));
        // A link may lead elsewhere tomorrow, and the file that it leads to now has to be found then.
        let path = if path.is_symlink() { fs::canonicalize(&path).unwrap_or(path) } else { path };
        Some(Candidate { path, log, is_named, inode: Inode::of(&metadata), stand: Stand::of(&metadata) })
    };
    entries.filter_map(Result::ok).filter_map(|entry| candidate(entry.file_name().to_str()?)).collect()
}

/// How its content begins, unpacked, and whether it is packed.
pub fn head(path: &Path) -> Result<(Vec<u8>, bool), ReadError> {
    let input = read::open(path, &Reading::default())?;
    if !input.is_plain && !input.compressed {
        return Err(ReadError::Io(io::Error::other("holds no syslog lines, and only these are followed")));
    }
    let mut head = Vec::with_capacity(HEAD);
    // The end of a file that is being packed is not there yet.
    let _ = input.bytes.take(HEAD as u64).read_to_end(&mut head);
    Ok((head, input.compressed))
}
