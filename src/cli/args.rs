//! The arguments as they are typed.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Reads the logs of mail servers and says what happened to the mail.
#[derive(Debug, Parser)]
#[command(name = "mailscope", version, propagate_version = true, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What happened to the mail: traffic, outcomes, delays, rejects, problems
    Report(ReportArgs),
    /// The events themselves, one JSON object a line
    Parse(ParseArgs),
    /// Rows for spreadsheets and scripts: one a recipient or one an attempt
    Export(ExportArgs),
    /// The parsers, and what they read
    Formats,
}

/// What to read, and which part of it.
#[derive(Debug, ClapArgs)]
pub struct InputArgs {
    /// Logs, plain or gzip, rotated, in any order; - is standard input. Without any: this host's own mail logs
    pub files: Vec<PathBuf>,
    /// Only lines of this host
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// From this time on: 2026-11-23, "2026-11-23 14:30", today, yesterday, -2h, -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Up to this time, itself not included
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// A day or so: today, yesterday, 2026-11-23, last-week, -2h (the last two hours)
    #[arg(long, value_name = "DAY", allow_hyphen_values = true, conflicts_with_all = ["since", "until"])]
    pub day: Option<String>,
    /// Time zone of the log's local stamps and of the output: local, UTC, Europe/Berlin, +02:00
    #[arg(long, value_name = "ZONE", default_value = "local", allow_hyphen_values = true)]
    pub tz: String,
    /// Year of each log's first line, for stamps without a year (else told from queue ids and the file's time)
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    pub year: Option<i32>,
    /// Read with this parser only
    #[arg(long, value_name = "NAME", value_parser = parser_names())]
    pub parser: Option<String>,
    /// Threads; 0 is one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Bytes read at a time; the result does not depend on it
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 16, hide = true)]
    pub chunk_size: usize,
    /// No progress, no notices
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Rows of each list
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// An earlier JSON report of a normal day: what is worse than in it is a finding
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Exit with status 1 on a finding (its word), on any of a severity (critical, warning, notice), or on a rate: bounce>5%
    #[arg(long, value_name = "FINDING|RATE", value_parser = super::limits::parse)]
    pub fail_on: Vec<super::limits::Limit>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    /// A page for browsers, whole in one file
    Html,
    /// For tickets and wikis
    #[value(alias = "md")]
    Markdown,
    Json,
}

#[derive(Debug, ClapArgs)]
pub struct ParseArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Lines without an event too: kind ignored or unrecognized, with the reason
    #[arg(long)]
    pub all: bool,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// Which rows
    #[arg(value_enum)]
    pub table: TableName,
    #[command(flatten)]
    pub input: InputArgs,
    /// The file to write; its ending says the format. Without it: standard output, as CSV
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The format, whatever the file is called
    #[arg(long, value_enum)]
    pub format: Option<TableFormat>,
    /// Write CSV cells that begin with = + - @ or a tab as they are (a spreadsheet may run them)
    #[arg(long)]
    pub raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableName {
    /// One row a message and recipient, with what became of it
    Recipients,
    /// One row an attempt
    Deliveries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Csv,
    #[value(alias = "ndjson")]
    Jsonl,
}

/// The names of the registry.
fn parser_names() -> clap::builder::PossibleValuesParser {
    mailscope_parsers::PARSERS.iter().map(|parser| parser.name).collect::<Vec<_>>().into()
}

/// What stands below the help.
pub fn after_help() -> String {
    let mut help = String::from("Parsers:\n");
    for parser in mailscope_parsers::PARSERS {
        help.push_str(&format!("  {:<10} {}\n", parser.name, parser.reads));
    }
    help.push_str("\nExit status: 0 done; 1 done, and what --fail-on names is so; 2 wrong use, or an input that could not be read (the rest is still reported).");
    help
}
