//! The report: plain data in the published shape, schema `mailscope.report/1`. It may gain keys, never change them.
//!
//! In come summaries, out goes data that any renderer can show. Nothing here looks at a line or a clock.

mod build;
mod findings;
mod lists;
mod patterns;
mod timeline;

pub use build::{InputFacts, Rest, build, findings};
pub use findings::{Baseline, FINDINGS, Finding, Severity};

use mailscope_parsers::model::{Kind, Permanence, Side};
use serde::Serialize;
use std::collections::BTreeMap;

/// A count for each of some words, in the order of the words.
pub type Counts = BTreeMap<String, u64>;

/// What a program beside the server thought of messages.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub by: &'static str,
    pub check: &'static str,
    pub result: &'static str,
    pub count: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub window: Window,
    pub input: Input,
    pub messages: Messages,
    pub recipients: Recipients,
    pub attempts: Attempts,
    pub rates: Rates,
    pub delay: TotalDelay,
    pub rejects: Rejects,
    pub auth: Auth,
    pub postscreen: Counts,
    pub verdicts: Vec<Verdict>,
    pub tls: Tls,
    pub connections: Connections,
    pub problems: Vec<Problem>,
    pub kinds: Vec<KindRow>,
    pub classes: Vec<ClassRow>,
    pub dsn: Vec<DsnRow>,
    pub domains: Vec<MailRow>,
    pub providers: Vec<MailRow>,
    pub relays: Vec<MailRow>,
    pub senders: Vec<MailRow>,
    pub sender_domains: Vec<MailRow>,
    pub auth_users: Vec<MailRow>,
    pub clients: Vec<ClientRow>,
    pub hosts: Vec<HostRow>,
    pub distinct: Distinct,
    pub bucket_s: i64,
    pub timeline: Vec<Bucket>,
    /// Where attempts were deferred, and when: destinations in order of their deferrals, of each the buckets that have any.
    pub heat: Vec<Heat>,
    pub patterns: Vec<Pattern>,
    pub findings: Vec<Finding>,
    pub unclassified: Vec<Template>,
    pub unrecognized: Vec<Unrecognized>,
    /// Rows beyond `--top`, summed, by list.
    pub other: BTreeMap<&'static str, Other>,
    /// Lists with more distinct keys than are kept: by how much a row may be too low.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub approximate: BTreeMap<&'static str, Approximate>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Window {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Input {
    pub files: u64,
    pub bytes: u64,
    pub lines: u64,
    pub events: u64,
    pub ignored: u64,
    pub unrecognized: u64,
    /// Lines longer than 64 KiB, read up to there.
    pub overlong: u64,
    /// Lines of a time far from all others, to which the window does not go.
    pub stray: u64,
    pub by_parser: Counts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Messages {
    pub received: u64,
    pub notifications: u64,
    pub reinjected: u64,
    pub queue_files: u64,
    pub size_bytes: u64,
    pub removed: u64,
    pub removed_unseen: u64,
    pub open: u64,
    pub abandoned: u64,
    pub notification_outcomes: NotificationOutcomes,
}

