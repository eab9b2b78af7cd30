//! `rekey --in LOG --bytes 1G --out FILE`: a real log, repeated until it is long enough. See [`mailscope_bench::rekey`].

#![expect(clippy::disallowed_macros, reason = "a tool of the project: its lines are for the one who runs it")]

use mailscope_bench::rekey::Pattern;
use mailscope_bench::size;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: rekey --in LOG --bytes SIZE --out FILE";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut input, mut bytes, mut out) = (None, None, None);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--in" => input = Some(value),
            "--bytes" => bytes = Some(size::parse(&value)?),
            "--out" => out = Some(value),
            _ => return Err(format!("not understood: {flag}\n{USAGE}")),
        }
    }
    let (Some(input), Some(bytes), Some(path)) = (input, bytes, out) else {
        return Err(USAGE.to_owned());
    };
    let log = std::fs::read(&input).map_err(|e| format!("{input}: {e}"))?;
    if log.last() != Some(&b'\n') {
        return Err(format!("{input}: must end with a whole line"));
    }
    let repetitions = bytes.div_ceil(log.len() as u64).max(1);
    let pattern = Pattern::new(&log, repetitions).map_err(|e| format!("{input}: {e}"))?;
    let failed = |e: std::io::Error| format!("{path}: {e}");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
    for number in 0..repetitions {
        file.write_all(&pattern.repetition(number)).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    let told = json!({
        "repetitions": repetitions,
        "lines": repetitions * pattern.lines,
        "bytes": repetitions * log.len() as u64,
        "seconds_each": pattern.seconds,
    });
    println!("{told}");
    Ok(())
}
