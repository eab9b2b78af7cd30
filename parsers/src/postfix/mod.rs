//! Postfix 2.6 to 3.11: one file per family of daemons.
//!
//! The daemon is the last segment of the program name (`postfix/submission/smtpd` is smtpd), whatever `syslog_name` says
//! before it. Where a syslog daemon cut the name at the slash (RFC 5424 APP-NAME), the text alone decides. Fields are
//! found by name, never by position. What is not one of the shapes below is unrecognized: there is no catch-all.

mod birth;
mod client;
mod complaint;
mod content;
mod context;
mod delivery;
mod listing;
mod notes;
mod postscreen;
mod queue;
mod reject;
mod smtpd;
mod tls;

pub use birth::birth_second;
pub use listing::{JSON as QUEUE_JSON, TEXT as QUEUE_TEXT};

use crate::Parser;
use crate::model::{Event, Line, Problem, Record, Text, Unrecognized};
use crate::near::rfind;
use crate::scan::{self, contains};
use std::hint::cold_path;

pub const PARSER: Parser =
    Parser { name: "postfix", reads: "Postfix 2.6 to 3.11: all daemons, any syslog_name, short and long queue ids", parse };

/// Which program wrote the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Daemon {
    Smtpd,
    Postscreen,
    Cleanup,
    Qmgr,
    Pickup,
    /// smtp, lmtp
    Client,
    /// local, virtual, pipe, error, discard
    Agent,
    /// bounce, defer, trace
    Bounce,
    Tlsproxy,
    Dnsblog,
    Anvil,
    Scache,
    Verify,
    Master,
    /// postfix-script and its kind
    Script,
    /// postfix(1)
    Command,
    Postsuper,
    Tlsmgr,
    Qmqpd,
    /// Programs whose only lines are complaints and notes.
    Rest,
    /// The program's name is lost: `postfix[455]`.
    Unsaid,
}

impl Daemon {
    /// The daemon by the program's last segment. Most lines come from a few daemons with short names.
    #[inline]
    fn of(program: &[u8]) -> Option<Self> {
        if let Some((b"postfix/", name)) = program.split_first_chunk::<8>() {
            match name {
                b"smtpd" => return Some(Self::Smtpd),
                b"qmgr" => return Some(Self::Qmgr),
                b"smtp" | b"lmtp" => return Some(Self::Client),
                b"cleanup" => return Some(Self::Cleanup),
                _ => {}
            }
        }
        if program.len() < b"/smtp".len() {
            return None;
        }
        let Some(slash) = rfind(program, b'/') else {
            return program.starts_with(b"postfix").then_some(Self::Unsaid);
        };
        let name = &program[slash + 1..];
        match name {
            b"smtpd" => Some(Self::Smtpd),
            b"qmgr" => Some(Self::Qmgr),
            b"smtp" | b"lmtp" => Some(Self::Client),
            b"cleanup" => Some(Self::Cleanup),
            // A policy server that borrows the name.
            b"policy-spf" | b"policyd-spf" => None,
            _ => Self::of_others(name).or_else(|| program.starts_with(b"postfix").then_some(Self::Unsaid)),
        }
    }

    fn of_others(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"nqmgr" | b"oqmgr" => Self::Qmgr,
            b"local" | b"virtual" | b"pipe" | b"error" | b"retry" | b"discard" => Self::Agent,
            b"pickup" => Self::Pickup,
            b"bounce" | b"defer" | b"trace" => Self::Bounce,
            b"postscreen" => Self::Postscreen,
            b"tlsproxy" => Self::Tlsproxy,
            b"dnsblog" => Self::Dnsblog,
            b"anvil" => Self::Anvil,
            b"scache" => Self::Scache,
            b"verify" => Self::Verify,
            b"master" => Self::Master,
            b"postfix-script" | b"postmulti-script" | b"postfix-tls-script" => Self::Script,
            b"postsuper" => Self::Postsuper,
            b"postfix" => Self::Command,
            b"tlsmgr" => Self::Tlsmgr,
            b"qmqpd" => Self::Qmqpd,
            b"proxymap" | b"showq" | b"trivial-rewrite" | b"postdrop" | b"sendmail" | b"postlogd" | b"flush" | b"spawn" | b"postmap"
            | b"postalias" | b"postqueue" | b"postconf" | b"postlog" | b"postcat" | b"postkick" | b"postmulti" | b"nbdb_reindexd" => {
                Self::Rest
            }
            _ => return None,
        })
    }

    /// Whether `self` may have written what `other` writes.
    fn is(self, other: Self) -> bool {
        self == other || self == Self::Unsaid
    }
}

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    let Some(daemon) = Daemon::of(&record.program) else { return false };
    let text = record.text.0;
    match queue_id(text) {
        Some((id, rest)) => {
            if !event_of_message(daemon, record, id, rest, line) {
                cold_path();
                let rare = notes::of_message(daemon, id, rest).or_else(|| complaint::parse(rest).map(|problem| with_id(problem, id)));
                *line = rare.unwrap_or(Line::Unrecognized(Unrecognized::Text));
            }
        }
        None => {
            if !event_of_daemon(daemon, text, line) {
                cold_path();
                let rare = complaint::parse(text).map(Line::Event).or_else(|| notes::of_daemon(daemon, text));
                *line = rare.unwrap_or(Line::Unrecognized(Unrecognized::Text));
            }
        }
    }
    true
}

