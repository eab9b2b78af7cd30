//! What is turned away or treated specially before the queue.

use super::{Auth, Class, EnhancedStatus, Peer, Text};
use serde::{Deserialize, Serialize};

/// Where in the SMTP conversation something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Connect,
    Helo,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    EndOfMessage,
    Header,
    Body,
    Vrfy,
    Etrn,
    Rset,
    Noop,
    Quit,
    #[default]
    Unknown,
}

impl Stage {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Helo => "helo",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Bdat => "bdat",
            Self::EndOfMessage => "end_of_message",
            Self::Header => "header",
            Self::Body => "body",
            Self::Vrfy => "vrfy",
            Self::Etrn => "etrn",
            Self::Rset => "rset",
            Self::Noop => "noop",
            Self::Quit => "quit",
            Self::Unknown => "unknown",
        }
    }
}

/// What was done to a client or to what it sent. Only [`Action::Reject`] is a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Reject,
    RejectWarning,
    Hold,
    Discard,
    Redirect,
    Filter,
    Prepend,
    Replace,
    Strip,
    Bcc,
    Info,
    Warn,
    Pass,
    Delay,
    Quarantine,
}

impl Action {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::RejectWarning => "reject_warning",
            Self::Hold => "hold",
            Self::Discard => "discard",
            Self::Redirect => "redirect",
            Self::Filter => "filter",
            Self::Prepend => "prepend",
            Self::Replace => "replace",
            Self::Strip => "strip",
            Self::Bcc => "bcc",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Pass => "pass",
            Self::Delay => "delay",
            Self::Quarantine => "quarantine",
        }
    }
}

/// Which part of the server spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Smtpd,
    Postscreen,
    Cleanup,
    Milter,
    Proxy,
}

impl By {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtpd => "smtpd",
            Self::Postscreen => "postscreen",
            Self::Cleanup => "cleanup",
            Self::Milter => "milter",
            Self::Proxy => "proxy",
        }
    }
}

/// Turned away, or treated specially, before the queue.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reject<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    pub stage: Stage,
    pub action: Action,
    pub by: By,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsn: Option<EnhancedStatus>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub diagnostic: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_sender: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_recipient: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub helo: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub protocol: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth<'a>>,
    /// A parser's is by the codes; the words are read by `classify::Classifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}
