//! What waits, one row a message and recipient.

use super::Cell;
use crate::queue::Known;
use mailscope_parsers::model::{Micros, domain_of};

/// The rows of a message; one without a recipient has one all the same.
pub fn waiting<'k>(known: &'k Known<'_, '_>) -> impl Iterator<Item = Vec<Cell<'k>>> {
    let nobody = known.entry.recipients.is_empty().then_some(None);
    known.entry.recipients.iter().map(Some).chain(nobody).map(move |recipient| {
        let (entry, times, tried) = (&*known.entry, known.times, known.tried);
        let diagnostic = recipient.map_or(&b""[..], |recipient| &recipient.diagnostic);
        let address = recipient.map_or(&b""[..], |recipient| &recipient.envelope_recipient);
        let of_log = |field: fn(&crate::queue::Tried) -> &[u8]| tried.map_or(Cell::Empty, |tried| text(field(tried)));
        let last_attempt = tried.and_then(|tried| tried.last);
        vec![
            text(&entry.queue_id),
            Cell::Word(entry.state.name()),
            time(times.arrival),
            times.age_s.map_or(Cell::Empty, |age| Cell::Seconds(i64::try_from(age).unwrap_or(i64::MAX).saturating_mul(1_000_000))),
            entry.size_bytes.map_or(Cell::Empty, Cell::Integer),
            entry.envelope_sender.as_deref().map_or(Cell::Empty, |sender| Cell::Text(if sender.is_empty() { b"<>" } else { sender })),
            text(address),
            Known::class(diagnostic).map_or(Cell::Empty, |class| Cell::Word(class.name())),
            text(diagnostic),
            time(times.expires),
            time(times.next_attempt),
            time(last_attempt),
            tried.filter(|_| last_attempt.is_some()).map_or(Cell::Empty, |tried| Cell::Integer(u64::from(tried.attempts))),
            of_log(|tried| &tried.client_name),
            of_log(|tried| &tried.client_ip),
            of_log(|tried| &tried.auth_user),
            text(domain_of(address)),
            text(entry.envelope_sender.as_deref().map_or(&b""[..], domain_of)),
            match recipient.map_or("(none)", |recipient| known.provider(recipient)) {
                "(none)" => Cell::Empty,
                provider => Cell::Word(provider),
            },
        ]
    })
}

fn text(bytes: &[u8]) -> Cell<'_> {
    if bytes.is_empty() { Cell::Empty } else { Cell::Text(bytes) }
}

fn time(time: Option<Micros>) -> Cell<'static> {
    time.map_or(Cell::Empty, Cell::Time)
}
