//! `bench --mailscope BIN --log FILE`: what a report costs, beside another command, in turn and on the same file.
//!
//! With `--truth` every run's report is held against the generator's totals: a run that is fast and wrong ends the
//! benchmark with exit status 1. A line with the figures is added to the history.

#![expect(clippy::disallowed_macros, reason = "a tool of the project: its lines are for the one who runs it")]

use mailscope_bench::clock::civil;
use mailscope_bench::compare::{Domains, compare};
use mailscope_bench::measure::{self, Run, median, min};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "usage: bench --mailscope BIN --log FILE [--truth FILE] [--vs COMMAND] [--runs N] [--threads N] \
                     [--history FILE] [--note TEXT]\n\
                     COMMAND is a simple command (sh runs: exec COMMAND) and finds the log in $LOG, as in --vs 'pflogsumm \"$LOG\"'";
/// Where figures are kept, from the root of a checkout.
const HISTORY: &str = "tests/bench/history.jsonl";
/// More rows than the truth has domains, so that all of them are compared once.
const ALL_ROWS: &str = "20000";

struct Args {
    mailscope: String,
    log: String,
    truth: Option<Value>,
    vs: Option<String>,
    runs: usize,
    threads: Option<String>,
    history: Option<String>,
    note: Option<String>,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok(args) => match run(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        },
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut given: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut mailscope, mut log, mut truth, mut vs, mut threads, mut history, mut note) = (None, None, None, None, None, None, None);
    let mut runs = 5;
    while let Some(flag) = given.next() {
        let value = given.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--mailscope" => mailscope = Some(value),
            "--log" => log = Some(value),
            "--truth" => truth = Some(read_json(&value)?),
            "--vs" => vs = Some(value),
            "--runs" => runs = value.parse().ok().filter(|runs| *runs > 0).ok_or_else(|| format!("not a number of runs: {value:?}"))?,
            "--threads" => threads = Some(value),
            "--history" => history = Some(value),
            "--note" => note = Some(value),
            _ => return Err(format!("not understood: {flag}\n{USAGE}")),
        }
    }
    let (Some(mailscope), Some(log)) = (mailscope, log) else { return Err(USAGE.to_owned()) };
    // Elsewhere than in a checkout there is no history to keep.
    let kept = Path::new(HISTORY).parent().is_some_and(Path::is_dir);
    let history = history.or_else(|| kept.then(|| HISTORY.to_owned()));
    Ok(Args { mailscope, log, truth, vs, runs, threads, history, note })
}

fn read_json(path: &str) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))?;
    serde_json::from_str(&text).map_err(|why| format!("{path}: {why}"))
}

