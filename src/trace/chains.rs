//! Lives and lines to stories: which lives are one message, which line is of which life.

use super::story::{AttemptStory, Moment, NotificationStory, RecipientStory, SCHEMA, Story};
use crate::correlate::{Attempt, End, LINGER, Life, Outcome, Recipient};
use crate::input::Zone;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Accepted, Action, Event, Line, Micros, Peer, Report, Text};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A line that was found, read again, and whether the key meant it.
pub struct Told<'s> {
    pub seen: Seen<'s>,
    /// The queue id that it belongs to where it names none: the TLS line of a connection.
    pub of: &'s [u8],
    pub hit: bool,
}

/// Lives and lines that are one message.
#[derive(Default)]
struct Chain {
    /// In the order in which they began.
    lives: Vec<usize>,
    lines: Vec<usize>,
    hit: bool,
}

/// What all stories are made from.
struct Found<'s> {
    lives: &'s [Box<Life>],
    /// Names, by the number that a life carries.
    hosts: Vec<&'s [u8]>,
    lines: &'s [Told<'s>],
    zone: Zone,
    chains: Vec<Chain>,
    /// The chain that each life is part of.
    chain_of: Vec<usize>,
    /// By host and queue id; those without an id by host and recipient.
    by_id: HashMap<(&'s [u8], &'s [u8]), Vec<usize>>,
    by_message_id: HashMap<&'s [u8], Vec<usize>>,
    /// Whose notification an id is, as the first line that names both says.
    reports_on: HashMap<&'s [u8], Text<'s>>,
    /// The arrivals that name what they report on, by its id.
    reports: HashMap<&'s [u8], Vec<usize>>,
}

