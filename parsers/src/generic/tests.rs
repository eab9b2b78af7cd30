use super::{BUILT_IN, Format};
use crate::model::{Calendar, Event, Line};

struct Utc;

impl Calendar for Utc {
    fn local_hour(&mut self, year: Option<i32>, month: u32, day: u32, hour: u32) -> Option<i64> {
        Some(chrono::NaiveDate::from_ymd_opt(year?, month, day)?.and_hms_opt(hour, 0, 0)?.and_utc().timestamp())
    }
}

fn built_in() -> Vec<Format> {
    let read = |(file, text): &(&str, &str)| Format::read(text).unwrap_or_else(|problems| panic!("{file}: {problems:?}"));
    BUILT_IN.iter().map(read).collect()
}

#[test]
fn every_sample_is_read_with_its_time_and_by_its_format_alone() {
    let formats = built_in();
    for format in &formats {
        for sample in &format.samples {
            let line = sample.line.as_bytes();
            let claims: Vec<&str> = formats.iter().filter(|other| other.open(line, &mut Utc).is_some()).map(|other| other.name).collect();
            assert_eq!(claims, [format.name], "{}", sample.line);
            let (record, _) = format.open(line, &mut Utc).expect("a record");
            assert_eq!(record.time / 3_600_000_000, 1_795_501_680 / 3600 - i64::from(sample.line.contains("+01:00")), "{}", sample.line);
        }
    }
}

#[test]
fn damage_makes_no_panic() {
    for format in built_in() {
        for sample in &format.samples {
            let mut line = sample.line.clone().into_bytes();
            for at in 0..line.len() {
                let _ = format.open(&line[..at], &mut Utc);
                for byte in [b'"', b'{', b']', b'\\', b',', b'=', 0xff] {
                    let kept = std::mem::replace(&mut line[at], byte);
                    let _ = format.open(&line, &mut Utc);
                    line[at] = kept;
                }
            }
        }
    }
}

const GOOD: &str = r#"
name = "mine"
reads = "mine"
shape = "regex"
contains = "deliver"
regex = '^(?P<at>\S+) deliver (?P<to>\S+) (?P<how>\w+)$'
time = { field = "at", format = "%Y-%m-%dT%H:%M:%S" }
constants = { kind = "delivery" }
[fields]
envelope_recipient = "to"
status = "how"
[values.status]
good = "sent"
[[samples]]
line = "2026-11-24T06:28:01 deliver a@b.example good"
event = { kind = "delivery", status = "sent" }
"#;

#[test]
fn a_regular_expression_names_its_fields() {
    let format = Format::read(GOOD).expect("a format");
    let (record, line) = format.open(b"2026-11-24T06:28:01 deliver a@b.example good", &mut Utc).expect("a line");
    assert_eq!(record.time, 1_795_501_681_000_000);
    assert!(matches!(line, Line::Event(Event::Delivery(delivery)) if delivery.envelope_recipient.0 == b"a@b.example"));
    assert!(format.open(b"2026-11-24T06:28:01 deliver a@b.example odd", &mut Utc).is_none());
}

/// What is exchanged in a good definition, and what is said of it.
#[test]
fn what_is_wrong_is_said() {
    for (from, to, expected) in [
        ("[[samples]]", "[[sample]]", "unknown field `sample`"),
        ("envelope_recipient", "envelope_recepient", "do you mean envelope_recipient?"),
        ("good = \"sent\"", "good = \"snet\"", "do you mean sent?"),
        ("time = { field = \"at\", format = \"%Y-%m-%dT%H:%M:%S\" }", "", "no timestamp is captured"),
        ("%Y-%m-%dT%H:%M:%S", "%H:%M:%S", "time.format"),
        ("field = \"at\"", "field = \"when\"", "when: the regex has no group of that name"),
        ("(?P<to>", "(?P<to", "regex:"),
        ("constants = { kind = \"delivery\" }", "", "no kind"),
        ("\"delivery\" }\n[fields]", "\"delivered\" }\n[fields]", "do you mean delivery?"),
        ("shape = \"regex\"", "shape = \"xml\"", "it is json, key-value, csv or regex"),
        ("contains = \"deliver\"", "contains = \"\"", "contains is empty"),
        ("name = \"mine\"", "name = \"My Format\"", "a name has lower-case letters"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let Err(problems) = Format::read(&GOOD.replacen(from, to, 1)) else { panic!("{from}: nothing is wrong") };
        assert!(problems.iter().any(|problem| problem.0.contains(expected)), "{from}: {problems:?}");
    }
    let without = &GOOD[..GOOD.find("[[samples]]").expect("samples")];
    let Err(problems) = Format::read(without) else { panic!("nothing is wrong") };
    assert!(problems[0].0.contains("there is no [[samples]]"));
}
