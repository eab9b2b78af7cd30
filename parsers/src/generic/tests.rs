use super::{BUILT_IN, Format};
use crate::model::{Calendar, Event, Line};

struct Utc;

impl Calendar for Utc {
    fn local_hour(&mut self, year: Option<i32>, month: u32, day: u32, hour: u32) -> Option<i64> {
        Some(chrono::NaiveDate::from_ymd_opt(year?, month, day)?.and_hms_opt(hour, 0, 0)?.and_utc().timestamp())
    }
}

fn built_in() -> Vec<Format> {
    let read = |(file, text): &(&str, &str)| {
        let format = Format::read(text).unwrap_or_else(|problems| panic!("{file}: {problems:?}"));
        assert_eq!(*file, format!("{}.toml", format.name));
        format
    };
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
                for byte in [b'"', b'{', b'\\', 0xff] {
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

const OBJECTS: &str = r#"
name = "objects"
reads = "objects"
shape = "json"
contains = '"to":'
time = { field = ["^", "at"], format = ["rfc3339", "epoch"] }
constants = { kind = "delivery" }
[within]
said = '^(?P<how>\w+) by (?P<by>\S+)'
[fields]
envelope_recipient = "to"
status = "how"
relay_name = ["mx", "by"]
diagnostic = "said"
arrival = "from"
[values.status]
taken = "sent"
"*" = "deferred"
[[samples]]
line = '{"at":1795501681,"to":"a@b.example","said":"taken by mx"}'
event = { kind = "delivery", status = "sent" }
"#;

fn delivery<'a>(format: &Format, line: &'a str) -> crate::model::Delivery<'a> {
    match format.open(line.as_bytes(), &mut Utc) {
        Some((_, Line::Event(Event::Delivery(delivery)))) => delivery,
        _ => panic!("no delivery: {line}"),
    }
}

#[test]
fn a_field_may_have_several_names_and_be_within_another() {
    use crate::model::Status;
    let format = Format::read(OBJECTS).expect("a format");
    let first = delivery(&format, r#"{"at":1795501681,"from":1795501680,"to":"a@b.example","said":"taken by mx.b.example (now)\n"}"#);
    assert_eq!(
        (first.status, first.relay.name.0, first.diagnostic.0),
        (Status::Sent, &b"mx.b.example"[..], &b"taken by mx.b.example (now)"[..])
    );
    assert_eq!(first.born, Some(1_795_501_680_000_000));
    let second = delivery(&format, r#"2026-11-24T06:28:01Z {"to":["a@b.example", "c@d.example"],"mx":"mx.","said":"lost by other"}"#);
    let each: Vec<_> = second.each().map(|one| one.envelope_recipient.lossy().into_owned()).collect();
    assert_eq!((second.status, second.relay.name.0), (Status::Deferred, &b"mx"[..]));
    assert_eq!(each, ["a@b.example", "c@d.example"]);
}

#[test]
fn columns_may_hold_quotes_and_are_known_by_their_names() {
    let formats = built_in();
    let format = formats.iter().find(|format| format.name == "powermta").expect("powermta");
    let line = r#"d,1795501681,,a@b.example,c@d.example,,,"2.0.0 ""x"", y",ok"#;
    assert_eq!(format.find(line.as_bytes(), "dsnDiag"), Some(&b"ok"[..]));
    assert!(format.names_columns(b"type,timeLogged,timeQueued,orig") && !format.names_columns(line.as_bytes()));
    let wrong = BUILT_IN.iter().find(|(file, _)| *file == "powermta.toml").expect("powermta").1.replace("\"dsnDiag\"\n", "\"dsnDiga\"\n");
    let Err(problems) = Format::read(&wrong) else { panic!("nothing is wrong") };
    assert!(problems[0].0.contains("there is no such column; do you mean dsnDiag?"), "{problems:?}");
}
