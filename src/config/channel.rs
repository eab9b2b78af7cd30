//! `[[channel]]`: where alerts go.

use super::Mistake;
use crate::live::alerts::Form;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    pub means: Means,
}

/// How it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    Webhook {
        url: Secret,
        form: Form,
        headers: BTreeMap<String, String>,
    },
    Email {
        server: String,
        port: Option<u16>,
        security: Security,
        login: Option<(String, Secret)>,
        from: String,
        to: Vec<String>,
    },
    /// A program and its arguments, as they are.
    Command {
        run: Vec<String>,
    },
}

/// What is not for everybody's eyes.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    Written(String),
    /// The first line of this file.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("(secret)")
    }
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS after STARTTLS, and nothing without it.
    Starttls,
    /// TLS from the first byte.
    Tls,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Slack,
    Mattermost,
    Webhook,
    Email,
    Command,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: Spanned<String>,
    kind: Spanned<Kind>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    headers: Option<BTreeMap<String, String>>,
    server: Option<String>,
    port: Option<u16>,
    tls: Option<Security>,
    user: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    to: Option<Vec<String>>,
    run: Option<Vec<String>>,
}

impl Entry {
    pub fn place(&self) -> std::ops::Range<usize> {
        self.name.span()
    }

    pub fn resolve(mut self) -> Result<Channel, Mistake> {
        let (at, name) = (self.kind.span(), self.name.get_ref().clone());
        let wrong = |what: &str| Mistake::new(at.clone(), format!("the channel {name:?}: {what}"));
        if name.is_empty() || name.contains(char::is_control) {
            return Err(Mistake::new(self.place(), "a channel needs a name"));
        }
        let means = match *self.kind.get_ref() {
            Kind::Slack => self.webhook(Form::Slack),
            Kind::Mattermost => self.webhook(Form::Mattermost),
            Kind::Webhook => self.webhook(Form::Json),
            Kind::Email => self.email(),
            Kind::Command => match self.run.take() {
                Some(run) if run.first().is_some_and(|program| !program.is_empty()) => Ok(Means::Command { run }),
                _ => Err("run names no program"),
            },
        };
        let means = means.map_err(wrong)?;
        match self.left() {
            Some(key) => Err(wrong(&format!("`{key}` says nothing about a channel of this kind"))),
            None => Ok(Channel { name, means }),
        }
    }

    fn webhook(&mut self, form: Form) -> Result<Means, &'static str> {
        let url = match (self.url.take(), self.url_file.take()) {
            (Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => Secret::Written(url),
            (Some(_), None) => return Err("the url begins with https:// or http://"),
            (None, Some(file)) => Secret::File(file),
            _ => return Err("it needs url or url_file, one of them"),
        };
        Ok(Means::Webhook { url, form, headers: self.headers.take().unwrap_or_default() })
    }

    fn email(&mut self) -> Result<Means, &'static str> {
        let server = self.server.take().ok_or("it needs a server")?;
        let login = match (self.user.take(), self.password.take(), self.password_file.take()) {
            (None, None, None) => None,
            (Some(user), Some(password), None) => Some((user, Secret::Written(password))),
            (Some(user), None, Some(file)) => Some((user, Secret::File(file))),
            _ => return Err("a user needs password or password_file, one of them"),
        };
        let to = self.to.take().unwrap_or_default();
        if to.is_empty() {
            return Err("to names no address");
        }
        let from = self.from.take().ok_or("it needs from, an address")?;
        let security = self.tls.take().unwrap_or(Security::Starttls);
        Ok(Means::Email { server, port: self.port.take(), security, login, from, to })
    }

    /// A key that nobody asked for.
    fn left(&self) -> Option<&'static str> {
        let keys = [
            (self.url.is_some(), "url"),
            (self.url_file.is_some(), "url_file"),
            (self.headers.is_some(), "headers"),
            (self.server.is_some(), "server"),
            (self.port.is_some(), "port"),
            (self.tls.is_some(), "tls"),
            (self.user.is_some(), "user"),
            (self.password.is_some(), "password"),
            (self.password_file.is_some(), "password_file"),
            (self.from.is_some(), "from"),
            (self.to.is_some(), "to"),
            (self.run.is_some(), "run"),
        ];
        keys.iter().find(|(is_there, _)| *is_there).map(|(_, key)| *key)
    }
}
