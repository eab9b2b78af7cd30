//! What time it is in a log, which its lines tell, each for itself.

use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

/// The time of the log: goes forward only, and far forward only when two lines agree.
#[derive(Clone, Serialize, Deserialize)]
pub struct LogClock {
    now: Micros,
    doubtful: Option<Micros>,
    /// Whether only the first line has told it yet.
    unconfirmed: bool,
}

impl LogClock {
    const LEAP: Micros = 60 * 60 * 1_000_000;

    pub fn new() -> Self {
        Self { now: Micros::MIN, doubtful: None, unconfirmed: false }
    }

    pub fn now(&self) -> Micros {
        self.now
    }

    /// Takes a line's time; whether it goes forward.
    pub fn advance(&mut self, time: Micros) -> bool {
        let is_first = self.now == Micros::MIN;
        let unconfirmed = std::mem::replace(&mut self.unconfirmed, is_first);
        if time <= self.now {
            self.doubtful = None;
            if unconfirmed && time != Micros::MIN && time < self.now - Self::LEAP {
                // The first line's time was wrong, or this one's is: the log will tell.
                self.now = time;
            }
            return false;
        }
        let far = !is_first && time > self.now.saturating_add(Self::LEAP);
        let agreed = self.doubtful.is_some_and(|doubtful| (time - doubtful).abs() <= Self::LEAP);
        self.doubtful = far.then_some(time);
        if far && !agreed {
            return false;
        }
        self.now = time;
        true
    }

    /// From when on a time runs that begins with a line: from the log's own time, where the line's is behind it. Programs of one
    /// server may write in different zones: what is locked up in a directory without the zone's file (chroot) writes in UTC.
    pub fn since(&self, line: Micros) -> Micros {
        line.max(self.now)
    }
}
