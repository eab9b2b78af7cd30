//! Writes a log in bursts, as a server does, and rotates it in three ways, as logrotate(8) does.

use crate::support::gzipped;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// The same numbers every time: a failure is one for everybody.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

pub struct Replayer(JoinHandle<()>);

impl Replayer {
    /// Writes what `sample` holds to `log`, with so many rotations.
    pub fn start(log: &Path, sample: &Path, rotations: usize, seed: u64) -> Self {
        let (log, text) = (log.to_path_buf(), fs::read(sample).expect("a sample"));
        Self(std::thread::spawn(move || replay(&log, &text, rotations, seed)))
    }

    pub fn finish(self) {
        self.0.join().expect("the replayer");
    }
}

/// The log and all that it was rotated to.
pub fn rotated(log: &Path) -> Vec<PathBuf> {
    let name = log.file_name().expect("a name").to_string_lossy().into_owned();
    let entries = fs::read_dir(log.parent().expect("a directory")).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.file_name().is_some_and(|other| other.to_string_lossy().starts_with(&name))).collect()
}

fn open(log: &Path) -> File {
    File::options().create(true).append(true).open(log).expect("the log")
}

fn replay(log: &Path, text: &[u8], rotations: usize, seed: u64) {
    let mut random = Random::new(seed + 4);
    let lines: Vec<&[u8]> = text.split_inclusive(|c| *c == b'\n').collect();
    let mut file = open(log);
    let (mut at, mut rotated, every) = (0, 0, lines.len() / (rotations + 1));
    while at < lines.len() {
        let burst = 1 + random.below(60) as usize;
        let bytes = lines[at..lines.len().min(at + burst)].concat();
        at += burst;
        // Some bursts end within a line, for a while.
        let cut = if random.below(4) == 0 { bytes.len() / 2 } else { bytes.len() };
        file.write_all(&bytes[..cut]).expect("room");
        if cut < bytes.len() {
            std::thread::sleep(Duration::from_millis(random.below(30)));
            file.write_all(&bytes[cut..]).expect("room");
        }
        if at / every > rotated && rotated < rotations {
            file = rotate(log, file, rotated);
            rotated += 1;
        }
        std::thread::sleep(Duration::from_millis(random.below(60)));
    }
}

fn numbered(log: &Path, number: usize, packed: bool) -> PathBuf {
    PathBuf::from(format!("{}.{number}{}", log.display(), if packed { ".gz" } else { "" }))
}

fn rotate(log: &Path, file: File, number: usize) -> File {
    for older in (1..=number).rev() {
        for packed in [false, true] {
            let from = numbered(log, older, packed);
            if from.exists() {
                fs::rename(from, numbered(log, older + 1, packed)).expect("a rename");
            }
        }
    }
    let first = numbered(log, 1, false);
    match number % 3 {
        // Renamed; the writer goes on with the old file until it is told.
        0 => {
            fs::rename(log, &first).expect("a rename");
            File::create(log).expect("a new log");
            std::thread::sleep(Duration::from_millis(20));
            drop(file);
            open(log)
        }
        // Copied and truncated, while nobody writes.
        1 => {
            fs::copy(log, &first).expect("a copy");
            file.set_len(0).expect("a truncated log");
            file
        }
        // Renamed, and packed a little later.
        _ => {
            fs::rename(log, &first).expect("a rename");
            let new = open(log);
            pack(&first);
            new
        }
    }
}

/// As gzip(1) does: the packed file grows, and then the other one goes.
fn pack(path: &Path) {
    let bytes = gzipped(&fs::read(path).expect("the elder log"));
    let mut packed = File::create(format!("{}.gz", path.display())).expect("a file");
    for part in bytes.chunks(bytes.len() / 3 + 1) {
        packed.write_all(part).expect("room");
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(path).expect("the elder log");
}
