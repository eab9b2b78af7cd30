//! What the logs add to a listing: how fast mail comes and goes, when the backlog would be gone at that rate, and of each
//! message who handed it in, what the last attempt said of each recipient, and when that was.
//!
//! Lives go in as they close or as the log ends, before any listing is read; those that are gone by then only count as
//! traffic, the others are kept by their queue ids until the listing asks for them. So memory is bounded by what is open.

use super::Zone;
use super::matrix::provider_of;
use super::snapshot::{Snapshot, written};
use crate::aggregate::provider;
use crate::correlate::{End, Life, Outcome};
use hashbrown::HashMap;
use mailscope_parsers::model::{Micros, domain_of};
use serde::Serialize;
use std::collections::BTreeMap;

const SECOND: Micros = 1_000_000;
/// Rates are those of this last part of the log.
const RECENT: Micros = 3600 * SECOND;
/// Lives that are kept; a log that never says that a message is gone has more.
const LIVES: usize = 4_000_000;

/// Rates of the log's last hour.
#[derive(Debug, Serialize)]
pub struct Traffic {
    pub from: String,
    pub to: String,
    pub window_s: u64,
    /// Queue files that came and went.
    pub arrived: u64,
    pub departed: u64,
    /// At this rate; absent where more comes than goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drained_in_s: Option<u64>,
    pub providers: Vec<ProviderRow>,
}

/// How a provider takes what waits for it.
#[derive(Debug, Serialize)]
pub struct ProviderRow {
    pub provider: &'static str,
    pub waiting: u64,
    /// Recipients whose mail it took.
    pub delivered: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drained_in_s: Option<u64>,
}

/// What is kept of the logs.
#[derive(Debug, Default)]
pub struct Lives {
    /// Times of arrivals and departures, by the minute; and deliveries by minute and provider.
    minutes: BTreeMap<i64, Minute>,
    /// Messages that are not gone, by queue id.
    open: HashMap<Box<[u8]>, Tried>,
    last: Option<Micros>,
    first: Option<Micros>,
}

#[derive(Debug, Default)]
struct Minute {
    arrived: u64,
    departed: u64,
    delivered: BTreeMap<&'static str, u64>,
}

/// A message that is not gone, as the logs tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    pub attempts: u32,
    /// The last attempt.
    pub last: Option<Micros>,
    pub begun: Micros,
    /// Who handed the message in, in front of content filters.
    pub client_name: Box<[u8]>,
    pub client_ip: Box<[u8]>,
    pub auth_user: Box<[u8]>,
    recipients: Vec<Said>,
}

/// What the last attempt said of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    address: Box<[u8]>,
    original: Box<[u8]>,
    diagnostic: Box<[u8]>,
    provider: &'static str,
}

impl Tried {
    fn of(life: &Life) -> Self {
        let text = |span| Box::from(life.text(span));
        let message = life.message();
        let said = |recipient: &crate::correlate::Recipient| Said {
            address: text(recipient.address),
            original: text(recipient.original),
            diagnostic: text(life.particulars(&recipient.decisive).diagnostic),
            provider: provider(life.text(recipient.decisive.relay_name)),
        };
        Self {
            attempts: life.recipients.iter().map(|recipient| recipient.attempts).max().unwrap_or(0),
            last: life.recipients.iter().map(|recipient| recipient.last_attempt).max().filter(|last| *last > 0),
            begun: life.first_line,
            client_name: message.text(message.client_name).into(),
            client_ip: message.text(message.client_ip).into(),
            auth_user: message.text(message.auth_user).into(),
            recipients: life.recipients.iter().map(said).collect(),
        }
    }

    /// What the last attempt said of this recipient; `None` where it said nothing.
    #[must_use]
    pub fn said(&self, recipient: &[u8]) -> Option<&[u8]> {
        self.find(recipient).map(|said| &*said.diagnostic).filter(|said| !said.is_empty())
    }

