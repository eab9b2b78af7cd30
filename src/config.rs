//! The configuration file: settings for every command, and for `tail` its alerts and the channels that these go to.
//!
//! In: the text of a file. Out: a [`Config`] in which everything can be used, or one [`Wrong`] that names the line and what
//! would be right. It opens no file and knows no command line: which settings a command has, and that a flag beats the
//! file, is the command line's business.

mod alert;
mod channel;
mod words;

pub use channel::{Channel, Means, Secret, Security};
pub use words::Length;

use crate::input::Zone;
use crate::live::alerts::{Manner, Rule};
use serde::Deserialize;
use std::path::PathBuf;
use toml::Spanned;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    pub line: usize,
    pub what: String,
}

/// The file as it is meant.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub tz: Option<String>,
    pub rules: Option<PathBuf>,
    pub parser_files: Vec<PathBuf>,
    pub top: Option<usize>,
    pub threads: Option<usize>,
    pub anonymize_key: Option<String>,
    pub quiet: Option<bool>,
    pub manner: Option<Manner>,
    pub channels: Vec<Channel>,
    pub alerts: Vec<Rule>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tz: Option<Spanned<String>>,
    rules: Option<PathBuf>,
    #[serde(default)]
    parser_file: Vec<PathBuf>,
    top: Option<usize>,
    threads: Option<usize>,
    anonymize_key: Option<String>,
    quiet: Option<bool>,
    alerts: Option<Delivery>,
    #[serde(default)]
    channel: Vec<channel::Entry>,
    #[serde(default)]
    alert: Vec<alert::Entry>,
}

/// `[alerts]`: how they are told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Delivery {
    group_wait: Length,
    repeat: Length,
    most_per_hour: Spanned<usize>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { group_wait: Length { seconds: 30 }, repeat: Length { seconds: 4 * 3600 }, most_per_hour: Spanned::new(0..0, 20) }
    }
}

impl Delivery {
    fn manner(&self) -> Manner {
        Manner {
            group_wait: self.group_wait.duration(),
            repeat: Some(self.repeat.duration()).filter(|repeat| !repeat.is_zero()),
            most_per_hour: *self.most_per_hour.get_ref(),
        }
    }
}

/// A mistake and the place of it in the text.
struct Mistake {
    at: std::ops::Range<usize>,
    what: String,
}

impl Mistake {
    fn new(at: std::ops::Range<usize>, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

impl Config {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let line = |at: usize| text.as_bytes().iter().take(at).filter(|c| **c == b'\n').count() + 1;
        let written: Written = toml::from_str(text)
            .map_err(|error| Wrong { line: error.span().map_or(1, |span| line(span.start)), what: words::clearer(error.message()) })?;
        resolve(written).map_err(|mistake| Wrong { line: line(mistake.at.start), what: mistake.what })
    }

    /// How alerts are told.
    #[must_use]
    pub fn manner(&self) -> Manner {
        self.manner.unwrap_or_else(|| Delivery::default().manner())
    }
}

fn resolve(written: Written) -> Result<Config, Mistake> {
    if let Some(tz) = &written.tz
        && tz.get_ref().parse::<Zone>().is_err()
    {
        return Err(Mistake::new(tz.span(), format!("tz: {:?} is no zone; write local, UTC, Europe/Berlin or +02:00", tz.get_ref())));
    }
    let delivery = written.alerts.unwrap_or_default();
    if *delivery.most_per_hour.get_ref() == 0 {
        return Err(Mistake::new(
            delivery.most_per_hour.span(),
            "most_per_hour: nothing could ever be told; leave the channel out instead",
        ));
    }
    let mut channels: Vec<Channel> = Vec::new();
    for entry in written.channel {
        let at = entry.place();
        let channel = entry.resolve()?;
        if channels.iter().any(|other| other.name == channel.name) {
            return Err(Mistake::new(at, format!("a second channel {:?}", channel.name)));
        }
        channels.push(channel);
    }
    let mut alerts: Vec<Rule> = Vec::new();
    for entry in written.alert {
        let at = entry.place();
        let rule = entry.resolve(&channels)?;
        if alerts.iter().any(|other| other.name == rule.name) {
            return Err(Mistake::new(at, format!("a second alert {:?}: what fires is told apart by name", rule.name)));
        }
        alerts.push(rule);
    }
    Ok(Config {
        tz: written.tz.map(Spanned::into_inner),
        rules: written.rules,
        parser_files: written.parser_file,
        top: written.top,
        threads: written.threads,
        anonymize_key: written.anonymize_key,
        quiet: written.quiet,
        manner: Some(delivery.manner()),
        channels,
        alerts,
    })
}

#[cfg(test)]
mod tests;
