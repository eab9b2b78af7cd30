//! Queue files that go on under another host's name, or in another log: the instances of one machine may each have a name and a
//! log of their own. Such logs are read one after the other, so that lives which may have another part wait for it.

use super::alike::{Aged, Alike};
use super::host::{Host, hash};
use super::life::{Life, Slot};
use super::{Correlator, Fact, LINGER, Step};
use mailscope_parsers::model::{MessageId, Micros, Text};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// No more lives than this wait for another log, a host; the eldest go first.
const MANY_HELD: usize = 10_000;
/// The instances of one machine are few: where there are more hosts than that, those of the others do not wait.
const FEW_HOSTS: usize = 8;

/// No host's name is as long as that.
const LONGEST_NAME: usize = 256;

/// What one host can't answer alone.
#[derive(Clone, Copy)]
pub enum Question {
    /// Where a recipient was handed to: a queue file of this id, over loopback or by another address.
    Where { at: usize, recipient: usize, id: u64, near: bool },
    /// Who handed this queue file in.
    Whence { at: usize },
}

/// A host's number.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Number(u32);

impl Aged for Number {
    fn age(&self) -> u64 {
        self.0.into()
    }
}

/// Which hosts know an id, and which wait for it: of hundreds of hosts those few are asked.
#[derive(Clone, Default)]
pub(super) struct Whereabouts {
    known: Alike<Number>,
    expected: Alike<Number>,
}

/// What a host tells of its ids, so that it is asked.
#[derive(Clone, Copy)]
pub(super) enum News {
    Known(u64),
    /// One life of that id less.
    Gone(u64),
    Expected(u64),
    NotExpected(u64),
}

/// What a host has to tell, once anybody asked.
#[derive(Clone, Default)]
pub(super) struct Tidings(Option<Vec<News>>);

impl Tidings {
    #[inline(always)]
    pub(super) fn tell(&mut self, news: News) {
        if let Some(told) = &mut self.0 {
            told.push(news);
        }
    }
}

impl Whereabouts {
    /// Of all hosts, which tell what is new from now on.
    fn of(hosts: &mut [Host]) -> Self {
        let mut all = Self::default();
        for (number, host) in hosts.iter_mut().enumerate() {
            all.begin(number, host);
        }
        all
    }

    fn begin(&mut self, number: usize, host: &mut Host) {
        host.tidings = Tidings(Some(Vec::new()));
        let host = &*host;
        let known = host.open().map(|life| News::Known(life.hash));
        known.chain(host.links.expected_ids().map(News::Expected)).for_each(|news| self.hear(number, host, news));
    }

    fn hear(&mut self, number: usize, host: &Host, news: News) {
        let it = Number(number as u32);
        match news {
            News::Known(id) => self.known.add(id, it),
            News::Gone(id) if host.find(id, 0).is_none() => self.known.remove(id, |known| *known == it),
            News::Gone(_) => {}
            News::Expected(id) => self.expected.add(id, it),
            News::NotExpected(id) => self.expected.remove(id, |known| *known == it),
        }
    }
}

impl Correlator {
    /// Hears what a host has to tell and to ask. Until one asks for the first time, nobody listens.
    #[inline(never)]
    pub(super) fn listen(&mut self, at: usize, step: &Step<'_, '_>) {
        if let Some(whereabouts) = &mut self.whereabouts
            && let Some(mut told) = self.states[at].tidings.0.take()
        {
            told.drain(..).for_each(|news| whereabouts.hear(at, &self.states[at], news));
            self.states[at].tidings = Tidings(Some(told));
        }
        if let Some(question) = self.states[at].question.take() {
            if self.whereabouts.is_none() {
                self.whereabouts = Some(Whereabouts::of(&mut self.states));
            }
            self.ask_others(at, question, step);
        }
    }

    /// Another host begins.
    pub(super) fn introduce(&mut self, number: usize) {
        if let Some(whereabouts) = &mut self.whereabouts {
            whereabouts.begin(number, &mut self.states[number]);
        }
    }

    /// The logs that follow lie in one time, at least in part: what may go on in a later one waits for it.
    #[must_use]
    pub fn with_logs_of_one_time(mut self, are_of_one_time: bool) -> Self {
        self.holds = are_of_one_time;
        self
    }

