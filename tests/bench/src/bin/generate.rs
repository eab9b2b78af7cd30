//! `generate --bytes 1G --out FILE`: a synthetic Postfix log whose totals are known. See the crate's documentation.

#![expect(clippy::disallowed_macros, reason = "a tool of the project: its lines are for the one who runs it")]

use mailscope_bench::clock::Style;
use mailscope_bench::generator::{Plan, generate};
use mailscope_bench::size;
use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

const USAGE: &str = "usage: generate --bytes SIZE --out FILE [--truth FILE.json] [--seed N] \
                     [--days N | --rate-bytes-per-day SIZE] [--style rfc3339|bsd]";

struct Args {
    plan: Plan,
    out: String,
    truth: Option<String>,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut bytes, mut out, mut truth, mut rate, mut days) = (None, None, None, None, None);
    let (mut seed, mut style) = (1, Style::Bsd);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let number = || value.parse::<f64>().map_err(|_| format!("not a number: {value:?}"));
        match flag.as_str() {
            "--bytes" => bytes = Some(size::parse(&value)?),
            "--out" => out = Some(value),
            "--truth" => truth = Some(value),
            "--seed" => seed = value.parse().map_err(|_| format!("not a seed: {value:?}"))?,
            "--days" => days = Some(number()?),
            "--rate-bytes-per-day" => rate = Some(size::parse(&value)? as f64),
            "--style" if value == "bsd" => style = Style::Bsd,
            "--style" if value == "rfc3339" => style = Style::Rfc3339,
            _ => return Err(format!("not understood: {flag} {value}\n{USAGE}")),
        }
    }
    let (Some(bytes), Some(out)) = (bytes, out) else {
        return Err(USAGE.to_owned());
    };
    let bytes_per_day = match (days, rate) {
        (Some(_), Some(_)) => {
            return Err(format!("--days or --rate-bytes-per-day, not both\n{USAGE}"));
        }
        (Some(days), None) => bytes as f64 / days,
        (None, rate) => rate.unwrap_or(1e9),
    };
    if !(bytes_per_day.is_finite() && bytes_per_day >= 1.0) {
        return Err(format!("no log can have {bytes_per_day} bytes a day"));
    }
    Ok(Args { plan: Plan { bytes, seed, bytes_per_day, style }, out, truth })
}

fn run(args: &Args) -> Result<(), String> {
    let failed = |path: &str, why: std::io::Error| format!("{path}: {why}");
    let file = File::create(&args.out).map_err(|e| failed(&args.out, e))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let (truth, names) = generate(&args.plan, &mut out).map_err(|e| failed(&args.out, e))?;
    if !truth.is_settled() {
        eprintln!("the log ends between a child's line and its parent's; up to a few messages may be told either way");
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = serde_json::to_string_pretty(&truth.json(&names)).map_err(|e| e.to_string())? + "\n";
    match &args.truth {
        Some(path) => std::fs::write(path, text).map_err(|e| failed(path, e)),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}
