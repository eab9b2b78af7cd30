//! Which queue file continues which: content filters, aliases, second instances, requeued messages.
//!
//! A hand-off says `queued as X` or `forwarded as X`, X's arrival says `orig_queue_id=`, or both carry the same
//! message-id and a recipient. Either line may be logged first.

use super::agenda::due_or_surplus;
use super::elsewhere::Question;
use super::host::{Host, hash, id_hash, is_loopback};
use super::ids::MANY_OVER;
use super::life::{Outcome, Root, Slot};
use super::{DISORDER, LINGER, Step};
use hashbrown::{HashMap, HashTable};
use mailscope_parsers::model::{Accepted, Delivery, Micros, Status};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use std::collections::VecDeque;

/// A chain of more queue files than this is a loop.
const DEEPEST: usize = 64;

/// What waits for its other half.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Links {
    /// Ids that were named in a hand-off and have not been seen yet.
    expected: HashMap<u64, Handoff>,
    expected_until: VecDeque<(Micros, u64)>,
    /// Message-id to lives that handed something off, and to lives that came from inside.
    parents: Index,
    children: Index,
    /// Message-id to lives that a program beside the server may speak of; made when one speaks for the first time.
    pub(super) spoken_of: Option<Index>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Handoff {
    parent: Slot,
    recipient: u32,
    /// Hash of the address it was handed to: the queue file must come from there, or from loopback.
    relay: u64,
}

impl Links {
    pub fn expire(&mut self, now: Micros) {
        while let Some((_, id)) = due_or_surplus(&mut self.expected_until, |(until, _)| *until <= now, MANY_OVER) {
            self.expected.remove(&id);
        }
    }

    pub fn forget(&mut self, slot: Slot, message_id: u64) {
        if message_id == 0 {
            return;
        }
        self.parents.remove(message_id, slot);
        self.children.remove(message_id, slot);
    }

    fn expect(&mut self, id: u64, handoff: Handoff, time: Micros) {
        self.expected.insert(id, handoff);
        self.expected_until.push_back((time + LINGER, id));
    }
}

/// Few lives have the same message-id.
pub(super) type Slots = SmallVec<[Slot; 4]>;

/// Lives by the hash of their message-id; several may have the same.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Index(#[serde(with = "super::stored")] HashTable<(u64, Slot)>);

impl Index {
    pub(super) fn add(&mut self, message_id: u64, slot: Slot) {
        if self.0.find(message_id, |entry| *entry == (message_id, slot)).is_none() {
            self.0.insert_unique(message_id, (message_id, slot), |(message_id, _)| *message_id);
        }
    }

