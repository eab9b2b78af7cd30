//! What has no size and no second look, standard input and the journal: a thread waits for each.

use super::{From, Waker};
use crate::input::Zone;
use crate::input::chunks::{Before, Chunk, MAX_LINE};
use crate::input::frames::Lines;
use crate::input::journal::{Journal, Stopper, Whence, last_entry};
use mailscope_parsers::envelope::Form;
use memchr::memrchr;
use serde::{Deserialize, Serialize};
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Blocks that wait to be read.
const WAITING: usize = 8;
const BLOCK: usize = 1 << 16;
/// A journalctl that ended is started again after this time; after twice as long each time that it ends at once.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What a thread sends.
enum Block {
    /// Bytes of lines, and where the journal goes on behind them.
    Lines(Vec<u8>, Vec<u8>),
    Said(String),
}

pub struct Stream {
    name: &'static Path,
    blocks: Receiver<Block>,
    carry: Vec<u8>,
    before: Before,
    near: i64,
    is_over: bool,
    /// Behind which entry of the journal the next line comes.
    cursor: Vec<u8>,
    stopper: Option<Arc<Mutex<Stopper>>>,
    pub notices: Vec<String>,
}

/// How far the journal was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalPosition {
    /// The address of the last entry; empty where there was none.
    cursor: Vec<u8>,
    before: Before,
    near: i64,
}

impl Stream {
    fn new(name: &'static str, blocks: Receiver<Block>) -> Self {
        Self {
            name: Path::new(name),
            blocks,
            carry: Vec::new(),
            before: Before::default(),
            near: chrono::Utc::now().timestamp(),
            is_over: false,
            cursor: Vec::new(),
            stopper: None,
            notices: Vec::new(),
        }
    }

    pub fn standard_input(waker: Waker) -> Self {
        let (sender, blocks) = sync_channel(WAITING);
        std::thread::spawn(move || {
            // What can't be read on is over.
            let _ = pass_on(io::stdin().lock(), &sender, &waker);
            drop(sender);
            waker();
        });
        Self::new("-", blocks)
    }

    /// This host's journal, from where an earlier run left it.
    ///
    /// # Errors
    /// Where there is none, or it can't be read.
    pub fn journal(from: From, position: Option<JournalPosition>, waker: Waker) -> io::Result<Self> {
        let (last, said) = last_entry()?;
        let is_empty = last.is_none();
        let behind = |cursor: Vec<u8>| if cursor.is_empty() { Whence::Start } else { Whence::After(cursor) };
        let whence = match (&position, from) {
            (Some(position), _) => behind(position.cursor.clone()),
            (None, From::Start) => Whence::Start,
            (None, From::Time(time)) => Whence::Since(time),
            (None, From::End) => behind(last.unwrap_or_default()),
        };
        let journal = Journal::follow(&whence)?;
        let (sender, blocks) = sync_channel(WAITING);
        let mut stream = Self::new("the journal", blocks);
        if let Whence::After(cursor) = &whence {
            stream.cursor.clone_from(cursor);
        }
        if let Some(JournalPosition { before, near, .. }) = position {
            (stream.before, stream.near) = (before, near);
        }
        stream.notices.extend((!said.is_empty()).then(|| format!("journalctl: {said}")));
        stream.notices.extend(is_empty.then(|| "the journal holds nothing of the facility mail yet".to_owned()));
        let stopper = Arc::new(Mutex::new(journal.stopper()));
        stream.stopper = Some(stopper.clone());
        std::thread::spawn(move || pass_on_journal(journal, whence, &stopper, &sender, &waker));
        Ok(stream)
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// How far the journal was read; `None` of standard input.
    pub fn position(&self) -> Option<JournalPosition> {
        self.stopper.as_ref().map(|_| JournalPosition { cursor: self.cursor.clone(), before: self.before.clone(), near: self.near })
    }

    /// The whole lines that have come.
    pub fn next_chunk(&mut self, zone: Zone) -> Option<Chunk> {
        loop {
            match self.blocks.try_recv() {
                Ok(Block::Lines(block, cursor)) => {
                    self.carry.extend_from_slice(&block);
                    self.cursor = cursor;
                }
                Ok(Block::Said(said)) => self.notices.push(said),
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
        Chunk::of(lines, &mut self.near, &mut self.before, zone, self.name)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(stopper) = &self.stopper {
            stopper.lock().unwrap_or_else(PoisonError::into_inner).stop();
        }
    }
}

/// Sends what comes, as lines, whatever form the first ones have; until nobody wants more.
fn pass_on(mut input: impl Read, sender: &SyncSender<Block>, waker: &Waker) -> io::Result<()> {
    let mut head = Vec::new();
    let mut block = vec![0; BLOCK];
    while !head.contains(&b'\n') && head.len() < BLOCK {
        match input.read(&mut block)? {
            0 => break,
            read => head.extend_from_slice(&block[..read]),
        }
    }
    let form = Form::of(&head).unwrap_or(Form::Lines);
    let whole = Cursor::new(head).chain(input);
    let mut lines: Box<dyn Read + '_> = if form == Form::Lines { Box::new(whole) } else { Box::new(Lines::new(whole, form, None)) };
    loop {
        let read = lines.read(&mut block)?;
        if read == 0 || sender.send(Block::Lines(block[..read].to_vec(), Vec::new())).is_err() {
            return Ok(());
        }
        waker();
    }
}

/// Sends the journal's lines for ever: a journalctl that ends is started again, behind the last entry that it gave.
fn pass_on_journal(mut journal: Journal, mut whence: Whence, stopper: &Mutex<Stopper>, sender: &SyncSender<Block>, waker: &Waker) {
    let mut wait = FIRST_RETRY;
    loop {
        let begun = Instant::now();
        let mut lines = Lines::new(journal, Form::Export, None);
        let end = loop {
            let (next, cursor) = match lines.next_lines() {
                Ok(Some(next)) => (next.to_vec(), lines.cursor().to_vec()),
                Ok(None) => break "journalctl ended".to_owned(),
                Err(error) => break error.to_string(),
            };
            if !cursor.is_empty() {
                whence = Whence::After(cursor.clone());
            }
            if sender.send(Block::Lines(next, cursor)).is_err() {
                return;
            }
            waker();
        };
        wait = if begun.elapsed() > LAST_RETRY { FIRST_RETRY } else { wait };
        let said = format!("the journal: {end}; it is started again in {} s", wait.as_secs());
        if sender.send(Block::Said(said)).is_err() {
            return;
        }
        waker();
        journal = loop {
            std::thread::sleep(wait);
            wait = (wait * 2).min(LAST_RETRY);
            let mut stops = stopper.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(journal) = Journal::follow(&whence) {
                *stops = journal.stopper();
                break journal;
            }
        };
    }
}
