//! What is still to happen, in the order of time.
//!
//! Every message puts its later lines here, already written, each with what it means for the totals. Lines that lie
//! hours ahead (the retries) wait as the queue file itself and are written when their time comes, so that memory holds
//! what is open and no more.

use crate::clock::Micros;
use crate::message::QueueFile;
use crate::truth::Fact;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that happens at a time.
pub enum Job {
    /// A line, from the program's name to the newline.
    Line(String, Fact),
    /// The queue manager tries a deferred queue file again.
    Retry(Box<QueueFile>),
}

/// A heap of small entries over a slab of jobs; texts are used again, so that a line costs no allocation.
#[derive(Default)]
pub struct Schedule {
    heap: BinaryHeap<Reverse<(Micros, u64, u32)>>,
    jobs: Vec<Option<Job>>,
    free: Vec<u32>,
    spare: Vec<String>,
    /// Breaks ties: what was scheduled first is written first.
    sequence: u64,
    /// Bytes of all lines ever scheduled, without their stamps, and their number. The pace of new work follows them.
    pub bytes: u64,
    pub lines: u64,
}

impl Schedule {
    /// An empty text to write a line into.
    pub fn blank(&mut self) -> String {
        self.spare.pop().unwrap_or_else(|| String::with_capacity(256))
    }

    /// Gives a text back.
    pub fn recycle(&mut self, mut text: String) {
        text.clear();
        self.spare.push(text);
    }

    /// Schedules a line; its newline is added here.
    pub fn line(&mut self, at: Micros, fact: Fact, mut text: String) {
        text.push('\n');
        self.bytes += text.len() as u64;
        self.lines += 1;
        self.push(at, Job::Line(text, fact));
    }

    pub fn push(&mut self, at: Micros, job: Job) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.jobs.push(None);
            (self.jobs.len() - 1) as u32
        });
        self.jobs[slot as usize] = Some(job);
        self.heap.push(Reverse((at, self.sequence, slot)));
        self.sequence += 1;
    }

    /// When the next job is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn pop(&mut self) -> Option<(Micros, Job)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        self.free.push(slot);
        self.jobs[slot as usize].take().map(|job| (at, job))
    }
}
