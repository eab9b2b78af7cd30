//! What can be read once only is put where it can be read again.

use super::read::is_read_once;
use anyhow::{Context as _, Result};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Copies of standard input, pipes and the like, by the names that these go by. They are gone when nobody reads them any more.
#[derive(Clone, Debug, Default)]
pub struct Copied(Arc<Vec<(PathBuf, NamedTempFile)>>);

impl Copied {
    /// Copies those that can be read once only.
    ///
    /// # Errors
    /// Where there is no room for a copy.
    pub fn of(paths: &[PathBuf]) -> Result<Self> {
        let mut copies: Vec<(PathBuf, NamedTempFile)> = Vec::new();
        for path in paths.iter().filter(|path| is_read_once(path)) {
            if copies.iter().any(|(known, _)| known == path) {
                continue;
            }
            let mut copy =
                NamedTempFile::new().with_context(|| format!("{} is read more than once and needs a temporary file", path.display()))?;
            let copied = if path == Path::new("-") {
                io::copy(&mut io::stdin().lock(), &mut copy)
            } else {
                File::open(path).and_then(|mut from| io::copy(&mut from, &mut copy))
            };
            copied.with_context(|| path.display().to_string())?;
            copies.push((path.clone(), copy));
        }
        Ok(Self(Arc::new(copies)))
    }

    /// Where that lies which goes by this name.
    #[must_use]
    pub fn place<'p>(&'p self, path: &'p Path) -> &'p Path {
        self.0.iter().find(|(known, _)| known == path).map_or(path, |(_, copy)| copy.path())
    }
}
