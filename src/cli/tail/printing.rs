//! Lines of the log that a person wants to see at once, one a line: what fails, who is turned away, who can't log in, what
//! the server complains about.

use crate::cli::args::{TailArgs, TailFormat};
use crate::cli::events::object;
use crate::cli::output::printable;
use crate::input::Zone;
use crate::pipeline::{NO_TIME, Seen};
use crate::render::json;
use anyhow::Result;
use mailscope_parsers::model::{Action, AuthFailure, Delivery, Event, Line, Peer, Problem, Reject, Status, Text};
use std::io::{self, Write};

pub struct Printer {
    to: io::BufWriter<io::Stdout>,
    format: TailFormat,
    all: bool,
    zone: Zone,
    failed: Option<io::Error>,
}

impl Printer {
    pub fn new(args: &TailArgs, zone: Zone) -> Self {
        let to = io::BufWriter::with_capacity(1 << 16, io::stdout());
        Self { to, format: args.format.unwrap_or(TailFormat::Text), all: args.all, zone, failed: None }
    }

    /// Prints what is worth it.
    pub fn print(&mut self, seen: &Seen<'_>) {
        let Line::Event(event) = &seen.line else { return };
        if self.failed.is_some() || !(self.all || is_news(event)) {
            return;
        }
        let written = match self.format {
            TailFormat::Jsonl => json::line(&mut self.to, &object(seen, self.zone)),
            TailFormat::Text => text(&mut self.to, seen, event, self.zone),
        };
        self.failed = written.err();
    }

    /// # Errors
    /// What printing failed with.
    pub fn failed(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// # Errors
    /// Where the output is gone.
    pub fn flush(&mut self) -> Result<()> {
        Ok(self.to.flush()?)
    }
}

/// Deliveries that fail, rejects, failed log-ins, complaints.
pub fn is_news(event: &Event<'_>) -> bool {
    match event {
        Event::Delivery(delivery) => matches!(delivery.status, Status::Deferred | Status::Bounced | Status::Expired),
        Event::Reject(reject) => reject.action == Action::Reject,
        Event::AuthFailure(_) | Event::Problem(_) => true,
        _ => false,
    }
}

/// One line: when, where, what, whom, why.
fn text(to: &mut impl Write, seen: &Seen<'_>, event: &Event<'_>, zone: Zone) -> io::Result<()> {
    if seen.record.time != NO_TIME {
        write!(to, "{} ", zone.local(seen.record.time).format("%Y-%m-%d %H:%M:%S"))?;
    }
    write!(to, "{} {}", shown(seen.record.host), summed_up(event, seen))?;
    if seen.count > 1 {
        write!(to, " ({} times)", seen.count)?;
    }
    writeln!(to)
}

/// The same without time and host.
pub fn summed_up(event: &Event<'_>, seen: &Seen<'_>) -> String {
    match event {
        Event::Delivery(delivery) => of_delivery(delivery),
        Event::Reject(reject) => of_reject(reject),
        Event::AuthFailure(failure) => of_auth_failure(failure),
        Event::Problem(Problem { severity, text, .. }) => format!("{} {}: {}", severity.name(), shown(seen.record.program), shown(*text)),
        _ => format!("{}: {}", shown(seen.record.program), shown(seen.record.text)),
    }
}

fn of_delivery(delivery: &Delivery<'_>) -> String {
    let mut line = format!("{} {}", delivery.status.name(), shown(delivery.queue_id));
    if !delivery.envelope_recipient.is_empty() {
        line += &format!(" to <{}>", shown(delivery.envelope_recipient));
    }
    line += &peer(" via ", &delivery.relay);
    if let Some(class) = delivery.class {
        line += &format!(" [{}]", class.name());
    }
    because(line, delivery.diagnostic)
}

fn of_reject(reject: &Reject<'_>) -> String {
    let mut line = format!("rejected at {}{}", reject.stage.name(), peer(": ", &reject.client));
    if !reject.envelope_sender.is_empty() {
        line += &format!(" from <{}>", shown(reject.envelope_sender).trim_matches(['<', '>']));
    }
    if !reject.envelope_recipient.is_empty() {
        line += &format!(" to <{}>", shown(reject.envelope_recipient));
    }
    if let Some(class) = reject.class {
        line += &format!(" [{}]", class.name());
    }
    because(line, reject.diagnostic)
}

fn of_auth_failure(failure: &AuthFailure<'_>) -> String {
    let mut line = format!("log-in failed{}", peer(": ", &failure.client));
    if !failure.user.is_empty() {
        line += &format!(" as {}", shown(failure.user));
    }
    because(line, failure.reason)
}

fn because(line: String, why: Text<'_>) -> String {
    if why.is_empty() { line } else { format!("{line}: {}", shown(why)) }
}

fn peer(before: &str, peer: &Peer<'_>) -> String {
    match (peer.name.is_empty(), peer.ip.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("{before}{}", shown(peer.name)),
        (true, false) => format!("{before}[{}]", shown(peer.ip)),
        (false, false) => format!("{before}{}[{}]", shown(peer.name), shown(peer.ip)),
    }
}

fn shown(text: Text<'_>) -> String {
    printable(&String::from_utf8_lossy(&text)).to_string()
}
