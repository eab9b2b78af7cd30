//! The arguments as they are typed.

use crate::input::Copied;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Reads the logs of mail servers and says what happened to the mail.
#[derive(Debug, Parser)]
#[command(name = "mailscope", version, propagate_version = true, max_term_width = 100)]
pub struct Args {
    /// Settings and alerts; without it ~/.config/mailscope/config.toml, else /etc/mailscope/config.toml, if there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// What happened to the mail: traffic, outcomes, delays, rejects, problems
    Report(ReportArgs),
    /// The same counting live: follows logs while they are written and rotated
    Tail(TailArgs),
    /// What waits in the queue, how old, and why: a listing, or this host's own queue
    Queue(QueueArgs),
    /// The events themselves, one JSON object a line
    Parse(ParseArgs),
    /// One message, address or client, from the client to the mailbox
    Trace(TraceArgs),
    /// Tables for spreadsheets and scripts: recipients, attempts, bounces, rejects, domains ...
    Export(ExportArgs),
    /// SQL over the tables of export
    #[cfg(feature = "tables")]
    Query(QueryArgs),
    /// What a reply or a code means, and what to do
    Explain(ExplainArgs),
    /// The parsers, and what they read
    Formats(FormatsArgs),
}

#[derive(Debug, ClapArgs)]
pub struct FormatsArgs {
    #[command(subcommand)]
    pub what: Option<FormatsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum FormatsCommand {
    /// The parsers and formats, and what they read
    List,
    /// Says what is wrong with a definition
    Check {
        /// The definition, as TOML
        file: PathBuf,
    },
}

/// What to read, and which part of it.
#[derive(Clone, Debug, ClapArgs)]
pub struct InputArgs {
    /// Logs, plain or packed, rotated, in any order; - is standard input. Without any: this host's own mail logs, else its
    /// journal
    pub files: Vec<PathBuf>,
    /// Read this host's journal (what it holds of the facility mail)
    #[arg(long)]
    pub journal: bool,
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
    /// The lines' own format of stamps, as of strftime: "%Y %b %d %H:%M:%S%.3f"
    #[arg(long, value_name = "FORMAT")]
    pub time_format: Option<String>,
    /// Read with this parser or format only
    #[arg(long, value_name = "NAME", value_parser = ParserName)]
    pub parser: Option<String>,
    /// Rules of your own for the classes of failure, asked before the program's
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// A format of your own, as TOML; besides those in ~/.config/mailscope/formats
    #[arg(long, value_name = "FILE")]
    pub parser_file: Vec<PathBuf>,
    #[command(flatten)]
    pub pseudonyms: Pseudonyms,
    /// Threads; 0 is one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Bytes read at a time; the result does not depend on it
    #[arg(long, value_name = "BYTES", hide = true)]
    pub chunk_size: Option<usize>,
    /// No progress, no notices
    #[arg(short, long)]
    pub quiet: bool,
    /// What can be read once only, for those who read it several times
    #[arg(skip)]
    pub copied: Copied,
    /// What is to be said of the input was said before
    #[arg(skip)]
    pub said_before: bool,
}

impl InputArgs {
    const CHUNK: usize = 3 << 16;

    /// The same for another pass, of which nothing is to be said.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { quiet: true, said_before: true, ..self.clone() }
    }

    /// Bytes that are read at a time. Where several threads take turns, each has what the one before had in its nearest memory to
    /// fetch: fewer turns are better then.
    #[must_use]
    pub fn chunk(&self, threads: usize) -> usize {
        self.chunk_size.unwrap_or(if threads > 1 { 2 * Self::CHUNK } else { Self::CHUNK })
    }
}

/// Whether names are told, and by which.
#[derive(Clone, Debug, ClapArgs)]
pub struct Pseudonyms {
    /// Pseudonyms in the place of people, hosts, IP addresses and message-ids
    #[arg(long)]
    pub anonymize: bool,
    /// What the pseudonyms are made with: the same ones again; without it, they differ each time
    #[arg(long, value_name = "KEY", requires = "anonymize")]
    pub anonymize_key: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// A spreadsheet (xlsx) has every row of the lists, and a sheet of bounces
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
    Xlsx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoryFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, ClapArgs)]
