//! Which queue file continues which: content filters, aliases, second instances, requeued messages.
//!
//! A hand-off says `queued as X` or `forwarded as X`, X's arrival says `orig_queue_id=`, or both carry the same
//! message-id and a recipient. Either line may be logged first.

use super::agenda::due_or_surplus;
use super::alike::{Aged, Alike};
use super::elsewhere::{News, Question, Tidings};
use super::host::{Host, hash, id_hash, is_loopback};
use super::ids::MANY_OVER;
use super::life::{Life, Outcome, Recipient, Root, Slot, Span};
use super::{DISORDER, LINGER, Step};
use hashbrown::HashMap;
use mailscope_parsers::model::{Accepted, Delivery, Micros, Status};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use std::collections::VecDeque;
use std::ops::Range;

/// A chain of more queue files than this is a loop.
const DEEPEST: usize = 64;

/// What waits for its other half.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Links {
    /// Ids that were named in hand-offs and have not been seen yet.
    expected: HashMap<u64, Handoffs>,
    expected_until: VecDeque<(Micros, u64)>,
    /// Recipients that were handed to something on this host, and lives that came from inside, by what they have in [`common`].
    parents: Alike<Handed>,
    children: Alike<Slot>,
    /// Message-id to lives that were sent through the queue again and have not come back, the first one first.
    requeued: HashMap<u64, VecDeque<Slot>>,
    /// Message-id to lives that a program beside the server may speak of; made when one speaks for the first time.
    pub(super) spoken_of: Option<Alike<Slot>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Handoff {
    handed: Handed,
    /// Hash of the address it was handed to: the queue file must come from there, or from loopback.
    relay: u64,
}

/// Mostly one: each recipient of a message that is handed on as a whole.
type Handoffs = SmallVec<[Handoff; 1]>;

/// A recipient that was handed to something on this host.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Handed {
    life: Slot,
    recipient: u32,
}

impl Handed {
    fn of(life: Slot, recipient: usize) -> Self {
        Self { life, recipient: recipient as u32 }
    }
}

impl Aged for Handed {
    fn age(&self) -> u64 {
        self.life.age() << 32 | u64::from(self.recipient)
    }
}

/// What a queue file and the one that it continues have in common: the message-id and a recipient.
fn common(message_id: u64, recipient: &[u8]) -> u64 {
    message_id.rotate_left(17) ^ hash(recipient)
}

impl Links {
    pub fn expire(&mut self, now: Micros, tidings: &mut Tidings) {
        while let Some((_, id)) = due_or_surplus(&mut self.expected_until, |(until, _)| *until <= now, MANY_OVER) {
            self.expected.remove(&id);
            tidings.tell(News::NotExpected(id));
        }
    }

    pub(super) fn expected_ids(&self) -> impl Iterator<Item = u64> {
        self.expected.keys().copied()
    }

    /// The life that was sent through the queue again has come back, or never will.
    fn is_back(&mut self, message_id: u64, slot: Slot) {
        let Some(waiting) = self.requeued.get_mut(&message_id) else { return };
        if let Some(at) = waiting.iter().position(|known| *known == slot) {
            waiting.remove(at);
        }
        if waiting.is_empty() {
            self.requeued.remove(&message_id);
        }
    }

    fn expect(&mut self, id: u64, handoff: Handoff, time: Micros) {
        self.expected.entry(id).or_default().push(handoff);
        self.expected_until.push_back((time + LINGER, id));
    }
}

impl Host {
    /// A queue file arrived: it may say itself what it continues, or be expected.
    pub(super) fn links_at_arrival(&mut self, at: usize, event: &Accepted<'_>) {
        if !event.original_queue_id.is_empty() {
            let parent = self.find(id_hash(&event.original_queue_id), 0);
            if let Some(parent) = parent.filter(|parent| *parent != at) {
                self.links.is_back(self.lives[parent].message_id_hash, self.slot(parent));
                self.link(parent, at, self.lives[parent].set_out());
                return;
            }
        }
        if let Some(handoffs) = self.links.expected.remove(&self.lives[at].hash) {
            self.tidings.tell(News::NotExpected(self.lives[at].hash));
            for handoff in handoffs {
                if self.lives[at].inward || hash(&event.client.ip) == handoff.relay {
                    self.meet(handoff.handed, at);
                }
            }
        }
    }

