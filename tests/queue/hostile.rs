//! Listings hold what strangers wrote. Nothing makes a parser panic or loop, and nothing of theirs runs anywhere.

use super::page::postqueue;
use super::{MIXED, queue, sample};
use crate::support::{directory, file, run_on};
use mailscope_parsers::LISTINGS;
use mailscope_parsers::model::Found;
use std::fs;

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
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).expect("smaller than below")
    };
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