    pub(super) fn remove(&mut self, message_id: u64, slot: Slot) {
        if let Ok(entry) = self.0.find_entry(message_id, |entry| *entry == (message_id, slot)) {
            entry.remove();
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they began, whatever the table's order is.
    pub(super) fn of(&self, message_id: u64) -> Slots {
        let mut slots: Slots = self.0.iter_hash(message_id).filter(|(known, _)| *known == message_id).map(|(_, slot)| *slot).collect();
        slots.sort_unstable_by_key(|slot| slot.generation);
        slots
    }
}

impl Host {
    /// A queue file arrived: it may say itself what it continues, or be expected.
    pub(super) fn links_at_arrival(&mut self, at: usize, event: &Accepted<'_>) {
        if !event.original_queue_id.is_empty() {
            let parent = self.find(id_hash(&event.original_queue_id), 0);
            if let Some(parent) = parent.filter(|parent| *parent != at) {
                self.link(parent, at, self.lives[parent].set_out());
                return;
            }
        }
        if let Some(handoff) = self.links.expected.remove(&self.lives[at].hash)
            && (self.lives[at].inward || hash(&event.client.ip) == handoff.relay)
        {
            self.meet(handoff, at);
        }
    }

    /// A queue file that nobody handed in may be an alias's.
    pub(super) fn links_at_birth(&mut self, at: usize) {
        let Some(handoff) = self.links.expected.get(&self.lives[at].hash).copied() else { return };
        let forwarded =
            |parent: usize| self.lives[parent].recipients.get(handoff.recipient as usize).is_some_and(|r| r.outcome == Outcome::Forwarded);
        if self.at(handoff.parent).is_some_and(forwarded) {
            self.meet(handoff, at);
        }
    }

    /// A hand-off that was logged before its queue file arrived.
    fn meet(&mut self, handoff: Handoff, child: usize) {
        let Some(parent) = self.at(handoff.parent).filter(|parent| *parent != child) else { return };
        self.hand_off(parent, handoff.recipient as usize, child);
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
                Some(_) => {}
                None => {
                    let may_be_near = near || self.is_of_its_domain(&event.relay.name);
                    let waits = near || (may_be_near && self.held.is_some());
                    if agreed || waits {
                        let recipient = u32::try_from(recipient).unwrap_or(u32::MAX);
                        let handoff = Handoff { parent: self.slot(at), recipient, relay: hash(&event.relay.ip) };
                        self.links.expect(id, handoff, step.time);
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
            self.may_come_back(at);
            if !self.links.children.is_empty() {
                self.links_by_message_id(at);
            }
        }
    }

    /// The message went to something on this host, or through the queue again: it may come back under another id, with
    /// its message-id.
    pub(super) fn may_come_back(&mut self, at: usize) {
        let message_id = self.lives[at].message_id_hash;
        if message_id != 0 {
            let slot = self.slot(at);
            self.lives[at].handed = true;
            self.links.parents.add(message_id, slot);
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

    /// Links by message-id and recipient: from either side, whichever line came last.
    pub(super) fn links_by_message_id(&mut self, at: usize) {
        let message_id = self.lives[at].message_id_hash;
        if message_id == 0 || (self.links.parents.is_empty() && self.links.children.is_empty() && !self.lives[at].inward) {
            return;
        }
        if self.lives[at].inward {
            if self.lives[at].root().is_none() {
                let slot = self.slot(at);
                self.links.children.add(message_id, slot);
            }
            for parent in self.living(&self.links.parents, message_id) {
                self.link_same_recipients(parent, at);
            }
        }
        for child in self.living(&self.links.children, message_id) {
            self.link_same_recipients(at, child);
        }
    }

    /// A queue file that came from inside, or may have, continues another one, here or elsewhere.
    pub(super) fn links_of_inward(&mut self, at: usize) {
        if self.lives[at].inward {
            self.links_by_message_id(at);
        }
        let life = &self.lives[at];
        if (life.inward || life.unmet) && life.root().is_none() {
            self.question = Some(Question::Whence { at });
        }
    }

    /// The life and the place of a recipient that was handed to an id which has not been seen, and the hash of the address that
    /// it was handed to.
    pub(super) fn expected(&self, id: u64) -> Option<(usize, usize, u64)> {
        let handoff = self.links.expected.get(&id)?;
        Some((self.at(handoff.parent)?, handoff.recipient as usize, handoff.relay))
    }

    fn living(&self, index: &Index, message_id: u64) -> SmallVec<[usize; 4]> {
        if index.is_empty() { SmallVec::new() } else { index.of(message_id).into_iter().filter_map(|slot| self.at(slot)).collect() }
    }

    fn link_same_recipients(&mut self, parent: usize, child: usize) {
        if parent == child {
            return;
        }
        let Some(arrival) = self.lives[child].arrival.filter(|arrival| *arrival >= self.lives[parent].first_line) else { return };
        if let Some(requeued) = self.lives[parent].rare().requeued
            && (requeued - DISORDER..requeued + LINGER).contains(&arrival)
        {
            return self.link(parent, child, self.lives[parent].set_out());
        }
        let came: SmallVec<[u64; 8]> = {
            let child = &self.lives[child];
            child
                .recipients
                .iter()
                .flat_map(|r| [r.address, r.original])
                .filter(|span| !span.is_empty())
                .map(|span| hash(child.text(span)))
                .collect()
        };
        let life = &self.lives[parent];
        let handed: SmallVec<[usize; 8]> = (0..life.recipients.len())
            .filter(|at| {
                let recipient = &life.recipients[*at];
                let fresh = arrival - recipient.decisive.time < LINGER;
                recipient.outcome == Outcome::Delivered && fresh && came.contains(&hash(life.text(recipient.address)))
            })
            .collect();
        for recipient in handed {
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
        let handed = self.lives[parent].recipients.get_mut(recipient)?;
        let set_out = handed.decisive.time - handed.decisive.delay().unwrap_or(0);
        if handed.outcome == Outcome::Delivered {
            handed.outcome = Outcome::HandedOff;
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
