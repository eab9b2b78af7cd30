//! Status codes and the classes of failure.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// RFC 3463 enhanced status code, `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    pub class: u8,
    pub subject: u16,
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads a code that fills `text` or is followed by something that can't belong to it.
    ///
    /// ```
    /// use mailscope_parsers::model::EnhancedStatus;
    /// assert_eq!(EnhancedStatus::parse(b"5.7.26").unwrap().to_string(), "5.7.26");
    /// assert!(EnhancedStatus::parse(b"192.0.2.1").is_none());
    /// ```
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let ends = |rest: &[u8]| !matches!(rest.first(), Some(b'.' | b'0'..=b'9'));
        if let Some((code, rest)) = text.split_at_checked(5)
            && let Some(code) = Self::of_digits(code)
            && ends(rest)
        {
            return Some(code);
        }
        let (class, rest) = part(text)?;
        let (subject, rest) = part(rest.strip_prefix(b".")?)?;
        let (detail, rest) = part(rest.strip_prefix(b".")?)?;
        (matches!(class, 2 | 4 | 5) && ends(rest)).then_some(Self { class: class as u8, subject, detail })
    }

    /// A code whose parts are one digit each, as most are, and nothing else.
    #[inline]
    #[must_use]
    pub fn of_digits(text: &[u8]) -> Option<Self> {
        let [class @ (b'2' | b'4' | b'5'), b'.', subject @ b'0'..=b'9', b'.', detail @ b'0'..=b'9'] = text else { return None };
        Some(Self { class: class - b'0', subject: u16::from(subject - b'0'), detail: u16::from(detail - b'0') })
    }
}

/// One to three digits, as RFC 3463 section 2 allows.
fn part(text: &[u8]) -> Option<(u16, &[u8])> {
    let digits = text.iter().take(3).take_while(|c| c.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |value, c| value * 10 + u16::from(c - b'0'));
    (digits > 0).then_some((value, &text[digits..]))
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Serialize for EnhancedStatus {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedStatus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(text.as_bytes()).ok_or_else(|| D::Error::custom("no enhanced status code"))
    }
}

/// What the MTA did with a failure: gave up, or will try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permanence {
    Permanent,
    Transient,
}

/// Whose move it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Recipient,
    Sender,
    Receiver,
    Network,
    #[serde(rename = "")]
    Nobody,
}

/// The first grouping that people search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Connection,
    Authentication,
    Response,
    Relay,
    Timeout,
    Blocklist,
    Tls,
}

macro_rules! classes {
    ($($class:ident $name:literal $side:ident $kind:ident,)*) => {
        /// Why a delivery or a client failed, in the same words for every MTA.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class { $($class,)* }

        impl Class {
            /// Every class, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$class,)*];

            /// The word used in every output.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$class => $name,)* }
            }

            /// Whose move it is.
            #[must_use]
            pub fn side(self) -> Side {
                match self { $(Self::$class => Side::$side,)* }
            }

            /// The kind it falls into.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$class => Kind::$kind,)* }
            }
        }
    };
}

classes! {
    RecipientUnknown "recipient_unknown" Recipient Response,
    MailboxDisabled "mailbox_disabled" Recipient Response,
    MailboxFull "mailbox_full" Recipient Response,
    DomainInvalid "domain_invalid" Recipient Connection,
    MessageTooLarge "message_too_large" Sender Response,
    SenderRejected "sender_rejected" Sender Response,
    Credentials "credentials" Sender Authentication,
    RelayDenied "relay_denied" Sender Relay,
    Authentication "authentication" Sender Authentication,
    Reputation "reputation" Sender Blocklist,
    RateLimited "rate_limited" Sender Response,
    Greylisted "greylisted" Receiver Response,
    SpamContent "spam_content" Sender Response,
    Virus "virus" Sender Response,
    Policy "policy" Sender Response,
    Tls "tls" Network Tls,
    Timeout "timeout" Network Timeout,
    Connection "connection" Network Connection,
    ReceiverUnavailable "receiver_unavailable" Receiver Response,
    LocalError "local_error" Sender Response,
    RoutingLoop "routing_loop" Sender Connection,
    Expired "expired" Receiver Timeout,
    ContentFormat "content_format" Sender Response,
    Unknown "unknown" Nobody Response,
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::ALL.iter().find(|class| class.name() == name).copied().ok_or_else(|| D::Error::custom("no class of failure"))
    }
}
