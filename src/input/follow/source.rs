//! One file of a log: which one it is, and how far it was read.

use super::candidate::{Candidate, HEAD, Inode, Stand};
use crate::input::MAX_LINE;
use crate::input::read::{self, Reading};
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// So much is read at once.
const BLOCK: usize = 1 << 18;
/// A line without its end, in a file that nobody writes to any more, is let go after this time.
const FINISHED: Duration = Duration::from_secs(1);

/// Whole lines of a source, and what was cut of a line that is too long.
#[derive(Default)]
pub struct Lines {
    pub bytes: Vec<u8>,
    pub overlong: u64,
    pub cut_bytes: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Source {
    pub path: PathBuf,
    device: u64,
    inode: u64,
    /// The first KiB, or all there was so far.
    pub head: Vec<u8>,
    /// Bytes read, unpacked, whole lines only.
    offset: u64,
    /// In the middle of a line that is too long.
    skipping: bool,
    packed: bool,
    /// Nothing of it will be read any more.
    pub is_over: bool,
    /// It was read to its end, and a later file had lines by then.
    pub is_retired: bool,
    /// Lines were read of it.
    pub was_read: bool,
    /// The time near which its next stamp without a year lies.
    pub near: i64,
    /// As it was last seen.
    #[serde(skip)]
    pub stand: Stand,
    /// Since when it is not where it was: renamed out of sight, truncated, or its inode used for another file.
    #[serde(skip)]
    pub lost: Option<Instant>,
    #[serde(skip)]
    file: Option<File>,
    #[serde(skip)]
    unpacking: Option<Unpacking>,
    /// Up to here there is no end of a line.
    #[serde(skip)]
    no_line_before: u64,
}

struct Unpacking {
    bytes: Box<dyn Read + Send>,
    carry: Vec<u8>,
}

impl Source {
    pub fn new(candidate: &Candidate, head: Vec<u8>, packed: bool, near: i64) -> Self {
        Self {
            path: candidate.path.clone(),
            device: candidate.inode.device,
            inode: candidate.inode.number,
            head,
            offset: 0,
            skipping: false,
            packed,
            is_over: false,
            is_retired: false,
            was_read: false,
            near,
            stand: candidate.stand,
            lost: None,
            file: None,
            unpacking: None,
            no_line_before: 0,
        }
    }

    pub fn inode(&self) -> Inode {
        Inode { device: self.device, number: self.inode }
    }

    /// The same file as it stands in a state file: open files stay here.
    pub fn position(&self) -> Self {
        let (path, head) = (self.path.clone(), self.head.clone());
        Self { path, head, file: None, unpacking: None, ..*self }
    }

