//! One log under two names, of which one is read: a file that is given twice or linked, a copy, an older copy, and one of several
//! logs of the same lines (`mail.log`, `mail.info`), of which one may be some lines ahead, and each was packed on its own.

use super::order::Log;
use super::read::{self, Reading};
use std::cmp::Ordering;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// So much is compared at once.
const BLOCK: u64 = 1 << 16;
/// A log that is no longer than this may begin like another one by chance: by one line.
const SHORT: u64 = 1 << 12;

/// What tells a file from all others, whatever it is called.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    read::facts(path).ok()?.map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The place of an earlier log that has the same lines, as far as one of them goes, and which of them is the longer one. Few
/// begin with the same lines, and these are read to where they differ.
pub fn find(log: &Log, earlier: &[Log], reading: &Reading) -> Option<(usize, Ordering)> {
    let may_be = |other: &Log| {
        let both = log.head.len().min(other.head.len());
        both > 0 && log.head[..both] == other.head[..both] && log.opened.is_none() && other.opened.is_none()
    };
    let candidates = earlier.iter().enumerate().filter(|(_, other)| may_be(other));
    candidates.filter_map(|(at, other)| Some((at, compare(log, other, reading)?))).next()
}

/// Which of two logs is the longer one, where it has the same lines as the other and perhaps more.
fn compare(one: &Log, other: &Log, reading: &Reading) -> Option<Ordering> {
    let [mut one, mut other] = [read::open(&one.path, reading).ok()?.bytes, read::open(&other.path, reading).ok()?.bytes];
    let (mut left, mut right, mut common) = (Vec::new(), Vec::new(), 0);
    loop {
        left.clear();
        right.clear();
        // What is damaged ends where it is, here as when it is read.
        _ = (&mut one).take(BLOCK).read_to_end(&mut left);
        _ = (&mut other).take(BLOCK).read_to_end(&mut right);
        let both = left.len().min(right.len());
        if left[..both] != right[..both] {
            return None;
        }
        common += both as u64;
        let longer = left.len().cmp(&right.len());
        if longer.is_ne() || both == 0 {
            return (longer.is_eq() || common > SHORT).then_some(longer);
        }
    }
}
