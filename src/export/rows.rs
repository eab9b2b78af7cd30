//! The columns of the tables, and the rows of a life.

use super::Cell;
use crate::aggregate::Window;
use crate::correlate::{Attempt, Life, Outcome, Recipient};
use mailscope_parsers::model::Micros;

/// One row an attempt.
pub const COLUMNS_DELIVERIES: &[&str] = &[
    "time",
    "host",
    "queue_id",
    "first_queue_id",
    "envelope_recipient",
    "original_recipient",
    "status",
    "transport",
    "relay_name",
    "relay_ip",
    "relay_port",
    "delay_s",
    "delays_before_qmgr_s",
    "delays_in_qmgr_s",
    "delays_conn_setup_s",
    "delays_transmission_s",
    "dsn",
    "reply_code",
    "class",
    "diagnostic",
    "queued_as",
    "envelope_sender",
    "client_name",
    "client_ip",
    "auth_user",
    "size_bytes",
    "message_id",
    "arrival",
];

/// One row a (queue file, recipient).
pub const COLUMNS_RECIPIENTS: &[&str] = &[
    "host",
    "queue_id",
    "first_queue_id",
    "envelope_recipient",
    "original_recipient",
    "outcome",
    "attempts",
    "first_attempt",
    "last_attempt",
    "transport",
    "relay_name",
    "relay_ip",
    "relay_port",
    "delay_s",
    "delays_before_qmgr_s",
    "delays_in_qmgr_s",
    "delays_conn_setup_s",
    "delays_transmission_s",
    "dsn",
    "reply_code",
    "class",
    "diagnostic",
    "envelope_sender",
    "client_name",
    "client_ip",
    "auth_user",
    "size_bytes",
    "message_id",
    "arrival",
];

/// The attempts of a life, in the order of its lines, recipient by recipient.
pub fn deliveries<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Vec<Cell<'a>>> {
    let attempts = life.recipients.iter().flat_map(|recipient| recipient.all.iter().map(move |attempt| (recipient, attempt)));
    attempts.filter(move |(_, attempt)| window.contains(attempt.time)).map(move |(recipient, attempt)| {
        let delay = if attempt.time == recipient.decisive.time { life.delay(recipient) } else { attempt.delay };
        let mut row = vec![Cell::Time(attempt.time), text(host), text(life.text(life.queue_id)), first_queue_id(life)];
        row.extend([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(attempt.status.name())]);
        row.extend(where_to(life, attempt, delay));
        row.push(text(life.text(attempt.queued_as)));
        row.extend(message(life));
        row
    })
}

/// The recipients of a life, in the order of their first lines.
pub fn recipients<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Vec<Cell<'a>>> {
    let counted =
        life.recipients.iter().filter(move |r| window.contains(r.last_attempt) && !matches!(r.outcome, Outcome::Probe | Outcome::Requeued));
    counted.map(move |recipient| {
        let mut row = vec![text(host), text(life.text(life.queue_id)), first_queue_id(life)];
        row.extend([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(recipient.outcome.name())]);
        row.extend([Cell::Integer(u64::from(recipient.attempts)), Cell::Time(recipient.first_attempt), Cell::Time(recipient.last_attempt)]);
        row.extend(where_to(life, &recipient.decisive, delivered_delay(life, recipient)));
        row.extend(message(life));
        row
    })
}

fn delivered_delay(life: &Life, recipient: &Recipient) -> Option<Micros> {
    if recipient.outcome == Outcome::Delivered { life.delay(recipient) } else { recipient.decisive.delay }
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
    let delays = attempt.delays;
    [
        text(life.text(attempt.transport)),
        text(life.text(attempt.relay_name)),
        text(life.text(attempt.relay_ip)),
        if attempt.relay_port == 0 { Cell::Empty } else { Cell::Integer(u64::from(attempt.relay_port)) },
        some(delay),
        some(delays.map(|delays| delays.before_qmgr)),
        some(delays.map(|delays| delays.in_qmgr)),
        some(delays.map(|delays| delays.conn_setup)),
        some(delays.map(|delays| delays.transmission)),
        attempt.dsn.map_or(Cell::Empty, |dsn| Cell::Owned(dsn.to_string())),
        attempt.reply_code.map_or(Cell::Empty, |code| Cell::Integer(u64::from(code))),
        attempt.class.map_or(Cell::Empty, |class| Cell::Word(class.name())),
        text(life.text(attempt.diagnostic)),
    ]
}

/// The message's facts: those of the chain's first queue file.
fn message(life: &Life) -> [Cell<'_>; 7] {
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
