//! A line that was read, with pseudonyms. Each field is known for what it holds.

use super::{Anonymizer, Kind};
use crate::pipeline::Seen;
use bumpalo::Bump;
use mailscope_parsers::model::{Accepted, Addresses, Auth, Delivery, Event, Line, Listed, Peer, Record, Reject, Text, domain_of};

/// Names shorter than this are words of any sentence.
const SHORT: usize = 3;

/// What a line's names are made of, and where its new text is kept.
struct Names<'n, 'a> {
    with: &'n Anonymizer,
    bump: &'a Bump,
    /// Names of this line without the look of one.
    own: Vec<&'a [u8]>,
}

impl Anonymizer {
    /// The line with pseudonyms; its new text lives in `bump`.
    #[must_use]
    pub fn seen<'a>(&self, seen: &Seen<'a>, bump: &'a Bump) -> Seen<'a> {
        let mut names = Names { with: self, bump, own: vec![seen.record.host.0] };
        if let Line::Event(event) = &seen.line {
            names.own.extend(people(event));
        }
        names.own.retain(|name| name.len() >= SHORT);
        let record = Record { host: names.host(seen.record.host), text: names.text(seen.record.text), ..seen.record };
        let line = match seen.line {
            Line::Event(event) => Line::Event(names.event(event)),
            other => other,
        };
        // The text is another one: what was known by it is not.
        Seen { record, line, raw: names.text(Text(seen.raw)).0, told: None, ..*seen }
    }
}

/// The local parts and accounts that an event names, which replies name without a domain.
fn people<'a>(event: &Event<'a>) -> Vec<&'a [u8]> {
    let user = |auth: Option<Auth<'a>>| auth.map_or(Text(b""), |auth| auth.user);
    let all = match event {
        Event::Delivery(e) => e.recipients.iter().chain([e.envelope_recipient, e.original_recipient, e.envelope_sender]).collect(),
        Event::Reject(e) => vec![e.envelope_recipient, e.envelope_sender, user(e.auth), e.helo, e.client.name],
        Event::Accepted(e) => vec![e.envelope_sender, user(e.auth), e.helo],
        Event::AuthFailure(e) => vec![e.user],
        Event::Verdict(e) => vec![e.envelope_sender, e.envelope_recipient],
        _ => Vec::new(),
    };
    all.into_iter().map(|name| &name.0[..memchr::memrchr(b'@', name.0).unwrap_or(name.0.len())]).collect()
}