    /// Whose relay the last attempt at this recipient spoke with.
    #[must_use]
    pub fn provider(&self, recipient: &[u8]) -> &'static str {
        self.find(recipient).map_or("(none)", |said| said.provider)
    }

    /// A listing may name the address before it was rewritten, its domain in any case.
    fn find(&self, recipient: &[u8]) -> Option<&Said> {
        let local = recipient.len() - domain_of(recipient).len();
        let is_it = |address: &[u8]| {
            address.len() == recipient.len() && address[..local] == recipient[..local] && address.eq_ignore_ascii_case(recipient)
        };
        let by = |address: fn(&Said) -> &[u8]| self.recipients.iter().find(|said| is_it(address(said)));
        by(|said| &said.address).or_else(|| by(|said| &said.original))
    }
}

impl Lives {
    /// What is known of a message.
    #[must_use]
    pub fn of(&self, queue_id: &[u8]) -> Option<&Tried> {
        self.open.get(queue_id)
    }

    /// Takes a life, in any order.
    pub fn add(&mut self, life: &Life) {
        self.last = self.last.max(Some(life.last_line));
        self.first = Some(self.first.map_or(life.first_line, |first| first.min(life.first_line)));
        let minute = |time: Micros| time.div_euclid(60 * SECOND);
        if life.proof {
            self.minutes.entry(minute(life.first_line)).or_default().arrived += 1;
            if let Some((time, _)) = life.removed {
                self.minutes.entry(minute(time)).or_default().departed += 1;
            }
        }
        for recipient in life.recipients.iter().filter(|recipient| recipient.outcome == Outcome::Delivered) {
            let who = match provider(life.text(recipient.decisive.relay_name)) {
                "(none)" => provider_of(life.text(recipient.address), b""),
                known => known,
            };
            *self.minutes.entry(minute(recipient.decisive.time)).or_default().delivered.entry(who).or_default() += 1;
        }
        if life.end != End::Removed && life.rare().requeued.is_none() && self.open.len() < LIVES {
            let tried = Tried::of(life);
            // An id that was used again is its later life.
            match self.open.get_mut(life.text(life.queue_id)) {
                Some(known) if known.begun > tried.begun => {}
                Some(known) => *known = tried,
                None => drop(self.open.insert(life.text(life.queue_id).into(), tried)),
            }
        }
        self.forget();
    }

    /// What is older than the part that rates are taken from is not needed.
    fn forget(&mut self) {
        const MOST: usize = 4096;
        if self.minutes.len() > MOST
            && let Some(last) = self.last
        {
            self.minutes = self.minutes.split_off(&(last - RECENT).div_euclid(60 * SECOND));
        }
    }

    /// Writes into the snapshot what the rates are. `waiting` is how many recipients wait by provider.
    pub fn tell(&self, snapshot: &mut Snapshot, waiting: &BTreeMap<&'static str, u64>, zone: Zone) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return };
        snapshot.traffic = Some(self.traffic(snapshot.entries, first.max(last - RECENT), last, waiting, zone));
    }

    fn traffic(&self, entries: u64, from: Micros, to: Micros, waiting: &BTreeMap<&'static str, u64>, zone: Zone) -> Traffic {
        let window_s = u64::try_from((to - from) / SECOND).unwrap_or(0).max(1);
        let mut sum = Minute::default();
        for minute in self.minutes.range(from.div_euclid(60 * SECOND)..).map(|(_, minute)| minute) {
            sum.arrived += minute.arrived;
            sum.departed += minute.departed;
            minute.delivered.iter().for_each(|(who, count)| *sum.delivered.entry(who).or_default() += count);
        }
        let drained = |waiting: u64, rate: u64| (waiting > 0 && rate > 0).then(|| waiting.saturating_mul(window_s).div_ceil(rate));
        let mut providers: Vec<ProviderRow> = waiting
            .iter()
            .map(|(provider, waiting)| {
                let delivered = sum.delivered.get(provider).copied().unwrap_or(0);
                ProviderRow { provider, waiting: *waiting, delivered, drained_in_s: drained(*waiting, delivered) }
            })
            .collect();
        providers.sort_by(|a, b| b.waiting.cmp(&a.waiting).then_with(|| a.provider.cmp(b.provider)));
        Traffic {
            from: written(from, zone),
            to: written(to, zone),
            window_s,
            arrived: sum.arrived,
            departed: sum.departed,
            drained_in_s: drained(entries, sum.departed.saturating_sub(sum.arrived)),
            providers,
        }
    }
}