fn run(args: &Args) -> Result<(), String> {
    let bytes = fs::metadata(&args.log).map_err(|why| format!("{}: {why}", args.log))?.len();
    if let Some(truth) = &args.truth {
        let all = report(args, &["--top", ALL_ROWS])?;
        println!("{} figures of the truth found", check(&all.output, truth, Domains::All)?);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 1..=args.runs {
        let run = report(args, &[])?;
        if let Some(truth) = &args.truth {
            check(&run.output, truth, Domains::Listed)?;
        }
        print_run(number, "mailscope", &run);
        ours.push(run);
        if let Some(command) = &args.vs {
            let run = measured("the other command", Command::new("sh").args(["-c", &format!("exec {command}")]).env("LOG", &args.log))?;
            if run.output.is_empty() {
                return Err(format!("the other command wrote nothing: {command}"));
            }
            print_run(number, "other", &run);
            theirs.push(run);
        }
    }
    let (ours, theirs) = (figures(&ours, bytes), figures(&theirs, bytes));
    println!("\n{:<10} {:>14} {:>14} {:>10} {:>10}", "", "CPU min/median", "wall min/med.", "CPU s/GB", "peak MB");
    print_row("mailscope", &ours);
    let mut line = json!({
        "date": date(), "version": version(&args.mailscope), "commit": commit(), "log": name(&args.log), "log_bytes": bytes,
        "runs": args.runs, "verified": args.truth.is_some(), "mailscope": ours,
    });
    for (key, value) in [("threads", &args.threads), ("note", &args.note)] {
        if let Some(value) = value {
            line[key] = json!(value);
        }
    }
    if let Some(command) = &args.vs {
        line["vs_command"] = json!(name(command.split_whitespace().next().unwrap_or_default()));
        print_row("other", &theirs);
        let ratio = |key: &str| rounded(theirs[key].as_f64().unwrap_or(f64::NAN) / ours[key].as_f64().unwrap_or(f64::NAN));
        let (cpu, wall) = (ratio("cpu_median_s"), ratio("wall_median_s"));
        println!(
            "\nof the medians, the other command's over mailscope's: CPU {cpu}, wall {wall}; turned round: CPU {}",
            rounded(1.0 / cpu)
        );
        line["vs"] = theirs;
        line["vs_over_mailscope"] = json!({ "cpu": cpu, "wall": wall });
    }
    if let Some(path) = &args.history {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| writeln!(file, "{line}")).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(())
}

fn report(args: &Args, more: &[&str]) -> Result<Run, String> {
    let mut command = Command::new(&args.mailscope);
    command.args(["report", "--format", "json", "--quiet", "--tz", "UTC"]).args(more);
    if let Some(threads) = &args.threads {
        command.args(["--threads", threads]);
    }
    measured(&args.mailscope, command.arg("--").arg(&args.log))
}

fn measured(what: &str, command: &mut Command) -> Result<Run, String> {
    measure::run(command).map_err(|why| format!("{what}: {why}"))
}

/// The number of figures that are right, or all that are not.
fn check(report: &[u8], truth: &Value, which: Domains) -> Result<usize, String> {
    let report = serde_json::from_slice(report).map_err(|why| format!("the report is no JSON: {why}"))?;
    let comparison = compare(&report, truth, which);
    if comparison.differences.is_empty() {
        return Ok(comparison.figures);
    }
    let differences: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    Err(format!("the report is wrong:\n{}", differences.join("\n")))
}

fn figures(runs: &[Run], bytes: u64) -> Value {
    let of = |pick: fn(&Run) -> f64| runs.iter().map(pick).collect::<Vec<f64>>();
    let (cpu, wall) = (of(|run| run.cpu_s), of(|run| run.wall_s));
    let peak = runs.iter().filter_map(|run| run.peak_bytes).max();
    json!({
        "cpu_min_s": min(&cpu).map(rounded), "cpu_median_s": median(&cpu).map(rounded),
        "wall_min_s": min(&wall).map(rounded), "wall_median_s": median(&wall).map(rounded),
        "cpu_s_per_gb": median(&cpu).map(|cpu| rounded(cpu / (bytes as f64 / 1e9))), "peak_bytes": peak,
    })
}

fn print_run(number: usize, who: &str, run: &Run) {
    println!("{number:>3} {who:<10} CPU {:>8.2} s  wall {:>8.3} s", run.cpu_s, run.wall_s);
}

fn print_row(who: &str, figures: &Value) {
    let of = |key: &str| figures[key].as_f64().unwrap_or(f64::NAN);
    println!(
        "{who:<10} {:>6.2} {:>6.2} s {:>6.3} {:>5.3} s {:>10.3} {:>10.1}",
        of("cpu_min_s"),
        of("cpu_median_s"),
        of("wall_min_s"),
        of("wall_median_s"),
        of("cpu_s_per_gb"),
        of("peak_bytes") / 1e6
    );
}

/// To the millisecond.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Only the file's name: where it lay says nothing to others.
fn name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn date() -> String {
    let at = civil(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    format!("{}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.year, at.month, at.day, at.hour, at.minute, at.second)
}

/// What a command says, if it can be run and succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn version(mailscope: &str) -> Option<String> {
    said(Command::new(mailscope).arg("--version"))
}

/// The short name of the commit, with a `+` where tracked files differ from it; none outside a checkout.
fn commit() -> Option<String> {
    let commit = said(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
    let changed = said(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]))?;
    Some(if changed.is_empty() { commit } else { commit + "+" })
}