/// The stories of the messages that the key meant, in the order of their first lines.
#[must_use]
pub fn stories<'s>(lives: &'s [Box<Life>], hosts: impl Iterator<Item = &'s [u8]>, lines: &'s [Told<'s>], zone: Zone) -> Vec<Story<'s>> {
    let hosts: Vec<&[u8]> = hosts.collect();
    let mut found = Found {
        lives,
        hosts,
        lines,
        zone,
        chains: Vec::new(),
        chain_of: Vec::new(),
        by_id: HashMap::new(),
        by_message_id: HashMap::new(),
        reports_on: HashMap::new(),
        reports: HashMap::new(),
    };
    found.index();
    found.link();
    found.deal_lines();
    let mut chains: Vec<&Chain> = found.chains.iter().filter(|chain| chain.hit && !chain.lines.is_empty()).collect();
    chains.sort_by_key(|chain| chain.lines[0]);
    chains.into_iter().map(|chain| found.story(chain)).collect()
}

impl<'s> Found<'s> {
    fn host(&self, life: &Life) -> &'s [u8] {
        self.hosts.get(life.host as usize).copied().unwrap_or_default()
    }

    fn id(&self, at: usize) -> &'s [u8] {
        self.lives[at].text(self.lives[at].queue_id)
    }

    fn index(&mut self) {
        let lives: &'s [Box<Life>] = self.lives;
        for (at, life) in lives.iter().enumerate() {
            let recipient = life.recipients.first().map_or(&b""[..], |recipient| life.text(recipient.address));
            let id = if self.id(at).is_empty() { recipient } else { self.id(at) };
            self.by_id.entry((self.host(life), id)).or_default().push(at);
            self.by_message_id.entry(life.text(life.message_id)).or_default().push(at);
        }
        for lives in self.by_id.values_mut().chain(self.by_message_id.values_mut()) {
            lives.sort_by_key(|at| self.lives[*at].first_line);
        }
        for (number, told) in self.lines.iter().enumerate() {
            match &told.seen.line {
                Line::Event(Event::Notification(e)) => {
                    self.reports_on.entry(e.child_queue_id.0).or_insert(e.queue_id);
                }
                Line::Event(Event::Accepted(e)) if !e.parent_queue_id.is_empty() => {
                    self.reports_on.entry(e.queue_id.0).or_insert(e.parent_queue_id);
                    self.reports.entry(e.parent_queue_id.0).or_default().push(number);
                }
                _ => {}
            }
        }
    }

    /// Puts lives together that have the same root, and those that one host handed to another.
    fn link(&mut self) {
        let mut parent: Vec<usize> = (0..self.lives.len()).collect();
        let mut roots: HashMap<(u32, &[u8], Micros), usize> = HashMap::new();
        for (at, life) in self.lives.iter().enumerate() {
            let first = life.message();
            let root = *roots.entry((life.host, first.text(first.queue_id), first.first_line)).or_insert(at);
            union(&mut parent, root, at);
        }
        let mut by_id: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for at in 0..self.lives.len() {
            by_id.entry(self.id(at)).or_default().push(at);
        }
        for (at, life) in self.lives.iter().enumerate() {
            for attempt in life.recipients.iter().flat_map(|recipient| life.attempts(recipient)) {
                let children = by_id.get(life.text(life.particulars(attempt).queued_as)).into_iter().flatten();
                for child in children.filter(|child| self.went_to(life, attempt, &self.lives[**child])) {
                    union(&mut parent, at, *child);
                }
            }
        }
        let mut of_root: HashMap<usize, usize> = HashMap::new();
        for at in 0..self.lives.len() {
            let root = find(&mut parent, at);
            let chain = *of_root.entry(root).or_insert_with(|| {
                self.chains.push(Chain::default());
                self.chains.len() - 1
            });
            self.chains[chain].lives.push(at);
            self.chain_of.push(chain);
        }
        for chain in &mut self.chains {
            chain.lives.sort_by_key(|at| (self.lives[*at].first_line, self.lives[*at].reinjected()));
        }
    }

    /// Whether the attempt handed the message to another host, where this life is what became of it.
    fn went_to(&self, parent: &Life, attempt: &Attempt, child: &Life) -> bool {
        let ids = [parent, child].map(|life| life.text(life.message_id));
        let same_message = ids[0] == ids[1] || ids.iter().any(|id| id.is_empty());
        parent.host != child.host && same_message && (child.first_line - attempt.time).abs() <= LINGER
    }

    /// Gives every line to its chain: that of the last life of its id that had begun by then.
    fn deal_lines(&mut self) {
        let mut alone: HashMap<(&[u8], &[u8]), usize> = HashMap::new();
        for (number, told) in self.lines.iter().enumerate() {
            let event = if let Line::Event(event) = &told.seen.line { Some(event) } else { None };
            let key = (told.seen.record.host.0, event.map_or(told.of, |event| name(event, told.of)));
            let lives = match event {
                Some(Event::Verdict(e)) if e.queue_id.is_empty() => self.by_message_id.get(&*e.message_id),
                _ => self.by_id.get(&key).filter(|_| !key.1.is_empty()),
            };
            let life = lives.and_then(|lives| {
                let begun = lives.iter().rev().find(|at| self.lives[**at].first_line <= told.seen.record.time);
                begun.or_else(|| lives.first())
            });
            let chain = match life {
                Some(life) => self.chain_of[*life],
                // At the door there is no id: each line is for itself. Others may have lines that say nothing of a life.
                None if key.1.is_empty() => self.new_chain(),
                None => match alone.get(&key) {
                    Some(chain) => *chain,
                    None => {
                        let chain = self.new_chain();
                        alone.insert(key, chain);
                        chain
                    }
                },
            };
            self.chains[chain].lines.push(number);
            self.chains[chain].hit |= told.hit;
        }
    }

    fn new_chain(&mut self) -> usize {
        self.chains.push(Chain::default());
        self.chains.len() - 1
    }

    fn events(&self, chain: &Chain) -> impl Iterator<Item = (&'s Seen<'s>, &'s Event<'s>)> {
        let lines: &'s [Told<'s>] = self.lines;
        let told: Vec<&'s Told<'s>> = chain.lines.iter().map(|at| &lines[*at]).collect();
        told.into_iter().filter_map(|told| match &told.seen.line {
            Line::Event(event) => Some((&told.seen, event)),
            _ => None,
        })
    }

    fn story(&self, chain: &Chain) -> Story<'s> {
        let lives: &'s [Box<Life>] = self.lives;
        let lines: Vec<&'s Seen<'s>> = self.events(chain).map(|(seen, _)| seen).collect();
        let mut story = Story {
            schema: SCHEMA,
            rejected: false,
            host: lines.first().map_or(Text(b""), |seen| seen.record.host),
            first_queue_id: self.events(chain).map(|(_, event)| event.queue_id()).find(|id| !id.is_empty()).unwrap_or_default(),
            queue_ids: Vec::new(),
            message_id: Text(b""),
            envelope_sender: Text(b""),
            size_bytes: None,
            arrival: None,
            client: Peer::default(),
            auth: None,
            parent_queue_id: Text(b""),
            open: chain.lives.iter().any(|at| is_open(&lives[*at])),
            recipients: self.recipients(chain),
            notifications: self.notifications(chain),
            lines,
            raw: self.raw(chain),
        };
        if let Some(first) = chain.lives.first() {
            let life: &'s Life = &lives[*first];
            let message: &'s Life = life.message();
            story.host = Text(self.host(life));
            story.first_queue_id = Text(message.text(message.queue_id));
            story.message_id = Text(message.text(message.message_id));
            story.envelope_sender = Text(life.sender());
            story.size_bytes = Some(message.size_bytes.max(life.size_bytes)).filter(|size| *size > 0);
            story.arrival = message.arrival.map(|time| self.moment(time));
            story.parent_queue_id = self.reports_on.get(self.id(*first)).copied().unwrap_or_default();
        }
        let ids = chain.lives.iter().map(|at| Text(self.id(*at)));
        for id in std::iter::once(story.first_queue_id).chain(ids).filter(|id| !id.is_empty()) {
            if !story.queue_ids.contains(&id) {
                story.queue_ids.push(id);
            }
        }
        self.tell_arrival(chain, &mut story);
        story
    }

    /// What only the events tell: who handed it in, and whether it was turned away.
    fn tell_arrival(&self, chain: &Chain, story: &mut Story<'s>) {
        let proven = chain.lives.iter().any(|at| self.lives[*at].proof);
        let mut arrived = false;
        for (_, event) in self.events(chain) {
            match event {
                Event::Accepted(e) if !arrived && e.queue_id == story.first_queue_id => {
                    arrived = true;
                    story.client = client(e);
                    story.auth = e.auth;
                }
                Event::Reject(e) if !proven => {
                    story.rejected |= e.action == Action::Reject;
                    or(&mut story.envelope_sender, e.envelope_sender);
                    story.client = if story.client.absent() { e.client } else { story.client };
                    story.auth = story.auth.or(e.auth);
                }
                Event::AuthFailure(e) => story.client = e.client,
                _ => {}
            }
        }
    }

    /// The lines that name a notification that the chain gave rise to, its queue id, and what it reports.
    fn named(&self, chain: &Chain) -> Vec<(&'s Seen<'s>, Text<'s>, Option<Report>)> {
        let named = self.events(chain).filter_map(|(seen, event)| match event {
            Event::Notification(e) => Some((seen, e.child_queue_id, Some(e.notification))),
            _ => None,
        });
        // Elsewhere the notification says what it reports on.
        let lines: &'s [Told<'s>] = self.lines;
        let own = self.events(chain).map(|(_, event)| event.queue_id().0).filter(|id| !id.is_empty());
        let ids: HashSet<&[u8]> = chain.lives.iter().map(|at| self.id(*at)).chain(own).collect();
        let naming: BTreeSet<usize> = ids.iter().filter_map(|id| self.reports.get(id)).flatten().copied().collect();
        let naming = naming.into_iter().filter_map(|number| match &lines[number].seen.line {
            Line::Event(Event::Accepted(e)) => Some((&lines[number].seen, e.queue_id, None)),
            _ => None,
        });
        named.chain(naming).collect()
    }

    /// The chain of a queue file that a line names.
    fn chain_named(&self, seen: &Seen<'s>, id: Text<'s>) -> Option<&Chain> {
        let lives = self.by_id.get(&(seen.record.host.0, id.0))?;
        let life = lives.iter().find(|at| (self.lives[**at].first_line - seen.record.time).abs() <= LINGER)?;
        Some(&self.chains[self.chain_of[*life]])
    }

    fn notifications(&self, chain: &Chain) -> Vec<NotificationStory<'s>> {
        let story = |(seen, child, notification): (&'s Seen<'s>, Text<'s>, _)| {
            let recipients = self.chain_named(seen, child).map_or_else(Vec::new, |chain| self.recipients(chain));
            NotificationStory { time: self.moment(seen.record.time), queue_id: child, notification, recipients }
        };
        self.named(chain).into_iter().map(story).collect()
    }

    fn raw(&self, chain: &Chain) -> Vec<&'s Seen<'s>> {
        let lines: &'s [Told<'s>] = self.lines;
        let named = self.named(chain);
        let notifications = named.iter().filter_map(|(seen, child, _)| self.chain_named(seen, *child));
        let all: BTreeSet<usize> = std::iter::once(chain).chain(notifications).flat_map(|chain| &chain.lines).copied().collect();
        all.into_iter().map(|number| &lines[number].seen).collect()
    }

    /// The recipients of all queue files of a chain; one that was handed on is the one that it was handed on as.
    fn recipients(&self, chain: &Chain) -> Vec<RecipientStory<'s>> {
        let lives: &'s [Box<Life>] = self.lives;
        let hosts = chain.lives.iter().any(|at| lives[*at].host != lives[chain.lives[0]].host);
        let mut told: Vec<(usize, RecipientStory<'s>)> = Vec::new();
        for at in &chain.lives {
            let life: &'s Life = &lives[*at];
            for recipient in &life.recipients {
                let address = Text(life.text(recipient.address));
                let original = Text(life.text(recipient.original));
                let attempts = life.attempts(recipient).map(|attempt| self.attempt(life, attempt, hosts)).collect();
                let outcome = recipient.outcome.name();
                let handed = |outcome: &str| matches!(outcome, "handed_off" | "requeued") || (hosts && outcome == "delivered");
                let goes_on = |before: &&mut (usize, RecipientStory<'s>)| {
                    let one = before.1.envelope_recipient;
                    before.0 != *at && handed(before.1.outcome) && (one == address || one == original)
                };
                let delay = delay(life, recipient);
                if let Some((last, before)) = told.iter_mut().find(goes_on) {
                    *last = *at;
                    before.outcome = outcome;
                    before.delay = delay;
                    before.attempts.extend::<Vec<_>>(attempts);
                    or(
                        &mut before.original_recipient,
                        if before.envelope_recipient == address { original } else { before.envelope_recipient },
                    );
                    before.envelope_recipient = address;
                } else {
                    let story = RecipientStory { envelope_recipient: address, original_recipient: original, outcome, delay, attempts };
                    told.push((*at, story));
                }
            }
        }
        told.into_iter().map(|(_, story)| story).collect()
    }

    fn attempt(&self, life: &'s Life, attempt: &Attempt, hosts: bool) -> AttemptStory<'s> {
        let (text, particulars) = (|span| Text(life.text(span)), life.particulars(attempt));
        AttemptStory {
            time: self.moment(attempt.time),
            host: if hosts { Text(self.host(life)) } else { Text(b"") },
            queue_id: text(life.queue_id),
            status: attempt.status.name(),
            transport: text(particulars.transport),
            relay: Peer { name: text(attempt.relay_name), ip: text(particulars.relay_ip), port: particulars.relay_port },
            delay: attempt.delay(),
            delays: attempt.delays(),
            dsn: particulars.dsn,
            reply_code: particulars.reply_code,
            diagnostic: text(particulars.diagnostic),
            class: attempt.class,
            queued_as: text(particulars.queued_as),
        }
    }

    fn moment(&self, time: Micros) -> Moment {
        Moment { time, zone: self.zone }
    }
}

