//! What is known of an entry of a listing: its times, seen from the moment of the listing, and what the logs say of it.
//!
//! In goes an entry as it was read, out comes the same entry with its times, and, where logs were read before, with its
//! client, its last attempt, and the reasons that the listing lacks. Sums and rows are made of nothing else.

use super::logs::{Lives, Tried};
use super::{Zone, matrix, reason};
use chrono::{Datelike as _, NaiveDate};
use mailscope_parsers::model::{Arrival, Class, Micros, QueueEntry, QueueState, Waiting};
use std::borrow::Cow;

const SECOND: Micros = 1_000_000;
/// postconf(5) minimal_backoff_time, maximal_backoff_time.
const BACKOFF: (Micros, Micros) = (300 * SECOND, 4000 * SECOND);

/// postconf(5) maximal_queue_lifetime.
const LIFETIME_S: u64 = 5 * 86_400;

/// Where an entry was listed, and when.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub time: Micros,
    pub mta: &'static str,
}

/// How entries are seen: which of them, by whose clock, and after which logs.
#[derive(Debug)]
pub struct View {
    /// Only messages in these states; empty for all.
    pub states: Vec<QueueState>,
    pub zone: Zone,
    /// How long a message is tried before it is returned.
    pub lifetime_s: u64,
    /// What the logs say; nothing where none were read.
    pub lives: Lives,
}

/// What is known of an entry's times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    pub arrival: Option<Micros>,
    pub age_s: Option<u64>,
    pub expires: Option<Micros>,
    pub next_attempt: Option<Micros>,
    /// The next attempt is reckoned, as the listing does not say it.
    pub estimated: bool,
}

/// An entry, and what is known of it.
#[derive(Debug)]
pub struct Known<'e, 'a> {
    pub entry: Cow<'e, QueueEntry<'a>>,
    pub place: Place,
    pub times: Times,
    pub tried: Option<&'e Tried>,
}

impl View {
    /// All messages, five days of trying, and no logs.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        Self { states: Vec::new(), zone, lifetime_s: LIFETIME_S, lives: Lives::default() }
    }

    /// What is known of an entry; `None` where its state is not wanted.
    #[must_use]
    pub fn of<'e, 'a>(&'e self, entry: &'e QueueEntry<'a>, place: Place) -> Option<Known<'e, 'a>> {
        if !self.states.is_empty() && !self.states.contains(&entry.state) {
            return None;
        }
        let tried = self.lives.of(&entry.queue_id);
        let mut known = Known { entry: Cow::Borrowed(entry), place, times: self.times(entry, place.time), tried };
        if let Some(tried) = tried {
            known.fill(tried);
        }
        Some(known)
    }

    fn times(&self, entry: &QueueEntry<'_>, now: Micros) -> Times {
        let arrival = arrival(entry.arrival, now, self.zone);
        Times {
            arrival,
            age_s: arrival.map(|arrival| u64::try_from(now.saturating_sub(arrival) / SECOND).unwrap_or(0)),
            expires: entry.expires.or_else(|| arrival.map(|arrival| arrival.saturating_add(micros(self.lifetime_s)))),
            next_attempt: entry.next_attempt_s.map(|wait| now.saturating_add(micros(wait))),
            estimated: false,
        }
    }
}

impl<'a> Known<'_, 'a> {
    /// The reasons that the listing lacks: Exim's has none, and Postfix's none of a message that it is just trying. And the
    /// next attempt: qmgr(8) waits after a deferral as long as the message is old, within limits.
    fn fill(&mut self, tried: &Tried) {
        let lacks = |waiting: &Waiting<'a>| waiting.diagnostic.is_empty() && tried.said(&waiting.envelope_recipient).is_some();
        if self.entry.recipients.iter().any(lacks) {
            for waiting in self.entry.to_mut().recipients.iter_mut().filter(|waiting| waiting.diagnostic.is_empty()) {
                if let Some(said) = tried.said(&waiting.envelope_recipient) {
                    waiting.diagnostic = Cow::Owned(said.to_vec());
                }
            }
        }
        if let Some(last) = tried.last.filter(|_| self.times.next_attempt.is_none() && self.entry.state == QueueState::Deferred) {
            self.times.next_attempt = Some(last + (last - tried.begun).clamp(BACKOFF.0, BACKOFF.1));
            self.times.estimated = true;
        }
    }

    /// The class of a reason; `None` where there is no reason.
    #[must_use]
    pub fn class(diagnostic: &[u8]) -> Option<Class> {
        (!diagnostic.is_empty()).then(|| reason::class(diagnostic))
    }

    /// Who receives the mail of a recipient: told by the reason, the recipient's domain, or the relay of the last attempt.
    #[must_use]
    pub fn provider(&self, waiting: &Waiting<'_>) -> &'static str {
        match matrix::provider_of(&waiting.envelope_recipient, &waiting.diagnostic) {
            "(none)" => self.tried.map_or("(none)", |tried| tried.provider(&waiting.envelope_recipient)),
            known => known,
        }
    }
}

fn micros(seconds: u64) -> Micros {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND)
}

/// When it arrived, seen from the time of the listing.
fn arrival(told: Arrival, now: Micros, zone: Zone) -> Option<Micros> {
    match told {
        Arrival::Unknown => None,
        Arrival::At(time) => Some(time),
        Arrival::Ago { age_s, step_s, birth } => {
            let ago = now.saturating_sub(micros(age_s));
            // Ages are rounded either way, and the listing took a moment.
            let agrees = |birth: &Micros| birth.abs_diff(ago) <= micros(step_s).unsigned_abs() + 60 * SECOND.unsigned_abs();
            birth.filter(agrees).or(Some(ago))
        }
        Arrival::Local { month, day, hour, minute, second } => {
            let year = zone.local(now).year();
            // The latest such time that is not after the listing; clocks may differ by a day. 29 February needs a leap year.
            (0..=8).map(|back| year + 1 - back).find_map(|year| {
                let local = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second.min(59))?;
                Some(zone.utc(local).saturating_mul(SECOND)).filter(|time| *time <= now.saturating_add(86_400 * SECOND))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_795_500_320_000_000; // 2026-11-24 06:05:20

    fn at(told: Arrival) -> String {
        let zone: Zone = "UTC".parse().unwrap();
        arrival(told, NOW, zone).map_or_else(String::new, |time| zone.local(time).format("%F %T").to_string())
    }

    #[test]
    fn the_year_is_the_latest_that_is_not_in_the_future() {
        let on = |month, day| at(Arrival::Local { month, day, hour: 6, minute: 5, second: 20 });
        assert_eq!(on(11, 24), "2026-11-24 06:05:20");
        assert_eq!(on(11, 25), "2026-11-25 06:05:20");
        assert_eq!(on(12, 31), "2025-12-31 06:05:20");
        assert_eq!(on(2, 29), "2024-02-29 06:05:20");
        assert_eq!(on(2, 30), "");
    }

    #[test]
    fn an_id_tells_the_second_where_it_agrees_with_the_age() {
        let ago = |birth| at(Arrival::Ago { age_s: 60, step_s: 60, birth });
        assert_eq!(ago(None), "2026-11-24 06:04:20");
        assert_eq!(ago(Some(1_795_500_247_000_000)), "2026-11-24 06:04:07");
        assert_eq!(ago(Some(0)), "2026-11-24 06:04:20");
    }
}
