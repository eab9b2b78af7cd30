//! Nothing is registered without its samples, goldens and row of documentation.

use crate::samples;
use mailscope_parsers::PARSERS;
use mailscope_parsers::generic::{BUILT_IN, Format};
use std::fs;
use std::path::Path;

#[test]
fn every_parser_has_samples_and_goldens() {
    for parser in PARSERS {
        let shapes = samples().join(parser.name).join("shapes");
        let directory =
            fs::read_dir(&shapes).unwrap_or_else(|error| panic!("{} lacks its samples in {}: {error}", parser.name, shapes.display()));
        let logs: Vec<_> = directory
            .map(|entry| entry.expect("a directory entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .collect();
        assert!(!logs.is_empty(), "{} lacks its samples: no .log in {}", parser.name, shapes.display());
        for log in logs {
            assert!(log.with_extension("jsonl").is_file(), "{} lacks its golden; UPDATE_GOLDEN=1 writes it", log.display());
        }
    }
}

#[test]
fn every_sample_belongs_to_a_parser() {
    for entry in fs::read_dir(samples()).expect("samples").map(|entry| entry.expect("a directory entry")) {
        let name = entry.file_name();
        let known = PARSERS.iter().any(|parser| name == parser.name);
        assert!(known || !entry.path().join("shapes").is_dir(), "{}: no parser of that name is registered", entry.path().display());
    }
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: String = rows.map(|(name, reads)| format!("| {name} | {reads} |\n")).collect();
    format!("| name | reads |\n|---|---|\n{rows}")
}

/// The tables are made from the registry: `UPDATE_GOLDEN=1` writes them.
#[test]
fn every_parser_and_format_has_its_row_in_the_readme() {
    const BEGIN: &str = "\n## Parsers\n\n";
    const END: &str = "\n[parsers/README.md](parsers/README.md)";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let Ok(readme) = fs::read_to_string(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let formats: Vec<Format> = BUILT_IN.iter().filter_map(|(_, text)| Format::read(text).ok()).collect();
    let parsers = table(PARSERS.iter().map(|parser| (parser.name, parser.reads)));
    let formats = table(formats.iter().map(|format| (format.name, format.reads.as_str())));
    let expected = format!("{parsers}\nFormats that are data, asked for lines that no parser claims:\n\n{formats}");
    let from = readme.find(BEGIN).expect("the section") + BEGIN.len();
    let to = from + readme[from..].find(END).expect("its end");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, format!("{}{expected}{}", &readme[..from], &readme[to..])).expect("the README can be written");
        return;
    }
    assert_eq!(&readme[from..to], expected, "UPDATE_GOLDEN=1 writes the tables");
}

#[test]
fn names_are_unique_and_said() {
    for (at, parser) in PARSERS.iter().enumerate() {
        assert!(!parser.name.is_empty() && !parser.reads.is_empty());
        assert!(PARSERS[..at].iter().all(|other| other.name != parser.name), "{} is registered twice", parser.name);
    }
}
