//! The golden logs of Exim's own test suite: each test's main, reject and panic log is read as a log of its own.
//!
//! Every line is known but those that the suite's configurations write in their own words, and the counts of the flags in
//! each main log are right. Marks of the suite between the logs of two servers, and lines without a time, are no lines of Exim's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::cases::{corpora, text_of};
use crate::support::{directory, file, objects, run_on};

/// Tests whose configuration writes into the log, and how many lines each wrote that nobody can know.
const OWN_WORDS: &[(&str, &[(&str, usize)])] = &[
    (
        "DKIM, ARC, SPF, DMARC, malware: what the ACLs make of them",
        &[
            ("4006", 1),
            ("4007", 2),
            ("4008", 1),
            ("4009", 1),
            ("4010", 2),
            ("4011", 2),
            ("4012", 1),
            ("4013", 1),
            ("4014", 1),
            ("4017", 3),
            ("4020", 3),
            ("4021", 1),
            ("4027", 3),
            ("4030", 15),
            ("4032", 18),
            ("4034", 18),
            ("4040", 13),
            ("4500", 23),
            ("4501", 6),
            ("4502", 14),
            ("4503", 3),
            ("4504", 3),
            ("4506", 27),
            ("4508", 12),
            ("4509", 1),
            ("4510", 31),
            ("4513", 3),
            ("4514", 4),
            ("4515", 15),
            ("4516", 2),
            ("4520", 13),
            ("4521", 4),
            ("4522", 8),
            ("4523", 2),
            ("4524", 2),
            ("4526", 14),
            ("4528", 12),
            ("4529", 1),
            ("4530", 28),
            ("4533", 3),
            ("4534", 4),
            ("4535", 15),
            ("4540", 13),
            ("4541", 7),
            ("4545", 7),
            ("4550", 1),
            ("4560", 161),
            ("4561", 7),
            ("4562", 14),
            ("4563", 7),
            ("4565", 12),
            ("4566", 14),
            ("4600", 20),
            ("4601", 2),
            ("4608", 8),
            ("4650", 21),
            ("4690", 36),
        ],
    ),
    (
        "certificates and OCSP: what the ACLs and event actions saw",
        &[
            ("1102", 2),
            ("1113", 1),
            ("1148", 3),
            ("1149", 1),
            ("2002", 31),
            ("2031", 2),
            ("2102", 30),
            ("2102.openssl_1_1_1", 30),
            ("2112", 6),
            ("2131", 2),
            ("2132", 6),
            ("5600", 5),
            ("5601", 3),
            ("5610", 5),
            ("5611", 3),
            ("5612", 4),
            ("5615", 4),
            ("5650", 9),
            ("5651", 3),
            ("5665", 4),
            ("5670", 5),
            ("5680", 2),
            ("5820", 14),
            ("5821", 4),
            ("5840", 14),
            ("5841", 4),
            ("5847", 4),
            ("5860", 8),
            ("5861", 16),
            ("5880", 12),
            ("5881", 16),
            ("5890", 400),
            ("5891", 256),
            ("5892", 240),
            ("5893", 144),
            ("5894", 144),
            ("5895", 112),
        ],
    ),
    (
        "event actions, one line an event",
        &[
            ("0612", 55),
            ("3418", 8),
            ("3419", 18),
            ("5700", 105),
            ("5701", 6),
            ("5702", 2),
            ("5703", 4),
            ("5704", 10),
            ("5705", 16),
            ("5706", 26),
            ("5707", 6),
            ("5708", 6),
            ("5709", 3),
            ("5710", 51),
            ("5711", 15),
            ("5720", 55),
            ("5721", 15),
            ("5730", 11),
            ("5740", 11),
        ],
    ),
    ("the suite's LMTP server writes into the log of the delivery", &[("5100", 229), ("5101", 77), ("5103", 15)]),
    (
        "log_message, logwrite and `log` verbs of the configuration under test",
        &[
            ("0021", 14),
            ("0026", 10),
            ("0162", 1),
            ("0211", 7),
            ("0376", 4),
            ("0389", 2),
            ("0420", 2),
            ("0471", 2),
            ("0482", 1),
            ("0485", 11),
            ("0486", 21),
            ("0492", 1),
            ("0496", 1),
            ("0501", 3),
            ("0502", 16),
            ("0509", 2),
            ("0526", 3),
            ("0537", 38),
            ("0552", 1),
            ("0562", 6),
            ("0571", 1),
            ("0576", 6),
            ("0578", 4),
            ("0579", 1),
            ("0581", 4),
            ("0583", 10),
            ("0586", 2),
            ("0598", 4),
            ("0600", 12),
            ("0601", 32),
            ("0602", 1),
            ("0613", 1),
            ("0619", 18),
            ("0620", 6),
            ("0624", 3),
            ("0635", 3),
            ("0636", 2),
            ("0699", 4),
            ("3000", 2),
            ("3400", 1),
            ("3700", 2),
            ("3720", 2),
            ("3721", 2),
            ("3820", 1),
            ("4110", 37),
            ("4144", 12),
            ("5400", 20),
            ("5404", 1),
            ("5405", 9),
            ("5406", 5),
            ("5407", 2),
            ("5408", 5),
            ("5500", 6),
            ("9400", 6),
        ],
    ),
];

/// The events of one log, a line each.
type Events = Vec<Map<String, Value>>;

