//! The events: one for each line that says something about mail. Field names are those of `mailscope parse`.

use super::{Addresses, Class, ContentVerdict, EnhancedStatus, Listed, Micros, Peer, Postscreen, Reject, Stage, Text};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

/// What one line says.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event<'a> {
    Connect(Connect<'a>),
    Disconnect(Disconnect<'a>),
    Accepted(Accepted<'a>),
    MessageId(MessageId<'a>),
    Queued(Queued<'a>),
    Delivery(Delivery<'a>),
    Removed(Removed<'a>),
    Notification(Notification<'a>),
    Reject(Reject<'a>),
    AuthFailure(AuthFailure<'a>),
    Tls(Tls<'a>),
    Postscreen(Postscreen<'a>),
    Verdict(ContentVerdict<'a>),
    LostConnection(LostConnection<'a>),
    QueueAction(QueueAction<'a>),
    Problem(Problem<'a>),
    Other(Other<'a>),
}

/// A client connected: `connect from mx.example.org[192.0.2.1]`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Connect<'a> {
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
}

/// A client left: `disconnect from unknown[192.0.2.1] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disconnect<'a> {
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Commands::absent")]
    pub commands: Commands<'a>,
}

/// How often each SMTP command was given and accepted, as logged: `ehlo=1 rcpt=0/1`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Commands<'a>(pub Text<'a>);

impl<'a> Commands<'a> {
    fn absent(&self) -> bool {
        self.0.is_empty()
    }

    /// `(command, accepted, total)` of each; `commands=` at the end is their sum and no command.
    pub fn iter(self) -> impl Iterator<Item = (Text<'a>, u64, u64)> {
        self.0.0.split(|c| *c == b' ').filter_map(|pair| {
            let equals = memchr::memchr(b'=', pair)?;
            let (name, value) = (&pair[..equals], &pair[equals + 1..]);
            if name == b"commands" {
                return None;
            }
            let slash = memchr::memchr(b'/', value);
            let ok = number(slash.map_or(value, |at| &value[..at]))?;
            let total = slash.map_or(Some(ok), |at| number(&value[at + 1..]))?;
            Some((Text(name), ok, total))
        })
    }

    /// How often a command was accepted.
    #[must_use]
    pub fn accepted(self, command: &[u8]) -> u64 {
        self.iter().find(|(name, ..)| name.0 == command).map_or(0, |(_, ok, _)| ok)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Serialize for Commands<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Count {
            ok: u64,
            total: u64,
        }
        let mut map = to.serialize_map(None)?;
        for (name, ok, total) in self.iter() {
            map.serialize_entry(&name, &Count { ok, total })?;
        }
        map.end()
    }
}

/// A message was taken in: by SMTP (`client=`) or from a local program (pickup).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Accepted<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth<'a>>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_sender: Text<'a>,
    /// Who submitted a local message, as a numeric user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The client in front of a content filter, by XFORWARD.
    #[serde(skip_serializing_if = "Peer::absent")]
    pub original_client: Peer<'a>,
    /// The queue file that this one continues: XFORWARD's IDENT, or a requeued message's former id.
    #[serde(skip_serializing_if = "Text::absent")]
    pub original_queue_id: Text<'a>,
    /// What follows stands on the arrival line of servers that log one line for all of it (Exim).
    #[serde(skip_serializing_if = "Text::absent")]
    pub protocol: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub helo: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub message_id: Text<'a>,
    /// The message that this one reports on.
    #[serde(skip_serializing_if = "Text::absent")]
    pub parent_queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub subject: Text<'a>,
    #[serde(skip_serializing_if = "Addresses::absent")]
    pub recipients: Addresses<'a>,
    /// How many recipients it has; none where the client was refused all of them, and then there is no queue file (Sendmail).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nrcpt: Option<u32>,
    /// Whether a local program handed it in (pickup), not a client.
    #[serde(skip)]
    pub local: bool,
    /// By which TLS it came, where the server has no line of its own for that.
    #[serde(skip)]
    pub tls: Option<Secured>,
}

/// Who logged in, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Auth<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub method: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub user: Text<'a>,
}

/// The RFC 5322 Message-ID, without its angle brackets where they enclose the whole.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MessageId<'a> {
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub message_id: Text<'a>,
}

/// The queue manager took the message up (at every retry again). The null sender is `<>`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Queued<'a> {
    pub queue_id: Text<'a>,
    pub envelope_sender: Text<'a>,
    /// Zero where another line says it (OpenSMTPD).
    #[serde(skip_serializing_if = "is_zero")]
    pub size_bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub nrcpt: u32,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// What the MTA says of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Sent,
    Forwarded,
    Deferred,
    Bounced,
    Expired,
    Discarded,
    Deliverable,
    Undeliverable,
}

impl Status {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Forwarded => "forwarded",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Discarded => "discarded",
            Self::Deliverable => "deliverable",
            Self::Undeliverable => "undeliverable",
        }
    }

    /// Whether this is an answer to a question (address verification), and no mail.
    #[must_use]
    pub fn is_probe(self) -> bool {
        matches!(self, Self::Deliverable | Self::Undeliverable)
    }
}

/// Where the time went, in microseconds: Postfix's `delays=a/b/c/d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delays {
    #[serde(serialize_with = "seconds")]
    pub before_qmgr: i64,
    #[serde(serialize_with = "seconds")]
    pub in_qmgr: i64,
    #[serde(serialize_with = "seconds")]
    pub conn_setup: i64,
    #[serde(serialize_with = "seconds")]
    pub transmission: i64,
}

/// Microseconds as decimal seconds.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::cast_precision_loss)]
fn seconds<S: Serializer>(micros: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(*micros as f64 / 1e6)
}

#[allow(clippy::ref_option, clippy::cast_precision_loss)]
fn optional_seconds<S: Serializer>(micros: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(micros.unwrap_or_default() as f64 / 1e6)
}

/// One attempt for one recipient, or (without a recipient) the end of all that are still open.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Delivery<'a> {
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_sender: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_recipient: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub original_recipient: Text<'a>,
    /// All of them, where the line has more than one (Sendmail); `envelope_recipient` is the first. See [`Delivery::each`].
    #[serde(skip_serializing_if = "Listed::absent")]
    pub recipients: Listed<'a>,
    pub status: Status,
    #[serde(skip_serializing_if = "Text::absent")]
    pub transport: Text<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub relay: Peer<'a>,
    #[serde(rename = "delay_s", skip_serializing_if = "Option::is_none", serialize_with = "optional_seconds")]
    pub delay: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsn: Option<EnhancedStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub diagnostic: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub queued_as: Text<'a>,
    /// A parser's is by the codes; the words are read by `classify::Classifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Whether nobody was asked: it was not yet time to try again, or an administrator closed it by hand.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untried: bool,
    /// When the message began, where its queue id says so and the line has no delay.
    #[serde(skip)]
    pub born: Option<Micros>,
    /// Whether the server says nothing when a queue file goes: it is gone when no recipient is open any more.
    #[serde(skip)]
    pub goes_unsaid: bool,
    /// The TLS session that was begun for it, where the server has no line of its own for that.
    #[serde(skip)]
    pub tls: Option<Secured>,
}

impl<'a> Delivery<'a> {
    /// A delivery line of which only this much is known yet.
    #[must_use]
    #[inline]
    pub fn new(queue_id: Text<'a>, status: Status) -> Self {
        let (none, relay) = (Text(b""), Peer { name: Text(b""), ip: Text(b""), port: 0 });
        Self {
            queue_id,
            envelope_sender: none,
            envelope_recipient: none,
            original_recipient: none,
            recipients: Listed(none),
            status,
            transport: none,
            relay,
            delay: None,
            delays: None,
            dsn: None,
            reply_code: None,
            diagnostic: none,
            queued_as: none,
            class: None,
            untried: false,
            born: None,
            goes_unsaid: false,
            tls: None,
        }
    }

    /// The attempt for each recipient of the line: one record is one event, and what is counted are recipients.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let whole = *self;
        let one = move |envelope_recipient| Self { envelope_recipient, recipients: Listed(Text(b"")), ..whole };
        self.recipients.or_only(self.envelope_recipient).map(one)
    }
}

/// Who took a queue file away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// All recipients are done.
    Done,
    /// The client withdrew it, or it was refused before it became a message.
    Canceled,
    /// Taken and thrown away on purpose.
    Discarded,
    /// An administrator deleted it.
    Deleted,
    /// The log does not say which program removed it.
    Unsaid,
}

/// The queue file is gone.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Removed<'a> {
    pub queue_id: Text<'a>,
    #[serde(rename = "removal", skip_serializing_if = "Removal::is_plain")]
    pub how: Removal,
}

impl Removal {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    fn is_plain(&self) -> bool {
        matches!(self, Self::Done | Self::Unsaid)
    }
}

/// What a notification reports (RFC 3464 `Action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    Failure,
    Delay,
    Success,
}

/// A notification was born of a message: `Q: sender non-delivery notification: X`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Notification<'a> {
    pub queue_id: Text<'a>,
    pub child_queue_id: Text<'a>,
    pub notification: Report,
    /// Whether the message was given up: the recipients that are still open expire (Sendmail).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// A client could not log in.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AuthFailure<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub mechanism: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub user: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub reason: Text<'a>,
}

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Inbound,
    Outbound,
}