#[derive(Clone, Debug, Serialize)]
pub struct NotificationOutcomes {
    pub delivered: u64,
    pub bounced: u64,
    pub expired: u64,
    pub deferred: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Recipients {
    pub delivered: u64,
    pub forwarded: u64,
    pub handed_off: u64,
    pub bounced: u64,
    pub expired: u64,
    pub discarded: u64,
    pub deleted: u64,
    pub deferred: u64,
    pub ever_deferred: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Attempts {
    pub total: u64,
    pub sent: u64,
    pub deferred: u64,
    pub bounced: u64,
    pub expired: u64,
}

/// Shares from 0 to 1; absent where there is nothing to divide by.
#[derive(Clone, Debug, Serialize)]
pub struct Rates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounce: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferral: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject: Option<f64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Delay {
    pub count: u64,
    #[serde(flatten)]
    pub figures: Option<DelayFigures>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DelayFigures {
    pub mean_s: f64,
    pub p50_s: f64,
    pub p90_s: f64,
    pub p95_s: f64,
    pub p99_s: f64,
    pub max_s: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct TotalDelay {
    #[serde(flatten)]
    pub total: Delay,
    pub stages: Stages,
}

#[derive(Clone, Debug, Serialize)]
pub struct Stages {
    pub before_qmgr: Delay,
    pub in_qmgr: Delay,
    pub conn_setup: Delay,
    pub transmission: Delay,
}

#[derive(Clone, Debug, Serialize)]
pub struct Rejects {
    pub total: u64,
    pub warnings: u64,
    pub by_stage: Counts,
    pub by_class: Counts,
    pub by_dsn: Counts,
    /// Which part of the server refused.
    pub by: Counts,
    /// What else was done to clients and messages: hold, discard, filter, redirect ...
    pub actions: Counts,
    pub reasons: Vec<Reason>,
}

/// One reason for which clients or messages were turned away.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    pub stage: String,
    pub template: String,
    pub class: &'static str,
    pub count: u64,
    pub top_clients: Vec<String>,
}

/// A recurring failure of deliveries, without its varying parts.
#[derive(Clone, Debug, Serialize)]
pub struct Pattern {
    pub template: String,
    pub count: u64,
    pub class: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    pub domains: Vec<Concerned>,
    /// Word by word, the earliest.
    pub examples: Vec<String>,
    /// Buckets of the timeline in which it was seen.
    pub timeline: Vec<Counted>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Concerned {
    pub domain: String,
    pub count: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    pub from: String,
    pub count: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Auth {
    pub failures: u64,
    /// Messages taken in from clients that had logged in.
    pub successes: u64,
    /// Accounts named in failures.
    pub failed_users: Counts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Tls {
    pub inbound: Sessions,
    pub outbound: Sessions,
}

#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    pub sessions: u64,
    pub by_version: Counts,
    pub by_trust: Counts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Connections {
    pub inbound: u64,
    pub lost: u64,
    pub timeout: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    pub severity: String,
    pub program: String,
    pub template: String,
    pub count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct KindRow {
    pub kind: Kind,
    pub recipients: u64,
    pub attempts: u64,
    pub rejects: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct ClassRow {
    pub class: &'static str,
    pub permanence: Permanence,
    #[serde(skip_serializing_if = "is_nobody")]
    pub side: Side,
    pub recipients: u64,
    pub attempts: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_nobody(side: &Side) -> bool {
    *side == Side::Nobody
}

#[derive(Clone, Debug, Serialize)]
pub struct DsnRow {
    pub dsn: String,
    pub attempts: u64,
}

/// A row of `domains` (key `domain`), `providers`, `relays`, `senders`, `sender_domains`, `auth_users`.
#[derive(Clone, Debug, Default)]
pub struct MailRow {
    /// The name of the key's field.
    pub key: &'static str,
    pub name: String,
    pub delivered: u64,
    pub bounced: u64,
    pub expired: u64,
    pub deferred: u64,
    pub deferred_attempts: u64,
    pub size_bytes: u64,
    pub bounce_rate: Option<f64>,
    pub delay: Delay,
    pub top_class: Option<&'static str>,
}

impl Serialize for MailRow {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = to.serialize_map(None)?;
        if !self.key.is_empty() {
            map.serialize_entry(self.key, &self.name)?;
        }
        map.serialize_entry("delivered", &self.delivered)?;
        map.serialize_entry("bounced", &self.bounced)?;
        map.serialize_entry("expired", &self.expired)?;
        map.serialize_entry("deferred", &self.deferred)?;
        map.serialize_entry("deferred_attempts", &self.deferred_attempts)?;
        map.serialize_entry("size_bytes", &self.size_bytes)?;
        if let Some(rate) = self.bounce_rate {
            map.serialize_entry("bounce_rate", &rate)?;
        }
        map.serialize_entry("delay", &self.delay)?;
        if let Some(class) = self.top_class {
            map.serialize_entry("top_class", class)?;
        }
        map.end()
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ClientRow {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub connections: u64,
    pub received: u64,
    pub rejected: u64,
    pub auth_failures: u64,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct HostRow {
    pub host: String,
    pub lines: u64,
    pub received: u64,
    pub delivered: u64,
    pub bounced: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Distinct {
    pub senders: u64,
    pub sender_domains: u64,
    pub recipients: u64,
    pub recipient_domains: u64,
    pub clients: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Bucket {
    pub from: String,
    pub received: u64,
    pub delivered: u64,
    pub deferred_attempts: u64,
    pub bounced: u64,
    pub rejected: u64,
}

/// Deferred attempts of one bucket at one provider or, where none is known, one recipient domain.
#[derive(Clone, Debug, Serialize)]
pub struct Heat {
    pub destination: String,
    pub from: String,
    pub deferred_attempts: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Template {
    pub template: String,
    pub count: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Unrecognized {
    pub reason: &'static str,
    pub count: u64,
    /// Programs that no parser reads, where that is the reason.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub programs: Counts,
    pub examples: Vec<Example>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Example {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    pub text: String,
}

/// The rows beyond `--top`.
#[derive(Clone, Debug, Serialize)]
pub struct Other {
    pub rows: u64,
    #[serde(flatten)]
    pub sum: OtherSum,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum OtherSum {
    Mail(Box<MailRow>),
    Client(ClientRow),
    Count { count: u64 },
    Attempts { attempts: u64 },
}

#[derive(Clone, Debug, Serialize)]
pub struct Approximate {
    pub dropped_keys: u64,
    pub error: u64,
}
