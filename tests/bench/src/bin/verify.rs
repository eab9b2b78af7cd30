//! `verify REPORT.json TRUTH.json`: holds the analyzer's report against the generator's truth. See
//! [`mailscope_bench::compare`]. Exit status: 0 equal, 1 a difference, 2 wrong use.

#![expect(clippy::disallowed_macros, reason = "a tool of the project: its lines are for the one who runs it")]

use mailscope_bench::compare::{Domains, compare};
use serde_json::Value;
use std::process::ExitCode;

const USAGE: &str = "usage: verify REPORT.json TRUTH.json\n\
                     (the report from mailscope report --format json --top 20000, the truth from generate --truth)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [report, truth] = args.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let comparison = match (read(report), read(truth)) {
        (Ok(report), Ok(truth)) => compare(&report, &truth, Domains::All),
        (Err(why), _) | (_, Err(why)) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    for difference in &comparison.differences {
        println!("{difference}");
    }
    println!("{} figures compared, {} differ", comparison.figures, comparison.differences.len());
    if comparison.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
    serde_json::from_str(&text).map_err(|why| format!("{path}: {why}"))
}