pub struct TailArgs {
    /// Logs, directories or patterns ("/var/log/mail*.log"); - is standard input. Without any: this host's own mail log, else
    /// its journal
    pub files: Vec<PathBuf>,
    /// Follow this host's journal (what it holds of the facility mail)
    #[arg(long)]
    pub journal: bool,
    /// Where to begin in what is there already: start, end, checkpoint (of --state), or a time such as -1h
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Keeps positions and totals here, and goes on from there after a restart
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// One line an event, where there is no terminal for the screen, or in spite of it
    #[arg(long, value_enum)]
    pub format: Option<TailFormat>,
    /// Every event, and not only failures, rejects, failed log-ins and problems
    #[arg(long)]
    pub all: bool,
    /// Write the totals here at the end and on SIGUSR1, as `report --format json` does
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Serve /metrics for Prometheus, and /healthz, at this address: 127.0.0.1:9154
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<String>,
    /// Send one message through every channel of the configuration, say how it went, and end
    #[arg(long)]
    pub test_alerts: bool,
    /// Rows of each list of the summary
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// Only lines of this host
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Time zone of the log's local stamps and of the output: local, UTC, Europe/Berlin, +02:00
    #[arg(long, value_name = "ZONE", default_value = "local", allow_hyphen_values = true)]
    pub tz: String,
    /// Year of each log's first line, for stamps without a year (else told from queue ids and the file's time)
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    pub year: Option<i32>,
    /// Read with this parser or format only
    #[arg(long, value_name = "NAME", value_parser = ParserName)]
    pub parser: Option<String>,
    /// Rules of your own for the classes of failure, asked before the program's
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// A format of your own, as TOML; besides those in ~/.config/mailscope/formats
    #[arg(long, value_name = "FILE")]
    pub parser_file: Vec<PathBuf>,
    #[command(flatten)]
    pub pseudonyms: Pseudonyms,
    /// No notices
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, ClapArgs)]
pub struct QueueArgs {
    /// Queue listings, plain or gzip, of one or several hosts; - is standard input. Without any: this host's own queue
    pub files: Vec<PathBuf>,
    /// Ask this host's own mail server
    #[arg(long)]
    pub live: bool,
    /// Ask again every so many seconds, and draw over
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub watch: Option<u64>,
    /// Only messages in these states: active, incoming, deferred, hold, frozen, queued, ...
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub state: Vec<String>,
    /// What the rows of the matrix are
    #[arg(long, value_enum, default_value_t = By::Domain)]
    pub by: By,
    /// Columns of age
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=64).map(usize::from))]
    pub buckets: usize,
    /// Width of the first column of age, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub bucket_min: u64,
    /// Columns of one width, instead of each twice as wide as the one before
    #[arg(long)]
    pub linear: bool,
    /// Rows for parent domains, too, with a dot in front
    #[arg(long)]
    pub parents: bool,
    /// Parent domains of at least so many names
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub min_subdomains: u64,
    /// How long a message is tried before it is returned: 5d, 36h
    #[arg(long, value_name = "TIME", default_value = "5d")]
    pub lifetime: String,
    /// The moment that ages count from, instead of the file's time: 2026-11-24T06:33:07Z, "2026-11-24 06:33"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<String>,
    /// Logs of the same host, all names that follow: rates, when the backlog is gone, clients, last and next attempts
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub logs: Vec<PathBuf>,
    /// Time zone of the listing's local stamps and of the output: local, UTC, Europe/Berlin, +02:00
    #[arg(long, value_name = "ZONE", default_value = "local", allow_hyphen_values = true)]
    pub tz: String,
    /// Year of each log's first line, for stamps without a year
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    pub year: Option<i32>,
    #[command(flatten)]
    pub pseudonyms: Pseudonyms,
    /// Without it, what the ending of -o says, else text
    #[arg(long, value_enum)]
    pub format: Option<QueueFormat>,
    /// Rows of each list, and messages, of text and JSON
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// No notices
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TailFormat {
    Text,
    #[value(alias = "ndjson")]
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Domains of the recipients
    Domain,
    /// Domains of the senders
    Sender,
    /// Who receives the mail, by the relay's name
    Provider,
}

