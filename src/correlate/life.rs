//! One life of one queue id, as the lines told it.

use super::Detail;
use super::attempt::{Attempt, Particulars, Run, Told};
use mailscope_parsers::model::{Class, Delivery, Micros, Removal, Status, Text, domain_of};
use mailscope_parsers::near;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Up to so many recipients are searched one by one.
const FEW: usize = 32;
/// The text and the recipients of most lives are no more than this.
const USUAL_TEXT: usize = 512;
/// With message-ids, clients' names and replies.
const USUAL_TEXT_OF_ROWS: usize = 2048;
const LITTLE_TEXT: usize = 128;
const USUAL_RECIPIENTS: usize = 3;
/// An address, and sometimes a relay's name.
const TEXT_OF_A_RECIPIENT: usize = 40;

/// A place in the host's lives, good as long as its generation is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub at: u32,
    pub generation: u32,
}

/// A piece of a life's text; empty where nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    pub(super) const NONE: Self = Self { start: 0, len: 0 };

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What became of a recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    Delivered,
    Forwarded,
    HandedOff,
    Bounced,
    Expired,
    Discarded,
    Deleted,
    #[default]
    Deferred,
    /// Goes on under another queue id after `postsuper -r`: counted there.
    Requeued,
    /// The answer of an address verification: no mail.
    Probe,
}

impl Outcome {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Forwarded => "forwarded",
            Self::HandedOff => "handed_off",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
            Self::Discarded => "discarded",
            Self::Deleted => "deleted",
            Self::Deferred => "deferred",
            Self::Requeued => "requeued",
            Self::Probe => "probe",
        }
    }

    pub(super) fn of(status: Status) -> Self {
        match status {
            Status::Sent => Self::Delivered,
            Status::Forwarded => Self::Forwarded,
            Status::Deferred => Self::Deferred,
            Status::Bounced => Self::Bounced,
            Status::Expired => Self::Expired,
            Status::Discarded => Self::Discarded,
            Status::Deliverable | Status::Undeliverable => Self::Probe,
        }
    }
}

/// Lives, each at a place of its own: where one ends, another begins, and only their places change hands.
#[allow(clippy::vec_box)]
pub type BoxedLives = Vec<Box<Life>>;

/// One (queue file, envelope recipient, original recipient).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recipient {
    pub(super) hash: u64,
    pub address: Span,
    pub original: Span,
    pub outcome: Outcome,
    /// Attempts, and those of them that were deferred, within the window.
    pub attempts: u32,
    pub deferrals: u32,
    pub first_attempt: Micros,
    pub last_attempt: Micros,
    /// The attempt that decided, or the last one while none has.
    pub decisive: Attempt,
    /// Every attempt, if they are kept.
    all: Run,
}

/// Where a chain began: the facts of its first queue file, and when the message set out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Root {
    pub first: Box<Life>,
    /// The hand-off's time less its delay.
    pub set_out: Micros,
}

/// How a life ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It is still open.
    #[default]
    Open,
    Removed,
    /// Given up: nothing was heard of it for too long.
    Abandoned,
}

/// One life of one queue id on one host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
pub struct Life {
    text: Vec<u8>,
    pub(super) hash: u64,
    /// Which host of the log it lived on.
    pub host: u32,
    pub queue_id: Span,
    pub(super) instance: u32,
    pub client_name: Span,
    pub client_ip: Span,
    pub auth_user: Span,
    pub envelope_sender: Span,
    pub message_id: Span,
    pub(super) message_id_hash: u64,
    pub size_bytes: u64,
    pub nrcpt: u32,
    /// Of the line that says who handed it in.
    pub arrival: Option<Micros>,
    pub first_line: Micros,
    pub last_line: Micros,
    pub removed: Option<(Micros, Removal)>,
    pub end: End,
    /// The queue took it: `from=`, hold, a delivery line, or its removal.
    pub proof: bool,
    pub held: bool,
    /// cleanup or a milter took it and threw it away.
    pub discarded: bool,
    pub notification: bool,
    /// Its arrival line said all of its beginning, and its end is logged behind every recipient's: one process writes both.
    pub(super) whole: bool,
    /// It came from loopback or from a local program: it may continue another one.
    pub(super) inward: bool,
    /// It handed a recipient to something on this host, which may hand it back.
    pub(super) handed: bool,
    /// What it was handed to was not seen yet, or what it continues is not known, or by the message-id alone.
    pub(super) unmet: bool,
    /// It asked whether an address is deliverable.
    pub(super) probed: bool,
    /// Its server does not say when a queue file goes.
    pub(super) goes_unsaid: bool,
    pub recipients: Vec<Recipient>,
    rare: Option<Box<Rare>>,
    told: Option<Box<Told>>,
}

