//! Writes the queue of a busy Postfix as `postqueue -j` prints it, always the same, and its totals on standard error.
//!
//!     generate_queue --entries 1000000 >queue.json
//!
//! Mail of 200,000 senders to 5,000 domains, the larger ones heavier; every deferred recipient with a reason of its own,
//! as replies name the recipient and often the moment.

use mailscope_bench::rng::Rng;
use std::io::{self, BufWriter, Write};

/// 2026-11-24 06:05:20 UTC, the moment of the listing.
const NOW: u64 = 1_795_500_320;

fn main() -> io::Result<()> {
    let mut entries = 1_000_000_u64;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next().and_then(|value| value.parse().ok())) {
            ("--entries", Some(number)) => entries = number,
            _ => return Err(io::Error::other("usage: generate_queue [--entries N]")),
        }
    }
    let mut to = BufWriter::with_capacity(1 << 16, io::stdout());
    let mut rng = Rng::new(7);
    let (mut recipients, mut size_bytes) = (0, 0);
    for number in 0..entries {
        let (more, size) = entry(&mut to, &mut rng, number)?;
        recipients += more;
        size_bytes += size;
    }
    to.flush()?;
    writeln!(io::stderr(), "{{\"entries\": {entries}, \"recipients\": {recipients}, \"size_bytes\": {size_bytes}}}")
}

/// Writes one message; how many recipients it has, and its size.
fn entry(to: &mut impl Write, rng: &mut Rng, number: u64) -> io::Result<(u64, u64)> {
    let state = match rng.below(20) {
        0 => "active",
        1 => "hold",
        _ => "deferred",
    };
    let arrival = NOW - rng.below(5 * 86_400);
    let size = 500 + rng.below(50_000);
    let sender = if rng.below(10) == 0 { "MAILER-DAEMON".to_owned() } else { format!("user{}@corp.example", rng.below(200_000)) };
    write!(
        to,
        "{{\"queue_name\": \"{state}\", \"queue_id\": \"{number:011X}\", \"arrival_time\": {arrival}, \"message_size\": {size}, \
         \"forced_expire\": false, \"sender\": \"{sender}\", \"recipients\": ["
    )?;
    let recipients = 1 + rng.below(100).saturating_sub(90);
    for at in 0..recipients {
        let domain = rng.below(5000) * rng.below(5000) / 5000;
        let recipient = format!("recipient{}@d{domain}.example", rng.below(1_000_000));
        let comma = if at > 0 { ", " } else { "" };
        write!(to, "{comma}{{\"address\": \"{recipient}\"")?;
        if state == "deferred" {
            let host = format!("mx{}.d{domain}.example[198.51.100.{}]", rng.below(3), rng.below(250));
            match rng.below(4) {
                0 => write!(to, ", \"delay_reason\": \"connect to {host}:25: Connection timed out\"")?,
                1 => write!(
                    to,
                    ", \"delay_reason\": \"host {host} said: 452 4.2.2 <{recipient}>: Mailbox full (in reply to RCPT TO command)\""
                )?,
                2 => write!(
                    to,
                    ", \"delay_reason\": \"host {host} said: 450 4.7.1 <{recipient}>: try again in {} seconds \\\"please\\\"\"",
                    rng.below(900)
                )?,
                _ => write!(to, ", \"delay_reason\": \"delivery temporarily suspended: connect to {host}:25: Connection refused\"")?,
            }
        }
        write!(to, "}}")?;
    }
    writeln!(to, "]}}")?;
    Ok((recipients, size))
}
