//! The state file: positions and sums of one moment, replaced as a whole. One line says what it is; behind it stand the
//! positions, which every version reads, and what alerts remember and the sums, which only the version that wrote them reads.

use super::running::Running;
use crate::anonymize::Anonymizer;
use crate::cli::output::printable;
use crate::input::follow::Positions;
use crate::live::alerts::Memory;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SCHEMA: &str = "mailscope.state/1 ";
/// The program's, and a number that rises with every change of the sums' form, so that no build takes another's for its own.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+7");
/// Between two checkpoints, where there is something to put down.
const EVERY: Duration = Duration::from_secs(5);
/// Of the time that a checkpoint takes: at most two per cent go there.
const REST: u32 = 50;

/// What an earlier run left.
#[derive(Default)]
pub struct Stored {
    pub positions: Option<Positions>,
    pub memory: Memory,
    pub running: Option<Running>,
}

/// Who reads sums and what alerts remember: this version, with the same names in them.
pub fn maker(names: Option<&Anonymizer>) -> String {
    names.map_or_else(|| VERSION.to_owned(), |names| format!("{VERSION} names {}", names.mark()))
}

/// Reads a state file that `maker` wrote, or some other one; `None` where there is none yet.
///
/// # Errors
/// Where it can't be read or is something else.
pub fn read(path: &Path, maker: &str) -> Result<Option<Stored>> {
    let what = || format!("the state file {}", path.display());
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => BufReader::new(file.with_context(what)?).read_to_end(&mut bytes).with_context(what)?,
    };
    let end = memchr::memchr(b'\n', &bytes).unwrap_or(bytes.len());
    let Some(written_by) = std::str::from_utf8(&bytes[..end]).ok().and_then(|line| line.strip_prefix(SCHEMA)) else {
        bail!("{} is no state of mailscope tail", path.display());
    };
    let body = bytes.get(end + 1..).unwrap_or_default();
    let (positions, rest) = postcard::take_from_bytes::<Positions>(body).with_context(what)?;
    let rest = if written_by == maker { postcard::from_bytes::<(Memory, Running)>(rest).ok() } else { None };
    if rest.is_none() {
        let other = if written_by.split(' ').next() == Some(VERSION) { "has other names in it" } else { "is of another version" };
        eprintln!("mailscope: {} {other}: reading goes on where it ended, counting begins anew", printable(&what()));
    }
    let (memory, running) = rest.map_or_else(Default::default, |(memory, running)| (memory, Some(running)));
    Ok(Some(Stored { positions: Some(positions), memory, running }))
}

/// Writes checkpoints, now and then.
pub struct Checkpoints {
    path: PathBuf,
    maker: String,
    last: Instant,
    took: Duration,
    /// What had been read then.
    bytes: Option<u64>,
}

impl Checkpoints {
    pub fn new(path: PathBuf, maker: String) -> Self {
        Self { path, maker, last: Instant::now(), took: Duration::ZERO, bytes: None }
    }

    /// Whether it is time for one, so many bytes having been read and with or without other news.
    pub fn is_due(&self, bytes: u64, news: bool) -> bool {
        (news || self.bytes != Some(bytes)) && self.last.elapsed() >= EVERY.max(self.took * REST)
    }

    /// Replaces the state file.
    ///
    /// # Errors
    /// Where that fails; the old one is still there then.
    pub fn write(&mut self, positions: &Positions, memory: &Memory, running: &Running) -> Result<()> {
        let what = || format!("the state file {}", self.path.display());
        let begun = Instant::now();
        let directory = self.path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".mailscope").tempfile_in(directory).with_context(what)?;
        let mut to = BufWriter::with_capacity(1 << 16, file);
        writeln!(to, "{SCHEMA}{}", self.maker).with_context(what)?;
        let to = postcard::to_io(positions, to).with_context(what)?;
        let to = postcard::to_io(&(memory, running), to).with_context(what)?;
        let file = to.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(what)?;
        file.as_file().sync_data().with_context(what)?;
        file.persist(&self.path).map_err(|error| error.error).with_context(what)?;
        (self.took, self.last, self.bytes) = (begun.elapsed(), Instant::now(), Some(running.bytes));
        Ok(())
    }
}