/// What names the queue file of a line: its id, or that of the line it belongs to, or what else the line has.
fn name<'s>(event: &Event<'s>, of: &'s [u8]) -> &'s [u8] {
    let own = event.queue_id().0;
    match event {
        Event::Delivery(e) if own.is_empty() => e.envelope_recipient.0,
        Event::Verdict(e) if own.is_empty() => e.message_id.0,
        _ if own.is_empty() => of,
        _ => own,
    }
}

/// The client in front of a content filter, where the filter names it.
fn client<'s>(accepted: &Accepted<'s>) -> Peer<'s> {
    if accepted.original_client.absent() { accepted.client } else { accepted.original_client }
}

fn delay(life: &Life, recipient: &Recipient) -> Option<Micros> {
    if life.attempts(recipient).next().is_none() { None } else { life.delay(recipient) }
}

/// A message that was taken and waits: it was not removed, and not all of its recipients are known to be done.
fn is_open(life: &Life) -> bool {
    let done = life.recipients.len() >= life.nrcpt.max(1) as usize && life.recipients.iter().all(|r| r.outcome != Outcome::Deferred);
    let gone = life.removed.is_some() || life.rare().requeued.is_some() || life.end != End::Open;
    life.proof && !gone && !done
}

fn or<'s>(text: &mut Text<'s>, other: Text<'s>) {
    if text.is_empty() {
        *text = other;
    }
}

fn find(parent: &mut [usize], at: usize) -> usize {
    let mut at = at;
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

fn union(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b)] = a.min(b);
}
