//! `mailscope tail`: the report's own counting, fed while the log is written.
//!
//! One thread reads, counts and prints; others wait for signals and for the file system and only wake it. What was
//! counted, and how far every file was read, goes to the state file together, so that a later run counts on exactly; what
//! was printed after the last checkpoint is printed again.

mod alerts;
mod printing;
mod recent;
mod running;
mod serve;
mod state;
mod story;
mod terminal;

use super::args::{Command, TailArgs};
use super::configured::Configured;
use super::fit::{Beginning, Fit};
use super::output::{Output, is_broken_pipe, printable};
use super::report::How;
use super::time::Now;
use super::{Ended, formats, resolve};
use crate::aggregate::Window;
use crate::anonymize::Anonymizer;
use crate::input::follow::{Follower, From, Stamps, Waker};
use crate::input::{Chunk, Zone, own_log};
use crate::live::{Metrics, Pressed};
use crate::pipeline::{Reader, Settings};
use crate::render::json;
use alerts::Alarm;
use anyhow::{Context as _, Result, bail};
use printing::Printer;
use ratatui::crossterm::event::KeyEvent;
use running::Running;
use serve::Server;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use state::{Checkpoints, Stored};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use terminal::Terminal;

/// Files are looked at so often where no event says that they changed.
const LOOK: Duration = Duration::from_millis(200);
/// A log of whose first lines so many can't be read is another one than was meant.
const ENOUGH: u64 = 100;
/// Events that come faster are taken together.
const TOGETHER: Duration = Duration::from_millis(5);

/// What ends the wait.
enum Wake {
    /// There may be something to read.
    Input,
    Signal(i32),
    Key(KeyEvent),
    Resized,
    /// A message's story was found.
    Story {
        queue_id: String,
        text: String,
    },
}

/// The tail as it runs.
struct Tail<'a> {
    args: TailArgs,
    configured: &'a Configured,
    wake: SyncSender<Wake>,
    zone: Zone,
    /// Puts pseudonyms into lines, where that is wanted: before anything is made of them.
    names: Option<Anonymizer>,
    reader: Reader,
    follower: Follower,
    running: Running,
    printer: Printer,
    /// The screen, where standard output is a terminal.
    terminal: Option<Terminal>,
    /// What is counted for Prometheus, and where it is served.
    metrics: Option<(Metrics, Server)>,
    checkpoints: Option<Checkpoints>,
    alarm: Alarm,
    /// The first lines, until one of them could be read or enough of them could not.
    untried: Option<(Fit, Beginning)>,
    stops: bool,
}

pub fn run(args: &TailArgs, configured: &Configured) -> Result<Ended> {
    let zone: Zone = args.tz.parse()?;
    let names = resolve::anonymizer(&args.pseudonyms)?;
    if args.test_alerts {
        return Ok(if alerts::test(&configured.config, zone, names.as_ref())? { Ended::Well } else { Ended::Incomplete });
    }
    if args.state.is_some() && args.pseudonyms.anonymize && args.pseudonyms.anonymize_key.is_none() {
        bail!("--state with --anonymize needs --anonymize-key KEY: with a key of its own, every run would have other names");
    }
    let maker = state::maker(names.as_ref());
    let stored = args.state.as_deref().map(|path| state::read(path, &maker)).transpose()?.flatten();
    let from = from(args, zone)?;
    let (wake, wakes) = sync_channel(64);
    let pending = Arc::new(AtomicBool::new(false));
    watch_signals(wake.clone())?;
    let window = Window { since: if let From::Time(time) = from { Some(time) } else { None }, until: None };
    let Stored { positions, memory, running } = stored.unwrap_or_default();
    let (paths, journal) = followed(args);
    let stamps = Stamps { zone, year: args.year };
    let follower = Follower::new(&paths, journal, stamps, from, positions, &waker(wake.clone(), pending.clone()));
    let follower =
        follower.map_err(|error| if journal && !args.journal { resolve::no_log(&format!("{error:#}"), "follow") } else { error })?;
    let reader = Reader::new(settings(args, zone)?);
    let alarm = Alarm::new(&configured.config, memory, zone, names.clone())?;
    let metrics = args.metrics.as_deref().map(Server::start).transpose()?.map(|server| (Metrics::default(), server));
    if let Some((_, server)) = metrics.as_ref().filter(|_| !args.quiet) {
        eprintln!("mailscope: metrics at http://{}/metrics", server.address);
    }
    let shows_screen = args.format.is_none() && std::io::stdout().is_terminal() && !paths.iter().any(|path| path == Path::new("-"));
    let followed = paths.iter().map(|path| path.display().to_string()).chain(journal.then(|| "the journal".to_owned()));
    let title = followed.collect::<Vec<_>>().join(" ");
    // What an earlier run read went well.
    let untried = running.is_none().then(Default::default);
    let mut tail = Tail {
        args: args.clone(),
        configured,
        wake: wake.clone(),
        zone,
        names,
        reader,
        follower,
        running: running.unwrap_or_else(|| Running::new(window)),
        printer: Printer::new(args, zone),
        terminal: if shows_screen { Some(Terminal::open(title, zone, wake)?) } else { None },
        metrics,
        checkpoints: args.state.clone().map(|path| Checkpoints::new(path, maker)),
        alarm,
        untried,
        stops: false,
    };
    tail.running.watch(tail.watches_findings());
    if journal && !args.journal {
        tail.notice("no mail log in /var/log: the journal is followed");
    }
    match tail.run(&wakes, &pending) {
        Err(error) if !is_broken_pipe(&error) => Err(error),
        _ => Ok(Ended::Well),
    }
}

