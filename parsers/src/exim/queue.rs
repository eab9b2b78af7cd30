//! What becomes of a message in the queue beside its deliveries: completed, frozen, thawed, removed, given up.

use crate::model::{Delivery, Event, Line, QueueAction, QueueDeed, Removal, Removed, Status, Text};
use crate::scan::Cursor;

/// `Completed`, with the whole time in the queue where `queue_time_overall` is on.
#[inline]
pub fn completed<'a>(queue_id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let known = text == b"Completed" || text.starts_with(b"Completed QT=");
    if known {
        *line = Line::Event(Event::Removed(Removed { queue_id, how: Removal::Done }));
    }
    known
}

/// The other deeds, by Exim itself, a filter, an ACL or an administrator.
pub fn deed<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    let action = |action| Some(Event::QueueAction(QueueAction { queue_id, action }));
    if cursor.eat(b"Frozen") || cursor.eat(b"frozen") {
        let known =
            cursor.rest.is_empty() || cursor.rest.starts_with(b" by ") || cursor.rest.starts_with(b" (") || cursor.rest.starts_with(b": ");
        return if known { action(QueueDeed::Freeze) } else { None };
    }
    if cursor.eat(b"Unfrozen by ") || cursor.eat(b"unfrozen by ") {
        return action(QueueDeed::Thaw);
    }
    if cursor.eat(b"removed by ") {
        return Some(Event::Removed(Removed { queue_id, how: Removal::Deleted }));
    }
    if cursor.eat(b"cancelled by ") {
        if !(cursor.rest.starts_with(b"system filter") || cursor.rest.starts_with(b"timeout_frozen_after")) {
            return Some(Event::Removed(Removed { queue_id, how: Removal::Deleted }));
        }
        // All that are still open fail, and the sender is told; no line names them.
        return Some(Event::Delivery(Delivery { diagnostic: Text(text), ..Delivery::new(queue_id, Status::Bounced) }));
    }
    if cursor.eat(b"address <") {
        let end = memchr::memmem::rfind(cursor.rest, b"> marked delivered by ")?;
        let envelope_recipient = Text(&cursor.rest[..end]);
        // Nobody got it, and nobody will.
        return Some(Event::Delivery(Delivery {
            envelope_recipient,
            diagnostic: Text(text),
            untried: true,
            ..Delivery::new(queue_id, Status::Discarded)
        }));
    }
    None
}
