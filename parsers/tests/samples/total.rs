//! No input makes a parser panic or loop: what it makes of these lines does not matter, only that it comes back.

use crate::{lines, logs, record};
use mailscope_parsers::envelope::{Envelope, repeated};
use mailscope_parsers::model::{Record, Text};

fn parse(record: &Record<'_>, text: &[u8]) {
    let text = repeated(Text(text)).1;
    std::hint::black_box(mailscope_parsers::parse(&Record { text, ..*record }, None));
}

#[test]
fn shuffled_words() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for (_, log) in logs() {
        for (_, line) in lines(&log) {
            let record = record(line);
            let mut words: Vec<&[u8]> = record.text.split(|c| *c == b' ').collect();
            for last in (1..words.len()).rev() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                words.swap(last, usize::try_from(random % (last as u64 + 1)).expect("smaller than last"));
            }
            parse(&record, &words.join(&b' '));
        }
    }
}

#[test]
fn cut_anywhere() {
    for (_, log) in logs() {
        for (_, line) in lines(&log) {
            for end in 0..=line.len() {
                let _ = Envelope::default().open(&line[..end], &mut crate::NoTime);
            }
            let record = record(line);
            for end in 0..=record.text.len() {
                parse(&record, &record.text[..end]);
            }
        }
    }
}

#[test]
fn with_one_byte_replaced() {
    for (_, log) in logs() {
        for (_, line) in lines(&log) {
            let record = record(line);
            let mut text = record.text.to_vec();
            for at in 0..text.len() {
                let original = text[at];
                for byte in [b'<', b'>', b'"', b';', b'[', 0, 0xff] {
                    text[at] = byte;
                    parse(&record, &text);
                }
                text[at] = original;
            }
        }
    }
}
