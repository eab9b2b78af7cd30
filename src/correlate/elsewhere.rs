//! Queue files that go on under another host's name, or in another log: the instances of one machine may each have a name and a
//! log of their own. Such logs are read one after the other, so that lives which may have another part wait for it.

use super::host::Host;
use super::life::{Life, Outcome, Slot};
use super::{Correlator, LINGER};
use mailscope_parsers::model::Micros;
use std::collections::VecDeque;

/// No more lives than this wait for another log, a host; the eldest go first.
const MANY_HELD: usize = 10_000;
/// The instances of one machine are few: where there are more hosts than that, those of the others do not wait.
const FEW_HOSTS: usize = 8;

/// What one host can't answer alone.
#[derive(Clone, Copy)]
pub enum Question {
    /// Where a recipient was handed to: a queue file of this id.
    Where { at: usize, recipient: usize, id: u64 },
    /// Who handed this queue file in.
    Whence { at: usize },
}

impl Correlator {
    /// The logs that follow lie in one time, at least in part: what may go on in a later one waits for it.
    #[must_use]
    pub fn with_logs_of_one_time(mut self, are_of_one_time: bool) -> Self {
        self.holds = are_of_one_time;
        self
    }

    /// Looks for the answer with all other hosts. Ids are no more than ids: only the same message-id makes it sure.
    pub(super) fn ask_others(&mut self, host: usize, question: Question) {
        let mut others = (0..self.states.len()).filter(|other| *other != host);
        match question {
            Question::Where { at, recipient, id } => {
                let asked = &self.states[host].lives[at];
                let Some(handed) = asked.recipients.get(recipient).map(|recipient| recipient.decisive.time) else { return };
                let answer = |other: usize| Some((other, self.states[other].taken_from_inside(id, asked.message_id_hash, handed)?));
                if let Some(child) = others.find_map(answer) {
                    self.join((host, at), recipient, child);
                }
            }
            Question::Whence { at } => {
                let Life { hash, message_id_hash, arrival, .. } = *self.states[host].lives[at];
                let Some(arrival) = arrival else { return };
                let answer = |other: usize| {
                    let (parent, recipient) = self.states[other].handed_to(hash, message_id_hash, arrival)?;
                    Some(((other, parent), recipient))
                };
                if let Some((parent, recipient)) = others.find_map(answer) {
                    self.join(parent, recipient, (host, at));
                }
            }
        }
    }

    /// The recipient of one host's life goes on in another host's.
    fn join(&mut self, (one, parent): (usize, usize), recipient: usize, (other, child): (usize, usize)) {
        let Some(set_out) = self.states[one].handed_off(parent, recipient) else { return };
        // Its own host may know already where it began, by the message-id.
        if self.states[other].lives[child].root().is_none() {
            let root = self.states[one].root_of(parent, set_out);
            self.states[other].continues(child, None, &root);
        }
    }
}

impl Host {
    /// The queue file that was taken in from this machine at about that time.
    fn taken_from_inside(&self, id: u64, message_id: u64, handed: Micros) -> Option<usize> {
        let at = self.find(id, 0)?;
        let life = &self.lives[at];
        let near = life.arrival.is_some_and(|arrival| (arrival - handed).abs() <= LINGER);
        (message_id != 0 && life.message_id_hash == message_id && life.inward && near).then_some(at)
    }

    /// The recipient that was handed to a queue file of this id, which has not been seen here.
    fn handed_to(&self, id: u64, message_id: u64, arrival: Micros) -> Option<(usize, usize)> {
        let (parent, recipient) = self.expected(id)?;
        let life = &self.lives[parent];
        let near = life.recipients.get(recipient).is_some_and(|handed| (arrival - handed.decisive.time).abs() <= LINGER);
        (message_id != 0 && life.message_id_hash == message_id && near).then_some((parent, recipient))
    }

    /// Lets a life wait whose other part may be in a log that comes later. It gives the one that has to go in its place, if
    /// it is one too many; the life itself where it does not wait.
    pub(super) fn hold(&mut self, slot: Slot) -> Option<Slot> {
        let life = &self.lives[slot.at as usize];
        let may_go_on = life.unmet && life.recipients.iter().any(|recipient| recipient.outcome == Outcome::Delivered);
        let may_have_come = life.inward && (life.unmet || life.root().is_none());
        let Some(held) = self.held.as_mut().filter(|_| may_go_on || may_have_come) else { return Some(slot) };
        // What comes later with this message-id is another message.
        self.links.forget(slot, life.message_id_hash);
        held.push_back(slot);
        if held.len() > MANY_HELD { held.pop_front() } else { None }
    }
}

/// Where lives of a host wait for another log, if there may be one.
pub(super) fn waiting_room(holds: bool, host: u32) -> Option<VecDeque<Slot>> {
    (holds && (host as usize) < FEW_HOSTS).then(VecDeque::new)
}
