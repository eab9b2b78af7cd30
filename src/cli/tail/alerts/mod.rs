//! Alerts at the edge: the clock that goes on while nothing is logged, findings and patterns that are looked for now and
//! then, and the channels, each with a thread of its own. What goes wrong there is said and never stops the tail.

mod command;
#[cfg(feature = "alerts")]
mod email;
mod means;
mod messenger;
#[cfg(feature = "alerts")]
mod webhook;

use super::running::Running;
use crate::anonymize::Anonymizer;
use crate::cli::output::{Output, printable};
use crate::config::Config;
use crate::input::Zone;
use crate::live::alerts::{Alerts, By, Change, Condition, Letter, Memory, Rule};
use crate::pipeline::Seen;
use crate::report::Severity;
use anyhow::{Context as _, Result};
use chrono::Utc;
use mailscope_parsers::model::Micros;
use messenger::{Lines, Messenger};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Between two moments in which time goes on.
const TICK: Duration = Duration::from_secs(1);
/// Between two looks for findings and patterns; more where they take long.
const LOOK: Duration = Duration::from_secs(5);
/// Notices that wait to be shown; further ones are dropped.
const NOTICES: usize = 64;

/// The alerts of a tail that is running.
pub struct Alarm {
    alerts: Alerts,
    messengers: Vec<Messenger>,
    notices: (SyncSender<String>, Receiver<String>),
    /// The latest time of the log, and when it was seen first.
    clock: Option<(Micros, Instant)>,
    ticked: Instant,
    looked: Option<(Instant, Duration)>,
    zone: Zone,
    names: Option<Anonymizer>,
    /// Something has changed that the state file does not know.
    pub has_news: bool,
}

impl Alarm {
    /// # Errors
    /// Where a channel can't be used.
    pub fn new(config: &Config, memory: Memory, zone: Zone, names: Option<Anonymizer>) -> Result<Self> {
        config.channels.iter().try_for_each(means::check)?;
        let alerts = Alerts::new(rules(config, names.as_ref()), memory, Utc::now().timestamp_micros());
        let (ticked, notices) = (Instant::now(), sync_channel(NOTICES));
        let mut alarm = Self { alerts, messengers: Vec::new(), notices, clock: None, ticked, looked: None, zone, names, has_news: false };
        alarm.open(config);
        Ok(alarm)
    }

    /// Starts the channels; those that are as before go on with what they have to tell, and those that are not tell what
    /// was not told before.
    fn open(&mut self, config: &Config) {
        let (firing, mut before) = (self.alerts.firing(), std::mem::take(&mut self.messengers));
        for channel in &config.channels {
            let known = before.iter().position(|messenger| messenger.channel.name == channel.name).map(|at| before.swap_remove(at));
            let messenger = match known {
                Some(same) if same.is(channel, config.manner()) => same,
                other => {
                    let untold = other.map(|other| other.give_up()).or_else(|| self.alerts.memory.untold.remove(&channel.name));
                    let untold = untold.unwrap_or_default();
                    let is_untold = |change: &Change| {
                        untold.iter().any(|new| (&new.alert, &new.key) == (&change.alert, &change.key) && new.until.is_none())
                    };
                    let told = firing.iter().filter(|change| is_for(change, &channel.name) && !is_untold(change)).cloned().collect();
                    let lines = Lines { host: host(self.names.as_ref()), zone: self.zone };
                    Messenger::start(channel.clone(), config.manner(), told, untold, lines, self.notices.0.clone())
                }
            };
            self.messengers.push(messenger);
        }
        before.iter().for_each(Messenger::leave);
    }

    /// Other rules and channels from now on. A channel that is gone tells what it knows, and ends.
    ///
    /// # Errors
    /// Where a channel can't be used; everything is as before then.
    pub fn reload(&mut self, config: &Config) -> Result<()> {
        config.channels.iter().try_for_each(means::check)?;
        self.alerts.follow(rules(config, self.names.as_ref()));
        self.open(config);
        Ok(())
    }

    /// Whether findings are wanted.
    pub fn needs_findings(&self) -> bool {
        self.alerts.needs().0
    }

    pub fn has_channels(&self) -> bool {
        !self.messengers.is_empty()
    }

    /// What is to outlive the program.
    pub fn memory(&mut self) -> &Memory {
        self.alerts.memory.untold = self.untold();
        self.has_news = false;
        &self.alerts.memory
    }

    fn untold(&self) -> BTreeMap<String, Vec<Change>> {
        let all = self.messengers.iter().map(|messenger| (messenger.channel.name.clone(), messenger.untold()));
        all.filter(|(_, untold)| !untold.is_empty()).collect()
    }

    pub fn see(&mut self, seen: &Seen<'_>) {
        self.alerts.see(seen);
    }

