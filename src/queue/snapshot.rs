//! The published shape of a queue: plain data, schema `mailscope.queue/1`. What is absent is not there.

use super::gather::{Origin, Sums};
use super::logs::Traffic;
use super::matrix::Cells;
use super::message::Message;
use super::{Zone, findings};
use crate::aggregate::Table;
use mailscope_parsers::model::{Micros, QueueState};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A queue at one moment.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    pub schema: &'static str,
    pub listings: Vec<ListingFacts>,
    /// Messages, and recipients that wait for one.
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
    pub by_state: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_s: Option<u64>,
    pub matrix: MatrixRows,
    pub reasons: Vec<ReasonRow>,
    pub senders: Vec<SenderRow>,
    /// Who handed in what waits, as the logs say: clients, and accounts that logged in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_users: Vec<AccountRow>,
    pub expiring: Expiring,
    pub stuck: Vec<StuckRow>,
    pub findings: Vec<Finding>,
    /// What the logs add: rates, and when the backlog is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// What lies beyond `--top`, by list.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<&'static str, Other>,
    pub messages: Vec<MessageRow>,
}

/// One listing: where it came from, which form it has, and the moment its ages count from.
#[derive(Debug, Serialize)]
pub struct ListingFacts {
    pub from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mta: Option<&'static str>,
    pub time: String,
    /// Lines that are no part of a listing.
    pub unrecognized: u64,
}

#[derive(Debug, Serialize)]
pub struct MatrixRows {
    pub key: &'static str,
    /// Upper borders of all columns but the last.
    pub buckets_min: Vec<u64>,
    pub total: Vec<u64>,
    pub rows: Vec<MatrixRow>,
}

/// A row; its name stands under the matrix's key.
#[derive(Debug)]
pub struct MatrixRow {
    pub key: &'static str,
    pub name: String,
    pub total: u64,
    pub ages: Vec<u64>,
    pub class: Option<&'static str>,
    pub reason: Option<String>,
}

impl Serialize for MatrixRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry(self.key, &self.name)?;
        map.serialize_entry("total", &self.total)?;
        map.serialize_entry("ages", &self.ages)?;
        if let (Some(class), Some(reason)) = (self.class, &self.reason) {
            map.serialize_entry("class", class)?;
            map.serialize_entry("reason", reason)?;
        }
        map.end()
    }
}

#[derive(Debug, Serialize)]
pub struct ReasonRow {
    pub template: String,
    pub class: &'static str,
    pub recipients: u64,
    pub example: String,
}

