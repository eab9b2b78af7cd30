//! The connection that a line belongs to: its TLS line names no queue id, but the same process and the same peer.

use crate::pipeline::Seen;
use mailscope_parsers::model::{Direction, Event, Line};

/// Who spoke with whom.
pub struct Session {
    host: Box<[u8]>,
    program: Box<[u8]>,
    pid: u32,
    direction: Direction,
    ip: Box<[u8]>,
    queue_id: Box<[u8]>,
}

impl Session {
    /// The session of an arrival, or of a delivery to another server.
    #[must_use]
    pub fn of(seen: &Seen<'_>) -> Option<Self> {
        let Line::Event(event) = &seen.line else { return None };
        let (direction, ip) = match event {
            Event::Accepted(e) => (Direction::Inbound, e.client.ip.0),
            Event::Delivery(e) => (Direction::Outbound, e.relay.ip.0),
            _ => return None,
        };
        let pid = seen.record.pid.filter(|_| !ip.is_empty())?;
        let (host, program) = (seen.record.host.0.into(), seen.record.program.0.into());
        Some(Self { host, program, pid, direction, ip: ip.into(), queue_id: event.queue_id().0.into() })
    }

    /// What every line of it holds.
    #[must_use]
    pub fn word(&self) -> &[u8] {
        &self.ip
    }

    /// Whether the line is the one that tells of TLS; `Some(false)` where an earlier line can't be.
    #[must_use]
    pub fn is_told_by(&self, seen: &Seen<'_>) -> Option<bool> {
        let Line::Event(event) = &seen.line else { return None };
        let record = &seen.record;
        if record.host.0 != &*self.host || record.pid != Some(self.pid) || record.program.0 != &*self.program {
            return None;
        }
        match event {
            Event::Tls(e) if e.direction == self.direction && e.peer.ip.0 == &*self.ip => Some(true),
            Event::Connect(_) | Event::Disconnect(_) => Some(false),
            // What a client process did for another message before, it did over another connection.
            Event::Delivery(e) if e.queue_id.0 != &*self.queue_id => Some(false),
            _ => None,
        }
    }
}
