//! What can be read once only is put where it can be read again.

use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The files to read, and the copies of those that could be read only once.
pub struct Sources {
    pub paths: Vec<PathBuf>,
    /// Gone when this is.
    _copies: Vec<NamedTempFile>,
}

impl Sources {
    /// Copies standard input, pipes and the like.
    ///
    /// # Errors
    /// Where there is no room for the copy.
    pub fn of(paths: &[PathBuf]) -> Result<Self> {
        let mut sources = Self { paths: Vec::new(), _copies: Vec::new() };
        for path in paths {
            let stdin = path == Path::new("-");
            let once = stdin || fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
            if once {
                let mut copy = NamedTempFile::new().context("standard input is read more than once and needs a temporary file")?;
                let copied = if stdin {
                    io::copy(&mut io::stdin().lock(), &mut copy)
                } else {
                    File::open(path).and_then(|mut from| io::copy(&mut from, &mut copy))
                };
                copied.with_context(|| path.display().to_string())?;
                sources.paths.push(copy.path().to_path_buf());
                sources._copies.push(copy);
            } else {
                sources.paths.push(path.clone());
            }
        }
        Ok(sources)
    }
}
