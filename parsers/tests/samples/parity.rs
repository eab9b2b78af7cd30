//! Nothing is registered without its samples, goldens and row of documentation.

use crate::samples;
use mailscope_parsers::PARSERS;
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

#[test]
fn every_parser_has_its_row_in_the_readme() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let Ok(text) = fs::read_to_string(&readme) else {
        eprintln!("skipped: there is no {}", readme.display());
        return;
    };
    for parser in PARSERS {
        let row = |line: &str| {
            line.strip_prefix('|').is_some_and(|row| row.split('|').next().unwrap_or_default().trim().trim_matches('`') == parser.name)
        };
        assert!(text.lines().any(row), "{} lacks its row (`| {} | ...`) in {}", parser.name, parser.name, readme.display());
    }
}

#[test]
fn names_are_unique_and_said() {
    for (at, parser) in PARSERS.iter().enumerate() {
        assert!(!parser.name.is_empty() && !parser.reads.is_empty());
        assert!(PARSERS[..at].iter().all(|other| other.name != parser.name), "{} is registered twice", parser.name);
    }
}