    /// A queue file that nobody handed in may be an alias's.
    pub(super) fn links_at_birth(&mut self, at: usize) {
        let Some(handoffs) = self.links.expected.get(&self.lives[at].hash).cloned() else { return };
        let forwarded = |Handoff { handed, .. }: &Handoff| {
            let recipient = self.at(handed.life).and_then(|parent| self.lives[parent].recipients.get(handed.recipient as usize));
            recipient.is_some_and(|recipient| recipient.outcome == Outcome::Forwarded)
        };
        let forwarded: Handoffs = handoffs.into_iter().filter(forwarded).collect();
        forwarded.into_iter().for_each(|handoff| self.meet(handoff.handed, at));
    }

    /// A hand-off that was logged before its queue file arrived.
    fn meet(&mut self, handed: Handed, child: usize) {
        let Some(parent) = self.at(handed.life).filter(|parent| *parent != child) else { return };
        self.hand_off(parent, handed.recipient as usize, child);
    }

    /// A recipient was handed on: where to?
    pub(super) fn links_at_delivery(&mut self, at: usize, recipient: usize, step: &Step<'_, '_>, event: &Delivery<'_>) {
        let near = is_loopback(&event.relay.ip) || event.relay.ip.is_empty();
        // Another port than 25 is an agreement, often with another instance on this host.
        let agreed = near || !matches!(event.relay.port, 0 | 25);
        if !event.queued_as.is_empty() {
            let id = id_hash(&event.queued_as);
            match self.find(id, 0) {
                Some(child) if child != at && self.arrived_from(child, at, event) => {
                    self.hand_off(at, recipient, child);
                    return;
                }
                // Of one whose other lines came before its arrival's, it is not known yet where it came from.
                Some(child) if child == at || self.lives[child].arrival.is_some() => {}
                _ => {
                    let may_be_near = near || self.is_of_its_domain(&event.relay.name);
                    let waits = near || (may_be_near && self.held.is_some());
                    if agreed || waits {
                        let handoff = Handoff { handed: Handed::of(self.slot(at), recipient), relay: hash(&event.relay.ip) };
                        self.links.expect(id, handoff, self.clock.since(step.time));
                        self.tidings.tell(News::Expected(id));
                    }
                    if may_be_near || self.has_twin {
                        self.lives[at].unmet |= waits;
                        self.question = Some(Question::Where { at, recipient, id, near });
                    }
                }
            }
        }
        // local(8) and virtual(8) deliver for good; their relay is their own name.
        let final_agent = event.relay.ip.is_empty() && matches!(event.relay.name.0, b"local" | b"virtual" | b"");
        // What Dovecot's LMTP says when a mailbox has it: `<to@example.org> session Saved`.
        let stored = event.diagnostic.ends_with(b" Saved");
        if event.status == Status::Sent && near && !final_agent && !stored {
            self.may_come_back(at, recipient);
        }
    }

    /// A recipient went to something on this host: it may come back under another id, with its message-id, or has just done so.
    fn may_come_back(&mut self, at: usize, recipient: usize) {
        let (slot, life) = (self.slot(at), &mut self.lives[at]);
        let address = life.recipients.get(recipient).map_or(Span::NONE, |handed| handed.address);
        if address.is_empty() {
            return;
        }
        if life.message_id_hash == 0 {
            // It may be told by the next line.
            life.rare_mut().nameless.push(recipient as u32);
            return;
        }
        life.handed = true;
        let (key, handed) = (common(life.message_id_hash, life.text(address)), Handed::of(slot, recipient));
        self.links.parents.add(key, handed);
        for child in self.links.children.of(key) {
            self.may_continue(handed, child);
        }
    }

