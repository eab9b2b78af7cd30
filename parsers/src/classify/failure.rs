//! Failures, as lines tell them: what their class depends on, and where it goes.

use super::memo::Beside;
use super::{Reply, provider_of};
use crate::model::{Action, Class, Delivery, EnhancedStatus, Event, Line, Reject, Status};

/// What a delivery failed with, or a client was refused with.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    pub(super) text: &'a [u8],
    relay: &'a [u8],
    reply_code: Option<u16>,
    dsn: Option<EnhancedStatus>,
    refused: bool,
}

impl<'a> Failure<'a> {
    /// `None` of a line that tells none.
    #[inline]
    #[must_use]
    pub fn of(line: &Line<'a>) -> Option<Self> {
        match line {
            Line::Event(Event::Delivery(delivery)) => Self::of_delivery(delivery),
            Line::Event(Event::Reject(reject)) => Self::of_reject(reject),
            _ => None,
        }
    }

    #[inline]
    #[must_use]
    pub fn of_delivery(delivery: &Delivery<'a>) -> Option<Self> {
        if !matches!(delivery.status, Status::Deferred | Status::Bounced | Status::Expired | Status::Undeliverable) {
            return None;
        }
        let Delivery { relay, reply_code, dsn, diagnostic, .. } = *delivery;
        Some(Self { text: diagnostic.0, relay: relay.name.0, reply_code, dsn, refused: false })
    }

    #[inline]
    fn of_reject(reject: &Reject<'a>) -> Option<Self> {
        if !matches!(reject.action, Action::Reject | Action::RejectWarning) {
            return None;
        }
        let Reject { reply_code, dsn, diagnostic, .. } = *reject;
        Some(Self { text: diagnostic.0, relay: b"", reply_code, dsn, refused: true })
    }

    /// What decides beside the text.
    pub(super) fn beside(&self) -> Beside {
        let Self { relay, reply_code, dsn, refused, .. } = *self;
        Beside { provider: provider_of(relay), reply_code, dsn, refused }
    }

    /// As rules are held against it.
    pub(super) fn reply(&self) -> Reply<'a> {
        let Self { text, relay, reply_code, dsn, refused } = *self;
        if refused { Reply::of_reject(reply_code, dsn, text) } else { Reply::of_delivery(relay, reply_code, dsn, text) }
    }
}

/// Why something failed.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// `None` where neither words nor codes say it: then what the parser said stays.
    pub class: Option<Class>,
    /// The skeleton of the text (see [`Classifier::skeleton`](super::Classifier::skeleton)).
    pub skeleton: u64,
    /// Known by the relay's name.
    pub provider: Option<&'static str>,
}

impl Told {
    /// Puts the class to the line that was asked about.
    pub fn put(self, line: &mut Line<'_>) {
        match line {
            Line::Event(Event::Delivery(delivery)) => self.put_delivery(delivery),
            Line::Event(Event::Reject(reject)) => reject.class = self.class.or(reject.class),
            _ => {}
        }
    }

    pub fn put_delivery(self, delivery: &mut Delivery<'_>) {
        delivery.class = self.class.or(delivery.class);
    }
}
