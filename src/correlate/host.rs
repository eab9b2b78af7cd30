//! The lives of one host: which line belongs to which life, and when a life is over.

use super::agenda::Agenda;
use super::clock::LogClock;
use super::elsewhere::{News, Question, Tidings, waiting_room};
use super::ids::{Ids, OVER};
use super::life::{BoxedLives, End, Life, Outcome, Slot, Span};
use super::links::Links;
use super::{DISORDER, Detail, FORGOTTEN, Fact, LINGER, NEVER_A_MESSAGE, Step};
use mailscope_parsers::model::{
    Accepted, Action, Delivery, Micros, Notification, QueueAction, QueueDeed, Queued, Reject, Removal, Removed, Status,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::hint::cold_path;

/// No more lives than this wait for late lines, however many end within that time: of a log that is so busy late lines come
/// sooner. The eldest go first, so that it depends on the order of the log alone.
const MANY_LINGER: usize = 20_000;
/// Memory for so many lives is at hand: no more end in most moments.
const FEW_SPARE: usize = 64;

/// What an id is known by.
#[inline]
pub fn id_hash(id: &[u8]) -> u64 {
    hash(id)
}

/// What takes the place of the id where a delivery line has none: a byte that no id begins with, and when the message was
/// queued, by whom and to whom.
fn unnamed(event: &Delivery<'_>) -> [u8; 25] {
    let mut name = [UNNAMED; 25];
    let parts = [event.born.unwrap_or(0).cast_unsigned(), hash(&event.envelope_sender), hash(&event.envelope_recipient)];
    parts.iter().zip(name[1..].chunks_exact_mut(8)).for_each(|(part, place)| place.copy_from_slice(&part.to_le_bytes()));
    name
}

const UNNAMED: u8 = 0xff;

/// Everything that is known of one host.
#[derive(Clone, Serialize, Deserialize)]
pub struct Host {
    number: u32,
    pub name: Box<[u8]>,
    pub(super) lives: BoxedLives,
    /// Which life is at each place, counted from 1; 0 where there is none.
    generations: Vec<u32>,
    free: Vec<u32>,
    /// Memory for the next lives.
    #[serde(skip)]
    spare: BoxedLives,
    ids: Ids,
    pub(super) links: Links,
    pub(super) detail: Detail,
    since: Micros,
    pub(super) clock: LogClock,
    /// Lives to look at again.
    settling: Agenda,
    lingering: Agenda,
    young: Agenda,
    idle: Agenda,
    generation: u32,
    /// What other hosts may know, of the last line.
    #[serde(skip)]
    pub(super) question: Option<Question>,
    #[serde(skip)]
    pub(super) tidings: Tidings,
    /// Whether another host of the log is this machine, too.
    #[serde(skip)]
    pub(super) has_twin: bool,
    /// Lives that wait for another log, if they do.
    #[serde(skip)]
    pub(super) held: Option<VecDeque<Slot>>,
    /// The domain that it is in, once it has told it.
    pub(super) domain: Box<[u8]>,
}

impl Host {
    pub fn new(number: u32, name: &[u8], detail: Detail, since: Micros, holds: bool) -> Self {
        Self {
            number,
            name: name.into(),
            lives: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            // The first host of a log is mostly its only one.
            ids: if number == 0 { Ids::with_room() } else { Ids::default() },
            links: Links::default(),
            detail,
            since,
            clock: LogClock::new(),
            settling: Agenda::default(),
            lingering: Agenda::default(),
            young: Agenda::default(),
            idle: Agenda::default(),
            generation: 0,
            question: None,
            tidings: Tidings::default(),
            has_twin: false,
            held: waiting_room(holds, number),
            domain: Box::default(),
        }
    }

    /// Takes one event; lives that are over go to `closed`.
    pub fn step(&mut self, step: &Step<'_, '_>, closed: &mut BoxedLives, spare: &mut BoxedLives) {
        if self.clock.advance(step.time) {
            let wanted = FEW_SPARE.saturating_sub(self.spare.len()).min(spare.len());
            self.spare.extend(spare.drain(spare.len() - wanted..));
            self.expire(closed);
        }
        match step.fact {
            Fact::Accepted(event) => self.accepted(step, event, closed),
            Fact::MessageId(event) => {
                let at = self.begun(step, &event.queue_id, closed);
                let rows = self.detail >= Detail::Recipients;
                let life = &mut self.lives[at];
                if life.message_id_hash == 0 {
                    life.message_id = if rows { life.keep(&event.message_id) } else { Span::default() };
                    life.message_id_hash = if event.message_id.is_empty() { 0 } else { hash(&event.message_id) };
                    self.may_be_spoken_of(at);
                    self.learn_domain(at, event);
                    self.is_named(at);
                }
                self.links_of_inward(at);
            }
            Fact::Queued(event) => self.queued(step, event, closed),
            Fact::Delivery(event) => self.delivery(step, event, closed),
            Fact::Removed(event) => self.removed(step, event, closed),
            Fact::Notification(event) => self.notification(step, event, closed),
            Fact::QueueAction(event) => self.queue_action(step, event, closed),
            Fact::Reject(event) => self.treated(step, event, closed),
            Fact::Verdict(event) => self.verdict(step, event),
        }
    }

    fn accepted(&mut self, step: &Step<'_, '_>, event: &Accepted<'_>, closed: &mut BoxedLives) {
        if event.nrcpt == Some(0) {
            // Every recipient was refused: there is no queue file.
            return;
        }
        let hash = id_hash(&event.queue_id);
        let mut contested = false;
        if let Some(at) = self.find(hash, step.instance) {
            let life = &self.lives[at];
            // Its other lines may have been logged a little before this one.
            let before_end = life.removed.is_none_or(|(removed, _)| (step.time..=step.time + DISORDER).contains(&removed));
            let same = life.arrival.is_none() && before_end && step.time - life.first_line <= DISORDER;
            contested = !same && life.removed.is_none() && life.instance != step.instance && life.arrival.is_some();
            if !same && !contested {
                self.close(at, End::Open, closed);
            } else if contested {
                self.contest(at);
            }
        }
        let at = match self.find(hash, step.instance) {
            Some(at) if !contested => at,
            _ => self.born(step, hash, &event.queue_id),
        };
        if contested {
            self.contest(at);
        }
        let may_be_of_a_twin = self.may_be_of_a_twin(&event.client.name);
        let life = &mut self.lives[at];
        life.unmet |= may_be_of_a_twin;
        life.arrival = Some(step.time);
        life.last_line = life.last_line.max(step.time);
        let from = if event.original_client.absent() { event.client } else { event.original_client };
        if self.detail >= Detail::Recipients || from.ip.is_empty() {
            life.client_name = life.keep(&from.name);
        }
        life.client_ip = life.keep(&from.ip);
        if let Some(auth) = event.auth {
            life.auth_user = life.keep(&auth.user);
        }
        // Servers that log one line for all of it (Exim) say here what the queue took; a protocol is on such a line alone.
        let whole = !event.protocol.is_empty() || event.size_bytes.is_some();
        if life.envelope_sender.is_empty() && (event.local || whole) {
            life.envelope_sender = life.keep_address(&event.envelope_sender);
        }
        life.inward = event.local || is_loopback(&event.client.ip);
        if whole {
            self.taken(at, event);
        }
        self.links_at_arrival(at, event);
        if whole || self.lives[at].message_id_hash != 0 {
            self.links_of_inward(at);
        }
    }

    /// What the queue took, where the arrival line says it.
    fn taken(&mut self, at: usize, event: &Accepted<'_>) {
        let rows = self.detail >= Detail::Recipients;
        let life = &mut self.lives[at];
        life.whole = event.nrcpt.is_none();
        // Sendmail's line comes at the end of the transaction, broken off or not; a message that it took has a message-id.
        life.proof |= event.nrcpt.is_none() || !event.message_id.is_empty();
        life.size_bytes = event.size_bytes.unwrap_or(0);
        life.nrcpt = event.nrcpt.unwrap_or_else(|| u32::try_from(event.recipients.count()).unwrap_or(u32::MAX));
        // A report on another message; one with a sender is an answer that a user's filter wrote.
        life.notification = !event.parent_queue_id.is_empty() && event.envelope_sender.0 == b"<>";
        if !event.message_id.is_empty() {
            life.message_id = if rows { life.keep(&event.message_id) } else { Span::default() };
            life.message_id_hash = hash(&event.message_id);
            self.may_be_spoken_of(at);
        }
    }

    fn queued(&mut self, step: &Step<'_, '_>, event: &Queued<'_>, closed: &mut BoxedLives) {
        let at = self.begun(step, &event.queue_id, closed);
        let life = &mut self.lives[at];
        life.proof = true;
        if event.size_bytes > 0 {
            life.size_bytes = event.size_bytes;
        }
        life.nrcpt = life.nrcpt.max(event.nrcpt);
        // The queue manager's word is the last: cleanup may have rewritten the address.
        if life.text(life.envelope_sender) != event.envelope_sender.0 {
            life.envelope_sender = life.keep_address(&event.envelope_sender);
        }
    }

    #[inline(always)]
    fn delivery(&mut self, step: &Step<'_, '_>, event: &Delivery<'_>, closed: &mut BoxedLives) {
        let known =
            if event.queue_id.is_empty() { self.known(step, &unnamed(event), closed) } else { self.known(step, &event.queue_id, closed) };
        let Some(at) = known else { return };
        let counts = step.time >= self.since;
        let detail = self.detail;
        let life = &mut self.lives[at];
        life.proof = true;
        if event.goes_unsaid && life.envelope_sender.is_empty() {
            life.envelope_sender = life.keep_address(&event.envelope_sender);
        }
        if event.status == Status::Expired {
            cold_path();
            let all = event.envelope_recipient.is_empty();
            let ended = if all { life.end_open(Outcome::Expired, step.time).max(1) } else { 1 };
            let before = life.rare().expired.map_or(0, |(_, count)| count);
            if counts {
                life.rare_mut().expired = Some((step.time, before + ended));
            }
            if all {
                return;
            }
        } else if event.envelope_recipient.is_empty() && life.end_open(Outcome::of(event.status), step.time) > 0 {
            return;
        }
        life.probed |= event.status.is_probe();
        let recipient = life.attempt(event, step.time, step.count, counts, detail);
        if matches!(event.status, Status::Sent | Status::Forwarded) {
            self.links_at_delivery(at, recipient, step, event);
        }
        if self.lives[at].inward {
            self.links_by_message_id(at, recipient..recipient + 1);
        }
        if event.goes_unsaid {
            self.goes_unsaid(at, step.time);
        }
    }

    /// Where the server does not say that a queue file goes: it is gone when no recipient is open any more.
    fn goes_unsaid(&mut self, at: usize, time: Micros) {
        let slot = self.slot(at);
        let life = &mut self.lives[at];
        life.goes_unsaid = true;
        let gone = !life.has_open() && life.recipients.len() >= life.nrcpt as usize;
        if gone && life.removed.is_none() {
            life.removed = Some((time, Removal::Done));
            self.settling.put(self.clock.since(time) + DISORDER, slot);
        } else if !gone && life.removed.take().is_some() {
            // Another recipient, which came later, waits.
            self.may_be_forgotten(time, slot);
        }
    }

    fn removed(&mut self, step: &Step<'_, '_>, event: &Removed<'_>, closed: &mut BoxedLives) {
        let Some(at) = self.known(step, &event.queue_id, closed) else { return };
        let slot = self.slot(at);
        let life = &mut self.lives[at];
        life.proof |= matches!(event.how, Removal::Done | Removal::Deleted | Removal::Unsaid);
        life.discarded |= event.how == Removal::Discarded;
        // The queue manager removes a message when no recipient is open any more: where the log does not say who did it,
        // open recipients and a message on hold mean that an administrator did.
        let unsaid = event.how == Removal::Unsaid;
        let deleted = event.how == Removal::Deleted || (unsaid && (life.held || life.has_open()));
        if deleted && life.rare().requeued.is_none() {
            life.end_open(Outcome::Deleted, step.time);
        }
        if life.removed.is_none() {
            life.removed = Some((step.time, if deleted { Removal::Deleted } else { event.how }));
            self.settling.put(self.clock.since(step.time) + DISORDER, slot);
        }
    }

    fn notification(&mut self, step: &Step<'_, '_>, event: &Notification<'_>, closed: &mut BoxedLives) {
        if !event.queue_id.is_empty()
            && let Some(parent) = self.known(step, &event.queue_id, closed)
            && event.expired
        {
            self.expired(parent, step);
        }
        let at = self.begun(step, &event.child_queue_id, closed);
        self.lives[at].notification = true;
    }

    /// The message was given up, by a line that names no recipient.
    fn expired(&mut self, at: usize, step: &Step<'_, '_>) {
        let life = &mut self.lives[at];
        let ended = life.end_open(Outcome::Expired, step.time);
        if ended > 0 && step.time >= self.since {
            let before = life.rare().expired.map_or(0, |(_, count)| count);
            life.rare_mut().expired = Some((step.time, before + ended));
        }
        if life.goes_unsaid {
            self.goes_unsaid(at, step.time);
        }
    }

    fn queue_action(&mut self, step: &Step<'_, '_>, event: &QueueAction<'_>, closed: &mut BoxedLives) {
        let Some(at) = self.known(step, &event.queue_id, closed) else { return };
        let life = &mut self.lives[at];
        life.proof = true;
        match event.action {
            QueueDeed::Hold | QueueDeed::Freeze => life.held = true,
            QueueDeed::Release | QueueDeed::Thaw => life.held = false,
            QueueDeed::Requeue => {
                life.rare_mut().requeued = Some(step.time);
                life.end_open(Outcome::Requeued, step.time);
                self.goes_through_again(at);
            }
            QueueDeed::Expire => {}
        }
    }

    /// cleanup and milters that hold or throw away what they are given.
    fn treated(&mut self, step: &Step<'_, '_>, event: &Reject<'_>, closed: &mut BoxedLives) {
        // An id that is heard of only because it was refused never names a queue file.
        if event.action == Action::Reject && self.place(id_hash(&event.queue_id), step.instance).is_none() {
            return;
        }
        let Some(at) = self.known(step, &event.queue_id, closed) else { return };
        let life = &mut self.lives[at];
        match event.action {
            Action::Discard => life.discarded = true,
            Action::Hold | Action::Quarantine => {
                life.held = true;
                life.proof = true;
            }
            _ => {}
        }
    }

    /// The life that a line of its beginning belongs to: a new one if the last ended a while ago.
    #[inline(always)]
    fn begun(&mut self, step: &Step<'_, '_>, id: &[u8], closed: &mut BoxedLives) -> usize {
        let hash = id_hash(id);
        let Some(at) = self.find(hash, step.instance) else {
            let at = self.born(step, hash, id);
            self.links_at_birth(at);
            return at;
        };
        if self.lives[at].removed.is_some_and(|(removed, _)| step.time - removed > DISORDER) {
            cold_path();
            self.close(at, End::Open, closed);
            return self.born(step, hash, id);
        }
        self.lives[at].last_line = self.lives[at].last_line.max(step.time);
        at
    }

    /// The life that any later line belongs to; none if it is over and counted. Past the time in which late lines come, it
    /// is a life of its own.
    #[inline(always)]
    fn known(&mut self, step: &Step<'_, '_>, id: &[u8], closed: &mut BoxedLives) -> Option<usize> {
        let hash = id_hash(id);
        let Some(at) = self.place(hash, step.instance) else { return Some(self.born_late(step, hash, id)) };
        let at = at as usize;
        let life = self.lives.get_mut(at)?;
        if life.removed.is_some_and(|(removed, _)| step.time - removed > LINGER) {
            cold_path();
            self.close(at, End::Open, closed);
            return Some(self.born(step, hash, id));
        }
        life.last_line = life.last_line.max(step.time);
        Some(at)
    }

    /// Where the life of an id is, or [`OVER`]. Only where two instances claim the same open id, the program's name
    /// decides.
    #[inline]
    pub(super) fn place(&self, hash: u64, instance: u32) -> Option<u32> {
        self.ids.place(hash, |at| self.lives.get(at as usize).is_some_and(|life| life.instance != instance))
    }

    /// The life of an id, if it is not over.
    #[inline]
    pub(super) fn find(&self, hash: u64, instance: u32) -> Option<usize> {
        self.place(hash, instance).filter(|at| *at != OVER).map(|at| at as usize)
    }

    /// From now on the program's name tells this life from another one of the same id.
    fn contest(&mut self, at: usize) {
        self.ids.contest(self.lives[at].hash, place(at));
    }

    /// A life whose first lines were not seen, or come later.
    #[cold]
    fn born_late(&mut self, step: &Step<'_, '_>, hash: u64, id: &[u8]) -> usize {
        let at = self.born(step, hash, id);
        self.links_at_birth(at);
        at
    }

    pub(super) fn born(&mut self, step: &Step<'_, '_>, hash: u64, id: &[u8]) -> usize {
        self.generation = Ids::generation_after(self.generation);
        let at = self.free.pop().map_or_else(
            || {
                self.lives.push(Box::default());
                self.generations.push(0);
                self.lives.len() - 1
            },
            |at| at as usize,
        );
        let life = &mut self.lives[at];
        life.take_room(self.detail);
        life.hash = hash;
        life.host = self.number;
        life.instance = step.instance;
        life.first_line = step.time;
        life.last_line = step.time;
        self.generations[at] = self.generation;
        life.queue_id = if id.first() == Some(&UNNAMED) { Span::default() } else { life.keep(id) };
        self.ids.begin(hash, place(at), self.generation);
        self.tidings.tell(News::Known(hash));
        let slot = self.slot(at);
        let generations = &self.generations;
        self.young.put_for_long(self.clock.since(step.time) + NEVER_A_MESSAGE, slot, |slot| is_over(generations, slot));
        at
    }

    /// Whether there is a life at that place: some are free.
    pub(super) fn is_alive(&self, at: usize) -> bool {
        self.generations[at] != 0
    }

    pub(super) fn slot(&self, at: usize) -> Slot {
        Slot { at: place(at), generation: self.generations[at] }
    }

    /// The life at a slot, if it is still the same one.
    pub(super) fn at(&self, slot: Slot) -> Option<usize> {
        (!is_over(&self.generations, slot)).then_some(slot.at as usize)
    }

    /// It waits: it is looked at again when it has had no line for so long that it may be given up.
    fn may_be_forgotten(&mut self, now: Micros, slot: Slot) {
        let generations = &self.generations;
        self.idle.put_for_long(now + FORGOTTEN, slot, |slot| is_over(generations, slot));
    }

    /// Ends the lives whose time is over.
    fn expire(&mut self, closed: &mut BoxedLives) {
        let now = self.clock.now();
        while let Some((due, slot)) = self.settling.due(now) {
            let Some(at) = self.at(slot) else { continue };
            let until = self.lives[at].end_of_linger().max(due - DISORDER + LINGER);
            if self.lives[at].is_complete() {
                self.bury(at, until, closed);
            } else {
                self.lingering.put(until, slot);
            }
        }
        while let Some((_, slot)) = self.lingering.due_or_surplus(now, MANY_LINGER) {
            let Some(mut at) = self.at(slot).filter(|at| self.lives[*at].removed.is_some()) else { continue };
            if self.held.is_some() {
                let Some(other) = self.hold(slot).and_then(|slot| self.at(slot)) else { continue };
                at = other;
            }
            self.close(at, End::Removed, closed);
        }
        self.ids.expire(now);
        while let Some((_, slot)) = self.young.due(now) {
            let Some(at) = self.at(slot).filter(|at| self.lives[*at].removed.is_none()) else { continue };
            if self.lives[at].proof {
                self.may_be_forgotten(now, slot);
            } else {
                self.close(at, End::Abandoned, closed);
            }
        }
        while let Some((_, slot)) = self.idle.due(now) {
            let Some(at) = self.at(slot).filter(|at| self.lives[*at].removed.is_none()) else { continue };
            if now - self.lives[at].last_line >= FORGOTTEN {
                self.close(at, End::Abandoned, closed);
            } else {
                self.may_be_forgotten(now, slot);
            }
        }
        // Where lives wait for another log, only those go that are too many.
        self.links.expire(if self.held.is_some() { Micros::MIN } else { now }, &mut self.tidings);
    }

    fn close(&mut self, at: usize, end: End, closed: &mut BoxedLives) {
        let slot = self.slot(at);
        if self.lives[at].inward || self.lives[at].handed {
            self.links_by_message_id(at, 0..self.lives[at].recipients.len());
            self.forget_links(at);
        }
        self.ids.forget(self.lives[at].hash, slot.at);
        self.lives[at].end = end;
        self.hand_over(at, closed);
    }

    /// A life of which nothing more can be said goes; its id stays for a while. It has no part in a chain, and so no links.
    fn bury(&mut self, at: usize, until: Micros, closed: &mut BoxedLives) {
        self.ids.end(self.lives[at].hash, place(at), until);
        self.hand_over(at, closed);
    }

    #[inline(always)]
    fn hand_over(&mut self, at: usize, closed: &mut BoxedLives) {
        self.is_not_spoken_of(at);
        let blank = self.spare.pop().unwrap_or_default();
        let mut life = std::mem::replace(&mut self.lives[at], blank);
        self.tidings.tell(News::Gone(life.hash));
        if life.removed.is_some() || (life.goes_unsaid && !life.has_open()) {
            life.end = End::Removed;
        }
        self.generations[at] = 0;
        self.free.push(place(at));
        closed.push(life);
    }

    /// Every life that is still here.
    pub fn open(&self) -> impl Iterator<Item = &Life> {
        self.lives.iter().zip(&self.generations).filter(|(_, generation)| **generation != 0).map(|(life, _)| &**life)
    }

    /// Ends everything, as it stands.
    pub fn finish(&mut self, closed: &mut BoxedLives) {
        for at in 0..self.lives.len() {
            if self.is_alive(at) {
                self.close(at, End::Open, closed);
            }
        }
        self.free.clear();
        self.lives.clear();
        self.generations.clear();
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(OVER)
}

/// Whether the life that was at a slot is there no more.
fn is_over(generations: &[u32], slot: Slot) -> bool {
    generations.get(slot.at as usize) != Some(&slot.generation)
}

pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(2).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// As MTAs write it, IPv4 in IPv6 included.
pub fn is_loopback(ip: &[u8]) -> bool {
    ip.strip_prefix(b"::ffff:").unwrap_or(ip).starts_with(b"127.") || ip == b"::1"
}
