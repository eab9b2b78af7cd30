//! The rows of a life: of its attempts, its recipients, and of itself.

use super::Cell;
use crate::aggregate::Window;
use crate::correlate::{Attempt, End, Life, Outcome, Recipient};
use mailscope_parsers::classify::provider_of;
use mailscope_parsers::model::{Micros, domain_of};

/// Who waits so long after the first attempt is told of beside those who bounced.
const LONG: Micros = 4 * 3600 * 1_000_000;

/// The attempts of a life, in the order of its lines, recipient by recipient.
pub fn deliveries<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Vec<Cell<'a>>> {
    let attempts = life.recipients.iter().flat_map(|recipient| life.attempts(recipient).map(move |attempt| (recipient, attempt)));
    attempts.filter(move |(_, attempt)| window.contains(attempt.time)).map(move |(recipient, attempt)| {
        let delay = if attempt.time == recipient.decisive.time { life.delay(recipient) } else { attempt.delay() };
        let mut row = Vec::with_capacity(32);
        row.extend([Cell::Time(attempt.time), text(host), text(life.text(life.queue_id)), first_queue_id(life)]);
        row.extend([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(attempt.status.name())]);
        row.extend(where_to(life, attempt, delay));
        row.push(text(life.text(life.particulars(attempt).queued_as)));
        row.extend(facts(life));
        row.extend(domains(life, recipient, attempt));
        row
    })
}

/// The recipients of a life, in the order of their first lines.
pub fn recipients<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Vec<Cell<'a>>> {
    counted(life, window).map(move |recipient| recipient_row(life, host, recipient))
}

/// Of the recipients those who will not get it, and those who had to wait too long for it at `end`, the end of the window.
pub fn bounces<'a>(life: &'a Life, host: &'a [u8], window: Window, end: Micros) -> impl Iterator<Item = Vec<Cell<'a>>> {
    // What was taken away while somebody waited, and given up, waited no longer than that.
    let end = match (life.end, life.removed) {
        (End::Removed, Some((removed, _))) => removed,
        _ => end,
    };
    let wanted = move |recipient: &&Recipient| match recipient.outcome {
        Outcome::Bounced | Outcome::Expired => true,
        Outcome::Deferred => end - recipient.first_attempt >= LONG,
        _ => false,
    };
    counted(life, window).filter(wanted).map(move |recipient| recipient_row(life, host, recipient))
}

/// The row of a message that was received in the window: of the queue file that it came in.
#[must_use]
pub fn message<'a>(life: &'a Life, host: &'a [u8], window: Window) -> Option<Vec<Cell<'a>>> {
    let arrival = life.arrival.filter(|arrival| life.received() && window.contains(*arrival))?;
    let of = |outcome: Outcome| {
        let count = life.recipients.iter().filter(|recipient| recipient.outcome == outcome).count();
        Cell::Integer(count as u64)
    };
    let mut row = Vec::with_capacity(32);
    row.extend([Cell::Time(arrival), text(host), text(life.text(life.queue_id)), text(life.text(life.message_id)), text(life.sender())]);
    row.extend([life.client_name, life.client_ip, life.auth_user].map(|span| text(life.text(span))));
    row.push(if life.size_bytes == 0 { Cell::Empty } else { Cell::Integer(life.size_bytes) });
    let mail = life.recipients.iter().filter(|recipient| !matches!(recipient.outcome, Outcome::Probe | Outcome::Requeued));
    row.push(Cell::Integer(mail.clone().count() as u64));
    row.extend([of(Outcome::Delivered), of(Outcome::Forwarded), of(Outcome::HandedOff), of(Outcome::Bounced), of(Outcome::Expired)]);
    row.extend([of(Outcome::Discarded), of(Outcome::Deleted), of(Outcome::Deferred)]);
    row.push(Cell::Integer(mail.map(|recipient| u64::from(recipient.attempts)).sum()));
    row.push(life.removed.map_or(Cell::Empty, |(removed, _)| Cell::Time(removed)));
    row.push(text(life.text(life.rare().verdicts)));
    row.push(text(domain_of(life.sender())));
    Some(row)
}

