use crate::{lines, logs, unwrapped};
use mailscope_parsers::model::Line;
use std::fmt::Write;
use std::fs;

/// `{"line":1,"kind":"connect",...}`, or `{"line":1,"kind":"ignored","reason":"..."}`.
fn golden(number: usize, line: &[u8]) -> String {
    let (read, _) = mailscope_parsers::parse(&unwrapped(line), None);
    let object = match read {
        Line::Event(event) => serde_json::to_string(&event),
        Line::Ignored(reason) => serde_json::to_string(&serde_json::json!({"kind": "ignored", "reason": reason})),
        Line::Unrecognized(why) => panic!("{}: {}", why.reason(), String::from_utf8_lossy(line)),
    };
    let object = object.expect("an event is JSON");
    format!("{{\"line\":{number},{}", &object[1..])
}

/// `UPDATE_GOLDEN=1` rewrites them; read every changed line against its log line before you keep it.
#[test]
fn every_sample_line_means_what_its_golden_says() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = String::new();
    for (path, log) in logs() {
        let (mut got, file) = (String::new(), path.with_extension("jsonl"));
        for (number, line) in lines(&log) {
            writeln!(got, "{}", golden(number, line)).expect("a string takes all");
        }
        if update {
            fs::write(&file, &got).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            continue;
        }
        let expected = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if got.lines().count() != expected.lines().count() {
            writeln!(wrong, "{}: {} lines, the log has {}", file.display(), expected.lines().count(), got.lines().count())
                .expect("a string takes all");
        }
        for (got, expected) in got.lines().zip(expected.lines()).filter(|(got, expected)| got != expected) {
            writeln!(wrong, "{}\n  expected {expected}\n  got      {got}", path.display()).expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
