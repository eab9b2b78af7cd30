//! `mailscope explain`: what a reply or a code means, and what to do.

use super::args::{ExplainArgs, ExplainFormat};
use super::output::{Output, printable};
use super::{Ended, resolve};
use crate::explain::{check, explain, write_text};
use anyhow::{Context as _, Result};
use mailscope_parsers::classify::{Classifier, provider_named, providers};
use std::io::{self, BufRead, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// A longer line is cut, as in a log.
const LONGEST: u64 = 64 << 10;

pub fn run(args: &ExplainArgs) -> Result<Ended> {
    let classifier = resolve::classifier(args.rules.as_deref())?;
    let relay = args.provider.as_deref().map_or(Ok(&b""[..]), relay)?;
    let mut to = Output::open(None)?;
    let one = |text: &[u8], to: &mut Output| write(text, relay, classifier, args.format, to);
    if args.text.len() == 1 && args.text[0] == "-" {
        lines(io::stdin().lock(), |line| match args.format {
            ExplainFormat::Json => one(line, &mut to),
            // Nothing is there to be explained.
            ExplainFormat::Text if line.trim_ascii().is_empty() => Ok(()),
            ExplainFormat::Text => {
                writeln!(to, "> {}", printable(String::from_utf8_lossy(line).trim()))?;
                one(line, &mut to)?;
                Ok(writeln!(to)?)
            }
        })?;
    } else {
        let text = args.text.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' ');
        check(&text)?;
        one(&text, &mut to)?;
    }
    to.finish()?;
    Ok(Ended::Well)
}

/// A host of that provider's.
fn relay(name: &str) -> Result<&'static [u8]> {
    let found = provider_named(name).and_then(|name| providers().iter().find(|provider| provider.name == name));
    let known = || providers().iter().map(|provider| provider.name.as_str()).collect::<Vec<_>>().join("; ");
    Ok(found.with_context(|| format!("the provider {name} is not known; known are {}", known()))?.relay())
}

fn write(text: &[u8], relay: &[u8], classifier: &Classifier, format: ExplainFormat, to: &mut Output) -> Result<()> {
    let explanation = explain(text, relay, classifier);
    match format {
        ExplainFormat::Json => {
            serde_json::to_writer(&mut *to, &explanation)?;
            writeln!(to)?;
        }
        ExplainFormat::Text => write_text(&explanation, to)?,
    }
    Ok(())
}

/// Calls `each` for every line; what is beyond the longest is passed over.
fn lines(mut from: impl BufRead, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        each(line.strip_suffix(b"\n").unwrap_or(&line))?;
        if !whole && line.len() as u64 == LONGEST {
            from.skip_until(b'\n')?;
        }
    }
}