#[derive(Debug, Serialize)]
pub struct SenderRow {
    pub sender: String,
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct ClientRow {
    /// The IP address.
    pub client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct AccountRow {
    pub auth_user: String,
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
}

/// Messages that will be returned to their senders, if nothing changes.
#[derive(Debug, Serialize)]
pub struct Expiring {
    pub lifetime_s: u64,
    pub overdue: u64,
    pub within_1h: u64,
    pub within_24h: u64,
}

#[derive(Debug, Serialize)]
pub struct StuckRow {
    pub state: &'static str,
    pub entries: u64,
    /// The first ones of the listing.
    pub queue_ids: Vec<String>,
}

/// What stands out, what it is read from, and a command that would do something about it.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub severity: &'static str,
    pub title: String,
    pub evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Other {
    /// Absent where there were too many keys to tell them apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    pub count: u64,
}

#[derive(Debug, Serialize)]
pub struct MessageRow {
    pub queue_id: String,
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope_sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// By the listing; with logs, an estimate where the listing does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_estimated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Who handed it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_user: Option<String>,
    pub recipients: Vec<RecipientRow>,
}

#[derive(Debug, Serialize)]
pub struct Client {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub ip: String,
}

#[derive(Debug, Serialize)]
pub struct RecipientRow {
    pub envelope_recipient: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnostic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
}

/// Sums to what is published. `subdomains` gives parent domains of so many names rows of their own.
#[must_use]
pub fn build(mut sums: Sums, listings: Vec<ListingFacts>, subdomains: Option<u64>) -> Snapshot {
    let top = sums.options.top;
    let zone = sums.options.zone;
    let mut other = BTreeMap::new();
    let matrix = matrix(&sums, subdomains, &mut other);
    let reasons = reasons(&sums, &mut other);
    let senders = origins("senders", &sums.senders, top, &mut other);
    let clients = origins("clients", &sums.clients, top, &mut other);
    let auth_users = origins("auth_users", &sums.accounts, top, &mut other);
    let by_state: BTreeMap<&str, u64> =
        QueueState::ALL.iter().zip(sums.by_state).filter(|(_, count)| *count > 0).map(|(state, count)| (state.name(), count)).collect();
    let oldest = std::mem::replace(&mut sums.oldest, super::message::Oldest::new(0)).sorted();
    let beyond = sums.entries - oldest.len() as u64;
    if beyond > 0 {
        other.insert("messages", Other { rows: Some(beyond), count: beyond });
    }
    let findings = findings::find(&sums, &oldest);
    let stuck = QueueState::ALL.iter().zip(std::mem::take(&mut sums.stuck)).filter(|(_, stuck)| stuck.entries > 0);
    let stuck = stuck.map(|(state, stuck)| StuckRow { state: state.name(), entries: stuck.entries, queue_ids: stuck.queue_ids }).collect();
    let [overdue, within_1h, within_24h] = sums.expiring;
    Snapshot {
        schema: "mailscope.queue/1",
        listings,
        entries: sums.entries,
        recipients: sums.recipients,
        size_bytes: sums.size_bytes,
        by_state,
        oldest_s: sums.oldest_s,
        matrix,
        reasons,
        senders: senders.into_iter().map(sender_row).collect(),
        clients: clients.into_iter().map(client_row).collect(),
        auth_users: auth_users.into_iter().map(account_row).collect(),
        expiring: Expiring { lifetime_s: sums.options.lifetime_s, overdue, within_1h, within_24h: within_24h + within_1h },
        stuck,
        findings,
        traffic: None,
        other,
        messages: oldest.into_iter().take(top).map(|message| message_row(message, zone)).collect(),
    }
}

fn matrix(sums: &Sums, subdomains: Option<u64>, other: &mut BTreeMap<&'static str, Other>) -> MatrixRows {
    let buckets = sums.options.buckets;
    let (rows, dropped) = sums.matrix.sorted(subdomains);
    let mut total = vec![0; buckets.count];
    let add = |total: &mut Vec<u64>, cells: &Cells| total.iter_mut().zip(&cells.ages).for_each(|(sum, age)| *sum += age);
    rows.iter().filter(|(name, _)| !name.starts_with('.')).for_each(|(_, cells)| add(&mut total, cells));
    add(&mut total, dropped);
    let beyond: u64 = rows.iter().skip(sums.options.top).filter(|(name, _)| !name.starts_with('.')).map(|(_, cells)| cells.total).sum();
    let beyond = beyond + dropped.total;
    if beyond > 0 {
        let rows = (dropped.total == 0).then(|| rows.len().saturating_sub(sums.options.top) as u64);
        other.insert("matrix", Other { rows, count: beyond });
    }
    let key = sums.options.key.name();
    let rows = rows.into_iter().take(sums.options.top).map(|(name, mut cells)| {
        let mostly = cells.mostly().and_then(|number| sums.reasons.get(number));
        cells.ages.resize(buckets.count, 0);
        MatrixRow {
            key,
            name,
            total: cells.total,
            class: mostly.map(|reason| reason.class.name()),
            reason: mostly.map(|reason| reason.template.clone()),
            ages: cells.ages,
        }
    });
    MatrixRows { key, buckets_min: buckets.bounds(), total, rows: rows.collect() }
}

fn reasons(sums: &Sums, other: &mut BTreeMap<&'static str, Other>) -> Vec<ReasonRow> {
    let sorted = sums.reasons.sorted();
    let beyond = sorted.get(sums.options.top..).unwrap_or_default();
    let count = beyond.iter().map(|reason| reason.recipients).sum::<u64>() + sums.reasons.other;
    if count > 0 {
        other.insert("reasons", Other { rows: (sums.reasons.other == 0).then_some(beyond.len() as u64), count });
    }
    let row = |reason: &&super::reason::Reason| ReasonRow {
        template: reason.template.clone(),
        class: reason.class.name(),
        recipients: reason.recipients,
        example: reason.example.clone(),
    };
    sorted.iter().take(sums.options.top).map(row).collect()
}

/// The heaviest so many of a table; what lies beyond goes to `other`.
fn origins(list: &'static str, table: &Table<Origin>, top: usize, other: &mut BTreeMap<&'static str, Other>) -> Vec<(String, Origin)> {
    let mut rows: Vec<(String, Origin)> =
        table.iter().map(|(name, origin)| (String::from_utf8_lossy(name).into_owned(), origin.clone())).collect();
    rows.sort_by(|a, b| b.1.entries.cmp(&a.1.entries).then_with(|| a.0.cmp(&b.0)));
    let beyond = rows.split_off(top.min(rows.len()));
    let count = beyond.iter().map(|(_, origin)| origin.entries).sum::<u64>() + table.dropped.entries;
    if count > 0 {
        other.insert(list, Other { rows: (table.dropped_keys == 0).then_some(beyond.len() as u64), count });
    }
    rows
}

fn sender_row((sender, Origin { entries, recipients, size_bytes, .. }): (String, Origin)) -> SenderRow {
    SenderRow { sender, entries, recipients, size_bytes }
}

fn client_row((client, Origin { entries, recipients, size_bytes, name, .. }): (String, Origin)) -> ClientRow {
    ClientRow { client, name, entries, recipients, size_bytes }
}

fn account_row((auth_user, Origin { entries, recipients, size_bytes, .. }): (String, Origin)) -> AccountRow {
    AccountRow { auth_user, entries, recipients, size_bytes }
}

fn message_row(message: Message, zone: Zone) -> MessageRow {
    let recipient = |recipient: super::message::Recipient| RecipientRow {
        envelope_recipient: recipient.envelope_recipient,
        diagnostic: recipient.diagnostic,
        class: recipient.class.map(mailscope_parsers::model::Class::name),
    };
    let tried = message.tried.as_ref();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    MessageRow {
        queue_id: message.queue_id,
        state: message.state.name(),
        arrival: message.arrival.map(|time| written(time, zone)),
        age_s: message.age_s,
        size_bytes: message.size_bytes,
        envelope_sender: message.envelope_sender,
        expires: message.expires.map(|time| written(time, zone)),
        next_attempt: message.next_attempt.map(|time| written(time, zone)),
        next_attempt_estimated: message.estimated.then_some(true),
        last_attempt: tried.and_then(|tried| tried.last).map(|time| written(time, zone)),
        attempts: tried.filter(|tried| tried.last.is_some()).map(|tried| tried.attempts),
        client: tried
            .filter(|tried| !tried.client_ip.is_empty())
            .map(|tried| Client { name: text(&tried.client_name), ip: text(&tried.client_ip) }),
        auth_user: tried.filter(|tried| !tried.auth_user.is_empty()).map(|tried| text(&tried.auth_user)),
        recipients: message.recipients.into_iter().map(recipient).collect(),
    }
}

/// RFC 3339, in a zone.
#[must_use]
pub fn written(time: Micros, zone: Zone) -> String {
    zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}
