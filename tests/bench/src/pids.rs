//! Processes of the daemons: no process does two things at once, and each ends after a hundred uses, as in Postfix.

use crate::clock::Micros;
use crate::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    Smtpd,
    Submission,
    Smtps,
    Cleanup,
    Smtp,
    Filter,
    Local,
    Lmtp,
    Virtual,
    Pipe,
    Relay,
    Bounce,
    Error,
}

const DAEMONS: usize = 13;
const MAX_USE: u8 = 100;

#[derive(Clone, Copy)]
struct Process {
    pid: u32,
    free_at: Micros,
    uses: u8,
}

/// A process that is at work until it is released.
#[derive(Clone, Copy)]
pub struct Worker {
    pub pid: u32,
    daemon: Daemon,
    slot: usize,
}

pub struct Pids {
    pools: [Vec<Process>; DAEMONS],
    last: u32,
}

impl Daemon {
    /// The kind of process behind one of smtpd's names.
    #[must_use]
    pub fn of_smtpd(program: &str) -> Self {
        match program {
            "postfix/smtps/smtpd" => Self::Smtps,
            "postfix/submission/smtpd" => Self::Submission,
            _ => Self::Smtpd,
        }
    }
}

impl Default for Pids {
    fn default() -> Self {
        Self { pools: Default::default(), last: 600 }
    }
}

impl Pids {
    /// A process that is free at `at`.
    pub fn take(&mut self, rng: &mut Rng, daemon: Daemon, at: Micros) -> Worker {
        let pool = &mut self.pools[daemon as usize];
        let slot = pool.iter().position(|p| p.free_at <= at).unwrap_or_else(|| {
            pool.push(Process { pid: 0, free_at: 0, uses: MAX_USE });
            pool.len() - 1
        });
        let process = &mut pool[slot];
        if process.uses >= MAX_USE {
            self.last = if self.last > 4_000_000 { 600 } else { self.last + rng.range(1, 9) as u32 };
            process.pid = self.last;
            process.uses = 0;
        }
        process.uses += 1;
        process.free_at = Micros::MAX;
        Worker { pid: process.pid, daemon, slot }
    }

    pub fn release(&mut self, worker: Worker, at: Micros) {
        self.pools[worker.daemon as usize][worker.slot].free_at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_works_twice_at_once() {
        let (mut pids, mut rng) = (Pids::default(), Rng::new(1));
        let first = pids.take(&mut rng, Daemon::Smtpd, 10);
        let second = pids.take(&mut rng, Daemon::Smtpd, 10);
        assert_ne!(first.pid, second.pid);
        pids.release(first, 20);
        assert_ne!(pids.take(&mut rng, Daemon::Smtpd, 19).pid, first.pid);
        assert_eq!(pids.take(&mut rng, Daemon::Smtpd, 20).pid, first.pid);
    }
}
