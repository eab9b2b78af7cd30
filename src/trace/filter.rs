//! Which of the messages that were found are wanted.

use super::key::{is_peer, same_address};
use super::story::Story;
use mailscope_parsers::model::{Event, Line, Peer, Text, domain_of};

/// Words of `--status`: what an attempt or a recipient came to, and what a message is.
pub const STATUSES: [&str; 14] = [
    "sent",
    "delivered",
    "forwarded",
    "handed_off",
    "deferred",
    "bounced",
    "expired",
    "discarded",
    "deleted",
    "requeued",
    "deliverable",
    "undeliverable",
    "rejected",
    "open",
];

/// What must be true of a message; nothing where nothing was asked.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub from: Option<String>,
    pub to: Option<String>,
    pub client: Option<String>,
    pub status: Option<String>,
    pub class: Option<String>,
}

impl Filter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.from, &self.to, &self.client, &self.status, &self.class].into_iter().all(Option::is_none)
    }

    /// Whether the message is all that was asked for.
    #[must_use]
    pub fn wants(&self, story: &Story<'_>) -> bool {
        let asked = |word: &Option<String>, is: &dyn Fn(&str) -> bool| word.as_deref().is_none_or(is);
        asked(&self.from, &|from| is_address(story.envelope_sender, from))
            && asked(&self.to, &|to| recipients(story).any(|address| is_address(address, to)))
            && asked(&self.client, &|client| clients(story).any(|peer| is_peer(peer, client.as_bytes())))
            && asked(&self.status, &|status| has_status(story, status))
            && asked(&self.class, &|class| classes(story).any(|one| one == class))
    }
}

fn events<'a>(story: &'a Story<'_>) -> impl Iterator<Item = &'a Event<'a>> {
    story.lines.iter().filter_map(|seen| match &seen.line {
        Line::Event(event) => Some(event),
        _ => None,
    })
}

fn recipients<'a>(story: &'a Story<'_>) -> impl Iterator<Item = Text<'a>> {
    let known = story.recipients.iter().flat_map(|r| [r.envelope_recipient, r.original_recipient]);
    let refused = events(story).filter_map(|event| match event {
        Event::Reject(e) => Some(e.envelope_recipient),
        _ => None,
    });
    known.chain(refused)
}

fn clients<'a>(story: &'a Story<'_>) -> impl Iterator<Item = Peer<'a>> {
    let others = events(story).filter_map(|event| match event {
        Event::Accepted(e) => Some(e.client),
        _ => None,
    });
    std::iter::once(story.client).chain(others)
}

fn classes<'a>(story: &'a Story<'_>) -> impl Iterator<Item = &'static str> + 'a {
    let attempts = story.recipients.iter().flat_map(|r| &r.attempts).filter_map(|attempt| attempt.class);
    let rejects = events(story).filter_map(|event| match event {
        Event::Reject(e) => e.class,
        _ => None,
    });
    attempts.chain(rejects).map(|class| class.name())
}

fn has_status(story: &Story<'_>, status: &str) -> bool {
    let attempted = |r: &super::RecipientStory<'_>| r.outcome == status || r.attempts.iter().any(|attempt| attempt.status == status);
    match status {
        "open" => story.open,
        "rejected" => story.rejected,
        _ => story.recipients.iter().any(attempted),
    }
}

/// An address, or all addresses of a domain: `example.org` or `@example.org`.
fn is_address(address: Text<'_>, wanted: &str) -> bool {
    let domain = wanted.strip_prefix('@').unwrap_or(wanted);
    same_address(&address, wanted.as_bytes()) || (!domain.contains('@') && domain_of(&address).eq_ignore_ascii_case(domain.as_bytes()))
}
