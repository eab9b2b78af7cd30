//! Arguments to what is meant: windows, zones, files in order.

use super::args::{InputArgs, Pseudonyms};
use super::output;
use super::time::Now;
use crate::aggregate::Window;
use crate::anonymize::Anonymizer;
use crate::input::{self, Chunks, Held, Zone};
use crate::pipeline::{Reader, Settings};
use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use mailscope_parsers::classify::Classifier;
use mailscope_parsers::envelope::TimeFormat;
use mailscope_parsers::model::Micros;
use std::io::{IsTerminal as _, Read as _, stderr};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A life is given up after so long: a log that ended earlier before the window has no part in it.
const MEMORY: Micros = crate::correlate::FORGOTTEN;

/// What is read, resolved.
pub struct Input {
    pub chunks: Option<Chunks>,
    pub settings: Settings,
    pub window: Window,
    pub host: Option<String>,
    pub threads: usize,
    pub zone: Zone,
    /// Puts pseudonyms into lines, where that is wanted.
    pub anonymizer: Option<Anonymizer>,
    pub quiet: bool,
    /// What is to be said of it was said before.
    pub said_before: bool,
    pub progress: Option<Progress>,
    /// What journalctl says.
    pub said: input::Said,
    /// What there is, where it is to be said if nothing of it is asked for.
    pub held: Option<Held>,
}

/// A bar on standard error, and what it shows: bytes as they lie on disk.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    read: input::Progress,
}

