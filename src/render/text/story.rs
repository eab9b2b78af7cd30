//! The story of one message for people: every step with its time, in the words of the field.

use super::Look;
use super::canvas::{Canvas, Colour};
use crate::input::Zone;
use crate::numbers::{bytes, duration};
use crate::pipeline::Seen;
use crate::render::printable;
use crate::trace::{NotificationStory, RecipientStory, Story};
use mailscope_parsers::model::{
    Accepted, Action, Auth, ContentVerdict, Delivery, Event, Line, Micros, Peer, QueueDeed, Reject, Removal, Report, Status, Text,
};
use std::io::{self, Write};

/// One line: when, which, from whom to whom, what became of it.
///
/// # Errors
/// Where it can't be written.
pub fn line(to: &mut impl Write, story: &Story<'_>, zone: Zone, look: Look) -> io::Result<()> {
    let mut page = Canvas::new(to, look);
    let time = story.lines.first().map_or(0, |seen| seen.record.time);
    let id = if story.first_queue_id.is_empty() { "-".to_owned() } else { show(story.first_queue_id) };
    page.line(&format!("{}  {id:<12}  {}  {}", at(time, zone), parties(story), outcome(story)))
}

/// The whole story.
///
/// # Errors
/// Where it can't be written.
pub fn write(to: &mut impl Write, story: &Story<'_>, zone: Zone, look: Look) -> io::Result<()> {
    let mut page = Canvas::new(to, look);
    let id = match story.first_queue_id {
        id if !id.is_empty() => show(id),
        _ if story.recipients.is_empty() => "At the door".to_owned(),
        _ => "Without a queue id".to_owned(),
    };
    page.title(&format!("{id}  {}  {}", parties(story), outcome(story)))?;
    if !story.parent_queue_id.is_empty() {
        page.hanging("  ", &format!("a notification about {}", show(story.parent_queue_id)), Colour::Plain)?;
    }
    let chain = story.queue_ids.len() > 1;
    let widest = story.queue_ids.iter().map(|id| id.len()).max().unwrap_or(0);
    let mut taken_up: Vec<Text<'_>> = Vec::new();
    for seen in &story.lines {
        let Line::Event(event) = &seen.line else { continue };
        // The queue manager takes a message up at every retry; once is news.
        if let Event::Queued(queued) = event {
            if taken_up.contains(&queued.queue_id) {
                continue;
            }
            taken_up.push(queued.queue_id);
        }
        let Some((text, colour)) = step(story, seen, event) else { continue };
        let mut head = format!("  {}  ", at(seen.record.time, zone));
        if chain {
            head.push_str(&format!("{:<widest$}  ", show(event.queue_id())));
        }
        page.hanging(&head, &text, colour)?;
        if let Some(reply) = reply(event) {
            page.hanging(&" ".repeat(head.len() + 2), &reply, Colour::Dim)?;
        }
    }
    for child in story.notifications.iter().filter(|child| child.notification.is_none()) {
        let text = format!("notification sent as {}{}", show(child.queue_id), fate(child));
        page.hanging(&format!("  {}  ", at(child.time.time, zone)), &text, Colour::Plain)?;
    }
    if story.open {
        page.hanging("  ", "still in the queue at the end of the log", Colour::Warn)?;
    }
    Ok(())
}

/// Text of the log, harmless.
fn show(text: Text<'_>) -> String {
    printable(&text.lossy()).into_owned()
}

fn at(time: Micros, zone: Zone) -> String {
    zone.local(time).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn parties(story: &Story<'_>) -> String {
    let refused = story.lines.iter().filter_map(|seen| match &seen.line {
        Line::Event(Event::Reject(reject)) if story.recipients.is_empty() => Some(reject.envelope_recipient),
        _ => None,
    });
    let mut names: Vec<Text<'_>> = story.recipients.iter().map(|r| r.envelope_recipient).chain(refused).filter(|n| !n.is_empty()).collect();
    names.dedup();
    // At the door there may be no more than a client.
    let sender = if story.envelope_sender.is_empty() { peer(story.client) } else { show(story.envelope_sender) };
    match names.as_slice() {
        [] => sender,
        [one] => format!("{sender} -> {}", show(*one)),
        [one, more @ ..] => format!("{sender} -> {} and {} more", show(*one), more.len()),
    }
}

/// What became of it as a whole: `delivered`, or `2 delivered, 1 bounced`.
fn outcome(story: &Story<'_>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for RecipientStory { outcome, .. } in &story.recipients {
        match counts.iter_mut().find(|(word, _)| word == outcome) {
            Some((_, count)) => *count += 1,
            None => counts.push((outcome, 1)),
        }
    }
    let mut words: Vec<String> = match counts.as_slice() {
        [] => Vec::new(),
        [(word, _)] => vec![word.replace('_', " ")],
        counts => counts.iter().map(|(word, count)| format!("{count} {}", word.replace('_', " "))).collect(),
    };
    let failed = story.lines.iter().any(|seen| matches!(seen.line, Line::Event(Event::AuthFailure(_))));
    words.extend(failed.then(|| "log-in failed".to_owned()));
    words.extend(story.rejected.then(|| "rejected".to_owned()));
    words.extend((story.open && !counts.iter().any(|(word, _)| *word == "deferred")).then(|| "open".to_owned()));
    words.join(", ")
}

