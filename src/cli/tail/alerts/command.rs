//! A program of the user's. It gets the letter as JSON on standard input and in short in its environment; no shell reads
//! any of it, and nothing of the log is ever an argument.

use crate::live::alerts::{Form, Letter};
use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that runs longer is ended.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// So much of its complaint is shown.
const SHOWN: u64 = 300;

pub fn tell(run: &[String], letter: &Letter<'_>) -> Result<()> {
    let (program, arguments) = run.split_first().context("no program")?;
    // Files, and not pipes: a program that does not read, or writes much, makes nobody wait.
    let (mut input, mut complaint) = (tempfile::tempfile()?, tempfile::tempfile()?);
    input.write_all(letter.json(Form::Json).to_string().as_bytes())?;
    input.rewind()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(input).stdout(Stdio::null()).stderr(complaint.try_clone()?);
    command.env("MAILSCOPE_SUBJECT", letter.subject()).env("MAILSCOPE_TEXT", letter.text());
    let mut child = command.spawn().with_context(|| program.clone())?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("{program} took longer than {} s and was ended", PATIENCE.as_secs());
        }
        std::thread::sleep(LOOK);
    };
    if status.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    complaint.rewind()?;
    complaint.take(SHOWN).read_to_end(&mut said)?;
    bail!("{program}: {status} {}", String::from_utf8_lossy(&said).lines().next().unwrap_or_default())
}