fn counted(life: &Life, window: Window) -> impl Iterator<Item = &Recipient> {
    let is_mail = |recipient: &Recipient| !matches!(recipient.outcome, Outcome::Probe | Outcome::Requeued);
    life.recipients.iter().filter(move |recipient| window.contains(recipient.last_attempt) && is_mail(recipient))
}

fn recipient_row<'a>(life: &'a Life, host: &'a [u8], recipient: &'a Recipient) -> Vec<Cell<'a>> {
    let mut row = Vec::with_capacity(32);
    row.extend([text(host), text(life.text(life.queue_id)), first_queue_id(life)]);
    row.extend([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(recipient.outcome.name())]);
    row.extend([Cell::Integer(u64::from(recipient.attempts)), Cell::Time(recipient.first_attempt), Cell::Time(recipient.last_attempt)]);
    row.extend(where_to(life, &recipient.decisive, delivered_delay(life, recipient)));
    row.extend(facts(life));
    row.extend(domains(life, recipient, &recipient.decisive));
    row
}

fn delivered_delay(life: &Life, recipient: &Recipient) -> Option<Micros> {
    if recipient.outcome == Outcome::Delivered { life.delay(recipient) } else { recipient.decisive.delay() }
}

fn text(bytes: &[u8]) -> Cell<'_> {
    if bytes.is_empty() { Cell::Empty } else { Cell::Text(bytes) }
}

fn first_queue_id(life: &Life) -> Cell<'_> {
    let message = life.message();
    text(message.text(message.queue_id))
}

/// Transport, relay, delays, codes, class and diagnostic.
fn where_to<'a>(life: &'a Life, attempt: &Attempt, delay: Option<Micros>) -> [Cell<'a>; 13] {
    let some = |micros: Option<Micros>| micros.map_or(Cell::Empty, Cell::Seconds);
    let (delays, particulars) = (attempt.delays(), life.particulars(attempt));
    [
        text(life.text(particulars.transport)),
        text(life.text(attempt.relay_name)),
        text(life.text(particulars.relay_ip)),
        if particulars.relay_port == 0 { Cell::Empty } else { Cell::Integer(u64::from(particulars.relay_port)) },
        some(delay),
        some(delays.map(|delays| delays.before_qmgr)),
        some(delays.map(|delays| delays.in_qmgr)),
        some(delays.map(|delays| delays.conn_setup)),
        some(delays.map(|delays| delays.transmission)),
        particulars.dsn.map_or(Cell::Empty, Cell::Dsn),
        particulars.reply_code.map_or(Cell::Empty, |code| Cell::Integer(u64::from(code))),
        attempt.class.map_or(Cell::Empty, |class| Cell::Word(class.name())),
        text(life.text(particulars.diagnostic)),
    ]
}

/// The message's facts: those of the chain's first queue file.
fn facts(life: &Life) -> [Cell<'_>; 7] {
    let message = life.message();
    let size = if message.size_bytes > 0 { message.size_bytes } else { life.size_bytes };
    [
        text(life.sender()),
        text(message.text(message.client_name)),
        text(message.text(message.client_ip)),
        text(message.text(message.auth_user)),
        if size == 0 { Cell::Empty } else { Cell::Integer(size) },
        text(message.text(message.message_id)),
        message.arrival.map_or(Cell::Empty, Cell::Time),
    ]
}

/// What is told by the addresses and the relay's name.
fn domains<'a>(life: &'a Life, recipient: &Recipient, attempt: &Attempt) -> [Cell<'a>; 3] {
    let provider = provider_of(life.text(attempt.relay_name));
    [text(domain_of(life.text(recipient.address))), text(domain_of(life.sender())), provider.map_or(Cell::Empty, Cell::Word)]
}
