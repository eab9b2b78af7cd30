//! The messages that are shown: the oldest so many, kept while the listing passes.

use super::known::{Known, Times};
use super::logs::Tried;
use mailscope_parsers::model::{Class, Micros, QueueState};
use std::collections::BinaryHeap;

/// One message, with all that is shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub queue_id: String,
    pub state: QueueState,
    pub arrival: Option<Micros>,
    pub age_s: Option<u64>,
    pub size_bytes: Option<u64>,
    /// `<>` for the null sender.
    pub envelope_sender: Option<String>,
    pub recipients: Vec<Recipient>,
    pub expires: Option<Micros>,
    pub next_attempt: Option<Micros>,
    /// The next attempt is reckoned.
    pub estimated: bool,
    /// What the logs say.
    pub tried: Option<Tried>,
    /// The server whose queue it is in.
    pub mta: &'static str,
}

/// Who waits for it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub envelope_recipient: String,
    pub diagnostic: Option<String>,
    pub class: Option<Class>,
}

/// A message in the order of age, the oldest smallest; without a time it is youngest.
#[derive(Debug, PartialEq, Eq)]
struct Aged(Message);

impl Aged {
    fn rank(&self) -> (Micros, &str) {
        (self.0.arrival.unwrap_or(Micros::MAX), &self.0.queue_id)
    }
}

impl Ord for Aged {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Aged {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The oldest messages.
#[derive(Debug)]
pub struct Oldest {
    most: usize,
    kept: BinaryHeap<Aged>,
}

impl Oldest {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, kept: BinaryHeap::new() }
    }

    /// Keeps an entry if it is among the oldest so far.
    pub fn offer(&mut self, known: &Known<'_, '_>) {
        if self.kept.len() >= self.most {
            let arrival = known.times.arrival.unwrap_or(Micros::MAX);
            // Of equals the smaller id stays, which only the copy can tell.
            if self.kept.peek().is_none_or(|youngest| arrival > youngest.rank().0) {
                return;
            }
        }
        self.kept.push(Aged(message(known)));
        if self.kept.len() > self.most {
            self.kept.pop();
        }
    }

    /// The oldest first.
    #[must_use]
    pub fn sorted(self) -> Vec<Message> {
        self.kept.into_sorted_vec().into_iter().map(|aged| aged.0).collect()
    }
}

fn message(known: &Known<'_, '_>) -> Message {
    let (entry, times): (_, Times) = (&known.entry, known.times);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let recipients = entry.recipients.iter().map(|waiting| Recipient {
        envelope_recipient: text(&waiting.envelope_recipient),
        diagnostic: (!waiting.diagnostic.is_empty()).then(|| text(&waiting.diagnostic)),
        class: Known::class(&waiting.diagnostic),
    });
    Message {
        queue_id: text(&entry.queue_id),
        state: entry.state,
        arrival: times.arrival,
        age_s: times.age_s,
        size_bytes: entry.size_bytes,
        envelope_sender: entry.envelope_sender.as_deref().map(shown_sender),
        recipients: recipients.collect(),
        expires: times.expires,
        next_attempt: times.next_attempt,
        estimated: times.estimated,
        tried: known.tried.cloned(),
        mta: known.place.mta,
    }
}

/// The sender as it is shown.
#[must_use]
pub fn shown_sender(sender: &[u8]) -> String {
    if sender.is_empty() { "<>".to_owned() } else { String::from_utf8_lossy(sender).into_owned() }
}