/// One test's logs, and what the flags of its main log add up to.
struct Test {
    name: String,
    logs: Vec<(&'static str, Vec<String>)>,
    counts: Map<String, Value>,
}

/// The tests, with the events of each of their logs; read once for all that is asked of them.
fn suite(corpora: &Path) -> &'static [(Test, Vec<Events>)] {
    static SUITE: OnceLock<Vec<(Test, Vec<Events>)>> = OnceLock::new();
    SUITE.get_or_init(|| {
        let suite = corpora.join("exim/suite.jsonl");
        let text = fs::read_to_string(&suite).unwrap_or_else(|error| panic!("{}: {error}", suite.display()));
        text.lines()
            .map(read)
            .map(|test| {
                let events = events_of(&test);
                (test, events)
            })
            .collect()
    })
}

fn events_of(test: &Test) -> Vec<Events> {
    test.logs.iter().map(|(name, lines)| if lines.is_empty() { Vec::new() } else { events(name, lines) }).collect()
}

fn read(line: &str) -> Test {
    let mut object: Map<String, Value> = serde_json::from_str(line).expect("a test is JSON");
    let log = |name: &'static str, value: Option<Value>| {
        let lines = value.as_ref().and_then(Value::as_array).map(|lines| lines.iter().map(|line| text_of(Some(line))).collect());
        (name, lines.unwrap_or_default())
    };
    Test {
        name: text_of(object.get("test")),
        logs: ["mainlog", "rejectlog", "paniclog"].map(|name| log(name, object.remove(name))).into(),
        counts: object.remove("counts").and_then(|counts| counts.as_object().cloned()).unwrap_or_default(),
    }
}

/// What `parse --all` makes of a log, an object a line.
fn events(name: &str, lines: &[String]) -> Events {
    let directory = directory();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let events = objects(&run_on(&["parse", "--all", "--tz", "UTC"], &[file(&directory, name, text)]).ok());
    assert_eq!(events.len(), lines.len(), "{name}");
    events
}

/// The suite marks where the log of a server begins.
fn is_mark(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("******** ")
}

fn is(event: &Map<String, Value>, key: &str, value: &str) -> bool {
    event.get(key).and_then(Value::as_str) == Some(value)
}

/// The counts of a main log by the events, in the suite's terms.
fn flags(events: &[Map<String, Value>]) -> BTreeMap<&'static str, usize> {
    let count = |is_it: &dyn Fn(&Map<String, Value>) -> bool| events.iter().filter(|event| is_it(event)).count();
    let delivery = |event: &Map<String, Value>| is(event, "kind", "delivery");
    let suppressed = |event: &Map<String, Value>| is(event, "status", "discarded") && event.contains_key("untried");
    let marked =
        |event: &Map<String, Value>| event.get("diagnostic").and_then(Value::as_str).is_some_and(|said| said.starts_with("address <"));
    BTreeMap::from([
        ("<=", count(&|event| is(event, "kind", "accepted"))),
        ("=>", count(&|event| delivery(event) && (is(event, "status", "sent") || is(event, "status", "discarded") && !suppressed(event)))),
        ("*>", count(&|event| delivery(event) && suppressed(event) && !marked(event))),
        (
            "**",
            count(&|event| {
                delivery(event)
                    && event.contains_key("envelope_recipient")
                    && (is(event, "status", "bounced") || is(event, "status", "expired"))
            }),
        ),
        ("==", count(&|event| delivery(event) && is(event, "status", "deferred"))),
        ("Completed", count(&|event| is(event, "kind", "removed") && !is(event, "removal", "deleted"))),
    ])
}

#[test]
fn every_flag_is_counted() {
    let Some(corpora) = corpora("every_flag_is_counted") else { return };
    let (mut wrong, mut tests) = (Vec::new(), 0);
    for (test, events) in suite(&corpora) {
        let lines = &test.logs[0].1;
        let got = flags(&events[0]);
        let expected = |flags: &[&str]| flags.iter().filter_map(|flag| test.counts.get(*flag)?.as_u64()).sum::<u64>();
        // The suite's counts leave out messages that were taken although the client was told otherwise.
        let fake = lines.iter().filter(|line| line.contains(" (= ")).count() as u64;
        tests += 1;
        for (flag, sum) in [
            ("<=", expected(&["<="]) + fake),
            ("=>", expected(&["=>", "->", ">>"])),
            ("*>", expected(&["*>"])),
            ("**", expected(&["**"])),
            ("==", expected(&["=="])),
            ("Completed", expected(&["Completed"])),
        ] {
            if got[flag] as u64 != sum {
                wrong.push(format!("{}: {flag} {}, should be {sum}", test.name, got[flag]));
            }
        }
    }
    assert!(tests > 800, "{tests} tests");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_line_is_known_but_those_in_the_suites_own_words() {
    let Some(corpora) = corpora("every_line_is_known_but_those_in_the_suites_own_words") else { return };
    let own: BTreeMap<&str, usize> = OWN_WORDS.iter().flat_map(|(_, tests)| tests.iter().copied()).collect();
    let mut wrong = Vec::new();
    for (test, events) in suite(&corpora) {
        let mut unknown = Vec::new();
        for ((_, lines), events) in test.logs.iter().zip(events) {
            let lines = lines.iter().zip(events);
            unknown.extend(lines.filter(|(line, event)| is(event, "kind", "unrecognized") && !is_mark(line)).map(|(line, _)| line.clone()));
        }
        let expected = own.get(test.name.as_str()).copied().unwrap_or(0);
        if unknown.len() != expected {
            wrong.push(format!("{}: {} unknown lines, should be {expected}:\n  {}", test.name, unknown.len(), unknown.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
