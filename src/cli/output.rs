//! Where results go: standard output, or a file that appears whole or not at all.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A place to write to. Nothing is at its final place before [`Output::finish`].
pub enum Output {
    Standard(BufWriter<io::Stdout>),
    File {
        to: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// A device or pipe, which can't be replaced.
    Device(BufWriter<File>),
}

impl Output {
    /// Opens a file's temporary twin beside it, or standard output.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Standard(BufWriter::with_capacity(1 << 16, io::stdout())));
        };
        if path.is_dir() {
            anyhow::bail!("{} is a directory", path.display());
        }
        if path.exists() && !path.is_file() {
            return Ok(Self::Device(BufWriter::new(File::create(path).with_context(|| path.display().to_string())?)));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".mailscope")
            .tempfile_in(folder)
            .with_context(|| format!("can't write to {}", folder.display()))?;
        Ok(Self::File { to: BufWriter::with_capacity(1 << 16, file), path: path.to_path_buf() })
    }

    /// Writes what is left and puts the file in its place.
    ///
    /// # Errors
    /// Where that fails.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Standard(mut to) => to.flush()?,
            Self::Device(mut to) => to.flush()?,
            Self::File { to, path } => {
                let file = to.into_inner().map_err(io::IntoInnerError::into_error).with_context(|| path.display().to_string())?;
                permit(file.as_file())?;
                file.persist(&path).map_err(|error| error.error).with_context(|| path.display().to_string())?;
            }
        }
        Ok(())
    }
}

/// Temporary files are private; a report is as readable as the umask would have made it.
fn permit(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mask = umask().unwrap_or(0o077);
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !mask))
}

fn umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(mask.trim(), 8).ok()
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(to) => to.write(bytes),
            Self::File { to, .. } => to.write(bytes),
            Self::Device(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(to) => to.flush(),
            Self::File { to, .. } => to.flush(),
            Self::Device(to) => to.flush(),
        }
    }
}

/// Whether the reader of our output went away: that is no failure of ours.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        io.or(csv) == Some(io::ErrorKind::BrokenPipe)
            || cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind) == Some(io::ErrorKind::BrokenPipe)
    })
}

pub use crate::render::printable;
