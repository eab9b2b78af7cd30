//! What became of one message, as plain data: the schema `mailscope.trace/1`, its events aside.

use crate::input::Zone;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Auth, Class, Delays, EnhancedStatus, Micros, Peer, Report, Text};
use serde::{Serialize, Serializer};

/// The schema's name.
pub const SCHEMA: &str = "mailscope.trace/1";

/// A time, and the zone it is shown in; RFC 3339 in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub time: Micros,
    pub zone: Zone,
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.zone.local(self.time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false))
    }
}

/// One message, its chain of queue files as one; or what was turned away before it had a queue id.
#[derive(Serialize)]
pub struct Story<'s> {
    pub schema: &'static str,
    /// Turned away before it was a message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
    #[serde(skip_serializing_if = "Text::absent")]
    pub host: Text<'s>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub first_queue_id: Text<'s>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queue_ids: Vec<Text<'s>>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub message_id: Text<'s>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_sender: Text<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Moment>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub client: Peer<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth<'s>>,
    /// The queue file that this message, a notification, reports on.
    #[serde(skip_serializing_if = "Text::absent")]
    pub parent_queue_id: Text<'s>,
    /// A queue file of it was not removed by the end of the log.
    pub open: bool,
    pub recipients: Vec<RecipientStory<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<NotificationStory<'s>>,
    /// Its lines that are events, in the order of the log.
    #[serde(skip)]
    pub lines: Vec<&'s Seen<'s>>,
    /// All of its lines, and those of its notifications, in the order of the log.
    #[serde(skip)]
    pub raw: Vec<&'s Seen<'s>>,
}

/// One recipient, through all queue files of the chain.
#[derive(Serialize)]
pub struct RecipientStory<'s> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub envelope_recipient: Text<'s>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub original_recipient: Text<'s>,
    pub outcome: &'static str,
    /// From the message's arrival to the delivery.
    #[serde(rename = "delay_s", skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub delay: Option<Micros>,
    pub attempts: Vec<AttemptStory<'s>>,
}

#[derive(Clone, Serialize)]
pub struct AttemptStory<'s> {
    pub time: Moment,
    /// Where the chain goes over several hosts.
    #[serde(skip_serializing_if = "Text::absent")]
    pub host: Text<'s>,
    pub queue_id: Text<'s>,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Text::absent")]
    pub transport: Text<'s>,
    #[serde(skip_serializing_if = "Peer::absent")]
    pub relay: Peer<'s>,
    #[serde(rename = "delay_s", skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub delay: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Delays>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsn: Option<EnhancedStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub diagnostic: Text<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub queued_as: Text<'s>,
}

/// A notification that the message gave rise to, and what became of it.
#[derive(Serialize)]
pub struct NotificationStory<'s> {
    pub time: Moment,
    pub queue_id: Text<'s>,
    /// What it reports, where the log says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification: Option<Report>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<RecipientStory<'s>>,
}

/// Microseconds as decimal seconds.
#[allow(clippy::ref_option)] // serde's signature
fn seconds<S: Serializer>(micros: &Option<Micros>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(micros.unwrap_or_default() as f64 / 1e6)
}
