//! What waits, one row a message and recipient.

use super::Cell;
use crate::queue::MessageRow;

/// The rows of a message; one without a recipient has one all the same.
pub fn waiting(message: &MessageRow) -> impl Iterator<Item = Vec<Cell<'_>>> {
    let nobody = message.recipients.is_empty().then_some(None);
    message.recipients.iter().map(Some).chain(nobody).map(move |recipient| {
        vec![
            Cell::Text(message.queue_id.as_bytes()),
            Cell::Word(message.state),
            text(message.arrival.as_ref()),
            message.age_s.map_or(Cell::Empty, Cell::Integer),
            message.size_bytes.map_or(Cell::Empty, Cell::Integer),
            text(message.envelope_sender.as_ref()),
            text(recipient.map(|recipient| &recipient.envelope_recipient)),
            recipient.and_then(|recipient| recipient.class).map_or(Cell::Empty, Cell::Word),
            text(recipient.and_then(|recipient| recipient.diagnostic.as_ref())),
            text(message.expires.as_ref()),
            text(message.next_attempt.as_ref()),
            text(message.last_attempt.as_ref()),
            message.attempts.map_or(Cell::Empty, |attempts| Cell::Integer(u64::from(attempts))),
        ]
    })
}

fn text(text: Option<&String>) -> Cell<'_> {
    text.map_or(Cell::Empty, |text| Cell::Text(text.as_bytes()))
}
