//! One channel and the thread that tells it. The reader puts changes down and never waits; the thread waits for what is
//! due, and for a channel that is slow or down. What waits lies where both can see it: the reader writes it to the state
//! file, so that it is told even if the program is killed before it is sent.

use super::means;
use crate::config::Channel;
use crate::input::Zone;
use crate::live::alerts::{Change, Letter, Manner, Outbox};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A channel that takes longer is given up for this time.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// While nothing is due.
const LONG: Duration = Duration::from_secs(3600);

/// Who says it, and in which zone times are written.
pub struct Lines {
    pub host: String,
    pub zone: Zone,
}

/// What a channel is to be told, and whether its thread is to go on.
struct Desk {
    outbox: Outbox,
    end: Option<End>,
}

/// How a thread ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With what is still to be told.
    Telling,
    /// At once: somebody else tells it.
    Silent,
}

/// The desk, and where its thread waits for news.
struct Shared {
    desk: Mutex<Desk>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Messenger {
    pub channel: Channel,
    manner: Manner,
    shared: Arc<Shared>,
    begun: Instant,
    thread: JoinHandle<()>,
}

impl Messenger {
    /// With what was told before and what was not, and where to say how it goes.
    pub fn start(
        channel: Channel,
        manner: Manner,
        told: Vec<Change>,
        untold: Vec<Change>,
        lines: Lines,
        notices: SyncSender<String>,
    ) -> Self {
        let mut outbox = Outbox::new(manner, told, Duration::ZERO);
        untold.into_iter().for_each(|change| outbox.take(change, Duration::ZERO));
        let shared = Arc::new(Shared { desk: Mutex::new(Desk { outbox, end: None }), news: Condvar::new() });
        let (begun, kept, seen) = (Instant::now(), channel.clone(), shared.clone());
        let thread = std::thread::spawn(move || Telling { channel, lines, notices, shared: seen, begun }.run());
        Self { channel: kept, manner, shared, begun, thread }
    }

    /// Whether it would be the same if it were started anew.
    pub fn is(&self, channel: &Channel, manner: Manner) -> bool {
        self.channel == *channel && self.manner == manner
    }

    /// Takes a change.
    pub fn tell(&self, change: Change) {
        self.shared.lock().outbox.take(change, self.begun.elapsed());
        self.shared.news.notify_one();
    }

    /// What the channel was not told yet.
    pub fn untold(&self) -> Vec<Change> {
        self.shared.lock().outbox.untold()
    }

    /// Nothing more comes; the thread tells what it knows and ends.
    pub fn leave(&self) {
        self.end(End::Telling);
    }

    /// The thread ends; what was not told is another's affair.
    pub fn give_up(&self) -> Vec<Change> {
        self.end(End::Silent);
        self.untold()
    }

    fn end(&self, end: End) {
        self.shared.lock().end = Some(end);
        self.shared.news.notify_one();
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// What the thread has.
struct Telling {
    channel: Channel,
    lines: Lines,
    notices: SyncSender<String>,
    shared: Arc<Shared>,
    begun: Instant,
}

impl Telling {
    fn run(self) {
        let mut desk = self.shared.lock();
        while desk.end.is_none() {
            let wait = desk.outbox.due().map_or(LONG, |due| due.saturating_sub(self.begun.elapsed()));
            desk = if wait.is_zero() {
                self.tell(desk)
            } else {
                self.shared.news.wait_timeout(desk, wait).unwrap_or_else(PoisonError::into_inner).0
            };
        }
        if desk.end == Some(End::Telling) && desk.outbox.waits() {
            drop(self.tell(desk));
        }
    }

    /// Sends what is to be said; while that takes its time, others may look at the desk.
    fn tell<'d>(&'d self, mut desk: MutexGuard<'d, Desk>) -> MutexGuard<'d, Desk> {
        let (message, left_out) = (desk.outbox.message(self.begun.elapsed()), desk.outbox.left_out);
        drop(desk);
        let letter = Letter { changes: &message, left_out, host: &self.lines.host, zone: self.lines.zone };
        let told = means::tell(&self.channel.means, &letter);
        let mut desk = self.shared.lock();
        let (now, failed_before) = (self.begun.elapsed(), desk.outbox.fails());
        let notice = match told {
            Ok(()) => {
                desk.outbox.sent(message, now);
                failed_before.then(|| format!("the channel {} works again", self.channel.name))
            }
            Err(error) => {
                let wait = desk.outbox.failed(now).as_secs();
                // Said once, and not at every attempt.
                (!failed_before).then(|| format!("the channel {} failed, next attempt in {wait} s: {error:#}", self.channel.name))
            }
        };
        if let Some(notice) = notice {
            // Nobody may be there any more to show it.
            let _ = self.notices.try_send(notice);
        }
        desk
    }
}
