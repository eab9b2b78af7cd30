//! Compressed inputs, told by their first bytes: gzip, bzip2, xz and zstd, each with all its members, streams or frames.
//!
//! In comes a packed stream, out go its bytes. What no log does is refused at once: to unpack to more than
//! [`MOST_RATIO`] times the size, past the first [`FREE`] bytes, or to ask for a window of more than [`MOST_MEMORY`].
//! Logs pack to a tenth or a fiftieth of their size; ten gigabytes of nothing pack to a thousandth and less.

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A larger ratio of unpacked to packed bytes is a bomb's.
const MOST_RATIO: u64 = 200;
/// So much is unpacked before the ratio counts: a few hundred bytes say little.
const FREE: u64 = 16 << 20;
/// What a decoder may need, as the window that its file asks for: that of `xz -9` and `zstd --long`.
const MOST_MEMORY: u32 = 1 << 27;

/// The compressions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packing {
    /// By the magic number at the beginning.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, or one to be skipped, with which parallel packers begin.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Puts the decoder before the packed bytes.
    ///
    /// # Errors
    /// Where the decoder can't be had.
    pub fn unpack(self, packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        let taken = Arc::new(AtomicU64::new(0));
        let packed = Taken { inner: BufReader::with_capacity(1 << 16, packed), taken: taken.clone() };
        let unpacked: Box<dyn Read + Send> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
            Self::Xz => Box::new(XzDecoder::new_stream(packed, Stream::new_stream_decoder(u64::from(MOST_MEMORY), CONCATENATED)?)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
                decoder.window_log_max(MOST_MEMORY.ilog2())?;
                Box::new(decoder)
            }
        };
        Ok(Box::new(Guarded { inner: unpacked, taken, given: 0 }))
    }
}

/// Counts what the decoder takes.
struct Taken<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Taken<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Taken<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
        self.inner.consume(amount);
    }
}

/// Why a packed input is not read on, though it is not damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "unpacks to more than {MOST_RATIO} times its size, which no log does: not read on; what came before is reported (if it is a log, unpack it and name the result)"
)]
pub struct Bomb;

/// Ends where a bomb begins.
struct Guarded<R> {
    inner: R,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.given += read as u64;
        if self.given > FREE + MOST_RATIO * self.taken.load(Ordering::Relaxed) {
            return Err(io::Error::other(Bomb));
        }
        Ok(read)
    }
}
