//! Asks this host's own mail server for its queue. Only commands that list are run.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs and arguments, the surest first. mailq is whatever server's is installed.
const COMMANDS: &[(&str, &[&str])] = &[
    ("postqueue", &["-j"]),
    ("postqueue", &["-p"]),
    ("exim", &["-bp"]),
    ("exim4", &["-bp"]),
    ("smtpctl", &["show", "queue"]),
    ("mailq", &[]),
];
/// Where such programs lie, whatever the PATH of a user.
const PLACES: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/usr/local/bin"];

/// The first command that works, and what it printed.
///
/// # Errors
/// Where none is installed or none works, with what each said.
pub fn listing() -> Result<(String, Vec<u8>)> {
    let mut said = Vec::new();
    for (name, arguments) in COMMANDS {
        let Some(program) = find(name) else { continue };
        let shown = std::iter::once(*name).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
        // A server that is not running prints its complaint and fails.
        let output = Command::new(&program).args(*arguments).env("LC_ALL", "C").stdin(Stdio::null()).output();
        let output = output.with_context(|| program.display().to_string())?;
        if output.status.success() {
            return Ok((shown, output.stdout));
        }
        let error = String::from_utf8_lossy(&output.stderr);
        said.push(format!("{shown}: {}", error.lines().next().unwrap_or("failed")));
    }
    if said.is_empty() {
        bail!(
            "no mail server's queue command is installed here (looked for postqueue, exim, smtpctl and mailq); name a file with a listing, or - for standard input"
        );
    }
    bail!("this host's queue can't be listed ({}); listing it usually takes root or a group of the mail server", said.join("; "))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::split_paths(&path).collect::<Vec<_>>();
    own.iter().map(PathBuf::as_path).chain(PLACES.iter().map(Path::new)).map(|place| place.join(name)).find(|program| program.is_file())
}