/// How lines are read.
fn settings(args: &TailArgs, zone: Zone) -> Result<Settings> {
    let (parser, formats) = formats::chosen(args.parser.as_deref(), &args.parser_file)?;
    Ok(Settings { zone, parser, formats, classifier: resolve::classifier(args.rules.as_deref())? })
}

/// The named logs, else this host's own, else its journal; the latter also beside others, where that is wanted.
fn followed(args: &TailArgs) -> (Vec<PathBuf>, bool) {
    let own = args.files.is_empty() && !args.journal;
    let paths = if own { own_log().into_iter().collect() } else { args.files.clone() };
    let journal = args.journal || paths.is_empty();
    (paths, journal)
}

/// Where to begin in files that no earlier run has read.
fn from(args: &TailArgs, zone: Zone) -> Result<From> {
    match args.from.as_deref() {
        None | Some("end") => Ok(From::End),
        Some("start") => Ok(From::Start),
        Some("checkpoint") if args.state.is_none() => bail!("--from checkpoint needs --state FILE, where the checkpoint is"),
        Some("checkpoint") => Ok(From::End),
        Some(time) => {
            let now = Now { time: chrono::Utc::now().timestamp_micros(), zone };
            now.instant(time).map(From::Time).context("--from is start, end, checkpoint or a time")
        }
    }
}

/// Wakes the reader, once until it has looked.
fn waker(wake: SyncSender<Wake>, pending: Arc<AtomicBool>) -> Waker {
    Arc::new(move || {
        if !pending.swap(true, Ordering::AcqRel) {
            // It is awake already where its queue is full.
            let _ = wake.try_send(Wake::Input);
        }
    })
}

