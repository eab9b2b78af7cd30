//! The life of a queue file: pickup, cleanup, qmgr, bounce, postsuper.

use super::{Daemon, put};
use crate::classify;
use crate::model::{
    Accepted, Cause, Delivery, Event, Line, LostConnection, MessageId, Notification, Other, Peer, QueueAction, QueueDeed, Queued, Removal,
    Removed, Report, Status, Text,
};
use crate::near::rfind;
use crate::scan::{self, Cursor};

/// `Q: from=<a>, size=591, nrcpt=1 (queue active)`, `Q: from=<a>, status=expired, returned to sender`, `Q: removed`.
#[inline(always)]
pub fn manager<'a>(daemon: Daemon, queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    if text == b"removed" {
        let how = if daemon == Daemon::Qmgr { Removal::Done } else { Removal::Unsaid };
        *line = Line::Event(Event::Removed(Removed { queue_id, how }));
        return true;
    }
    let Some(rest) = text.strip_prefix(b"from=<") else { return false };
    // The sender may hold anything, `>` too; what follows it may not.
    let Some(end) = rfind(rest, b'>') else { return false };
    let mut after = Cursor::new(&rest[end + 1..]);
    if !after.eat(b", size=") {
        return put(expired(queue_id, &rest[..end], after.rest), line);
    }
    let Some(size_bytes) = after.number().filter(|_| after.eat(b", nrcpt=")) else { return false };
    let Some(nrcpt) = after.number().and_then(|nrcpt| u32::try_from(nrcpt).ok()) else { return false };
    let named = after.rest.is_empty() || (after.eat(b" (queue ") && after.rest.ends_with(b")"));
    if named {
        *line = Line::Event(Event::Queued(Queued { queue_id, envelope_sender: sender(&rest[..end]), size_bytes, nrcpt }));
    }
    named
}

/// `from=<a>, status=expired, returned to sender`: all that are still open.
fn expired<'a>(queue_id: Text<'a>, from: &'a [u8], after: &[u8]) -> Option<Event<'a>> {
    let expired = matches!(after, b", status=expired, returned to sender" | b", status=force-expired, returned to sender");
    expired.then(|| {
        Event::Delivery(Delivery {
            envelope_sender: sender(from),
            class: Some(classify::EXPIRED),
            ..Delivery::new(queue_id, Status::Expired)
        })
    })
}

/// The null sender is written `<>`.
fn sender(address: &[u8]) -> Text<'_> {
    Text(if address.is_empty() { b"<>" } else { address })
}

/// `Q: message-id=<a@b>`; `removed (canceled)` and `removed (discarded)` since 3.10.
#[inline]
pub fn cleanup<'a>(queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    if let Some(id) = text.strip_prefix(b"message-id=") {
        let inner = id.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">"));
        *line = Line::Event(Event::MessageId(MessageId { queue_id, message_id: Text(inner.unwrap_or(id)) }));
        return true;
    }
    let how = match text {
        b"removed (canceled)" | b"canceled" => Removal::Canceled,
        b"removed (discarded)" => Removal::Discarded,
        _ => return false,
    };
    put(Some(Event::Removed(Removed { queue_id, how })), line)
}

/// `Q: uid=0 from=<root>`, and `orig_id=Q` after `postsuper -r`.
pub fn pickup<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    if !cursor.eat(b"uid=") {
        return None;
    }
    let uid = Some(u32::try_from(cursor.number()?).ok()?);
    if !cursor.eat(b" from=") {
        return None;
    }
    let (before, word) = scan::last_word(cursor.rest);
    let original = word.strip_prefix(b"orig_id=").filter(|id| super::is_queue_id(id));
    let address = if original.is_some() { before } else { cursor.rest };
    let envelope_sender = sender(address.strip_prefix(b"<")?.strip_suffix(b">")?);
    let original_queue_id = Text(original.unwrap_or_default());
    Some(Event::Accepted(Accepted { queue_id, envelope_sender, uid, original_queue_id, local: true, ..Accepted::default() }))
}

/// `Q: sender non-delivery notification: X`; the postmaster's copies too.
pub fn notification<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let words = text.strip_prefix(b"sender ").or_else(|| text.strip_prefix(b"postmaster "))?;
    let (notification, child) = if let Some(child) = words.strip_prefix(b"non-delivery notification: ") {
        (Report::Failure, child)
    } else if let Some(child) = words.strip_prefix(b"delay notification: ") {
        (Report::Delay, child)
    } else {
        (Report::Success, words.strip_prefix(b"delivery status notification: ")?)
    };
    super::is_queue_id(child).then_some(Event::Notification(Notification {
        queue_id,
        child_queue_id: Text(child),
        notification,
        expired: false,
    }))
}

/// postsuper(1): what an administrator did.
pub fn administrator<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    if text == b"removed" {
        return Some(Event::Removed(Removed { queue_id, how: Removal::Deleted }));
    }
    let action = match text {
        b"placed on hold" => QueueDeed::Hold,
        b"released from hold" => QueueDeed::Release,
        b"requeued" => QueueDeed::Requeue,
        b"expired" => QueueDeed::Expire,
        _ => return None,
    };
    Some(Event::QueueAction(QueueAction { queue_id, action }))
}

/// qmqpd(8): `Q: client=name[ip]`, and how a session went wrong: `Q: name[ip]: timeout while receiving sender`.
pub fn qmqp<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    if cursor.eat(b"client=") {
        let client = scan::peer(&mut cursor)?;
        return cursor.rest.is_empty().then(|| Event::Accepted(Accepted { queue_id, client, ..Accepted::default() }));
    }
    let client = scan::peer(&mut cursor)?;
    let cause = if cursor.eat(b": lost connection while ") {
        Cause::Lost
    } else if cursor.eat(b": read/write timeout while ") {
        Cause::Timeout
    } else if cursor.eat(b": netstring format error while ") || cursor.eat(b": netstring length exceeds storage limit while ") {
        return doing(cursor.rest).then_some(Event::Other(Other { queue_id, text: Text(text) }));
    } else {
        return None;
    };
    if !doing(cursor.rest) {
        return None;
    }
    Some(Event::LostConnection(LostConnection {
        queue_id,
        client,
        peer: Peer::default(),
        stage: None,
        cause,
        diagnostic: Text(cursor.rest),
    }))
}

/// Whether these are qmqpd's words for what it was at.
fn doing(words: &[u8]) -> bool {
    words.starts_with(b"receiving ") || words == b"sending completion status" || words == b"initializing client"
}