impl<'a> Names<'_, 'a> {
    fn of(&self, text: Text<'a>, write: impl FnOnce(&mut Vec<u8>)) -> Text<'a> {
        if text.is_empty() { text } else { Text(Anonymizer::kept(self.bump, write)) }
    }

    fn host(&self, name: Text<'a>) -> Text<'a> {
        self.of(name, |to| self.with.host(name.0, to))
    }

    fn address(&self, address: Text<'a>) -> Text<'a> {
        self.of(address, |to| self.with.address(address.0, to))
    }

    fn text(&self, text: Text<'a>) -> Text<'a> {
        self.of(text, |to| self.with.text(text.0, &self.own, to))
    }

    fn token(&self, kind: Kind, text: Text<'a>) -> Text<'a> {
        self.of(text, |to| self.with.token(kind, text.0, to))
    }

    fn message_id(&self, id: Text<'a>) -> Text<'a> {
        match memchr::memrchr(b'@', id.0) {
            Some(at) => self.of(id, |to| {
                self.with.token(Kind::MessageId, id.0, to);
                to.push(b'@');
                self.with.host(&id.0[at + 1..], to);
            }),
            None => self.token(Kind::MessageId, id),
        }
    }

    fn peer(&self, peer: Peer<'a>) -> Peer<'a> {
        // A socket is no address.
        let ip = if peer.ip.contains(&b'/') { peer.ip } else { self.host(peer.ip) };
        Peer { name: self.host(peer.name), ip, port: peer.port }
    }

    /// `relay=local` and `relay=none` name no host.
    fn relay(&self, relay: Peer<'a>) -> Peer<'a> {
        let is_host = !relay.ip.is_empty() || relay.name.contains(&b'.');
        if is_host { self.peer(relay) } else { relay }
    }

    fn auth(&self, auth: Option<Auth<'a>>) -> Option<Auth<'a>> {
        auth.map(|auth| Auth { user: self.address(auth.user), ..auth })
    }

    /// Exim logs a local delivery by the local part alone, with the address that it was made from: the same person.
    fn recipient(&self, recipient: Text<'a>, original: Text<'a>) -> Text<'a> {
        let domain = domain_of(original.0);
        let local = !recipient.contains(&b'@') && !recipient.contains(&b'/') && !domain.is_empty();
        if !local {
            return self.address(recipient);
        }
        self.of(recipient, |to| self.with.token(Kind::Person, &[recipient.0, b"@", &domain.to_ascii_lowercase()].concat(), to))
    }

    fn accepted(&self, e: Accepted<'a>) -> Accepted<'a> {
        let recipients = self.of(e.recipients.0, |to| {
            for (at, recipient) in e.recipients.iter().enumerate() {
                if at > 0 {
                    to.push(b' ');
                }
                self.with.address(recipient.0, to);
            }
        });
        Accepted {
            client: self.peer(e.client),
            auth: self.auth(e.auth),
            envelope_sender: self.address(e.envelope_sender),
            original_client: self.peer(e.original_client),
            helo: self.host(e.helo),
            message_id: self.message_id(e.message_id),
            subject: self.token(Kind::Subject, e.subject),
            recipients: Addresses(recipients),
            ..e
        }
    }

    /// Several recipients on one line.
    fn listed(&self, listed: Listed<'a>) -> Listed<'a> {
        Listed(self.of(listed.0, |to| {
            for (at, recipient) in listed.iter().enumerate() {
                to.extend_from_slice(if at > 0 { b",<" } else { b"<" });
                self.with.address(recipient.0, to);
                to.push(b'>');
            }
        }))
    }

    fn delivery(&self, e: Delivery<'a>) -> Delivery<'a> {
        Delivery {
            recipients: self.listed(e.recipients),
            envelope_sender: self.address(e.envelope_sender),
            envelope_recipient: self.recipient(e.envelope_recipient, e.original_recipient),
            original_recipient: self.address(e.original_recipient),
            relay: self.relay(e.relay),
            diagnostic: self.text(e.diagnostic),
            ..e
        }
    }

    fn reject(&self, e: Reject<'a>) -> Reject<'a> {
        Reject {
            client: self.peer(e.client),
            diagnostic: self.text(e.diagnostic),
            envelope_sender: self.address(e.envelope_sender),
            envelope_recipient: self.address(e.envelope_recipient),
            helo: self.host(e.helo),
            auth: self.auth(e.auth),
            ..e
        }
    }

    fn event(&self, event: Event<'a>) -> Event<'a> {
        match event {
            Event::Accepted(e) => Event::Accepted(self.accepted(e)),
            Event::Delivery(e) => Event::Delivery(self.delivery(e)),
            Event::Reject(e) => Event::Reject(self.reject(e)),
            Event::Connect(mut e) => {
                e.client = self.peer(e.client);
                Event::Connect(e)
            }
            Event::Disconnect(mut e) => {
                e.client = self.peer(e.client);
                Event::Disconnect(e)
            }
            Event::MessageId(mut e) => {
                e.message_id = self.message_id(e.message_id);
                Event::MessageId(e)
            }
            Event::Queued(mut e) => {
                e.envelope_sender = self.address(e.envelope_sender);
                Event::Queued(e)
            }
            Event::AuthFailure(mut e) => {
                (e.client, e.user, e.reason) = (self.peer(e.client), self.address(e.user), self.text(e.reason));
                Event::AuthFailure(e)
            }
            Event::Tls(mut e) => {
                e.peer = self.peer(e.peer);
                Event::Tls(e)
            }
            Event::Postscreen(mut e) => {
                e.client = self.peer(e.client);
                Event::Postscreen(e)
            }
            Event::LostConnection(mut e) => {
                (e.client, e.peer, e.diagnostic) = (self.peer(e.client), self.peer(e.peer), self.text(e.diagnostic));
                Event::LostConnection(e)
            }
            Event::Problem(mut e) => {
                e.text = self.text(e.text);
                Event::Problem(e)
            }
            Event::Other(mut e) => {
                e.text = self.text(e.text);
                Event::Other(e)
            }
            Event::Verdict(mut e) => {
                (e.client, e.message_id) = (self.peer(e.client), self.message_id(e.message_id));
                (e.envelope_sender, e.envelope_recipient) = (self.address(e.envelope_sender), self.address(e.envelope_recipient));
                Event::Verdict(e)
            }
            Event::Removed(_) | Event::Notification(_) | Event::QueueAction(_) => event,
        }
    }
}
