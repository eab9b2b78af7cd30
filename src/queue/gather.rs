//! Sums over the entries of any number of listings, as they are known.

use super::known::{Known, Times};
use super::logs::Tried;
use super::matrix::{Key, Matrix};
use super::message::Oldest;
use super::reason::Reasons;
use super::{Buckets, Zone};
use crate::aggregate::{Merge, Row, Table};
use hashbrown::HashSet;
use mailscope_parsers::model::{Micros, QueueEntry, QueueState, domain_of};
use std::collections::BTreeMap;

const SECOND: Micros = 1_000_000;
/// Distinct senders, clients and accounts; past them the light ones are summed up.
const ORIGINS: usize = 50_000;
/// Messages named of an origin, once there are so many messages or recipients.
const EXAMPLES: usize = 10;
const VERY_MANY: u64 = 90;
/// Ids that are named for what is stuck.
const NAMED: usize = 20;
/// Domains of notifications' recipients that are told apart.
const DOMAINS: usize = 10_000;
/// A queue manager that is alive takes a message out of incoming in less than this.
const INCOMING_S: u64 = 600;

/// What to count, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub key: Key,
    pub buckets: Buckets,
    pub zone: Zone,
    /// How long a message is tried before it is returned.
    pub lifetime_s: u64,
    pub top: usize,
    /// Whether to count who waits by provider, whatever the key.
    pub by_provider: bool,
}

/// Where messages come from: a sender, a client, or an account.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
    /// A client's host name.
    pub name: String,
    /// Some of the messages of one with very many, with their servers.
    pub examples: Vec<(String, &'static str)>,
}

impl Origin {
    fn add(&mut self, known: &Known<'_, '_>) {
        self.entries += 1;
        self.recipients += known.entry.recipients.len() as u64;
        self.size_bytes += known.entry.size_bytes.unwrap_or(0);
        if self.entries.max(self.recipients) > VERY_MANY && self.examples.len() < EXAMPLES {
            self.examples.push((String::from_utf8_lossy(&known.entry.queue_id).into_owned(), known.place.mta));
        }
    }
}

impl Merge for Origin {
    fn merge(&mut self, other: Self) {
        self.entries += other.entries;
        self.recipients += other.recipients;
        self.size_bytes += other.size_bytes;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }
}

impl Row for Origin {
    fn weight(&self) -> u64 {
        self.entries
    }
}

/// Messages that don't move by themselves.
#[derive(Clone, Debug, Default)]
pub struct Stuck {
    pub entries: u64,
    pub queue_ids: Vec<String>,
    /// The server of each.
    pub mtas: Vec<&'static str>,
}

impl Stuck {
    fn add(&mut self, id: &[u8], mta: &'static str) {
        self.entries += 1;
        if self.queue_ids.len() < NAMED {
            self.queue_ids.push(String::from_utf8_lossy(id).into_owned());
            self.mtas.push(mta);
        }
    }
}

/// All sums.
#[derive(Debug)]
pub struct Sums {
    pub options: Options,
    pub entries: u64,
    pub recipients: u64,
    pub size_bytes: u64,
    /// In the order of [`QueueState::ALL`].
    pub by_state: [u64; QueueState::ALL.len()],
    pub oldest_s: Option<u64>,
    pub matrix: Matrix,
    pub reasons: Reasons,
    pub senders: Table<Origin>,
    /// Clients by IP address, and accounts that logged in: known from logs alone.
    pub clients: Table<Origin>,
    pub accounts: Table<Origin>,
    pub oldest: Oldest,
    /// Past their lifetime, within an hour of its end, within a day of it.
    pub expiring: [u64; 3],
    /// Held, frozen, quarantined, damaged, or long in incoming.
    pub stuck: [Stuck; QueueState::ALL.len()],
    /// Domains that notifications wait for.
    pub notified: HashSet<Vec<u8>>,
    pub providers: BTreeMap<&'static str, u64>,
}

impl Sums {
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            entries: 0,
            recipients: 0,
            size_bytes: 0,
            by_state: [0; QueueState::ALL.len()],
            oldest_s: None,
            matrix: Matrix::new(options.key, options.buckets),
            reasons: Reasons::default(),
            senders: Table::new(ORIGINS),
            clients: Table::new(ORIGINS),
            accounts: Table::new(ORIGINS),
            oldest: Oldest::new(options.top),
            expiring: [0; 3],
            stuck: std::array::from_fn(|_| Stuck::default()),
            notified: HashSet::new(),
            providers: BTreeMap::new(),
            options,
        }
    }

    /// Counts one message.
    pub fn add(&mut self, known: &Known<'_, '_>) {
        let (entry, times): (&QueueEntry<'_>, _) = (&known.entry, known.times);
        self.entries += 1;
        self.recipients += entry.recipients.len() as u64;
        self.size_bytes += entry.size_bytes.unwrap_or(0);
        let state = index(entry.state);
        self.by_state[state] += 1;
        self.oldest_s = self.oldest_s.max(times.age_s);
        self.matrix.add(known, &mut self.reasons);
        if let Some(sender) = entry.envelope_sender.as_deref() {
            let name: &[u8] = if sender.is_empty() { b"<>" } else { sender };
            self.senders.row(name).add(known);
            if sender.is_empty() {
                self.notify(entry);
            }
        }
        if let Some(tried) = known.tried {
            self.come_from(known, tried);
        }
        if self.options.by_provider {
            for waiting in &entry.recipients {
                *self.providers.entry(known.provider(waiting)).or_default() += 1;
            }
        }
        self.wait(known, state);
        self.oldest.offer(known);
    }

    /// Who handed it in, as the logs say.
    fn come_from(&mut self, known: &Known<'_, '_>, tried: &Tried) {
        if !tried.client_ip.is_empty() {
            let client = self.clients.row(&tried.client_ip);
            client.add(known);
            if client.name.is_empty() {
                client.name = String::from_utf8_lossy(&tried.client_name).into_owned();
            }
        }
        if !tried.auth_user.is_empty() {
            self.accounts.row(&tried.auth_user).add(known);
        }
    }

    fn notify(&mut self, entry: &QueueEntry<'_>) {
        for domain in entry.recipients.iter().map(|waiting| domain_of(&waiting.envelope_recipient)) {
            if self.notified.len() < DOMAINS && !self.notified.contains(domain) {
                self.notified.insert(domain.to_vec());
            }
        }
    }

    /// What is stuck, and what will be returned soon.
    fn wait(&mut self, known: &Known<'_, '_>, state: usize) {
        let (entry, times, place): (&QueueEntry<'_>, Times, _) = (&known.entry, known.times, known.place);
        let rests = matches!(entry.state, QueueState::Hold | QueueState::Frozen | QueueState::Quarantined | QueueState::Corrupt);
        if rests || entry.state == QueueState::Incoming && times.age_s.is_some_and(|age| age > INCOMING_S) {
            self.stuck[state].add(&entry.queue_id, place.mta);
        }
        let left = times.expires.map(|expires| expires.saturating_sub(place.time)).filter(|_| !rests);
        let when = match left {
            Some(..=0) => 0,
            Some(left) if left <= 3600 * SECOND => 1,
            Some(left) if left <= 86_400 * SECOND => 2,
            _ => return,
        };
        self.expiring[when] += 1;
    }
}

/// The place of a state in [`QueueState::ALL`].
fn index(state: QueueState) -> usize {
    QueueState::ALL.iter().position(|known| *known == state).unwrap_or(QueueState::ALL.len() - 1)
}