    /// The message-id was told, after the lines of those that were handed to something on this host.
    pub(super) fn is_named(&mut self, at: usize) {
        if !self.lives[at].rare().nameless.is_empty() {
            let handed = std::mem::take(&mut self.lives[at].rare_mut().nameless);
            handed.into_iter().for_each(|recipient| self.may_come_back(at, recipient as usize));
        }
    }

    /// The message goes through the queue again: it may come back under another id, with its message-id, or has just done so.
    pub(super) fn goes_through_again(&mut self, at: usize) {
        let (slot, message_id) = (self.slot(at), self.lives[at].message_id_hash);
        if message_id != 0 {
            self.lives[at].handed = true;
            let waiting = self.links.requeued.entry(message_id).or_default();
            if !waiting.contains(&slot) {
                waiting.push_back(slot);
            }
            let children = self.links.children.of(message_id);
            for child in children {
                if let Some(child) = self.at(child) {
                    self.comes_back(child);
                }
            }
        }
    }

    /// Links a queue file that came from inside to what was sent through the queue again, if it came when it would have come from
    /// there.
    fn comes_back(&mut self, child: usize) {
        let life = &self.lives[child];
        let (message_id, Some(arrival), None) = (life.message_id_hash, life.arrival, life.root()) else { return };
        let is_it = |parent: usize| {
            let parent = &self.lives[parent];
            let when = parent.rare().requeued.map_or(0..0, |requeued| requeued - DISORDER..requeued + LINGER);
            arrival >= parent.first_line && when.contains(&arrival)
        };
        let mut waiting = self.links.requeued.get(&message_id).into_iter().flatten().filter_map(|slot| self.at(*slot));
        if let Some(parent) = waiting.find(|parent| *parent != child && is_it(*parent)) {
            self.links.is_back(message_id, self.slot(parent));
            self.link(parent, child, self.lives[parent].set_out());
        }
    }

    /// Whether the queue file came from where the other one was handed to.
    fn arrived_from(&self, child: usize, parent: usize, event: &Delivery<'_>) -> bool {
        let life = &self.lives[child];
        if event.status == Status::Forwarded {
            return life.arrival.is_none();
        }
        life.root().is_some_and(|root| root.first.text(root.first.queue_id) == self.lives[parent].text(self.lives[parent].queue_id))
            || life.inward
            || (!event.relay.ip.is_empty() && life.text(life.client_ip) == event.relay.ip.0)
    }

    /// Looks for what a queue file that came from inside continues, by its message-id and these of its recipients; what that is
    /// may be logged later.
    pub(super) fn links_by_message_id(&mut self, at: usize, recipients: Range<usize>) {
        let (slot, life) = (self.slot(at), &self.lives[at]);
        let Links { parents, children, .. } = &mut self.links;
        if !life.inward || life.message_id_hash == 0 {
            return;
        }
        let waits = life.root().is_none();
        let mut handed: SmallVec<[Handed; 4]> = SmallVec::new();
        for key in life.in_common(recipients) {
            if waits {
                children.add(key, slot);
            }
            handed.extend(parents.of(key));
        }
        handed.sort_by_key(Aged::age);
        handed.into_iter().for_each(|handed| self.may_continue(handed, slot));
        if !self.links.requeued.is_empty() {
            self.comes_back(at);
        }
    }

    /// Nothing is linked to it by its message-id any more.
    pub(super) fn forget_links(&mut self, at: usize) {
        let (slot, life) = (self.slot(at), &self.lives[at]);
        let links = &mut self.links;
        if life.message_id_hash == 0 {
            return;
        }
        links.is_back(life.message_id_hash, slot);
        if !(links.parents.is_empty() && links.children.is_empty()) {
            for key in life.in_common(0..life.recipients.len()) {
                links.children.remove(key, |known| *known == slot);
                links.parents.remove(key, |known| known.life == slot);
            }
        }
    }

    /// A queue file that came from inside, or may have, continues another one, here or elsewhere.
    pub(super) fn links_of_inward(&mut self, at: usize) {
        self.links_by_message_id(at, 0..self.lives[at].recipients.len());
        let life = &self.lives[at];
        if (life.inward || life.unmet) && life.root().is_none() {
            self.question = Some(Question::Whence { at });
        }
    }