/// What few lives have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rare {
    /// What programs beside the server thought of it: `dkim=pass spam=no_action(-1.2)`.
    pub verdicts: Span,
    /// Lines that ended all open recipients, and how many those were (at least one a line).
    pub expired: Option<(Micros, u32)>,
    /// When `postsuper -r` sent it through the queue again.
    pub requeued: Option<Micros>,
    pub root: Option<Root>,
    pub(super) children: Vec<Slot>,
    /// Recipients that were handed to something on this host before the message-id was told.
    pub(super) nameless: Vec<u32>,
    /// Hash to place, from [`FEW`] recipients on.
    index: HashMap<u64, u32>,
}

impl Life {
    /// What most lives have not.
    #[must_use]
    pub fn rare(&self) -> &Rare {
        static NOTHING: LazyLock<Rare> = LazyLock::new(Rare::default);
        self.rare.as_deref().unwrap_or(&NOTHING)
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The text of a span of this life.
    #[must_use]
    pub fn text(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        self.text.get(start..start + span.len as usize).unwrap_or_default()
    }

    pub(super) fn keep(&mut self, text: &[u8]) -> Span {
        if text.is_empty() {
            return Span::default();
        }
        let spare = self.text.capacity() - self.text.len();
        if spare < text.len() {
            // Little more than is needed, as it may wait for days.
            self.text.reserve_exact(text.len().max(self.text.len() / 2).max(LITTLE_TEXT));
        }
        let (Ok(start), Ok(len)) = (u32::try_from(self.text.len()), u32::try_from(text.len())) else { return Span::default() };
        self.text.extend_from_slice(text);
        Span { start, len }
    }

    /// An address, its domain in lower case.
    #[inline(always)]
    pub(super) fn keep_address(&mut self, address: &[u8]) -> Span {
        let span = self.keep(address);
        if !span.is_empty() && !stands(address) {
            let kept = &mut self.text[span.start as usize..];
            let at = near::rfind(kept, b'@').unwrap_or(kept.len());
            kept[at..].make_ascii_lowercase();
        }
        span
    }

    /// Takes memory at once that is enough for most lives.
    pub(super) fn take_room(&mut self, detail: Detail) {
        if self.text.capacity() == 0 {
            self.text.reserve_exact(usual_text(detail) / 2);
        }
    }

    /// Makes a new life of an old one, in its memory. What is larger than usual is given back: passed on from one life to
    /// the next, the memory of a mailing list's message would in time be that of every other one.
    #[inline(always)]
    pub(super) fn renew(&mut self, detail: Detail) {
        let (text, recipients) = (emptied(&mut self.text, usual_text(detail)), emptied(&mut self.recipients, USUAL_RECIPIENTS));
        let told = self.told.take().and_then(Told::renewed);
        *self = Self { text, recipients, told, ..Self::default() };
    }

    /// A recipient's attempts in the order of the lines, if they are kept.
    pub fn attempts(&self, recipient: &Recipient) -> impl Iterator<Item = &Attempt> {
        let run = recipient.all;
        self.told.iter().flat_map(move |told| told.attempts(run))
    }

    /// What is shown of an attempt, where rows are made.
    #[must_use]
    pub fn particulars(&self, attempt: &Attempt) -> Particulars {
        self.told.as_ref().and_then(|told| told.particulars(attempt)).unwrap_or_default()
    }

    /// The facts of the message: those of the chain's first queue file.
    #[must_use]
    pub fn message(&self) -> &Self {
        self.root().map_or(self, |root| &root.first)
    }

    /// Where its chain began, if it continues another queue file.
    #[must_use]
    pub fn root(&self) -> Option<&Root> {
        self.rare().root.as_ref()
    }

    /// Who sent the message: the chain's first word, or this queue file's own where that is not known.
    #[must_use]
    pub fn sender(&self) -> &[u8] {
        let message = self.message();
        let sender = message.text(message.envelope_sender);
        if sender.is_empty() { self.text(self.envelope_sender) } else { sender }
    }

    /// When it set out, as far as its lines tell.
    pub(super) fn set_out(&self) -> Micros {
        self.arrival.unwrap_or(self.first_line)
    }

    /// Whether it continues another queue file.
    #[must_use]
    pub fn reinjected(&self) -> bool {
        self.root().is_some()
    }

    /// Whether it is what a notification's queue file, or a continuation of one, is.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        self.notification || self.message().notification
    }