/// Puts an event where it stays, if there is one.
#[inline]
fn put<'a>(event: Option<Event<'a>>, line: &mut Line<'a>) -> bool {
    match event {
        Some(event) => {
            *line = Line::Event(event);
            true
        }
        None => false,
    }
}

const HEX: u8 = 1;
const BASE52: u8 = 2;

/// The alphabets of queue ids: upper-case hexadecimal, and base 52 without vowels (postconf(5) enable_long_queue_ids).
static ALPHABET: [u8; 256] = {
    let mut table = [0; 256];
    let (hex, base52) = (b"0123456789ABCDEF", b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz");
    let mut at = 0;
    while at < hex.len() {
        table[hex[at] as usize] |= HEX;
        at += 1;
    }
    at = 0;
    while at < base52.len() {
        table[base52[at] as usize] |= BASE52;
        at += 1;
    }
    table
};

/// Splits `1A2B3C4D5E: text`. The alphabets hold no word that Postfix begins a line with.
#[inline]
fn queue_id(text: &[u8]) -> Option<(Text<'_>, &[u8])> {
    if let Some(sixteen) = text.first_chunk()
        && let end = scan::hex_digits(sixteen)
        && (5..16).contains(&end)
        && let [b':', b' ', rest @ ..] = &text[end..]
    {
        return Some((Text(&text[..end]), rest));
    }
    let (mut end, mut kinds) = (0, HEX | BASE52);
    while let Some(kind) = text.get(end).map(|c| ALPHABET[usize::from(*c)]).filter(|kind| *kind != 0) {
        kinds &= kind;
        end += 1;
    }
    let [b':', b' ', rest @ ..] = &text[end..] else { return None };
    is_id(kinds, end).then_some((Text(&text[..end]), rest))
}

/// Whether a word of so many letters, all of these alphabets, could be a queue id.
fn is_id(kinds: u8, length: usize) -> bool {
    (5..=32).contains(&length) && (kinds & HEX != 0 || (kinds != 0 && length >= 10))
}

/// Whether a word could be a queue id of Postfix.
fn is_queue_id(word: &[u8]) -> bool {
    is_id(word.iter().fold(HEX | BASE52, |kinds, c| kinds & ALPHABET[*c as usize]), word.len())
}

/// Lines that begin with a queue id. The first byte tells most kinds apart; the frequent kinds write in place.
#[inline]
fn event_of_message<'a>(daemon: Daemon, record: &Record<'a>, id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let Some(first) = text.first() else { return false };
    match (daemon, first) {
        (Daemon::Client | Daemon::Agent | Daemon::Qmgr | Daemon::Cleanup | Daemon::Bounce, b't') => delivery::parse(record, id, text, line),
        (Daemon::Client, _) => put(client::lost(id, text), line),
        (Daemon::Qmgr, _) => queue::manager(daemon, id, text, line),
        (Daemon::Cleanup, b'm') if text.starts_with(b"message-id=") => queue::cleanup(id, text, line),
        (Daemon::Cleanup, _) => queue::cleanup(id, text, line) || put(reject::parse(daemon, id, text), line),
        (Daemon::Smtpd, b'c') => smtpd::accepted(id, text, line),
        (Daemon::Smtpd, _) => put(reject::parse(daemon, id, text).or_else(|| smtpd::session(id, text)), line),
        (Daemon::Pickup, _) => put(queue::pickup(id, text), line),
        (Daemon::Bounce, _) => put(queue::notification(id, text), line),
        (Daemon::Postsuper, _) => put(queue::administrator(id, text), line),
        (Daemon::Qmqpd, _) => put(queue::qmqp(id, text), line),
        (Daemon::Unsaid, _) => any_event(record, id, text, line),
        _ => false,
    }
}

/// A line whose daemon is not known.
fn any_event<'a>(record: &Record<'a>, id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) -> bool {
    let daemon = Daemon::Unsaid;
    delivery::parse(record, id, text, line)
        || queue::manager(daemon, id, text, line)
        || queue::cleanup(id, text, line)
        || smtpd::accepted(id, text, line)
        || put(reject::parse(daemon, id, text), line)
        || put(smtpd::session(id, text), line)
        || put(queue::pickup(id, text), line)
        || put(queue::notification(id, text), line)
        || put(queue::administrator(id, text), line)
        || put(client::lost(id, text), line)
}

/// `1A2B3C4D5E: warning: text` is a complaint about that message.
fn with_id<'a>(event: Event<'a>, queue_id: Text<'a>) -> Line<'a> {
    Line::Event(match event {
        Event::Problem(problem) => Event::Problem(Problem { queue_id, ..problem }),
        other => other,
    })
}

/// Lines that do not.
#[inline]
fn event_of_daemon<'a>(daemon: Daemon, text: &'a [u8], line: &mut Line<'a>) -> bool {
    match daemon {
        Daemon::Smtpd => smtpd::plain(text, line),
        Daemon::Postscreen => put(postscreen::parse(text), line),
        Daemon::Client => put(client::lost(Text(b""), text).or_else(|| tls::outbound(text)), line),
        Daemon::Tlsproxy => put(tls::inbound(text).or_else(|| tls::outbound(text)), line),
        Daemon::Qmqpd => smtpd::qmqp(text, line),
        Daemon::Unsaid => {
            // Without the address that was connected to, it is tlsproxy that speaks.
            let proxy = text.starts_with(b"CONNECT from ") && !contains(text, b" to [");
            smtpd::plain(text, line)
                || (!proxy && put(postscreen::parse(text), line))
                || put(client::lost(Text(b""), text).or_else(|| tls::outbound(text)), line)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