/// The page, the same as data, or the table of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueueFormat {
    Text,
    Json,
    /// Every message, one row a recipient, as of export; so are the formats below
    Csv,
    Tsv,
    #[value(alias = "ndjson")]
    Jsonl,
    Md,
    Xlsx,
    #[cfg(feature = "tables")]
    Parquet,
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
pub struct ExplainArgs {
    /// A reply ("550 5.1.1 User unknown"), a code (5.7.26, 421), or - for one reply a line on standard input
    #[arg(required = true)]
    pub text: Vec<OsString>,
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub format: ExplainFormat,
    /// Who said it: Google, Microsoft, Yahoo ...
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Rules of your own for the classes of failure, asked before the program's
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    Text,
    /// One object a line
    Json,
}

#[derive(Debug, ClapArgs)]
pub struct TraceArgs {
    /// A queue id, message-id, address (sender, recipient, account), client (IP address or host name) or subject
    pub key: String,
    #[command(flatten)]
    pub input: InputArgs,
    /// KEY is a regular expression over whole lines
    #[arg(long)]
    pub regex: bool,
    /// Only messages from this address or domain
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// Only messages to this address or domain
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// Only messages of this client: an IP address or host name
    #[arg(long, value_name = "CLIENT")]
    pub client: Option<String>,
    /// Only messages with such an attempt or outcome; rejected ones and open ones too
    #[arg(long, value_name = "STATUS", value_parser = crate::trace::STATUSES)]
    pub status: Option<String>,
    /// Only messages with a failure of this class
    #[arg(long, value_name = "CLASS", value_parser = class_names())]
    pub class: Option<String>,
    /// The first N messages in the log and no further; 0 is all. Without it: a thousand, and word of how much more there is
    #[arg(long, value_name = "N")]
    pub first: Option<usize>,
    /// The lines of the log themselves, all of each message and of its notifications
    #[arg(long, conflicts_with_all = ["list", "format"])]
    pub raw: bool,
    /// One line a message
    #[arg(short, long, conflicts_with = "format")]
    pub list: bool,
    #[arg(long, value_enum, default_value_t = StoryFormat::Text)]
    pub format: StoryFormat,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// Which rows; --list says what they are
    #[arg(value_parser = table_names(), required_unless_present = "list")]
    pub table: Option<String>,
    #[command(flatten)]
    pub input: InputArgs,
    /// The tables, their columns, types and units
    #[arg(long)]
    pub list: bool,
    /// Only these columns, in this order
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Only rows that are so: "class = 'reputation' and recipient_domain like '%.de'"
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// The file to write; its ending says the format. Without it: standard output, as CSV
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The format, whatever the file is called
    #[arg(long, value_enum)]
    pub format: Option<TableFormat>,
    /// CSV: a byte order mark in front
    #[arg(long)]
    pub bom: bool,
    /// CSV: what stands between cells; where the decimal mark is a comma, a semicolon
    #[arg(long, value_name = "CHARACTER")]
    pub delimiter: Option<char>,
    /// CSV: the decimal mark
    #[arg(long, value_name = "CHARACTER", default_value_t = '.')]
    pub decimal: char,
    /// Write CSV cells that begin with = + - @ or a tab as they are (a spreadsheet may run them)
    #[arg(long)]
    pub raw: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    Csv,
    Tsv,
    #[value(alias = "ndjson")]
    Jsonl,
    /// A Markdown table
    Md,
    /// A spreadsheet
    Xlsx,
    #[cfg(feature = "tables")]
    Parquet,
}

#[cfg(feature = "tables")]
#[derive(Debug, ClapArgs)]
pub struct QueryArgs {
    /// A query: "select class, count(*) as n from bounces group by class order by n desc"
    pub sql: String,
    #[command(flatten)]
    pub input: InputArgs,
    /// The file to write; its ending says the format. Without it: standard output, as a table
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The format, whatever the file is called
    #[arg(long, value_enum)]
    pub format: Option<TableFormat>,
}

/// The tables.
fn table_names() -> clap::builder::PossibleValuesParser {
    let value = |table: &'static crate::export::Table| PossibleValue::new(table.name).help(table.about);
    crate::export::TABLES.iter().map(value).collect::<Vec<_>>().into()
}

/// The name of a parser or format. Those of the user's own are not known here: any name is taken, and the known ones are told.
#[derive(Clone)]
struct ParserName;

impl TypedValueParser for ParserName {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(super::formats::known_names().map(PossibleValue::new)))
    }
}

/// The classes of failure.
fn class_names() -> clap::builder::PossibleValuesParser {
    mailscope_parsers::model::Class::ALL.iter().map(|class| class.name()).collect::<Vec<_>>().into()
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