    /// Whether an administrator took it away.
    #[must_use]
    pub fn deleted(&self) -> bool {
        self.removed.is_some_and(|(_, how)| how == Removal::Deleted)
    }

    /// Whether no line can change what it amounts to: its beginning, each recipient's end and its own end were seen, and it
    /// has no part in a chain.
    pub(super) fn is_complete(&self) -> bool {
        let Rare { root, children, .. } = self.rare();
        let alone = !self.inward && !self.handed && !self.unmet && root.is_none() && children.is_empty();
        let begun = (self.arrival.is_some() || self.notification) && (self.message_id_hash != 0 || self.whole);
        let all = if self.whole { !self.recipients.is_empty() } else { self.recipients.len() == self.nrcpt as usize };
        let done = all && self.removed.is_some_and(|(_, how)| how == Removal::Done);
        alone && begun && done && self.recipients.iter().all(|r| !matches!(r.outcome, Outcome::Deferred | Outcome::Forwarded))
    }

    /// Whether it only asked about addresses.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.probed && self.recipients.iter().all(|r| r.outcome == Outcome::Probe)
    }

    /// Whether it is a message that was taken in.
    #[must_use]
    pub fn received(&self) -> bool {
        self.arrival.is_some() && self.proof && !self.notification && !self.reinjected() && !self.discarded && !self.is_probe()
    }

    /// How long the recipient waited: the logged delay; in a chain from the hand-off on, never less than the logged one.
    #[must_use]
    pub fn delay(&self, recipient: &Recipient) -> Option<Micros> {
        let logged = recipient.decisive.delay();
        let Some(root) = self.root() else { return logged };
        let whole = recipient.decisive.time - root.set_out;
        Some(logged.unwrap_or(0).max(whole))
    }

    /// What a root keeps of this life: its facts, not its recipients.
    pub(super) fn facts(&self) -> Self {
        Self {
            text: self.text.clone(),
            queue_id: self.queue_id,
            client_name: self.client_name,
            client_ip: self.client_ip,
            auth_user: self.auth_user,
            envelope_sender: self.envelope_sender,
            message_id: self.message_id,
            size_bytes: self.size_bytes,
            arrival: self.arrival,
            first_line: self.first_line,
            notification: self.notification,
            ..Self::default()
        }
    }

    /// The hash of a recipient's address.
    #[must_use]
    pub fn address_hash(&self, recipient: &Recipient) -> u64 {
        if recipient.original.is_empty() { recipient.hash } else { super::hash(self.text(recipient.address)) }
    }

    /// The place of a recipient; a table helps where there are many.
    fn find(&self, hash: u64) -> Option<usize> {
        if self.recipients.len() <= FEW {
            return self.recipients.iter().position(|r| r.hash == hash);
        }
        self.rare().index.get(&hash).map(|at| *at as usize)
    }

    fn push(&mut self, recipient: Recipient) -> usize {
        let at = self.recipients.len();
        if at == 0 {
            // As many as the queue manager said, and hardly a place more.
            let places = (self.nrcpt as usize).clamp(USUAL_RECIPIENTS, FEW);
            self.recipients.reserve_exact(places);
            if places > USUAL_RECIPIENTS {
                self.text.reserve_exact(places * TEXT_OF_A_RECIPIENT);
            }
        }
        if at >= FEW {
            let index = &mut self.rare.get_or_insert_default().index;
            if index.is_empty() {
                index.extend(self.recipients.iter().zip(0..).map(|(r, at)| (r.hash, at)));
            }
            index.insert(recipient.hash, u32::try_from(at).unwrap_or(u32::MAX));
        }
        self.recipients.push(recipient);
        at
    }

    /// Notes one delivery line.
    pub(super) fn attempt(&mut self, delivery: &Delivery<'_>, time: Micros, count: u32, counts: bool, detail: Detail) -> usize {
        let (address, original) = (delivery.envelope_recipient.0, delivery.original_recipient.0);
        // Most are looked for as they stand: of a recipient that is known nothing is kept again.
        let mark = self.text.len();
        let stand = stands(address) && (original.is_empty() || stands(original));
        let kept = (!stand).then(|| (self.keep_recipient(delivery), self.keep_address(original)));
        let hash = kept.map_or_else(
            || recipient_hash(address, original),
            |(address, original)| recipient_hash(self.text(address), self.text(original)),
        );
        let count = if counts && !delivery.untried { count } else { 0 };
        let deferrals = if delivery.status == Status::Deferred { count } else { 0 };
        if let Some(at) = self.find(hash) {
            self.text.truncate(mark);
            self.further_attempt(at, delivery, time, (count, deferrals), detail);
            return at;
        }
        let (address, original) = kept.unwrap_or_else(|| (self.keep(address), self.keep(original)));
        let decisive = self.keep_attempt(delivery, time, self.recipients.len(), &Attempt::NONE, detail);
        let mut all = Run::default();
        self.keep_in_all(decisive, count, &mut all, detail);
        let outcome = Outcome::of(delivery.status);
        let (first_attempt, last_attempt) = (time, time);
        self.push(Recipient { hash, address, original, outcome, attempts: count, deferrals, first_attempt, last_attempt, decisive, all })
    }

    /// Another delivery line of a recipient.
    fn further_attempt(&mut self, at: usize, delivery: &Delivery<'_>, time: Micros, (count, deferrals): (u32, u32), detail: Detail) {
        let outcome = Outcome::of(delivery.status);
        let Recipient { outcome: before, decisive: last, mut all, .. } = self.recipients[at];
        // A final outcome stands, whatever the order of the lines.
        let decides = before == Outcome::Deferred;
        // What was not tried has no words of its own: the last attempt's stand.
        let says_why = delivery.class.is_some_and(|class| class != Class::Expired);
        let wordless = delivery.untried || (delivery.status == Status::Expired && !says_why);
        let says_more = decides && !(wordless && last.time != 0);
        if says_more || detail == Detail::Attempts {
            let attempt = self.keep_attempt(delivery, time, at, &last, detail);
            self.keep_in_all(attempt, count, &mut all, detail);
            self.recipients[at].all = all;
            if says_more {
                self.recipients[at].decisive = attempt;
            }
        }
        let recipient = &mut self.recipients[at];
        if !delivery.untried || outcome != Outcome::Deferred {
            recipient.first_attempt = recipient.first_attempt.min(time);
            recipient.last_attempt = recipient.last_attempt.max(time);
        }
        recipient.attempts += count;
        recipient.deferrals += deferrals;
        if decides {
            recipient.outcome = outcome;
        }
    }

    /// Puts an attempt to all of a recipient's, as often as it was made, if they are kept.
    fn keep_in_all(&mut self, attempt: Attempt, count: u32, all: &mut Run, detail: Detail) {
        if detail == Detail::Attempts && count > 0 {
            let told = self.told.get_or_insert_default();
            (0..count.min(1000)).for_each(|_| told.push(attempt, all));
        }
    }

    /// The envelope recipient. Exim logs a local delivery by the local part alone, with the address that it was made from.
    fn keep_recipient(&mut self, delivery: &Delivery<'_>) -> Span {
        let (address, original) = (delivery.envelope_recipient.0, delivery.original_recipient.0);
        let mut span = self.keep_address(address);
        let local_part = !address.is_empty() && near::find(address, b'@').is_none() && !matches!(address[0], b'/' | b'|' | b'>' | b':');
        let domain = domain_of(original);
        if local_part && !domain.is_empty() && !address.contains(&b'/') {
            self.text.push(b'@');
            self.text.extend(domain.iter().map(u8::to_ascii_lowercase));
            span.len += u32::try_from(domain.len() + 1).unwrap_or(0);
        }
        span
    }

    /// What is kept of a delivery line; `last` is the one before of the same recipient.
    #[inline(always)]
    fn keep_attempt(&mut self, delivery: &Delivery<'_>, time: Micros, recipient: usize, last: &Attempt, detail: Detail) -> Attempt {
        // Where the line has no delay, but its queue id has the second of its birth: from the arrival on.
        let waited = |born| (time - self.arrival.unwrap_or(born)).max(0);
        let delay = delivery.delay.or_else(|| delivery.born.map(waited));
        let mut name_before = last.relay_name;
        if name_before.is_empty() {
            name_before = self.recipients[..recipient].last().map_or(Span::NONE, |other| other.decisive.relay_name);
        }
        let relay_name = self.keep_again(name_before, delivery.relay.name);
        let attempt = Attempt::new(time, delivery, relay_name, delay);
        if detail < Detail::Recipients {
            return attempt;
        }
        let before = self.particulars(last);
        let particulars = Particulars {
            relay_ip: self.keep_again(before.relay_ip, delivery.relay.ip),
            relay_port: delivery.relay.port,
            transport: self.keep_again(before.transport, delivery.transport),
            dsn: delivery.dsn,
            reply_code: delivery.reply_code,
            diagnostic: self.keep_again(before.diagnostic, delivery.diagnostic),
            queued_as: self.keep(&delivery.queued_as),
        };
        let instead = (detail < Detail::Attempts).then_some(last);
        self.told.get_or_insert_default().tell(attempt, particulars, instead)
    }

    /// Most are tried at the same place again, or where the one before them was, and hear the same.
    #[inline(always)]
    fn keep_again(&mut self, before: Span, text: Text<'_>) -> Span {
        if Text(self.text(before)) == text { before } else { self.keep(&text) }
    }

    pub(super) fn has_open(&self) -> bool {
        self.recipients.iter().any(|r| r.outcome == Outcome::Deferred)
    }

    /// Until when late lines may come.
    pub(super) fn end_of_linger(&self) -> Micros {
        self.removed.map_or(self.last_line, |(removed, _)| removed) + super::LINGER
    }

    /// All recipients still open get this outcome; gives how many they were.
    pub(super) fn end_open(&mut self, outcome: Outcome, time: Micros) -> u32 {
        let mut ended = 0;
        for recipient in self.recipients.iter_mut().filter(|r| r.outcome == Outcome::Deferred) {
            recipient.outcome = outcome;
            recipient.last_attempt = recipient.last_attempt.max(time);
            ended += 1;
        }
        ended
    }
}

/// Nothing, in the memory of the list if that has no more places than so many.
fn emptied<T>(list: &mut Vec<T>, places: usize) -> Vec<T> {
    let mut list = std::mem::take(list);
    if list.capacity() > places {
        return Vec::new();
    }
    list.clear();
    list
}

/// How long the texts of most lives are at most.
fn usual_text(detail: Detail) -> usize {
    if detail == Detail::Counts { USUAL_TEXT } else { USUAL_TEXT_OF_ROWS }
}

/// Whether an address has a domain, and that is in lower case already.
#[inline(always)]
fn stands(address: &[u8]) -> bool {
    near::rfind(address, b'@').is_some_and(|at| !near::have_capitals(&address[at..]))
}

/// The same for the same pair of addresses; their domains are in lower case already.
fn recipient_hash(envelope: &[u8], original: &[u8]) -> u64 {
    super::hash(envelope) ^ if original.is_empty() { 0 } else { super::hash(original).rotate_left(17) }
}
