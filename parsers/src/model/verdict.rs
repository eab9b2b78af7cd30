//! What is thought of a client or of a message: by postscreen, and by the programs that check mail beside the server.

use super::{Peer, Text};
use serde::{Deserialize, Serialize};

/// What postscreen thought of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    PassNew,
    PassOld,
    Allowlisted,
    Denylisted,
    AllowlistVeto,
    Pregreet,
    Dnsbl,
    Hangup,
    BareNewline,
    NonSmtpCommand,
    CommandPipelining,
    CommandTimeLimit,
    CommandCountLimit,
    CommandLengthLimit,
    DataWithoutRecipient,
}

impl Verdict {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PassNew => "pass_new",
            Self::PassOld => "pass_old",
            Self::Allowlisted => "allowlisted",
            Self::Denylisted => "denylisted",
            Self::AllowlistVeto => "allowlist_veto",
            Self::Pregreet => "pregreet",
            Self::Dnsbl => "dnsbl",
            Self::Hangup => "hangup",
            Self::BareNewline => "bare_newline",
            Self::NonSmtpCommand => "non_smtp_command",
            Self::CommandPipelining => "command_pipelining",
            Self::CommandTimeLimit => "command_time_limit",
            Self::CommandCountLimit => "command_count_limit",
            Self::CommandLengthLimit => "command_length_limit",
            Self::DataWithoutRecipient => "data_without_recipient",
        }
    }
}

/// A verdict of postscreen on one client.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Postscreen<'a> {
    pub client: Peer<'a>,
    pub verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i32>,
}

/// What a program looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Spf,
    Dkim,
    Dmarc,
    Spam,
    Virus,
    Greylist,
    /// Whether a mailbox took it.
    Delivery,
}

impl Check {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Spam => "spam",
            Self::Virus => "virus",
            Self::Greylist => "greylist",
            Self::Delivery => "delivery",
        }
    }
}

/// What a program beside the server thought of a message: `opendkim[1]: 4jYXyH: DKIM verification successful`. It is no
/// reject: whether mail is turned away for it, the server's own line says.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ContentVerdict<'a> {
    /// The program, by the name of its project.
    pub by: &'static str,
    pub check: Check,
    /// Its word in lower case where there is a standard one (RFC 8601: `pass`, `fail`, `softfail` ...).
    pub result: &'static str,
    /// In thousandths, as programs give points with two or three decimals.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "points")]
    pub score: Option<i64>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub message_id: Text<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_sender: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_recipient: Text<'a>,
}

impl ContentVerdict<'_> {
    /// A verdict of which nothing more is said.
    #[must_use]
    pub fn new(by: &'static str, check: Check, result: &'static str) -> Self {
        let none = Text(b"");
        Self {
            by,
            check,
            result,
            score: None,
            queue_id: none,
            message_id: none,
            client: Peer::default(),
            envelope_sender: none,
            envelope_recipient: none,
        }
    }
}

#[allow(clippy::ref_option, clippy::cast_precision_loss)] // serde's signature; scores are small
fn points<S: serde::Serializer>(thousandths: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(thousandths.unwrap_or_default() as f64 / 1e3)
}

/// The standard word for a result of SPF, DKIM or DMARC (RFC 8601 section 2.7), in whatever case it is logged.
#[must_use]
pub fn authentication_result(word: &[u8]) -> Option<&'static str> {
    const WORDS: [&str; 9] = ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy", "bestguesspass"];
    WORDS.into_iter().find(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
