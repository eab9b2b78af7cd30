//! What the logs add to a listing: how fast mail comes and goes, when the backlog would be gone at that rate, and for the
//! messages shown what the last attempt said and when the next is due.
//!
//! Lives go in as they close or as the log ends; the listing is known before. The next attempt is an estimate: qmgr(8)
//! waits after a deferral as long as the message is old, but not less than minimal_backoff_time and not more than
//! maximal_backoff_time, and nothing but its configuration says what these are. The defaults are taken.

use super::Zone;
use super::matrix::provider_of;
use super::reason;
use super::snapshot::{Snapshot, written};
use crate::correlate::{Life, Outcome};
use hashbrown::HashMap;
use mailscope_parsers::model::Micros;
use serde::Serialize;
use std::collections::BTreeMap;

const SECOND: Micros = 1_000_000;
/// Rates are those of this last part of the log.
const RECENT: Micros = 3600 * SECOND;
/// postconf(5) minimal_backoff_time, maximal_backoff_time.
const BACKOFF: (Micros, Micros) = (300 * SECOND, 4000 * SECOND);

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
    /// The messages shown.
    shown: HashMap<Vec<u8>, Tried>,
    last: Option<Micros>,
    first: Option<Micros>,
}

#[derive(Debug, Default)]
struct Minute {
    arrived: u64,
    departed: u64,
    delivered: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
struct Tried {
    attempts: u32,
    last: Option<Micros>,
    arrival: Option<Micros>,
    /// Recipients, and what the last attempt said.
    said: Vec<(String, String)>,
}

impl Lives {
    /// For the messages of a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let shown = snapshot.messages.iter().map(|message| (message.queue_id.as_bytes().to_vec(), Tried::default())).collect();
        Self { shown, ..Self::default() }
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
            let relay = life.text(recipient.decisive.relay_name);
            let who = match crate::aggregate::provider(relay) {
                "(none)" => provider_of(life.text(recipient.address), b""),
                known => known,
            };
            *self.minutes.entry(minute(recipient.decisive.time)).or_default().delivered.entry(who).or_default() += 1;
        }
        if let Some(tried) = self.shown.get_mut(life.text(life.queue_id)) {
            tried.attempts = life.recipients.iter().map(|recipient| recipient.attempts).max().unwrap_or(0).max(tried.attempts);
            tried.last = tried.last.max(life.recipients.iter().map(|recipient| recipient.last_attempt).max());
            tried.arrival = tried.arrival.max(Some(life.first_line));
            let text = |span| String::from_utf8_lossy(life.text(span)).into_owned();
            tried.said.extend(life.recipients.iter().map(|recipient| (text(recipient.address), text(recipient.decisive.diagnostic))));
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

    /// Writes what was found into the snapshot. `waiting` is how many recipients wait by provider.
    pub fn tell(self, snapshot: &mut Snapshot, waiting: &BTreeMap<&'static str, u64>, zone: Zone) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return };
        for message in &mut snapshot.messages {
            let Some(tried) = self.shown.get(message.queue_id.as_bytes()) else { continue };
            let Some(at) = tried.last.filter(|last| *last > 0) else { continue };
            message.last_attempt = Some(written(at, zone));
            message.attempts = Some(tried.attempts);
            // Exim's listing has no reasons, and Postfix's none of a message that it is just trying.
            for recipient in message.recipients.iter_mut().filter(|recipient| recipient.diagnostic.is_none()) {
                let said = tried.said.iter().find(|(address, said)| *address == recipient.envelope_recipient && !said.is_empty());
                recipient.class = said.map(|(_, said)| reason::class(said.as_bytes()).name());
                recipient.diagnostic = said.map(|(_, said)| said.clone());
            }
            if message.next_attempt.is_none() && message.state == "deferred" {
                let age = tried.arrival.map_or(0, |arrival| at - arrival);
                message.next_attempt = Some(written(at + age.clamp(BACKOFF.0, BACKOFF.1), zone));
                message.next_attempt_estimated = Some(true);
            }
        }
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
