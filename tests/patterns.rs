//! Recurring patterns against a labelled set: replies in hundreds of shapes whose parts vary as they do in real logs. Each
//! shape has recipients in a domain of its own, so that the domains of a pattern tell which shapes fell into it.

use crate::support::{directory, file, report_on};
use mailscope_bench::replies::{Permanence, Shape, fill};
use mailscope_bench::rng::Rng;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How often each shape is said, each time with other ids, addresses and times.
const TIMES: u64 = 12;

/// A shape of replies: words that stay.
struct Label {
    /// What it says, with the places that vary as they are in the generator's tables.
    words: String,
    dsn: &'static str,
    shape: Shape,
    permanence: Permanence,
    text: &'static str,
    variant: &'static str,
}

fn labels() -> Vec<Label> {
    let mut labels = Vec::new();
    for permanence in [Permanence::Permanent, Permanence::Transient] {
        for template in permanence.templates() {
            let variants = if template.variants.is_empty() { &[""][..] } else { template.variants };
            for variant in variants {
                let words = template.text.replace("{var}", variant);
                let (dsn, shape, text) = (template.dsn, template.shape, template.text);
                labels.push(Label { words, dsn, shape, permanence, text, variant });
            }
        }
    }
    labels
}

fn ip(rng: &mut Rng) -> String {
    format!("{}.{}.{}.{}", rng.range(11, 200), rng.below(250), rng.below(250), rng.range(1, 250))
}

fn name(rng: &mut Rng) -> String {
    (0..rng.range(4, 9)).map(|_| char::from(b'a' + rng.below(26) as u8)).collect()
}

/// The text of one failure: nothing in it is as it was the last time but the words.
fn said(label: &Label, rng: &mut Rng) -> String {
    let (host, address) = (format!("mx{}.{}.example", rng.range(1, 40), name(rng)), ip(rng));
    let mut out = match label.shape {
        Shape::Said(_) => format!("host {host}[{address}] said: "),
        Shape::Refused => format!("host {host}[{address}] refused to talk to me: "),
        _ => String::new(),
    };
    fill(&mut out, label.text, |slot, out| {
        let _ = match slot {
            "var" => out.write_str(label.variant),
            "rcpt" | "from" => write!(out, "{}.{}@{}.example", name(rng), rng.below(99), name(rng)),
            "fromdom" | "dom" => write!(out, "{}.example", name(rng)),
            "ip" => out.write_str(&ip(rng)),
            "mx" => out.write_str(&host),
            "peer" => write!(out, "{host}[{address}]"),
            "gid" => write!(out, "{:012x}-{:x}si{:07}wrq.{}", rng.draw() >> 16, rng.draw(), rng.below(9_999_999), rng.below(1000)),
            "hex" => write!(out, "{:012x}", rng.draw() >> 16),
            "HEX" => write!(out, "{:016X}", rng.draw()),
            "utc" => write!(out, "2026-11-{:02}T{:02}:{:02}:01.{:03}Z", rng.range(1, 30), rng.below(24), rng.below(60), rng.below(1000)),
            "score" => write!(out, "{}.{}", rng.range(6, 31), rng.below(10)),
            "eop" => write!(out, "BN8NAM11FT{:03}.eop-nam11.prod.protection.outlook.com", rng.below(400)),
            "yahoo" => write!(out, "mta{}.mail.bf1.yahoo.com", rng.range(4000, 4400)),
            "region" => out.write_str(rng.pick(&["uk", "us", "de"])),
            _ => write!(out, "{}", rng.range(1, 4999)),
        };
    });
    if let Shape::Said(command) = label.shape {
        let _ = write!(out, " (in reply to {command} command)");
    }
    out
}

/// A line of a delivery that failed, for a recipient in the domain `shape-NUMBER.example`.
fn line(out: &mut String, at: u64, number: usize, label: &Label, text: &str) {
    let status = if label.permanence == Permanence::Permanent { "bounced" } else { "deferred" };
    let (minute, second) = (at / 60 % 60, at % 60);
    let _ = writeln!(
        out,
        "Nov 24 {:02}:{minute:02}:{second:02} mail postfix/smtp[7]: {:011X}: to=<u{at}@shape-{number}.example>, relay=mx.example[192.0.2.1]:25, \
         delay=1, delays=0/0/0/1, dsn={}, status={status} ({text})",
        at / 3600 % 24,
        0x4_0000_0000 + at,
        label.dsn
    );
}

fn log() -> String {
    let (mut out, mut rng, mut at) = (String::new(), Rng::new(7), 0);
    let labels = labels();
    for _ in 0..TIMES {
        for (number, label) in labels.iter().enumerate() {
            line(&mut out, at, number, label, &said(label, &mut rng));
            at += 1;
        }
    }
    out
}

/// Digits and signs apart: shapes that differ in nothing else say the same.
fn letters(words: &str) -> String {
    words
        .chars()
        .filter(|c| c.is_alphabetic() || *c == ' ')
        .collect::<String>()
        .split(' ')
        .filter(|word| word.len() > 2)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn patterns_are_the_shapes_of_the_replies() {
    let directory = directory();
    let log = file(&directory, "log", log());
    let report = report_on(&[log], &["--tz", "UTC", "--year", "2026"]);
    let labels = labels();
    let patterns = report["patterns"].as_array().expect("a list");
    let mut templates_of: BTreeMap<usize, u64> = BTreeMap::new();
    let mut merged = Vec::new();
    let mut counted = 0;
    for pattern in patterns {
        counted += pattern["count"].as_u64().expect("a count");
        let domains = pattern["domains"].as_array().expect("a list").iter().map(|row| row["domain"].as_str().expect("a name"));
        let numbers: Vec<usize> = domains.map(|name| name[6..name.len() - 8].parse().expect("a number")).collect();
        assert!(!numbers.is_empty(), "a pattern of nobody: {pattern}");
        numbers.iter().for_each(|number| *templates_of.entry(*number).or_default() += 1);
        let mut meanings: Vec<String> = numbers.iter().map(|number| letters(&labels[*number].words)).collect();
        meanings.sort();
        meanings.dedup();
        if meanings.len() > 1 {
            merged.push((pattern["template"].as_str().expect("a text"), meanings));
        }
    }
    assert_eq!(counted, TIMES * labels.len() as u64);
    assert_eq!(templates_of.len(), labels.len(), "every shape is in a pattern's first domains");
    assert!(merged.len() * 50 < patterns.len(), "{} of {} patterns merge shapes: {merged:#?}", merged.len(), patterns.len());
    let split: u64 = templates_of.values().sum();
    assert!(split * 10 <= labels.len() as u64 * 12, "{split} patterns for {} shapes", labels.len());
}

#[test]
fn a_reply_that_varies_ten_thousand_times_is_one_pattern() {
    let (mut out, mut rng) = (String::new(), Rng::new(3));
    let label =
        &labels().into_iter().find(|label| label.text.contains("{gid}") && label.text.contains("https")).expect("a reply with a link");
    for at in 0..10_000 {
        let link = format!("https://{}.example/{}?id={:x}", name(&mut rng), name(&mut rng), rng.draw());
        let text = format!("{} see {link} from {} [{}]", said(label, &mut rng), ip(&mut rng), rng.below(1_000_000));
        line(&mut out, at, 0, label, &text);
    }
    let directory = directory();
    let report = report_on(&[file(&directory, "log", out)], &["--tz", "UTC", "--year", "2026"]);
    let patterns = report["patterns"].as_array().expect("a list");
    assert_eq!((patterns.len(), patterns[0]["count"].as_u64()), (1, Some(10_000)), "{patterns:#?}");
}
