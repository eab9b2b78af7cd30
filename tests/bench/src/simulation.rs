//! The mail server: its state, and how a line is said.

use crate::clock::{DAY, HOUR, Micros, SECOND, START, Stamps, Style};
use crate::pids::{Daemon, Pids};
use crate::rng::Rng;
use crate::schedule::Schedule;
use crate::truth::FileId;
use crate::world::World;
use std::fmt;

/// Schedules a line: `say!(simulation, at, fact, "program[{pid}]: ...")`. The arguments may borrow the world.
macro_rules! say {
    ($sim:expr, $at:expr, $fact:expr, $($text:tt)*) => {{
        let mut text = $sim.schedule.blank();
        // A String takes everything.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!($($text)*));
        $sim.schedule.line($at, $fact, text);
    }};
}
pub(crate) use say;

/// A short queue id: the microsecond of the arrival and the inode. The inode is never used again, so the id isn't either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueId {
    micros: u32,
    inode: u32,
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05X}{:06X}", self.micros, self.inode)
    }
}

/// Postfix's way with delays: two digits that count, no more than hundredths, no trailing zeros.
pub struct Seconds(pub Micros);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0 / 10_000;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        match (whole, rest / 10, rest % 10) {
            (10.., ..) | (_, 0, 0) => write!(f, "{whole}"),
            (1.., 0, _) => write!(f, "{whole}"),
            (1.., tenths, _) | (0, tenths, 0) => write!(f, "{whole}.{tenths}"),
            _ => write!(f, "0.{rest:02}"),
        }
    }
}

pub struct Simulation {
    pub rng: Rng,
    pub world: World,
    pub schedule: Schedule,
    pub pids: Pids,
    next_file: FileId,
    next_inode: u32,
    stamp_width: u64,
    bytes_per_day: f64,
    /// What was scheduled when the next session was last timed.
    paced_bytes: u64,
    reload_day: u64,
}

impl Simulation {
    #[must_use]
    pub fn new(seed: u64, bytes_per_day: f64, style: Style) -> Self {
        let mut rng = Rng::new(seed);
        Self {
            world: World::new(&mut rng),
            rng,
            schedule: Schedule::default(),
            pids: Pids::default(),
            next_file: 0,
            next_inode: 0x9C_C9E1,
            stamp_width: Stamps::width(style),
            bytes_per_day,
            paced_bytes: 0,
            reload_day: 0,
        }
    }

    /// A new queue file's number and id.
    pub fn new_file(&mut self, at: Micros) -> (FileId, QueueId) {
        self.next_file += 1;
        self.next_inode += 1;
        (self.next_file, QueueId { micros: (at % SECOND) as u32, inode: self.next_inode })
    }

    /// A time a little after `at`.
    pub fn after(&mut self, at: Micros, least: Micros, most: Micros) -> Micros {
        at + self.rng.range(least, most)
    }

    /// The process id of a daemon that needs `busy` for one thing.
    pub fn pid(&mut self, daemon: Daemon, at: Micros, busy: Micros) -> u32 {
        let worker = self.pids.take(&mut self.rng, daemon, at);
        self.pids.release(worker, at + busy);
        worker.pid
    }

    /// The one queue manager; the nightly reload starts a new one.
    #[must_use]
    pub fn qmgr(&self, at: Micros) -> u32 {
        521 + 40 * (reloads_before(at) as u32)
    }

    #[must_use]
    pub fn pickup_pid(&self, at: Micros) -> u32 {
        self.qmgr(at) - 1
    }

    /// How long until the next session, so that what was scheduled since the last one takes its share of the day. More
    /// mail by day than by night; over whole days the rate is the one asked for.
    pub fn gap(&mut self, at: Micros) -> Micros {
        let total = self.schedule.bytes + self.schedule.lines * self.stamp_width;
        let fresh = (total - self.paced_bytes) as f64;
        self.paced_bytes = total;
        let hour = (at % DAY) as f64 / HOUR as f64;
        let rate = 1.0 + 0.35 * ((hour - 8.0) / 24.0 * std::f64::consts::TAU).sin();
        (fresh / self.bytes_per_day * DAY as f64 / rate * self.rng.exponential()) as Micros
    }

    /// Whether a nightly reload is due by `at`, and when it was. Each is told once.
    pub fn due_reload(&mut self, at: Micros) -> Option<Micros> {
        if reloads_before(at) <= self.reload_day {
            return None;
        }
        self.reload_day += 1;
        Some((self.reload_day - 1) * DAY + RELOAD_AT)
    }
}

/// 04:17, when log rotation reloads the server.
const RELOAD_AT: Micros = 4 * HOUR + 17 * 60 * SECOND;

fn reloads_before(at: Micros) -> u64 {
    (at + DAY - RELOAD_AT) / DAY
}

/// Unix seconds of a time in the log.
#[must_use]
pub fn unix(at: Micros) -> u64 {
    START + at / SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_look_like_those_of_postfix() {
        let show = |hundredths: u64| Seconds(hundredths * 10_000).to_string();
        let cases = [(0, "0"), (3, "0.03"), (10, "0.1"), (44, "0.44"), (100, "1"), (104, "1"), (134, "1.3"), (1_290, "12")];
        for (hundredths, text) in cases {
            assert_eq!(show(hundredths), text);
        }
    }

    #[test]
    fn reloads_are_nightly() {
        assert_eq!(reloads_before(0), 0);
        assert_eq!(reloads_before(RELOAD_AT), 1);
        assert_eq!(reloads_before(DAY + RELOAD_AT - 1), 1);
    }
}
