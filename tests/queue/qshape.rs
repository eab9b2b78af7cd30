//! The matrix beside qshape(1)'s, cell by cell, on a spool that is made for it: every option that changes a cell, and names
//! in every shape. What qshape printed is kept in `qshape.txt`; where it is installed, it is asked again.

use super::{queue, random, rows_of_matrix};
use crate::support::{directory, file};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const STATES: [&str; 4] = ["incoming", "active", "deferred", "hold"];
/// Options of qshape's, and ours for the same.
const OPTIONS: &[(&str, &str)] = &[
    ("incoming active", "--state incoming,active"),
    ("incoming active deferred hold", ""),
    ("-s deferred", "--by sender --state deferred"),
    ("-p deferred", "--parents --state deferred"),
    ("-p -m 3 incoming active deferred hold", "--parents --min-subdomains 3"),
    ("-s -p -m 2 deferred hold", "--by sender --parents --min-subdomains 2 --state deferred,hold"),
    ("-b 4 -t 7 deferred", "--buckets 4 --bucket-min 7 --state deferred"),
    ("-l deferred", "--linear --state deferred"),
    ("-l -b 20 -t 60 incoming active deferred hold", "--linear --buckets 20 --bucket-min 60"),
    ("-b 1 hold", "--buckets 1 --state hold"),
];

struct Message {
    id: String,
    state: &'static str,
    /// Half a minute off every border.
    age_s: u64,
    sender: String,
    recipients: Vec<String>,
}

/// The same messages each time.
fn messages() -> Vec<Message> {
    let mut below = random(0x9E37_79B9_7F4A_7C15);
    let domains = [
        "isp.example",
        "ISP.Example",
        "mx1.isp.example",
        "mx2.isp.example",
        "a.b.isp.example",
        "c.b.isp.example",
        "d.b.isp.example",
        "big.example.",
        ".big.example",
        "de.big..example",
        "fr.big.example",
        "it.big.example",
        "es.big.example",
        "pl.big.example",
        "deep.est.of.all.example",
        "xn--bcher-kva.example",
        "[192.0.2.1]",
        "example",
    ];
    let address = |n: usize, domain: usize| match n % 23 {
        0 => "root".to_owned(),
        1 => format!("\"odd@{n}\"@{}", domains[domain]),
        _ => format!("u{n}@{}", domains[domain]),
    };
    (0..600)
        .map(|n| {
            // Ages over twelve doublings, a third of them young.
            let doublings = below(12) + 1;
            let minutes = below(1 << doublings);
            let recipients = (0..=below(4)).map(|_| address(below(400), below(domains.len()))).collect();
            Message {
                id: format!("{n:09X}A"),
                state: STATES[below(STATES.len())],
                age_s: minutes as u64 * 60 + 30,
                sender: if n % 7 == 0 { String::new() } else { address(below(40), below(domains.len())) },
                recipients,
            }
        })
        .collect()
}

/// A queue file as cleanup(8) writes it, as far as qshape looks: typed records with a length in front.
fn queue_file(message: &Message, now: u64) -> Vec<u8> {
    const CONTENT: &str = "Subject: x";
    let mut records = vec![(b'C', format!("{:>15} {:>15} {:>15}", CONTENT.len() + 2, 0, message.recipients.len()))];
    records.push((b'T', format!("{} 0", now - message.age_s)));
    records.push((b'S', message.sender.clone()));
    records.push((b'M', String::new()));
    records.push((b'N', CONTENT.to_owned()));
    records.push((b'X', String::new()));
    records.extend(message.recipients.iter().map(|recipient| (b'R', recipient.clone())));
    records.push((b'E', String::new()));
    let length = |text: &str| u8::try_from(text.len()).expect("a short record");
    records.into_iter().flat_map(|(kind, text)| [vec![kind, length(&text)], text.into_bytes()].concat()).collect()
}

fn spool(directory: &TempDir, messages: &[Message], now: u64) {
    for state in STATES {
        fs::create_dir(directory.path().join(state)).expect("a directory");
    }
    for message in messages {
        let path = directory.path().join(message.state).join(&message.id);
        fs::write(&path, queue_file(message, now)).expect("a queue file");
        File::open(&path).and_then(|file| file.set_permissions(fs::Permissions::from_mode(0o700))).expect("its mode");
    }
}

/// The listing of the same queue.
fn listing(messages: &[Message], now: u64) -> String {
    let line = |message: &Message| {
        let to: Vec<Value> = message.recipients.iter().map(|address| json!({"address": address})).collect();
        let sender = if message.sender.is_empty() { "MAILER-DAEMON" } else { &message.sender };
        let entry = json!({"queue_name": message.state, "queue_id": message.id, "arrival_time": now - message.age_s, "message_size": 10,
            "sender": sender, "recipients": to});
        format!("{entry}\n")
    };
    messages.iter().map(line).collect()
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.map(|place| place.join("qshape")).find(|program| program.is_file())
}

/// Rows by their names; the names that differ have ours.
fn rows_of_qshape(printed: &str) -> BTreeMap<String, Vec<u64>> {
    let ours = |name: &str| match name {
        "MAILER-DAEMON" => "<>".to_owned(),
        "root" => "(none)".to_owned(),
        name => name.to_owned(),
    };
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        (ours(words.next().expect("a name")), words.map(|word| word.parse().expect("a number")).collect())
    };
    printed.lines().skip(1).map(row).collect()
}

/// What qshape prints of the spool with each of the options.
fn ask(program: &Path, messages: &[Message]) -> String {
    let directory = directory();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    spool(&directory, messages, now);
    let mut said = String::new();
    for (options, _) in OPTIONS {
        let arguments = options.split(' ').map(|word| match STATES.contains(&word) {
            true => directory.path().join(word).into_os_string(),
            false => word.into(),
        });
        let output = Command::new(program).args(["-w", "300"]).args(arguments).output().expect("qshape");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        said.push_str(&format!("# {options}\n"));
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines = lines.lines().map(squeezed);
        let head = lines.next().expect("a head");
        // Rows of one weight are in no order of theirs.
        let mut rows: Vec<String> = lines.collect();
        rows.sort();
        said.push_str(&format!("{head}\n{}\n", rows.join("\n")));
    }
    said
}

#[test]
fn every_cell_is_qshapes_whatever_its_options() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/queue/qshape.txt");
    let messages = messages();
    match installed() {
        Some(program) => {
            let said = ask(&program, &messages);
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&golden, &said).expect("a golden");
            }
            assert_eq!(said, fs::read_to_string(&golden).expect("what qshape printed"));
        }
        None => eprintln!("qshape is not installed: held against what it printed before"),
    }
    let said = fs::read_to_string(&golden).expect("what qshape printed");
    let said: BTreeMap<&str, &str> = said.split("# ").skip(1).map(|part| part.split_once('\n').expect("options")).collect();
    assert_eq!(said.len(), OPTIONS.len());
    let (directory, now) = (directory(), 1_795_501_987);
    let listing = file(&directory, "queue.json", listing(&messages, now));
    for (options, ours) in OPTIONS {
        let ours: Vec<&str> = ours.split(' ').filter(|word| !word.is_empty()).collect();
        let found = rows_of_matrix(&queue(&[&listing], super::MIXED, &ours));
        let expected = rows_of_qshape(said[options]);
        assert!(expected.len() > 15, "{options}");
        assert_eq!(found, expected, "qshape {options}");
    }
}
