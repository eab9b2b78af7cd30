//! Reads one input on a thread of its own, a bounded number of blocks ahead of who uses it.
//!
//! What takes work before there are lines (unpacking, turning records to lines) is done beside the parsing. In comes a
//! reader, out comes a reader of the same bytes with the same error at the same place. The thread ends with its input,
//! or when nobody reads any more.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Bytes that change hands at a time.
pub const BLOCK: usize = 1 << 17;

/// What the thread hands over: a full block, or how it ended.
type Block = io::Result<Vec<u8>>;

/// The reading end.
pub struct Ahead {
    blocks: Receiver<Block>,
    /// Memory goes back to be filled again.
    spare: Sender<Vec<u8>>,
    block: Vec<u8>,
    given: usize,
}

impl Ahead {
    /// Begins to read, at most `bytes` ahead.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn new(from: impl Read + Send + 'static, bytes: usize) -> io::Result<Self> {
        let (to, blocks) = sync_channel((bytes / BLOCK).max(2));
        let (spare, returned) = channel();
        thread::Builder::new().name("read ahead".into()).spawn(move || read_all(from, &to, &returned))?;
        Ok(Self { blocks, spare, block: Vec::new(), given: 0 })
    }
}

fn read_all(mut from: impl Read, to: &SyncSender<Block>, returned: &Receiver<Vec<u8>>) {
    loop {
        let mut block = returned.try_recv().unwrap_or_default();
        block.resize(BLOCK, 0);
        let mut filled = 0;
        let ended = loop {
            match from.read(&mut block[filled..]) {
                Ok(0) => break Some(Ok(())),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(Err(error)),
            }
            if filled == BLOCK {
                break None;
            }
        };
        block.truncate(filled);
        if filled > 0 && to.send(Ok(block)).is_err() {
            return;
        }
        match ended {
            None => {}
            Some(Ok(())) => return,
            Some(Err(error)) => {
                // Nobody listens: nobody misses it.
                let _ = to.send(Err(error));
                return;
            }
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.block.len() {
            // The thread that is gone has sent all there was.
            let Ok(block) = self.blocks.recv() else { return Ok(0) };
            let empty = std::mem::replace(&mut self.block, block?);
            self.given = 0;
            let _ = self.spare.send(empty);
        }
        let n = to.len().min(self.block.len() - self.given);
        to[..n].copy_from_slice(&self.block[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_and_the_same_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut ahead = Ahead::new(io::Cursor::new(bytes.clone()).chain(Broken), BLOCK).unwrap();
        let mut read = Vec::new();
        assert_eq!(ahead.read_to_end(&mut read).unwrap_err().to_string(), "broken");
        assert!(read == bytes);
        // Nobody reads to the end of this one; its thread must not stay behind.
        drop(Ahead::new(io::repeat(b'x'), BLOCK).unwrap());
    }
}