fn watch_signals(wake: SyncSender<Wake>) -> Result<()> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // A second one ends the program at once, whatever it waits for.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stopping.clone())?;
        signal_hook::flag::register(signal, stopping.clone())?;
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if wake.send(Wake::Signal(signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

impl Tail<'_> {
    fn run(&mut self, wakes: &Receiver<Wake>, pending: &AtomicBool) -> Result<()> {
        // From here on a kill loses nothing: files that appear later are read from their beginning.
        self.checkpoint()?;
        while !self.stops {
            self.read(wakes)?;
            if self.follower.is_over() {
                break;
            }
            match wakes.recv_timeout(LOOK) {
                Ok(Wake::Input) => {
                    std::thread::sleep(TOGETHER);
                    pending.store(false, Ordering::Release);
                }
                Ok(wake) => self.woken(wake)?,
                Err(RecvTimeoutError::Timeout) => pending.store(false, Ordering::Release),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for chunk in self.follower.last_chunks() {
            self.take(&chunk)?;
        }
        self.try_on(1);
        self.printer.flush()?;
        self.tend();
        self.checkpoint()?;
        for said in self.alarm.finish() {
            self.notice(&said);
        }
        if self.alarm.has_channels() {
            // What went out now is not told again.
            self.checkpoint()?;
        }
        if let Some(path) = &self.args.summary {
            self.write_summary(Output::open(Some(path))?)?;
        }
        Ok(())
    }

    /// Reads all there is.
    fn read(&mut self, wakes: &Receiver<Wake>) -> Result<()> {
        while !self.stops {
            let chunk = self.follower.next_chunk();
            let notices = self.follower.take_notices();
            notices.iter().for_each(|notice| self.notice(notice));
            let is_all = chunk.is_none();
            if let Some(chunk) = chunk {
                self.take(&chunk)?;
                self.follower.recycle(chunk);
                self.try_on(ENOUGH);
            }
            self.printer.flush()?;
            self.tend();
            if let Some(terminal) = &mut self.terminal {
                terminal.draw(&self.running, false)?;
            }
            if let Some((metrics, server)) = &mut self.metrics {
                server.show(|| metrics.text());
            }
            if self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.is_due(self.running.bytes, self.alarm.has_news)) {
                self.checkpoint()?;
            }
            if is_all {
                break;
            }
            // Signals don't wait for the end of a long log.
            if let Ok(wake) = wakes.try_recv() {
                self.woken(wake)?;
            }
        }
        Ok(())
    }

    /// Does what a signal or a key says.
    fn woken(&mut self, wake: Wake) -> Result<()> {
        match (wake, &mut self.terminal) {
            (Wake::Signal(signal), _) => self.signal(signal)?,
            (Wake::Key(key), Some(terminal)) => match terminal.press(key) {
                Pressed::Quit => self.stops = true,
                Pressed::Changed => terminal.draw(&self.running, true)?,
                Pressed::Story(queue_id) => {
                    terminal.draw(&self.running, true)?;
                    story::find(queue_id, &self.args, &self.wake);
                }
                Pressed::Nothing => {}
            },
            (Wake::Resized, Some(terminal)) => terminal.draw(&self.running, true)?,
            (Wake::Story { queue_id, text }, Some(terminal)) => {
                terminal.tell(&queue_id, text);
                terminal.draw(&self.running, true)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Says that nothing fits, where so many lines came and none of them could be read; once.
    fn try_on(&mut self, lines: u64) {
        let is_known = |(fit, _): &mut (Fit, Beginning)| fit.lines >= lines || fit.lines > fit.unrecognized;
        if let Some((fit, beginning)) = self.untried.take_if(is_known)
            && fit.is_nothing()
        {
            let (what, lines) = beginning.said(&fit, self.reader.parser(), self.names.as_ref());
            self.notice(&what);
            lines.iter().for_each(|line| self.notice(line));
        }
    }

    /// Says something, where notices are wanted.
    fn notice(&mut self, text: &str) {
        if !self.args.quiet {
            self.say(text);
        }
    }

    fn say(&mut self, text: &str) {
        let text = printable(text).into_owned();
        match &mut self.terminal {
            Some(terminal) => terminal.notice(text),
            None => eprintln!("mailscope: {text}"),
        }
    }

    fn take(&mut self, chunk: &Chunk) -> Result<()> {
        let (printer, mut terminal) = (&mut self.printer, self.terminal.as_mut());
        let mut metrics = self.metrics.as_mut().map(|(metrics, _)| metrics);
        let (alarm, mut untried) = (&mut self.alarm, self.untried.as_mut());
        if let Some((_, beginning)) = &mut untried {
            beginning.pass(chunk);
        }
        let how = How { reader: &self.reader, host: self.args.host.as_deref(), names: self.names.as_ref() };
        self.running.take(chunk, &how, |seen| {
            if let Some((fit, _)) = &mut untried {
                fit.see(seen);
            }
            if let Some(metrics) = &mut metrics {
                metrics.see(seen);
            }
            alarm.see(seen);
            match &mut terminal {
                Some(terminal) => terminal.see(seen),
                None => printer.print(seen),
            }
        });
        self.printer.failed()
    }

    fn signal(&mut self, signal: i32) -> Result<()> {
        match signal {
            SIGTERM | SIGINT => self.stops = true,
            SIGHUP => match self.reload() {
                Ok(()) => self.notice("the configuration was read again"),
                Err(error) => self.say(&format!("the settings stay as they were: {error:#}")),
            },
            SIGUSR1 => match &self.args.summary {
                Some(path) => self.write_summary(Output::open(Some(path))?)?,
                None => json::pretty(&mut std::io::stderr().lock(), &self.running.report(self.follower.files(), self.args.top, self.zone))?,
            },
            _ => {}
        }
        Ok(())
    }

    /// Tells what alerts say.
    fn tend(&mut self) {
        for said in self.alarm.tend(&self.running) {
            self.notice(&said);
        }
    }

    /// Whether somebody wants to know what is found.
    fn watches_findings(&self) -> bool {
        self.terminal.is_some() || self.alarm.needs_findings()
    }

    /// Takes what the configuration says now: alerts and channels, how lines are read, the length of lists. Nothing is
    /// taken of a file that is wrong.
    fn reload(&mut self) -> Result<()> {
        let configured = self.configured.again()?;
        let Command::Tail(args) = &configured.args.command else { return Ok(()) };
        let settings = settings(args, self.zone)?;
        self.alarm.reload(&configured.config)?;
        self.reader = Reader::new(settings);
        (self.args.top, self.args.quiet) = (args.top, args.quiet);
        self.running.watch(self.watches_findings());
        Ok(())
    }

    fn write_summary(&self, mut output: Output) -> Result<()> {
        json::pretty(&mut output, &self.running.report(self.follower.files(), self.args.top, self.zone))?;
        output.write_all(b"\n")?;
        output.finish()
    }

    /// Puts down what was counted and how far everything was read, together.
    fn checkpoint(&mut self) -> Result<()> {
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(()) };
        checkpoints.write(&self.follower.positions(), self.alarm.memory(), &self.running)
    }
}
