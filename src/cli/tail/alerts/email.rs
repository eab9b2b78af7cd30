//! Mail through an SMTP server. It says of itself that a program wrote it, so that nobody's absence answers.

use super::means::secret;
use super::messenger::PATIENCE;
use crate::config::{Means, Security};
use crate::live::alerts::Letter;
use anyhow::{Context as _, Result, bail};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};

/// RFC 3834 section 5.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// # Errors
/// Where an address is none, or the password can't be had.
pub fn check(means: &Means) -> Result<()> {
    addressed(means)?;
    transport(means).map(|_| ())
}

pub fn tell(means: &Means, letter: &Letter<'_>) -> Result<()> {
    let message = addressed(means)?.subject(letter.subject()).header(ContentType::TEXT_PLAIN).header(AutoSubmitted).message_id(None);
    transport(means)?.send(&message.body(letter.text())?)?;
    Ok(())
}

fn addressed(means: &Means) -> Result<MessageBuilder> {
    let Means::Email { from, to, .. } = means else { bail!("no channel for mail") };
    let mailbox = |address: &String| address.parse::<Mailbox>().with_context(|| format!("{address:?} is no address"));
    let from = Message::builder().from(mailbox(from)?);
    to.iter().try_fold(from, |message, address| Ok(message.to(mailbox(address)?)))
}

fn transport(means: &Means) -> Result<SmtpTransport> {
    let Means::Email { server, port, security, login, .. } = means else { bail!("no channel for mail") };
    let (usual, tls) = match security {
        Security::None => (25, Tls::None),
        Security::Starttls => (587, Tls::Required(TlsParameters::new(server.clone())?)),
        Security::Tls => (465, Tls::Wrapper(TlsParameters::new(server.clone())?)),
    };
    let builder = SmtpTransport::builder_dangerous(server.as_str()).port(port.unwrap_or(usual)).tls(tls).timeout(Some(PATIENCE));
    let Some((user, password)) = login else { return Ok(builder.build()) };
    Ok(builder.credentials(Credentials::new(user.clone(), secret(password)?)).build())
}