    /// Begins behind the last whole line.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        if self.packed {
            self.is_over = true;
            return Ok(());
        }
        let file = File::open(&self.path)?;
        let mut end = file.metadata()?.len();
        let mut block = vec![0; MAX_LINE];
        self.offset = loop {
            let from = end.saturating_sub(MAX_LINE as u64);
            let length = usize::try_from(end - from).unwrap_or(MAX_LINE);
            file.read_exact_at(&mut block[..length], from)?;
            if let Some(at) = memrchr(b'\n', &block[..length]) {
                break from + at as u64 + 1;
            }
            if from == 0 {
                break 0;
            }
            end = from;
        };
        Ok(())
    }

    /// Whether the file at that place, which has this one's inode, is still this one; learns more of its beginning.
    pub fn is_still(&mut self, candidate: &Candidate, head: &[u8]) -> bool {
        if candidate.stand.size < self.offset && !self.packed || !head.starts_with(&self.head) {
            return false;
        }
        self.head = head.to_vec();
        self.path.clone_from(&candidate.path);
        self.stand = candidate.stand;
        true
    }

    /// Goes on in another file that holds the same.
    pub fn move_to(&mut self, candidate: &Candidate, packed: bool) {
        self.path.clone_from(&candidate.path);
        (self.device, self.inode) = (candidate.inode.device, candidate.inode.number);
        self.stand = candidate.stand;
        (self.packed, self.lost, self.file, self.unpacking, self.no_line_before) = (packed, None, None, None, 0);
        self.is_retired = false;
    }

    /// Looks how long the file is; false where it is not the file any more that it was.
    pub fn refresh(&mut self) -> bool {
        if self.lost.is_some() || self.is_over || self.packed {
            return true;
        }
        if self.file.is_none() {
            if self.stand.size <= self.offset {
                return true;
            }
            let opened = File::open(&self.path).and_then(|file| Ok((file.metadata()?, file)));
            match opened {
                Ok((metadata, file)) if Inode::of(&metadata) == self.inode() => self.file = Some(file),
                _ => return false,
            }
        }
        let Some(Ok(metadata)) = self.file.as_ref().map(File::metadata) else { return true };
        self.stand = Stand::of(&metadata);
        self.stand.size >= self.offset
    }

    /// Whether it is still under its path, though its log's names do not lead there any more.
    pub fn is_where_it_was(&mut self) -> bool {
        let metadata = fs::metadata(&self.path).ok().filter(|metadata| Inode::of(metadata) == self.inode());
        let stand = metadata.map(|metadata| Stand::of(&metadata)).filter(|stand| self.packed || stand.size >= self.offset);
        if let Some(stand) = stand {
            self.stand = stand;
        }
        stand.is_some()
    }

    pub fn is_packed(&self) -> bool {
        self.packed
    }

    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub fn close(&mut self) {
        (self.file, self.unpacking) = (None, None);
    }

    /// Whether there are bytes that were not looked at.
    pub fn has_news(&self) -> bool {
        !self.is_over && self.lost.is_none() && (self.packed || self.stand.size > self.offset.max(self.no_line_before))
    }

    /// Whether all is read, a last line without an end aside.
    pub fn is_drained(&self) -> bool {
        self.is_over || !self.packed && self.stand.size <= self.offset.max(self.no_line_before)
    }

    /// Whether a last line without an end stands in it, and nobody has written to it for a while (or `now`).
    pub fn has_finished_end(&self, now: bool) -> bool {
        let unfinished = !self.packed && !self.is_over && self.lost.is_none() && self.stand.size > self.offset && !self.has_news();
        unfinished && (now || self.stand.is_older_than(FINISHED))
    }

    /// The next whole lines, in the memory of `block`; `None` where the file is not the one any more that it was.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read(&mut self, block: Vec<u8>) -> io::Result<Option<Lines>> {
        if self.packed { self.unpack(block).map(Some) } else { self.read_plain(block) }
    }

    fn read_plain(&mut self, mut block: Vec<u8>) -> io::Result<Option<Lines>> {
        let wanted = usize::try_from(self.stand.size - self.offset).unwrap_or(BLOCK).min(BLOCK);
        block.resize(wanted, 0);
        let Some(file) = &self.file else { return Ok(None) };
        let mut filled = 0;
        while filled < wanted {
            match file.read_at(&mut block[filled..], self.offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.truncate(filled);
        // Truncated and written anew while it was read: what was read is of no file.
        let mut head = [0; HEAD];
        if filled < wanted || file.read_exact_at(&mut head[..self.head.len()], 0).is_err() || head[..self.head.len()] != self.head {
            return Ok(None);
        }
        if let Some(from) = (self.head.len() as u64).checked_sub(self.offset)
            && self.head.len() < HEAD
        {
            self.head.extend(block.iter().skip(from as usize).take(HEAD - self.head.len()));
        }
        Ok(Some(self.cut(block)))
    }

    /// Leaves whole lines in the block and moves on behind them.
    fn cut(&mut self, mut block: Vec<u8>) -> Lines {
        let mut lines = Lines::default();
        if self.skipping {
            let end = memchr(b'\n', &block);
            let skipped = end.unwrap_or(block.len());
            lines.cut_bytes = skipped as u64;
            self.skipping = end.is_none();
            let passed = end.map_or(skipped, |end| end + 1);
            self.offset += passed as u64;
            block.drain(..passed);
        }
        match memrchr(b'\n', &block) {
            Some(end) => block.truncate(end + 1),
            None if block.len() >= BLOCK => {
                // One line fills the whole block, and more.
                self.offset += block.len() as u64;
                (self.skipping, lines.overlong) = (true, 1);
                lines.cut_bytes += (block.len() - MAX_LINE) as u64;
                block.truncate(MAX_LINE);
                block.push(b'\n');
                lines.bytes = block;
                return lines;
            }
            None => {
                self.no_line_before = self.offset + block.len() as u64;
                block.clear();
            }
        }
        self.offset += block.len() as u64;
        lines.bytes = block;
        lines
    }

    fn unpack(&mut self, mut block: Vec<u8>) -> io::Result<Lines> {
        if self.unpacking.is_none() {
            let mut bytes = read::open(&self.path, &Reading::default()).map_err(io::Error::other)?.bytes;
            io::copy(&mut (&mut bytes).take(self.offset), &mut io::sink())?;
            self.unpacking = Some(Unpacking { bytes, carry: Vec::new() });
        }
        let Some(Unpacking { bytes, carry }) = &mut self.unpacking else { return Ok(Lines::default()) };
        block.clear();
        block.append(carry);
        let before = block.len();
        bytes.take((BLOCK - before) as u64).read_to_end(&mut block)?;
        if block.len() < BLOCK {
            // The end, with or without a newline.
            (self.is_over, self.unpacking) = (true, None);
            self.offset += block.len() as u64;
            return Ok(Lines { bytes: block, ..Lines::default() });
        }
        let whole = memrchr(b'\n', &block).map_or(block.len(), |end| end + 1);
        carry.extend_from_slice(&block[whole..]);
        Ok(self.cut(block))
    }

    /// The last line of a file that is finished, without its end.
    pub fn read_end(&mut self) -> Vec<u8> {
        let mut end = vec![0; usize::try_from(self.stand.size - self.offset).unwrap_or(0).min(MAX_LINE)];
        let read = self.file.as_ref().is_some_and(|file| file.read_exact_at(&mut end, self.offset).is_ok());
        self.offset = self.stand.size;
        if !read || std::mem::take(&mut self.skipping) { Vec::new() } else { end }
    }
}
