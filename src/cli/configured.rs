//! Arguments and configuration together: what the file says stands for what no argument says, and a flag beats the file.
//!
//! The file is the one that `--config` names, else the user's own, else the system's; without any, nothing is set.

use super::args::{self, Args};
use super::output::printable;
use crate::config::{Channel, Config, Means, Secret};
use anyhow::{Context as _, Result};
use clap::builder::OsStr;
use clap::{CommandFactory as _, FromArgMatches as _};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What was asked for, and with which settings.
pub struct Configured {
    pub args: Args,
    pub config: Config,
    /// As it was typed, to be read again.
    typed: Vec<OsString>,
}

impl Configured {
    /// # Errors
    /// Wrong use (an error of clap's, which also says help and version), or what is wrong with the file.
    pub fn new(typed: Vec<OsString>) -> Result<Self> {
        let command = Args::command().after_help(args::after_help());
        let first = Args::from_arg_matches(&command.clone().try_get_matches_from(&typed)?)?;
        let config = match &first.config {
            Some(path) => read(path)?,
            None => usual()?,
        };
        let settings = settings(&config);
        if settings.is_empty() {
            return Ok(Self { args: first, config, typed });
        }
        let set = |arg: clap::Arg| match settings.iter().find(|(id, _)| arg.get_id() == id) {
            Some((_, values)) => arg.default_values(values.clone()),
            None => arg,
        };
        let command = command.mut_subcommands(|of| of.mut_args(set));
        Ok(Self { args: Args::from_arg_matches(&command.try_get_matches_from(&typed)?)?, config, typed })
    }

    /// The same arguments, with the file as it is now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn again(&self) -> Result<Self> {
        Self::new(self.typed.clone())
    }
}

/// What the file sets, by the argument that says the same.
fn settings(config: &Config) -> Vec<(&'static str, Vec<OsStr>)> {
    let mut settings: Vec<(&'static str, Vec<OsStr>)> = Vec::new();
    let mut set = |id, value: Option<OsString>| settings.extend(value.map(|value| (id, vec![OsStr::from(value)])));
    set("tz", config.tz.clone().map(OsString::from));
    set("rules", config.rules.clone().map(PathBuf::into_os_string));
    set("top", config.top.map(|top| top.to_string().into()));
    set("threads", config.threads.map(|threads| threads.to_string().into()));
    set("anonymize_key", config.anonymize_key.clone().map(OsString::from));
    set("quiet", config.quiet.filter(|quiet| *quiet).map(|_| "true".into()));
    if !config.parser_files.is_empty() {
        settings.push(("parser_file", config.parser_files.iter().map(|path| OsStr::from(path.clone().into_os_string())).collect()));
    }
    settings
}

/// The user's own file, else the system's. What is for others only is no mistake of the user's.
fn usual() -> Result<Config> {
    let own = super::formats::own_directory().map(|directory| directory.join("config.toml"));
    for path in own.into_iter().chain([PathBuf::from("/etc/mailscope/config.toml")]) {
        match std::fs::File::open(&path) {
            Ok(_) => return read(&path),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                eprintln!("mailscope: {} can't be read by this user and is left out", printable(&path.display().to_string()));
            }
            Err(_) => {}
        }
    }
    Ok(Config::default())
}

fn read(path: &Path) -> Result<Config> {
    let name = || format!("the configuration {}", path.display());
    let text = std::fs::read_to_string(path).with_context(name)?;
    let mut config = Config::read(&text).with_context(name)?;
    // Files are named as they lie beside it.
    let base = path.parent().unwrap_or(Path::new(""));
    let join = |file: &mut PathBuf| *file = base.join(&*file);
    config.rules.iter_mut().chain(&mut config.parser_files).for_each(join);
    config.channels.iter_mut().filter_map(secret).for_each(|secret| {
        if let Secret::File(file) = secret {
            join(file);
        }
    });
    Ok(config)
}

fn secret(channel: &mut Channel) -> Option<&mut Secret> {
    match &mut channel.means {
        Means::Webhook { url, .. } => Some(url),
        Means::Email { login, .. } => login.as_mut().map(|(_, password)| password),
        Means::Command { .. } => None,
    }
}
