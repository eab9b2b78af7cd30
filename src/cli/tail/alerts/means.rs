//! By which means a channel is reached.

use super::command;
#[cfg(feature = "alerts")]
use super::{email, webhook};
use crate::config::{Channel, Means};
use crate::live::alerts::Letter;
use anyhow::{Context as _, Result};

/// Whether the channel can be used, as far as can be told without trying.
///
/// # Errors
/// Why it can't.
pub fn check(channel: &Channel) -> Result<()> {
    let checked = match &channel.means {
        Means::Command { .. } => Ok(()),
        #[cfg(feature = "alerts")]
        Means::Webhook { url, .. } => secret(url).map(|_| ()),
        #[cfg(feature = "alerts")]
        Means::Email { .. } => email::check(&channel.means),
        #[cfg(not(feature = "alerts"))]
        _ => Err(anyhow::anyhow!("this program was built without webhooks and mail (the cargo feature alerts)")),
    };
    checked.with_context(|| format!("the channel {}", channel.name))
}

/// Tells a letter, and waits until it is taken.
///
/// # Errors
/// Why it was not.
pub fn tell(means: &Means, letter: &Letter<'_>) -> Result<()> {
    match means {
        Means::Command { run } => command::tell(run, letter),
        #[cfg(feature = "alerts")]
        Means::Webhook { url, form, headers } => webhook::tell(&secret(url)?, headers, &letter.json(*form)),
        #[cfg(feature = "alerts")]
        Means::Email { .. } => email::tell(means, letter),
        #[cfg(not(feature = "alerts"))]
        _ => anyhow::bail!("not built in"),
    }
}

/// As it is written, or the first line of its file.
#[cfg(feature = "alerts")]
pub fn secret(secret: &crate::config::Secret) -> Result<String> {
    match secret {
        crate::config::Secret::Written(text) => Ok(text.clone()),
        crate::config::Secret::File(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Ok(text.lines().next().unwrap_or_default().trim().to_owned())
        }
    }
}
