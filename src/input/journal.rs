//! This host's own journal, as journalctl(1) gives it.
//!
//! In comes a window, out goes the Journal Export Format of what was logged to the facility `mail`, which is what a
//! syslog daemon would have written to `mail.log`. The journal's files are never opened here: journalctl knows who may
//! read them. What it says on standard error is kept, and a failure of its ends the input with an error.

use mailscope_parsers::model::Micros;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

const PROGRAM: &str = "journalctl";
/// RFC 5424's number of the facility `mail`; the field is there since there is a journal, `--facility` is not.
const MAIL: &str = "SYSLOG_FACILITY=2";
/// Of what it says on standard error, no more is passed on.
const MOST_SAID: u64 = 4096;

/// Which part of the journal is read, at least.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    pub since: Option<Micros>,
    pub until: Option<Micros>,
}

/// Where to begin to follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    Start,
    Since(Micros),
    /// Behind the entry of this address.
    After(Vec<u8>),
}

/// What was said while reading that is no failure; known once all is read.
#[derive(Clone, Debug, Default)]
pub struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// journalctl at work. It is waited for, whatever happens.
pub struct Journal {
    child: Arc<Mutex<Child>>,
    output: ChildStdout,
    /// Its standard error: a file, because nobody reads while it writes.
    errors: File,
    said: Said,
    is_over: bool,
}

impl Journal {
    /// Starts journalctl.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn open(window: Window, said: Said) -> io::Result<Self> {
        let mut command = journalctl();
        // Whole seconds around the window; its edges are cut when the lines are read.
        if let Some(since) = window.since {
            command.args(["--since", &second(since)]);
        }
        if let Some(until) = window.until {
            command.args(["--until", &second(until + 1_000_000)]);
        }
        Self::start(command, said)
    }

    /// Starts one that goes on with what is logged from now on.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn follow(whence: &Whence) -> io::Result<Self> {
        let mut command = journalctl();
        command.args(["--follow", "--no-tail"]);
        match whence {
            Whence::Start => &mut command,
            Whence::Since(since) => command.args(["--since", &second(*since)]),
            Whence::After(cursor) => command.arg(format!("--after-cursor={}", String::from_utf8_lossy(cursor))),
        };
        Self::start(command, Said::default())
    }

    fn start(mut command: Command, said: Said) -> io::Result<Self> {
        let errors = tempfile::tempfile()?;
        command.arg(MAIL).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors.try_clone()?);
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output of journalctl"))?;
        Ok(Self { child: Arc::new(Mutex::new(child)), output, errors, said, is_over: false })
    }

    /// What ends it from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.child.clone())
    }

    /// What stands in its standard error.
    fn complaint(&mut self) -> String {
        let mut text = Vec::new();
        if self.errors.seek(SeekFrom::Start(0)).is_ok() {
            // What can't be read is not said.
            let _ = (&self.errors).take(MOST_SAID).read_to_end(&mut text);
        }
        one_line(&text)
    }

    fn end(&mut self) -> io::Result<()> {
        self.is_over = true;
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait()?;
        let complaint = self.complaint();
        if !status.success() {
            return Err(failed(status, &complaint));
        }
        if !complaint.is_empty() {
            self.said.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{PROGRAM}: {complaint}"));
        }
        Ok(())
    }
}

impl Read for Journal {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let read = self.output.read(to)?;
        if read == 0 && !to.is_empty() {
            self.end()?;
        }
        Ok(read)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !self.is_over {
            self.stopper().stop();
        }
    }
}

/// Ends a journalctl that somebody else reads.
pub struct Stopper(Arc<Mutex<Child>>);

impl Stopper {
    /// Nobody wants the rest; it may have ended by itself.
    pub fn stop(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The address of the journal's last entry, if there is one, and what journalctl says about what can't be seen.
///
/// # Errors
/// Where it can't be asked.
pub fn last_entry() -> io::Result<(Option<Vec<u8>>, String)> {
    let Output { status, stdout, stderr } =
        journalctl().args(["--lines=1", MAIL]).stdin(Stdio::null()).output().map_err(|error| cannot_start(&error))?;
    let said = one_line(&stderr);
    if !status.success() {
        return Err(failed(status, &said));
    }
    let cursor = stdout.split(|c| *c == b'\n').find_map(|line| line.strip_prefix(b"__CURSOR="));
    Ok((cursor.map(<[u8]>::to_vec), said))
}

fn journalctl() -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--output=export", "--no-pager"]);
    command
}

fn second(time: Micros) -> String {
    format!("@{}", time.div_euclid(1_000_000).max(0))
}

fn one_line(said: &[u8]) -> String {
    String::from_utf8_lossy(said).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn failed(status: ExitStatus, complaint: &str) -> io::Error {
    let colon = if complaint.is_empty() { "" } else { ": " };
    io::Error::other(format!("{PROGRAM} ended with {status}{colon}{complaint}"))
}

fn cannot_start(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{PROGRAM} can't be started ({error})"))
}