    /// The lives and the places of recipients that were handed to an id which has not been seen, and the hash of the address that
    /// each was handed to.
    pub(super) fn expected(&self, id: u64) -> impl Iterator<Item = (usize, usize, u64)> {
        let handoffs = self.links.expected.get(&id).into_iter().flatten();
        handoffs.filter_map(|Handoff { handed, relay }| Some((self.at(handed.life)?, handed.recipient as usize, *relay)))
    }

    /// Links a queue file that came from inside to what it has a message-id and a recipient in common with, if it came when it would
    /// have come from there.
    fn may_continue(&mut self, Handed { life, recipient }: Handed, child: Slot) {
        let (Some(parent), Some(child), recipient) = (self.at(life), self.at(child), recipient as usize) else { return };
        let life = &self.lives[parent];
        let Some(arrival) = self.lives[child].arrival.filter(|arrival| *arrival >= life.first_line && parent != child) else { return };
        let fresh = |handed: &Recipient| handed.outcome == Outcome::Delivered && arrival - handed.decisive.time < LINGER;
        if life.recipients.get(recipient).is_some_and(fresh) {
            self.hand_off(parent, recipient, child);
            self.lives[child].unmet = true;
        }
    }

    /// The recipient goes on in another queue file.
    fn hand_off(&mut self, parent: usize, recipient: usize, child: usize) {
        if let Some(set_out) = self.handed_off(parent, recipient) {
            self.link(parent, child, set_out);
        }
    }

    /// The recipient goes on, wherever; gives when it set out.
    pub(super) fn handed_off(&mut self, parent: usize, recipient: usize) -> Option<Micros> {
        let slot = self.slot(parent);
        let life = &mut self.lives[parent];
        let handed = life.recipients.get_mut(recipient)?;
        let set_out = handed.decisive.time - handed.decisive.delay().unwrap_or(0);
        if handed.outcome == Outcome::Delivered {
            handed.outcome = Outcome::HandedOff;
        }
        if life.handed {
            let key = common(life.message_id_hash, life.text(life.recipients[recipient].address));
            self.links.parents.remove(key, |known| *known == Handed::of(slot, recipient));
        }
        Some(set_out)
    }

    /// `child` continues `parent`, and so do the queue files that continue `child`.
    fn link(&mut self, parent: usize, child: usize, set_out: Micros) {
        let slot = self.slot(child);
        let children = &mut self.lives[parent].rare_mut().children;
        if !children.contains(&slot) {
            children.push(slot);
        }
        let root = self.root_of(parent, set_out);
        self.continues(child, Some(parent), root);
    }

    /// Where the chain of what continues this life began.
    pub(super) fn root_of(&self, parent: usize, set_out: Micros) -> Root {
        let parent = &self.lives[parent];
        parent.root().cloned().unwrap_or_else(|| Root { first: Box::new(parent.facts()), set_out })
    }

    /// `child`, and what continues it, belong to a chain that began there.
    pub(super) fn continues(&mut self, child: usize, parent: Option<usize>, root: Root) {
        let mut waiting: SmallVec<[usize; 8]> = smallvec![child];
        for _ in 0..DEEPEST {
            let Some(at) = waiting.pop() else { return };
            let further = self.lives[at].rare().children.iter().filter_map(|slot| self.at(*slot)).filter(|at| Some(*at) != parent);
            waiting.extend(further);
            if waiting.is_empty() {
                // Mostly nothing does.
                self.lives[at].rare_mut().root = Some(root);
                return;
            }
            self.lives[at].rare_mut().root = Some(root.clone());
        }
    }
}

impl Life {
    /// What it may have in common with the one that it continues: the message-id alone, and with each of these recipients.
    fn in_common(&self, recipients: Range<usize>) -> impl Iterator<Item = u64> {
        let addresses = self.recipients[recipients].iter().flat_map(|recipient| [recipient.address, recipient.original]);
        let keys = addresses.filter(|address| !address.is_empty()).map(|address| common(self.message_id_hash, self.text(address)));
        std::iter::once(self.message_id_hash).chain(keys)
    }
}
