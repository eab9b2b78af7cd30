//! Listings hold what strangers wrote. Nothing makes a parser panic or loop, and nothing of theirs runs anywhere.

use super::page::postqueue;
use super::{MIXED, queue, random, sample};
use crate::support::{directory, file, peak_memory, program, run_on};
use mailscope_parsers::LISTINGS;
use mailscope_parsers::model::Found;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

const SAMPLES: [&str; 5] = [
    "postfix/queue/mixed.json",
    "postfix/queue/mixed.txt",
    "exim/queue/exim-4.98-bpa.txt",
    "sendmail/queue/late-v.txt",
    "opensmtpd/queue/mixed.txt",
];

/// Reads a text with every parser; how many entries and odd lines there were.
fn read_all(text: &[u8]) -> usize {
    let mut found = 0;
    for listing in LISTINGS {
        (listing.parse)(text, &mut |piece| {
            found += 1;
            if let Found::Entry(entry) = piece {
                assert!(!entry.queue_id.is_empty());
            }
        });
        text.split(|c| *c == b'\n').for_each(|line| found += usize::from((listing.starts)(line) || (listing.belongs)(line)));
    }
    found
}

#[test]
fn no_damage_makes_a_parser_panic() {
    let mut next = random(0x2545_F491_4F6C_DD1D);
    for name in SAMPLES {
        let text = fs::read(sample(name)).expect("a sample");
        let text = &text[..text.len().min(6000)];
        for end in (0..text.len()).step_by(7) {
            read_all(&text[..end]);
        }
        for _ in 0..400 {
            let mut damaged = text.to_vec();
            for _ in 0..20 {
                let at = next(damaged.len());
                damaged[at] = [b'\n', b' ', b'"', b'\\', b'|', b'<', b'(', 0xff, 0, b'9'][next(10)];
            }
            read_all(&damaged);
        }
    }
}

#[test]
fn long_and_odd_texts_come_to_an_end() {
    for text in [&b"{\"queue_name\":"[..], b"[[[[", b"<", b"(", b"|", b" ", b"\n", b"1m 1 ", b"99999999999999999999999 "] {
        read_all(&text.repeat(20_000));
    }
}

#[test]
fn no_escape_and_no_formula_gets_through() {
    let directory = directory();
    let text = postqueue(&[(
        "A0000001",
        "deferred",
        60,
        "=cmd|'/C calc'!A0",
        "\u{1b}[31m@x.example",
        "host \u{1b}]0;x\u{7}\u{202e}[192.0.2.1] said: 450 no",
    )]);
    let file = file(&directory, "queue.json", text);
    for format in ["text", "json", "csv"] {
        let ran = run_on(&["queue", "--now", MIXED, "--format", format], &[&file]).ok();
        assert!(!ran.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{format}: {ran:?}");
        assert!(!ran.contains(",=cmd"), "{format}: {ran}");
    }
    assert_eq!(queue(&[&file], MIXED, &[])["messages"][0]["envelope_sender"], "=cmd|'/C calc'!A0");
}

#[test]
fn a_message_with_very_many_recipients_is_one_message() {
    let directory = directory();
    let mut text = String::from("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n");
    for id in ["D0000001", "D0000002"] {
        text.push_str(&format!("{id}     419 Tue Nov 24 06:33:05  a@b.example\n"));
        (0..60_000).for_each(|n| text.push_str(&format!("                                         r{n}@c.example\n")));
    }
    let found = queue(&[file(&directory, "queue.txt", text)], MIXED, &[]);
    assert_eq!((found["entries"].as_u64(), found["recipients"].as_u64()), (Some(2), Some(120_000)));
}

/// A queue ten times as long, every reason in its own words, takes no more memory than its tables do when they are full.
#[test]
fn memory_is_bounded_by_the_distinct_and_not_by_the_entries() {
    let directory = directory();
    let peak = |entries: u32| {
        let path = directory.path().join("queue.json");
        let mut to = std::io::BufWriter::new(fs::File::create(&path).expect("a file"));
        for n in 0..entries {
            let reason = format!("host mx{}.d{}.example[198.51.100.1] said: 451 4.3.0 <r{n}@d.example>: try {n} again", n % 3, n % 500);
            let (id, to_whom, sender) = (format!("{n:010X}"), format!("r{n}@d{}.example", n % 500), format!("s{}@corp.example", n % 1000));
            let line = postqueue(&[(&id, "deferred", u64::from(n % 90_000), &sender, &to_whom, &reason)]);
            to.write_all(line.as_bytes()).expect("a disk");
        }
        drop(to);
        let mut command = program();
        command.args(["queue", "--tz", "UTC", "--now", MIXED]).arg(path);
        peak_memory(&mut command.stdout(Stdio::null()).spawn().expect("the program starts"))
    };
    let (Some(short), Some(long)) = (peak(8_000), peak(80_000)) else {
        eprintln!("skipped: this system does not say how much memory a process used");
        return;
    };
    assert!(long < short + (12 << 20), "8,000 entries took {short} bytes, 80,000 took {long}");
    assert!(long < 96 << 20, "{long} bytes");
}