/// What a line says, in a few words; nothing where another one says it.
fn step(story: &Story<'_>, seen: &Seen<'_>, event: &Event<'_>) -> Option<(String, Colour)> {
    let plain = |text: String| Some((text, Colour::Plain));
    match event {
        Event::Accepted(e) => plain(accepted(story, e)),
        Event::MessageId(e) if e.queue_id == story.first_queue_id => plain(format!("message-id {}", show(e.message_id))),
        Event::Queued(e) if e.queue_id == story.first_queue_id => {
            let to = if e.nrcpt == 1 { "1 recipient".to_owned() } else { format!("{} recipients", e.nrcpt) };
            plain(format!("queued, from {}, {}, {to}", show(e.envelope_sender), bytes(e.size_bytes)))
        }
        Event::Delivery(e) => Some(delivery(e, seen.count)),
        Event::Notification(e) => {
            let name = match e.notification {
                Report::Failure => "non-delivery notification",
                Report::Delay => "delay warning",
                Report::Success => "success report",
            };
            let child = story.notifications.iter().find(|child| child.queue_id == e.child_queue_id);
            plain(format!("{name} sent as {}{}", show(e.child_queue_id), child.map_or(String::new(), fate)))
        }
        Event::Reject(e) => Some(reject(e)),
        Event::AuthFailure(e) => {
            let user = if e.user.is_empty() { String::new() } else { format!(" as {}", show(e.user)) };
            let how = if e.mechanism.is_empty() { String::new() } else { format!(" by {}", show(e.mechanism)) };
            Some((format!("{} could not log in{user}{how}: {}", peer(e.client), show(e.reason)), Colour::Bad))
        }
        Event::QueueAction(e) => {
            let deed = match e.action {
                QueueDeed::Hold => "put on hold",
                QueueDeed::Release => "released from hold",
                QueueDeed::Requeue => "sent through the queue again",
                QueueDeed::Expire => "told to expire",
                QueueDeed::Freeze => "frozen",
                QueueDeed::Thaw => "thawed",
            };
            Some((deed.to_owned(), Colour::Warn))
        }
        Event::Removed(e) => {
            let how = match e.how {
                Removal::Done | Removal::Unsaid => "removed from the queue",
                Removal::Canceled => "withdrawn before it was a message",
                Removal::Discarded => "thrown away",
                Removal::Deleted => "deleted by an administrator",
            };
            plain(how.to_owned())
        }
        Event::LostConnection(e) => {
            let with = if e.client.absent() { e.peer } else { e.client };
            let stage = e.stage.map_or(String::new(), |stage| format!(" at {}", stage.name()));
            Some((format!("lost the connection with {}{stage} {}", peer(with), show(e.diagnostic)), Colour::Warn))
        }
        Event::Tls(e) => {
            let bits = e.bits.map_or(String::new(), |bits| format!(", {bits} bits"));
            plain(format!("{} with {}, {} ({}{bits})", show(e.tls_version), peer(e.peer), e.trust.name(), show(e.cipher)))
        }
        Event::Verdict(e) => plain(verdict(e)),
        Event::Problem(e) => Some((format!("{}: {}", e.severity.name(), show(e.text)), Colour::Warn)),
        Event::Other(e) => plain(show(e.text)),
        _ => None,
    }
}

/// `rspamd: spam no_action, score -1.2`.
fn verdict(e: &ContentVerdict<'_>) -> String {
    let mut text = format!("{}: {} {}", e.by, e.check.name(), e.result);
    if let Some(score) = e.score {
        #[allow(clippy::cast_precision_loss)] // scores are small
        text.push_str(&format!(", score {}", score as f64 / 1e3));
    }
    if !e.envelope_recipient.is_empty() {
        text.push_str(&format!(", for {}", show(e.envelope_recipient)));
    }
    text
}

/// What became of a notification, where the log says it.
fn fate(child: &NotificationStory<'_>) -> String {
    let told = child.recipients.iter().map(|r| format!(" {} to {}", r.outcome.replace('_', " "), show(r.envelope_recipient)));
    let told: Vec<String> = told.collect();
    if told.is_empty() { String::new() } else { format!(":{}", told.join(",")) }
}