/// How far a TLS peer was trusted (Postfix TLS_README, "Anonymous" to "Verified").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    Anonymous,
    Untrusted,
    Trusted,
    Verified,
}

impl Trust {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Untrusted => "untrusted",
            Self::Trusted => "trusted",
            Self::Verified => "verified",
        }
    }
}

/// TLS of a line that is about something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secured {
    pub version: TlsVersion,
    /// `None` where the line does not say.
    pub trust: Option<Trust>,
}

/// Versions of the protocol, which servers write in their own ways each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    Ssl3,
    Tls1,
    Tls11,
    Tls12,
    Tls13,
}

impl TlsVersion {
    /// The word used in every output: OpenSSL's, and so Postfix's and Sendmail's.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssl3 => "SSLv3",
            Self::Tls1 => "TLSv1",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}

/// A TLS session was set up.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tls<'a> {
    pub direction: Direction,
    pub peer: Peer<'a>,
    pub trust: Trust,
    pub tls_version: Text<'a>,
    pub cipher: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u16>,
}

/// How a connection ended too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Lost,
    Timeout,
}

/// A connection broke off, or could not be made.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LostConnection<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'a>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub peer: Peer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    pub cause: Cause,
    #[serde(skip_serializing_if = "Text::absent")]
    pub diagnostic: Text<'a>,
}

