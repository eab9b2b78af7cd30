//! Standard input, which has no size and no second look: a thread waits for it.

use super::Waker;
use crate::input::Zone;
use crate::input::chunks::{Before, Chunk, MAX_LINE};
use memchr::memrchr;
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// Blocks that wait to be read.
const WAITING: usize = 8;

pub struct Stream {
    blocks: Receiver<Vec<u8>>,
    carry: Vec<u8>,
    before: Before,
    near: i64,
    is_over: bool,
}

impl Stream {
    pub fn standard_input(waker: Waker) -> Self {
        let (sender, blocks) = sync_channel(WAITING);
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut block = vec![0; 1 << 16];
            while let Ok(read @ 1..) = input.read(&mut block) {
                if sender.send(block[..read].to_vec()).is_err() {
                    return;
                }
                waker();
            }
            drop(sender);
            waker();
        });
        Self { blocks, carry: Vec::new(), before: Before::default(), near: chrono::Utc::now().timestamp(), is_over: false }
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The whole lines that have come.
    pub fn next_chunk(&mut self, zone: Zone) -> Option<Chunk> {
        loop {
            match self.blocks.try_recv() {
                Ok(block) => self.carry.extend_from_slice(&block),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => {
                    self.is_over = true;
                    return None;
                }
            }
            let end =
                memrchr(b'\n', &self.carry).map(|at| at + 1).or_else(|| (self.carry.len() > 4 * MAX_LINE).then_some(self.carry.len()));
            if let Some(end) = end {
                let rest = self.carry.split_off(end);
                let lines = std::mem::replace(&mut self.carry, rest);
                return Some(self.chunk(lines, zone));
            }
        }
    }

    /// A last line without an end, when no more can come.
    pub fn last_chunk(&mut self, zone: Zone) -> Option<Chunk> {
        let lines = std::mem::take(&mut self.carry);
        (self.is_over && !lines.is_empty()).then(|| self.chunk(lines, zone))
    }

    fn chunk(&mut self, lines: Vec<u8>, zone: Zone) -> Chunk {
        Chunk::of(lines, &mut self.near, &mut self.before, zone, Path::new("-"))
    }
}