    /// Lets time go on and tells what has changed; what is to be said here, too.
    pub fn tend(&mut self, running: &Running) -> Vec<String> {
        if self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            self.look(running);
            let clock = Utc::now().timestamp_micros();
            let now = self.now(clock);
            self.alerts.tick(now, clock);
            self.has_news |= self.untold() != self.alerts.memory.untold;
        }
        let changes = self.alerts.take_changes();
        self.has_news |= !changes.is_empty();
        let mut said: Vec<String> = changes.iter().map(|change| self.said(change)).collect();
        for change in changes {
            self.messengers
                .iter()
                .filter(|messenger| is_for(&change, &messenger.channel.name))
                .for_each(|messenger| messenger.tell(change.clone()));
        }
        said.extend(self.notices.1.try_iter());
        said
    }

    /// The log's own time, going on while nothing is logged; the clock's while nothing was.
    fn now(&mut self, clock: Micros) -> Micros {
        let Some(latest) = self.alerts.latest() else { return clock };
        if self.clock.is_none_or(|(known, _)| latest > known) {
            self.clock = Some((latest, Instant::now()));
        }
        let since = self.clock.map_or(Duration::ZERO, |(_, seen)| seen.elapsed());
        latest.saturating_add(i64::try_from(since.as_micros()).unwrap_or(0))
    }

    fn look(&mut self, running: &Running) {
        let (findings, patterns) = self.alerts.needs();
        if !findings && !patterns || self.looked.is_some_and(|(at, took)| at.elapsed() < LOOK.max(took * 50)) {
            return;
        }
        let begun = Instant::now();
        if findings {
            self.alerts.found(running.findings(self.zone));
        }
        if patterns {
            self.alerts.look(running.patterns());
        }
        self.looked = Some((Instant::now(), begun.elapsed()));
    }

    fn said(&self, change: &Change) -> String {
        let letter = Letter { changes: std::slice::from_ref(change), left_out: 0, host: "", zone: self.zone };
        format!("alert: {}", letter.line())
    }

    /// Tells what is still to be told, as far as that works at once.
    pub fn finish(&mut self) -> Vec<String> {
        self.messengers.iter().for_each(Messenger::leave);
        let begun = Instant::now();
        while !self.messengers.iter().all(Messenger::is_finished) && begun.elapsed() < messenger::PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.notices.1.try_iter().collect()
    }
}

/// Whether the channel is to be told.
fn is_for(change: &Change, channel: &str) -> bool {
    change.channels.is_empty() || change.channels.iter().any(|name| name == channel)
}

/// The rules, which are written with real names, as they fit the names of the lines.
fn rules(config: &Config, names: Option<&Anonymizer>) -> Vec<Rule> {
    let mut rules = config.alerts.clone();
    let Some(names) = names else { return rules };
    for rule in &mut rules {
        if let Condition::Rate { by: By::Domain | By::Sender, only, .. } = &mut rule.condition {
            // A name without a dot or an @ may be a host's or an account's.
            *only = only.iter().flat_map(|name| [names.renamed_host(name), names.renamed_address(name)]).collect();
        }
    }
    rules
}

/// The name of this host, as far as it says. A service may see its own part of /proc only.
fn host(pseudonyms: Option<&Anonymizer>) -> String {
    let places = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let names = places.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let name = names.map(|name| name.trim().to_owned()).find(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned());
    pseudonyms.map_or(name.clone(), |pseudonyms| pseudonyms.renamed_host(&name))
}

/// Sends one message through every channel; whether all of them took it.
///
/// # Errors
/// Where there is none.
pub fn test(config: &Config, zone: Zone, names: Option<&Anonymizer>) -> Result<bool> {
    let first = config.channels.first().context("the configuration has no [[channel]] to try")?;
    let width = config.channels.iter().map(|channel| channel.name.len()).fold(first.name.len(), usize::max);
    let now = Utc::now().timestamp_micros();
    let change = Change {
        alert: "test".to_owned(),
        key: String::new(),
        severity: Severity::Notice,
        text: "a test of this channel: nothing is wrong".to_owned(),
        since: now,
        until: None,
        channels: Vec::new(),
    };
    let host = host(names);
    let letter = Letter { changes: &[change], left_out: 0, host: &host, zone };
    let (mut output, mut all) = (Output::open(None)?, true);
    for channel in &config.channels {
        let told = means::check(channel).and_then(|()| means::tell(&channel.means, &letter));
        let what = told.as_ref().map_or_else(|error| format!("failed: {error:#}"), |()| "sent".to_owned());
        writeln!(output, "{:<width$}  {}", channel.name, printable(&what))?;
        output.flush()?;
        all &= told.is_ok();
    }
    output.finish()?;
    Ok(all)
}