fn accepted(story: &Story<'_>, e: &Accepted<'_>) -> String {
    let mut text = if e.queue_id == story.first_queue_id { "arrived from ".to_owned() } else { "goes on, from ".to_owned() };
    if e.local {
        text.push_str("a local program");
        if let Some(uid) = e.uid {
            text.push_str(&format!(", user id {uid}"));
        }
    } else {
        text.push_str(&peer(e.client));
    }
    if !e.original_client.absent() {
        text.push_str(&format!(", of {}", peer(e.original_client)));
    }
    if !e.original_queue_id.is_empty() {
        text.push_str(&format!(", was {}", show(e.original_queue_id)));
    }
    text.push_str(&logged_in(e.auth));
    if !e.protocol.is_empty() {
        text.push_str(&format!(", {}", show(e.protocol)));
    }
    if !e.message_id.is_empty() && e.queue_id == story.first_queue_id {
        text.push_str(&format!(", message-id {}", show(e.message_id)));
    }
    if !e.subject.is_empty() {
        text.push_str(&format!(", subject {:?}", show(e.subject)));
    }
    text + &e.size_bytes.map_or(String::new(), |size| format!(", {}", bytes(size)))
}

fn logged_in(auth: Option<Auth<'_>>) -> String {
    match auth {
        Some(auth) if !auth.user.is_empty() => {
            let method = if auth.method.is_empty() { String::new() } else { format!(" by {}", show(auth.method)) };
            format!(", logged in as {}{method}", show(auth.user))
        }
        _ => String::new(),
    }
}

fn peer(peer: Peer<'_>) -> String {
    let port = if peer.port == 0 { String::new() } else { format!(":{}", peer.port) };
    match (peer.name.is_empty(), peer.ip.is_empty()) {
        (true, true) => "an unknown client".to_owned(),
        (false, true) => show(peer.name) + &port,
        (true, false) => format!("[{}]{port}", show(peer.ip)),
        (false, false) => format!("{}[{}]{port}", show(peer.name), show(peer.ip)),
    }
}

fn delivery(e: &Delivery<'_>, count: u32) -> (String, Colour) {
    let colour = match e.status {
        Status::Sent | Status::Forwarded | Status::Deliverable => Colour::Good,
        Status::Deferred | Status::Discarded => Colour::Warn,
        Status::Bounced | Status::Expired | Status::Undeliverable => Colour::Bad,
    };
    let mut text = if e.envelope_recipient.is_empty() { "all that were still waiting".to_owned() } else { show(e.envelope_recipient) };
    if !e.original_recipient.is_empty() && e.original_recipient != e.envelope_recipient {
        text.push_str(&format!(" (for {})", show(e.original_recipient)));
    }
    text.push_str(&format!(": {}{}", e.status.name(), if e.untried { ", not tried" } else { "" }));
    if !e.relay.absent() {
        let word = if e.status == Status::Sent && !e.relay.ip.is_empty() { "to" } else { "by" };
        text.push_str(&format!(" {word} {}", peer(e.relay)));
    }
    if let Some(delay) = e.delay {
        text.push_str(&format!(" after {}", seconds(delay)));
    }
    if let Some(d) = e.delays {
        let stages = [("before the queue", d.before_qmgr), ("in it", d.in_qmgr), ("connecting", d.conn_setup), ("sending", d.transmission)];
        let told: Vec<String> =
            stages.iter().filter(|(_, time)| *time > 0).map(|(name, time)| format!("{} {name}", seconds(*time))).collect();
        if !told.is_empty() {
            text.push_str(&format!(" ({})", told.join(", ")));
        }
    }
    if let Some(class) = e.class.filter(|class| class.name() != e.status.name()) {
        text.push_str(&format!(": {}", class.name()));
    }
    if count > 1 {
        text.push_str(&format!(", {count} times"));
    }
    (text, colour)
}

fn seconds(micros: Micros) -> String {
    duration(micros.max(0) as f64 / 1e6)
}

fn reject(e: &Reject<'_>) -> (String, Colour) {
    let (did, colour) = match e.action {
        Action::Reject => ("rejected".to_owned(), Colour::Bad),
        other => (other.name().replace('_', " "), Colour::Warn),
    };
    let from = if e.client.absent() { String::new() } else { format!(", {}", peer(e.client)) };
    let class = e.class.map_or(String::new(), |class| format!(": {}", class.name()));
    (format!("{did} at {} by {}{from}{}{class}", e.stage.name().replace('_', " "), e.by.name(), logged_in(e.auth)), colour)
}

/// The words of the other side.
fn reply(event: &Event<'_>) -> Option<String> {
    let text = match event {
        Event::Delivery(e) => e.diagnostic,
        Event::Reject(e) => e.diagnostic,
        _ => return None,
    };
    (!text.is_empty()).then(|| show(text))
}
