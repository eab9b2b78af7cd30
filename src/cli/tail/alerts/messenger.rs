//! One channel and the thread that tells it. The reader hands changes over and never waits; the thread waits for what is
//! due, and for a channel that is slow or down.

use super::means;
use crate::config::Channel;
use crate::input::Zone;
use crate::live::alerts::{Change, Letter, Manner, Outbox};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Changes on their way to the thread.
const ROOM: usize = 1024;
/// A channel that takes longer is given up for this time.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// While nothing is due.
const LONG: Duration = Duration::from_secs(3600);

/// Who says it, and in which zone times are written.
pub struct Lines {
    pub host: String,
    pub zone: Zone,
}

pub struct Messenger {
    pub channel: Channel,
    manner: Manner,
    to: SyncSender<Change>,
    thread: JoinHandle<()>,
}

impl Messenger {
    /// With what an earlier run has told, and where to say how it goes.
    pub fn start(channel: Channel, manner: Manner, told: Vec<Change>, lines: Lines, notices: SyncSender<String>) -> Self {
        let (to, from) = sync_channel(ROOM);
        let kept = channel.clone();
        let thread = std::thread::spawn(move || {
            let begun = Instant::now();
            Telling { channel, lines, notices, outbox: Outbox::new(manner, told, Duration::ZERO), begun }.run(&from);
        });
        Self { channel: kept, manner, to, thread }
    }

    /// Whether it would be the same if it were started anew.
    pub fn is(&self, channel: &Channel, manner: Manner) -> bool {
        self.channel == *channel && self.manner == manner
    }

    /// Hands a change over; `false` where so many wait already that it is lost.
    pub fn tell(&self, change: Change) -> bool {
        self.to.try_send(change).is_ok()
    }

    /// Nothing more comes; the thread tells what it knows and ends.
    pub fn leave(self) -> JoinHandle<()> {
        self.thread
    }
}

/// What the thread has.
struct Telling {
    channel: Channel,
    lines: Lines,
    notices: SyncSender<String>,
    outbox: Outbox,
    begun: Instant,
}

impl Telling {
    fn run(mut self, from: &Receiver<Change>) {
        loop {
            let wait = self.outbox.due().map_or(LONG, |due| due.saturating_sub(self.begun.elapsed()));
            if wait.is_zero() {
                self.tell();
                continue;
            }
            match from.recv_timeout(wait) {
                Ok(change) => self.outbox.take(change, self.begun.elapsed()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.outbox.waits() {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let message = self.outbox.message(self.begun.elapsed());
        let letter = Letter { changes: &message, left_out: self.outbox.left_out, host: &self.lines.host, zone: self.lines.zone };
        let told = means::tell(&self.channel.means, &letter);
        let (now, failed_before) = (self.begun.elapsed(), self.outbox.fails());
        let notice = match told {
            Ok(()) => {
                self.outbox.sent(message, now);
                failed_before.then(|| format!("the channel {} works again", self.channel.name))
            }
            Err(error) => {
                let wait = self.outbox.failed(now).as_secs();
                // Said once, and not at every attempt.
                (!failed_before).then(|| format!("the channel {} failed, next attempt in {wait} s: {error:#}", self.channel.name))
            }
        };
        if let Some(notice) = notice {
            // Nobody may be there any more to show it.
            let _ = self.notices.try_send(notice);
        }
    }
}
