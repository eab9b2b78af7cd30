//! The rows of a life: of its attempts, its recipients, and of itself.

use super::Cell;
use crate::aggregate::Window;
use crate::correlate::{Attempt, End, Life, Outcome, Recipient, Span};
use mailscope_parsers::classify::provider_of;
use mailscope_parsers::model::{Micros, domain_of};
use std::ops::Deref;

/// Who waits so long after the first attempt is told of beside those who bounced.
const LONG: Micros = 4 * 3600 * 1_000_000;

/// One row, in the making or made.
pub struct Row<'a> {
    cells: [Cell<'a>; MOST],
    filled: usize,
}

/// No table has more columns.
const MOST: usize = 32;

impl<'a> Row<'a> {
    fn of<const N: usize>(cells: [Cell<'a>; N]) -> Self {
        let mut row = Self { cells: [Cell::Empty; MOST], filled: 0 };
        row.add(cells);
        row
    }

    /// Puts cells behind the others.
    #[inline(always)]
    fn add<const N: usize>(&mut self, cells: [Cell<'a>; N]) {
        self.cells[self.filled..self.filled + N].copy_from_slice(&cells);
        self.filled += N;
    }
}

impl<'a> Deref for Row<'a> {
    type Target = [Cell<'a>];

    fn deref(&self) -> &[Cell<'a>] {
        &self.cells[..self.filled]
    }
}

/// The attempts of a life, in the order of its lines, recipient by recipient.
pub fn deliveries<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Row<'a>> {
    let attempts = life.recipients.iter().flat_map(|recipient| life.attempts(recipient).map(move |attempt| (recipient, attempt)));
    let mut whole = Whole::of(life, host);
    attempts.filter(move |(_, attempt)| window.contains(attempt.time)).map(move |(recipient, attempt)| {
        let delay = if attempt.time == recipient.decisive.time { life.delay(recipient) } else { attempt.delay() };
        let mut row = Row::of([Cell::Time(attempt.time)]);
        row.add(whole.ids);
        row.add([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(attempt.status.name())]);
        row.add(where_to(life, attempt, delay));
        row.add([text(life.text(life.particulars(attempt).queued_as))]);
        row.add(whole.facts);
        row.add(whole.domains(life, recipient, attempt));
        row
    })
}

/// The recipients of a life, in the order of their first lines.
pub fn recipients<'a>(life: &'a Life, host: &'a [u8], window: Window) -> impl Iterator<Item = Row<'a>> {
    let mut whole = Whole::of(life, host);
    counted(life, window).map(move |recipient| recipient_row(life, &mut whole, recipient))
}

/// Of the recipients those who will not get it, and those who had to wait too long for it at `end`, the end of the window.
pub fn bounces<'a>(life: &'a Life, host: &'a [u8], window: Window, end: Micros) -> impl Iterator<Item = Row<'a>> {
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
    let mut whole = Whole::of(life, host);
    counted(life, window).filter(wanted).map(move |recipient| recipient_row(life, &mut whole, recipient))
}

/// The row of a message that was received in the window: of the queue file that it came in.
#[must_use]
pub fn message<'a>(life: &'a Life, host: &'a [u8], window: Window) -> Option<Row<'a>> {
    let arrival = life.arrival.filter(|arrival| life.received() && window.contains(*arrival))?;
    let of = |outcome: Outcome| {
        let count = life.recipients.iter().filter(|recipient| recipient.outcome == outcome).count();
        Cell::Integer(count as u64)
    };
    let mail = life.recipients.iter().filter(|recipient| !matches!(recipient.outcome, Outcome::Probe | Outcome::Requeued));
    let ids = [life.queue_id, life.message_id].map(|span| text(life.text(span)));
    let mut row = Row::of([Cell::Time(arrival), text(host), ids[0], ids[1], text(life.sender())]);
    row.add([life.client_name, life.client_ip, life.auth_user].map(|span| text(life.text(span))));
    row.add([if life.size_bytes == 0 { Cell::Empty } else { Cell::Integer(life.size_bytes) }, Cell::Integer(mail.clone().count() as u64)]);
    row.add([of(Outcome::Delivered), of(Outcome::Forwarded), of(Outcome::HandedOff), of(Outcome::Bounced), of(Outcome::Expired)]);
    row.add([of(Outcome::Discarded), of(Outcome::Deleted), of(Outcome::Deferred)]);
    row.add([Cell::Integer(mail.map(|recipient| u64::from(recipient.attempts)).sum())]);
    row.add([life.removed.map_or(Cell::Empty, |(removed, _)| Cell::Time(removed)), text(life.text(life.rare().verdicts))]);
    row.add([text(domain_of(life.sender()))]);
    Some(row)
}

fn counted(life: &Life, window: Window) -> impl Iterator<Item = &Recipient> {
    let is_mail = |recipient: &Recipient| !matches!(recipient.outcome, Outcome::Probe | Outcome::Requeued);
    life.recipients.iter().filter(move |recipient| window.contains(recipient.last_attempt) && is_mail(recipient))
}

fn recipient_row<'a>(life: &'a Life, whole: &mut Whole<'a>, recipient: &'a Recipient) -> Row<'a> {
    let mut row = Row::of(whole.ids);
    row.add([text(life.text(recipient.address)), text(life.text(recipient.original)), Cell::Word(recipient.outcome.name())]);
    row.add([Cell::Integer(u64::from(recipient.attempts)), Cell::Time(recipient.first_attempt), Cell::Time(recipient.last_attempt)]);
    row.add(where_to(life, &recipient.decisive, delivered_delay(life, recipient)));
    row.add(whole.facts);
    row.add(whole.domains(life, recipient, &recipient.decisive));
    row
}

fn delivered_delay(life: &Life, recipient: &Recipient) -> Option<Micros> {
    if recipient.outcome == Outcome::Delivered { life.delay(recipient) } else { recipient.decisive.delay() }
}

fn text(bytes: &[u8]) -> Cell<'_> {
    if bytes.is_empty() { Cell::Empty } else { Cell::Text(bytes) }
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

/// What all rows of a life have in common.
struct Whole<'a> {
    /// Host, queue id, and that of the chain's first queue file.
    ids: [Cell<'a>; 3],
    facts: [Cell<'a>; 7],
    sender_domain: Cell<'a>,
    /// A relay, and whose it is: most attempts of a message have the same.
    provider: (Span, Cell<'a>),
}

impl<'a> Whole<'a> {
    fn of(life: &'a Life, host: &'a [u8]) -> Self {
        let message = life.message();
        let ids = [text(host), text(life.text(life.queue_id)), text(message.text(message.queue_id))];
        let (sender_domain, nowhere) = (text(domain_of(life.sender())), (Span::default(), Cell::Empty));
        Self { ids, facts: facts(life), sender_domain, provider: nowhere }
    }

    /// What is told by the addresses and the relay's name.
    fn domains(&mut self, life: &'a Life, recipient: &Recipient, attempt: &Attempt) -> [Cell<'a>; 3] {
        if self.provider.0 != attempt.relay_name {
            let provider = provider_of(life.text(attempt.relay_name));
            self.provider = (attempt.relay_name, provider.map_or(Cell::Empty, Cell::Word));
        }
        [text(domain_of(life.text(recipient.address))), self.sender_domain, self.provider.1]
    }
}
