//! What a command costs: wall time, CPU time and peak memory, told by the kernel's own accounts in `/proc`.

use std::fs;
use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc/PID/stat`: `USER_HZ`, 100 on every architecture that Linux still runs on.
const TICKS_PER_S: f64 = 100.0;
/// How often the peak of a running command's memory is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What one run cost, and what it wrote.
#[derive(Debug)]
pub struct Run {
    pub wall_s: f64,
    /// User and system time of the command and of the children that it waited for, to 0.01 s.
    pub cpu_s: f64,
    /// Peak resident memory of the command itself, not of its children; none where it ended before the first look.
    pub peak_bytes: Option<u64>,
    pub output: Vec<u8>,
}

/// The CPU time of all children waited for so far, in ticks: `cutime` and `cstime`, fields 16 and 17 of `proc(5)`.
///
/// Field 2 is the program's name in parentheses and may hold blanks and parentheses itself, so fields are counted from
/// the last `)`.
#[must_use]
pub fn children_ticks(stat: &str) -> Option<u64> {
    let after = &stat[stat.rfind(')')? + 1..];
    let mut fields = after.split_ascii_whitespace().skip(16 - 3);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The peak of resident memory in `/proc/PID/status`, in bytes.
#[must_use]
pub fn peak_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn ticks() -> io::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    children_ticks(&stat).ok_or_else(|| io::Error::other("/proc/self/stat is not as proc(5) says"))
}

/// Runs a command to its end and measures it. Only one may run at a time: the accounts are those of all children.
///
/// # Errors
/// Where it can't be started or measured, or ends with a failure.
pub fn run(command: &mut Command) -> io::Result<Run> {
    let before = ticks()?;
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let (end, ended) = mpsc::channel::<()>();
    let status = format!("/proc/{}/status", child.id());
    let peak = thread::spawn(move || {
        let mut peak = None;
        // A process that ended and was not waited for yet has no memory left to tell of: the last look stands.
        while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            peak = fs::read_to_string(&status).ok().as_deref().and_then(peak_bytes).or(peak);
        }
        peak
    });
    let mut output = Vec::new();
    if let Some(mut from) = child.stdout.take() {
        from.read_to_end(&mut output)?;
    }
    let status = child.wait()?;
    let wall_s = begin.elapsed().as_secs_f64();
    let cpu_s = (ticks()? - before) as f64 / TICKS_PER_S;
    drop(end);
    let peak_bytes = peak.join().ok().flatten();
    if status.success() { Ok(Run { wall_s, cpu_s, peak_bytes, output }) } else { Err(io::Error::other(format!("ended with {status}"))) }
}

/// The least of some figures; none of none.
#[must_use]
pub fn min(figures: &[f64]) -> Option<f64> {
    figures.iter().copied().min_by(f64::total_cmp)
}

/// The middle one of some figures, or the mean of the two in the middle; none of none.
#[must_use]
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) b (c)) S 1 4242 4242 34816 4243 4194304 9001 8002 7 6 51 12 1234 567 20 0 1 0 987654 \
                        10485760 800 18446744073709551615 1 1 0 0 0 0 0 4096 2 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0";

    #[test]
    fn the_children_are_fields_16_and_17_whatever_the_program_is_called() {
        assert_eq!(children_ticks(STAT), Some(1234 + 567));
        assert_eq!(children_ticks(&STAT.replace("(a) b (c))", "(bench)")), Some(1801));
        for wrong in ["", "4242 (bench", "4242 (bench) S 1 2 3", "1 (b) S 1 2 3 4 5 6 7 8 9 10 11 12 x 14"] {
            assert_eq!(children_ticks(wrong), None, "{wrong}");
        }
        assert!(ticks().is_ok());
    }

    #[test]
    fn the_peak_is_told_in_kilobytes() {
        assert_eq!(peak_bytes("Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t  100 kB\n"), Some(2 << 20));
        assert_eq!(peak_bytes("Name:\tx\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn a_command_is_measured_and_its_output_kept() {
        let run = super::run(Command::new("sh").args(["-c", "sleep 0.1; echo done"])).expect("sh");
        assert_eq!(run.output, b"done\n");
        assert!(run.wall_s >= 0.1 && run.cpu_s < run.wall_s, "{run:?}");
        assert!(run.peak_bytes.is_some_and(|peak| peak > 100_000), "{run:?}");
        assert!(super::run(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }

    #[test]
    fn least_and_middle() {
        assert_eq!((min(&[3.0, 1.0, 2.0]), median(&[3.0, 1.0, 2.0])), (Some(1.0), Some(2.0)));
        assert_eq!((median(&[4.0, 1.0, 2.0, 3.0]), median(&[]), min(&[])), (Some(2.5), None, None));
    }
}