impl Progress {
    pub fn show(&self) {
        self.bar.set_position(self.read.0.load(Ordering::Relaxed));
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Input {
    /// A time as it is said.
    pub fn moment(&self, time: Micros) -> String {
        self.zone.local(time).format("%Y-%m-%d %H:%M:%S%:z").to_string()
    }

    /// Says what there is, where nothing of it was asked for: a wrong day or host is soon written.
    pub fn say_what_is_held(&self) {
        const HOSTS: usize = 5;
        let Some(Held { first, last, hosts }) = &self.held else { return };
        let first = self.moment(*first);
        let held = last.map_or_else(|| format!("begin at {first}"), |last| format!("hold {first} to {}", self.moment(last)));
        let mut said = "nothing".to_owned();
        if let Some(host) = &self.host {
            said += &format!(" of the host {host}");
        }
        if self.window.since.is_some() || self.window.until.is_some() {
            said += " in this time";
        }
        said += &format!(": the logs {held}");
        if self.host.is_some() && self.anonymizer.is_none() && !hosts.is_empty() {
            said += &format!(", first of {}", hosts.iter().take(HOSTS).map(String::as_str).collect::<Vec<_>>().join(", "));
        }
        eprintln!("mailscope: {}", output::printable(&said));
    }

    /// Takes the chunks out, once.
    pub fn take_chunks(&mut self) -> Result<Chunks> {
        self.chunks.take().context("the input is read once")
    }

    /// For one who asks for the classes of many failures at a time. With pseudonyms each is asked for at once: a class is read
    /// from what was really said.
    pub fn reader_of_many(&self) -> Reader {
        let reader = Reader::new(self.settings);
        if self.anonymizer.is_some() { reader } else { reader.leaving_classes() }
    }
}

/// Resolves what the arguments name.
///
/// # Errors
/// Where they contradict themselves or nothing at all can be read.
pub fn input(args: &InputArgs) -> Result<Input> {
    let zone: Zone = args.tz.parse()?;
    let now = Now { time: chrono::Utc::now().timestamp_micros(), zone };
    let window = window(args, now)?;
    let from = window.since.map(|since| since.saturating_sub(MEMORY));
    let mut plan = plan(args, zone, input::JournalWindow { since: from, until: window.until })?;
    let held = plan.held().filter(|_| !args.quiet);
    plan.keep_for(from, window.until);
    if !args.quiet {
        for notice in &plan.notices {
            eprintln!("mailscope: {}", output::printable(notice));
        }
    }
    let progress = progress(args, &plan);
    let said = plan.said.clone();
    let threads = if args.threads > 0 { args.threads } else { std::thread::available_parallelism().map_or(1, usize::from) };
    // A small input is done before a second thread has begun.
    let small = plan.logs.iter().all(|log| log.size > 0) && plan.logs.iter().map(|log| log.size).sum::<u64>() < args.chunk(threads) as u64;
    let threads = if small { 1 } else { threads };
    Ok(Input {
        chunks: Some(Chunks::new(plan, args.chunk(threads), zone, threads)),
        settings: settings(args, zone)?,
        window,
        host: args.host.clone(),
        threads,
        zone,
        anonymizer: anonymizer(&args.pseudonyms)?,
        quiet: args.quiet,
        said_before: args.said_before,
        progress,
        said,
        held,
    })
}

/// How lines are read.
///
/// # Errors
/// Where rules or formats of the user's can't be used.
pub fn settings(args: &InputArgs, zone: Zone) -> Result<Settings> {
    let (parser, formats) = super::formats::chosen(args.parser.as_deref(), &args.parser_file)?;
    Ok(Settings { zone, parser, formats, classifier: classifier(args.rules.as_deref())? })
}

/// With the key that was given, else with one that is the same for this run and then forgotten.
///
/// # Errors
/// Where there is nothing to make a key of.
pub fn anonymizer(args: &Pseudonyms) -> Result<Option<Anonymizer>> {
    static RANDOM: OnceLock<[u8; 32]> = OnceLock::new();
    if !args.anonymize {
        return Ok(None);
    }
    if let Some(key) = &args.anonymize_key {
        return Ok(Some(Anonymizer::new(key.as_bytes())));
    }
    let mut key = [0; 32];
    std::fs::File::open("/dev/urandom").and_then(|mut from| from.read_exact(&mut key)).context("no random key; give --anonymize-key")?;
    Ok(Some(Anonymizer::new(RANDOM.get_or_init(|| key))))
}

/// The named logs, else this host's own, else its journal.
fn plan(args: &InputArgs, zone: Zone, window: input::JournalWindow) -> Result<input::Plan> {
    let stamps = args.time_format.as_deref().map(time_format).transpose()?;
    let own = args.files.is_empty() && !args.journal;
    let paths = if own { input::own_logs() } else { args.files.clone() };
    let no_file = own && paths.is_empty();
    let journal = (args.journal || no_file).then_some(window);
    let plan = input::plan(input::Wanted { paths, year: args.year, stamps, journal, copied: args.copied.clone() }, zone);
    let is_empty = plan.logs.is_empty() || no_file && plan.logs.iter().all(|log| log.first.is_none());
    if !own || !is_empty {
        return Ok(plan);
    }
    let why = plan.unreadable.iter().map(ToString::to_string).chain(plan.said.take());
    let why = why.collect::<Vec<_>>().join("; ");
    if no_file {
        let why = if why.is_empty() { "the journal holds nothing of the facility mail in this time".to_owned() } else { why };
        return Err(no_log(&why, "read"));
    }
    bail!("this host's own mail logs can't be read ({why}); mail logs are usually readable for root and the group adm");
}

/// Neither a log nor a journal, and why not.
pub fn no_log(why: &str, to: &str) -> anyhow::Error {
    anyhow!("no mail log in /var/log (looked for mail.log, maillog and mail), and {why}; name the files to {to}, or - for standard input")
}

fn time_format(format: &str) -> Result<Arc<TimeFormat>> {
    match TimeFormat::new(format) {
        Ok(format) => Ok(Arc::new(format)),
        Err(why) => bail!("--time-format: {format:?} {}; write it as for strftime, \"%Y %b %d %H:%M:%S%.3f\"", why.reason()),
    }
}

/// The window that the arguments name.
///
/// # Errors
/// Where they name none that holds anything.
pub fn window(args: &InputArgs, now: Now) -> Result<Window> {
    if let Some(day) = &args.day {
        return now.day(day).context("--day");
    }
    let instant = |text: &Option<String>, flag| text.as_deref().map(|text| now.instant(text).context(flag)).transpose();
    let window = Window { since: instant(&args.since, "--since")?, until: instant(&args.until, "--until")? };
    if let (Some(since), Some(until)) = (window.since, window.until)
        && since >= until
    {
        bail!("--since is not before --until: nothing lies between them");
    }
    Ok(window)
}

/// A bar on a terminal, for work that takes a while.
fn progress(args: &InputArgs, plan: &input::Plan) -> Option<Progress> {
    const WORTH_IT: u64 = 64 << 20;
    let total: u64 = plan.logs.iter().map(|log| log.size).sum();
    if args.quiet || total < WORTH_IT || !stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left").ok()?;
    let bar = ProgressBar::new(total).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    Some(Progress { bar, read: plan.reading.progress.clone() })
}

/// The program's own rules, or with a user's before them.
///
/// # Errors
/// Every reason why the user's can't be used.
pub fn classifier(rules: Option<&Path>) -> Result<&'static Classifier> {
    let Some(path) = rules else { return Ok(Classifier::built_in()) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
    match Classifier::with(&[(&name, &text)]) {
        // It is read once, and in use until the program ends.
        Ok(classifier) => Ok(Box::leak(Box::new(classifier))),
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("mailscope: {}", output::printable(&problem.to_string())));
            bail!("{name} can't be used: {} mistakes", problems.len())
        }
    }
}