/// What an administrator did to a queue file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueDeed {
    Hold,
    Release,
    Requeue,
    Expire,
    Freeze,
    Thaw,
}

/// An administrator's hand on the queue.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct QueueAction<'a> {
    pub queue_id: Text<'a>,
    pub action: QueueDeed,
}

/// How bad the server thinks it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warning,
    Error,
    Fatal,
    Panic,
}

impl Severity {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Panic => "panic",
        }
    }
}

/// The server complains about itself.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Problem<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    pub severity: Severity,
    pub text: Text<'a>,
}

/// A known shape that is worth showing and no more than that.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Other<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub queue_id: Text<'a>,
    pub text: Text<'a>,
}

impl<'a> Event<'a> {
    /// The queue id that the line names, empty where it names none.
    #[must_use]
    pub fn queue_id(&self) -> Text<'a> {
        match self {
            Self::Accepted(e) => e.queue_id,
            Self::MessageId(e) => e.queue_id,
            Self::Queued(e) => e.queue_id,
            Self::Delivery(e) => e.queue_id,
            Self::Removed(e) => e.queue_id,
            Self::Notification(e) => e.queue_id,
            Self::Reject(e) => e.queue_id,
            Self::LostConnection(e) => e.queue_id,
            Self::QueueAction(e) => e.queue_id,
            Self::Problem(e) => e.queue_id,
            Self::Other(e) => e.queue_id,
            Self::AuthFailure(e) => e.queue_id,
            Self::Verdict(e) => e.queue_id,
            Self::Connect(_) | Self::Disconnect(_) | Self::Tls(_) | Self::Postscreen(_) => Text(b""),
        }
    }
}