    /// Looks for the answer with all other hosts. Ids are no more than ids: only the same message-id makes it sure.
    #[cold]
    fn ask_others(&mut self, host: usize, question: Question, step: &Step<'_, '_>) {
        let Some(whereabouts) = &self.whereabouts else { return };
        let others =
            |those: &Alike<Number>, id: u64| those.of(id).into_iter().map(|Number(other)| other as usize).filter(|other| *other != host);
        match question {
            Question::Where { at, recipient, id, near } => {
                let message_id = self.states[host].lives[at].message_id_hash;
                let address = match step.fact {
                    Fact::Delivery(event) if !near => event.relay.ip,
                    _ => Text(b""),
                };
                let answer = |other: usize| Some((other, self.states[other].taken_from_here(id, message_id, step.time, &address)?));
                if let Some(child) = others(&whereabouts.known, id).find_map(answer) {
                    self.join((host, at), recipient, child);
                }
            }
            Question::Whence { at } => {
                let child = &self.states[host].lives[at];
                let answer = |other: usize| {
                    let handed: SmallVec<[(usize, usize); 1]> = self.states[other].handed_to(child).collect();
                    (!handed.is_empty()).then_some((other, handed))
                };
                if let Some((other, handed)) = others(&whereabouts.expected, child.hash).find_map(answer) {
                    handed.into_iter().for_each(|(parent, recipient)| self.join((other, parent), recipient, (host, at)));
                }
            }
        }
    }

    /// The recipient of one host's life goes on in another host's.
    fn join(&mut self, (one, parent): (usize, usize), recipient: usize, (other, child): (usize, usize)) {
        let Some(set_out) = self.states[one].handed_off(parent, recipient) else { return };
        // From now on they may hand over by the machine's own address, too.
        [one, other].into_iter().for_each(|host| self.states[host].has_twin = true);
        // Its own host may know already where it began, by the message-id.
        if self.states[other].lives[child].root().is_none() {
            let root = self.states[one].root_of(parent, set_out);
            self.states[other].continues(child, None, root);
        }
    }
}

impl Host {
    /// The queue file that was taken in from this machine at about that time: over loopback, or from the address that was
    /// connected to.
    fn taken_from_here(&self, id: u64, message_id: u64, handed: Micros, address: &[u8]) -> Option<usize> {
        let at = self.find(id, 0)?;
        let life = &self.lives[at];
        let near = life.arrival.is_some_and(|arrival| (arrival - handed).abs() <= LINGER);
        let from_here = if address.is_empty() { life.inward } else { life.text(life.client_ip) == address };
        (message_id != 0 && life.message_id_hash == message_id && from_here && near).then_some(at)
    }

    /// The recipients that were handed to this queue file, which has not been seen here: over loopback, or by the address that it
    /// came from.
    fn handed_to(&self, child: &Life) -> impl Iterator<Item = (usize, usize)> {
        let is_it = |(parent, recipient, relay): (usize, usize, u64)| {
            let (life, arrival, message_id) = (&self.lives[parent], child.arrival?, child.message_id_hash);
            let near = life.recipients.get(recipient).is_some_and(|handed| (arrival - handed.decisive.time).abs() <= LINGER);
            let from_here = child.inward || hash(child.text(child.client_ip)) == relay;
            (message_id != 0 && life.message_id_hash == message_id && from_here && near).then_some((parent, recipient))
        };
        self.expected(child.hash).filter_map(is_it)
    }

    /// The names of what a server writes itself have its own name in them: `queue-id@out.example.org`.
    #[inline]
    pub(super) fn learn_domain(&mut self, at: usize, event: &MessageId<'_>) {
        let life = &self.lives[at];
        if self.domain.is_empty()
            && (life.arrival.is_none() || life.inward)
            && let Some([b'@', name @ ..]) = event.message_id.strip_prefix(event.queue_id.0)
            && let Some(dot) = memchr(b'.', name)
            && name.len() < LONGEST_NAME
        {
            self.domain = name[dot..].into();
        }
    }

    /// Whether a host is of the same domain: it may be this machine, by another of its names.
    #[inline]
    pub(super) fn is_of_its_domain(&self, name: &[u8]) -> bool {
        !self.domain.is_empty() && name.ends_with(&self.domain)
    }

    /// Whether a client has this host's own name: it may be another instance, whose log comes later.
    #[inline]
    pub(super) fn may_be_of_a_twin(&self, client: &[u8]) -> bool {
        self.held.is_some()
            && !self.name.is_empty()
            && client.strip_prefix(&*self.name).is_some_and(|domain| matches!(domain, [] | [b'.', ..]))
    }

    /// Lets a life wait whose other part may be in a log that comes later. It gives the one that has to go in its place, if
    /// it is one too many; the life itself where it does not wait.
    #[cold]
    pub(super) fn hold(&mut self, slot: Slot) -> Option<Slot> {
        let life = &self.lives[slot.at as usize];
        if self.held.is_none() || !(life.unmet || (life.inward && life.root().is_none())) {
            return Some(slot);
        }
        // What comes later with this message-id is another message.
        self.forget_links(slot.at as usize);
        let held = self.held.as_mut()?;
        held.push_back(slot);
        if held.len() > MANY_HELD { held.pop_front() } else { None }
    }
}

/// Where lives of a host wait for another log, if there may be one.
pub(super) fn waiting_room(holds: bool, host: u32) -> Option<VecDeque<Slot>> {
    (holds && (host as usize) < FEW_HOSTS).then(VecDeque::new)
}
