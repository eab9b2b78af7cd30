//! Queue listings with pseudonyms, alone and with the logs of the same host.

use super::{cells_of, names_in, nothing_of};
use crate::support::{directory, file, run_on, samples_of, set_time, unpacked};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const KEYED: &[&str] = &["--anonymize", "--anonymize-key", "k"];
const NOW: &str = "2026-11-24T06:33:07Z";

/// Listings, and for one of each server the log of its host.
fn listings() -> Vec<(PathBuf, Option<PathBuf>)> {
    let of = |server: &str, log: &str, names: &[&str]| {
        let samples = samples_of(server);
        let logs = std::iter::once(Some(samples.join(log))).chain(std::iter::repeat(None));
        names.iter().zip(logs).map(|(name, log)| (samples.join("queue").join(name), log)).collect::<Vec<_>>()
    };
    [
        of("postfix", "mail.log", &["mixed.json", "mixed.txt"]),
        of("exim", "mainlog", &["mixed.txt", "exim-4.98-bpa.txt", "delivered-to-some.txt", "exiqgrep-frozen.txt"]),
        of("sendmail", "mail.log.gz", &["late-v.txt", "late.txt", "quarantined.txt"]),
        of("opensmtpd", "mail.log.gz", &["mixed.txt"]),
    ]
    .concat()
}

/// `--logs LOG`, where there is one.
fn with(log: Option<&PathBuf>) -> Vec<&str> {
    log.into_iter().flat_map(|log| ["--logs", log.to_str().expect("UTF-8")]).collect()
}

fn queue(listing: &Path, more: &[&str]) -> String {
    run_on(&[&["queue", "--tz", "UTC", "--year", "2026", "--now", NOW, "--top", "5000"], more, &["--"]].concat(), &[listing]).ok()
}

#[test]
fn no_name_is_in_any_output() {
    let directory = directory();
    for (listing, log) in listings() {
        let mut names = names_in(&String::from_utf8_lossy(&fs::read(&listing).expect("a sample")));
        assert!(names.len() > 5, "{}: {names:?}", listing.display());
        names.extend(log.iter().flat_map(|log| names_in(&String::from_utf8_lossy(&unpacked(log)))));
        let path = directory.path().join("queue.xlsx");
        let (log, book) = (with(log.as_ref()), ["-o", path.to_str().expect("UTF-8")]);
        let mut all = String::new();
        for more in [
            [&["--format", "text", "--parents", "--min-subdomains", "1"][..], &log].concat(),
            [&["--format", "json", "--by", "provider"][..], &log].concat(),
            [&["--format", "csv"][..], &log].concat(),
            vec!["--format", "text", "--by", "sender"],
            vec!["--format", "json"],
            vec!["--format", "tsv"],
            vec!["--format", "jsonl"],
            vec!["--format", "md"],
        ] {
            let page = queue(&listing, &[&more, KEYED].concat());
            assert!(page.len() > 200, "{} {more:?}: {page}", listing.display());
            all += &page;
        }
        queue(&listing, &[&book[..], KEYED].concat());
        nothing_of(&names, &(all + &cells_of(&path)), &listing.display().to_string());
    }
}

#[test]
fn the_figures_are_the_same() {
    for (listing, log) in listings() {
        let more = [&["--format", "json"][..], &with(log.as_ref())].concat();
        let page = |keyed: &[&str]| serde_json::from_str::<Value>(&queue(&listing, &[&more[..], keyed].concat())).expect("JSON");
        let (plain, other) = (page(&[]), page(KEYED));
        for key in ["entries", "recipients", "size_bytes", "by_state", "oldest_s", "traffic"] {
            assert_eq!(plain[key], other[key], "{}: {key}", listing.display());
        }
        assert_eq!(plain["matrix"]["total"], other["matrix"]["total"]);
        for (list, facts) in [("reasons", &["class", "recipients"][..]), ("messages", &["queue_id", "state", "attempts", "last_attempt"])] {
            let rows = |page: &Value| {
                let rows = page[list].as_array().expect("a list").iter();
                let mut rows: Vec<String> = rows.map(|row| facts.iter().map(|fact| format!("{} ", row[*fact])).collect()).collect();
                rows.sort();
                rows
            };
            assert_eq!(rows(&plain), rows(&other), "{}: {list}", listing.display());
        }
        let classes = |page: &Value| {
            let of =
                |message: &Value| message["recipients"].as_array().expect("recipients").iter().map(|r| r["class"].to_string()).collect();
            page["messages"].as_array().expect("messages").iter().map(of).collect::<Vec<Vec<String>>>()
        };
        assert_eq!(classes(&plain), classes(&other), "{}", listing.display());
    }
}

#[test]
fn a_domain_has_the_pseudonym_that_it_has_in_the_report() {
    let samples = samples_of("postfix");
    let of = |text: &str| {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        words.filter(|word| word.ends_with(".example")).map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let waits = of(&queue(&samples.join("queue/mixed.json"), &[&["--format", "csv"], KEYED].concat()));
    let domains = run_on(&[&["export", "domains", "--tz", "UTC", "--year", "2026"], KEYED].concat(), &[samples.join("mail.log")]).ok();
    let shared = of(&domains).intersection(&waits).count();
    assert!(shared > 5, "{shared} of {waits:?}");
}

#[test]
fn a_line_that_is_no_entry_is_told_without_its_names() {
    let directory = directory();
    let text = fs::read_to_string(samples_of("postfix").join("queue/mixed.json")).expect("a sample");
    let listing = file(&directory, "queue.json", format!("{text}what ann@stranger.example of mx.stranger.example[192.0.2.77] says\n"));
    set_time(&listing, 1_795_501_987);
    for command in [&["queue"][..], &["export", "queue"]] {
        let said = |more: &[&str]| run_on(&[command, more].concat(), &[&listing]).stderr;
        let plain = said(&[]);
        assert!(plain.contains("no part of a queue listing, first: what ann@stranger.example"), "{plain}");
        let other = said(KEYED);
        assert!(other.contains("first: what u") && !other.contains("stranger") && !other.contains("192.0.2.77"), "{other}");
    }
}
