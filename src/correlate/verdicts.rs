//! What programs beside the server thought of a message, joined to its life: by the queue id where they carry one, else by
//! the message-id.
//!
//! In goes a verdict, out comes a text of the life, where rows are made; counts are made line by line elsewhere. It never
//! makes a message of what is only spoken of, and never looks for one on another host.

use super::alike::Alike;
use super::host::{Host, hash, id_hash};
use super::ids::OVER;
use super::life::Life;
use super::{Detail, Step};
use mailscope_parsers::model::ContentVerdict;

/// So much is told of one message at most.
const MOST: usize = 1000;

impl Host {
    pub(super) fn verdict(&mut self, step: &Step<'_, '_>, event: &ContentVerdict<'_>) {
        if self.detail < Detail::Recipients {
            return;
        }
        let Some(at) = self.spoken_of(step, event) else { return };
        // Back from a filter it is the same message, whose first queue file tells all.
        let first = self.lives[at].root().map(|root| root.first.text(root.first.queue_id).to_vec());
        let at = first.and_then(|first| self.find(id_hash(&first), 0)).unwrap_or(at);
        self.lives[at].think(event);
    }

    /// The life that is meant. Milters speak of a message before some servers do: then it begins here.
    fn spoken_of(&mut self, step: &Step<'_, '_>, event: &ContentVerdict<'_>) -> Option<usize> {
        let id = event.queue_id.0;
        if id.is_empty() {
            return self.by_message_id(&event.message_id);
        }
        match self.place(id_hash(id), 0) {
            Some(OVER) => None,
            Some(at) => Some(at as usize),
            None => self.by_message_id(&event.message_id).or_else(|| Some(self.born(step, id_hash(id), id))),
        }
    }

    /// The youngest life with this message-id.
    fn by_message_id(&mut self, message_id: &[u8]) -> Option<usize> {
        if message_id.is_empty() {
            return None;
        }
        if self.links.spoken_of.is_none() {
            self.links.spoken_of = Some(Alike::default());
            for at in 0..self.lives.len() {
                if self.is_alive(at) {
                    self.may_be_spoken_of(at);
                }
            }
        }
        let known = self.links.spoken_of.as_ref()?.of(hash(message_id));
        known.into_iter().rev().find_map(|slot| self.at(slot))
    }

    /// The life has a message-id now, by which it may be spoken of.
    pub(super) fn may_be_spoken_of(&mut self, at: usize) {
        let (slot, message_id) = (self.slot(at), self.lives[at].message_id_hash);
        if let Some(index) = self.links.spoken_of.as_mut().filter(|_| message_id != 0) {
            index.add(message_id, slot);
        }
    }

    pub(super) fn is_not_spoken_of(&mut self, at: usize) {
        let (slot, message_id) = (self.slot(at), self.lives[at].message_id_hash);
        if let Some(index) = &mut self.links.spoken_of {
            index.remove(message_id, |known| *known == slot);
        }
    }
}

impl Life {
    /// Notes a verdict, each word of it once.
    fn think(&mut self, verdict: &ContentVerdict<'_>) {
        let mut word = format!("{}={}", verdict.check.name(), verdict.result);
        if let Some(score) = verdict.score {
            #[allow(clippy::cast_precision_loss)] // scores are small
            word.push_str(&format!("({})", score as f64 / 1e3));
        }
        let known = self.text(self.rare().verdicts);
        if known.split(|c| *c == b' ').any(|one| one == word.as_bytes()) || known.len() + word.len() > MOST {
            return;
        }
        let whole = if known.is_empty() { word.into_bytes() } else { [known, b" ", word.as_bytes()].concat() };
        self.rare_mut().verdicts = self.keep(&whole);
    }
}
