//! Names, lengths and words.

use super::source::{code, functions, is_test};
use super::{files, none, root, rust_files, text};
use mailscope_parsers::PARSERS;
use std::fs;
use std::path::Path;

/// What may lie at the top, besides hidden files and what `.gitignore` names.
const TOP: &[&str] = &["Cargo.toml", "Cargo.lock", "README.md", "src", "parsers", "samples", "tests"];
/// A file that is longer is two files.
const LINES_OF_A_FILE: usize = 600;
/// A function fits a screen.
const LINES_OF_A_FUNCTION: usize = 70;
/// Functions that are longer all the same: one struct, filled in; one closure, in which the borrows live.
const LONG_FUNCTIONS: &[(&str, &str)] = &[("src/report/build.rs", "of_parts")];
/// Words of work that is not done. They are put together here so that this file does not hold them.
const UNDONE: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("to", "do!"), concat!("unimpl", "emented!")];
/// Beginnings of paths that exist on one machine only; the samples hold other machines' paths.
const MACHINES: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/Us", "ers/")];
/// What ends the program where an error or a smaller answer would do.
const PANICS: &[&str] = &[".unwrap()", ".expect(\"", ".unwrap_err()", "panic!("];

#[test]
fn the_top_level_holds_what_it_should() {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).expect("the root") {
        let name = entry.expect("a directory entry").file_name().to_string_lossy().into_owned();
        let is_ignored = ignored.lines().any(|line| line.trim_matches('/') == name);
        if !name.starts_with('.') && !is_ignored && !TOP.contains(&name.as_str()) {
            found.push(name);
        }
    }
    none(&found, "not at the top level");
}

#[test]
fn files_are_short() {
    let long = |path: &Path| Some(text(path).lines().count()).filter(|lines| *lines > LINES_OF_A_FILE);
    let all = ["src", "parsers", "tests"].map(rust_files).concat();
    let found: Vec<String> = all.iter().filter_map(|path| long(path).map(|lines| format!("{}: {lines} lines", path.display()))).collect();
    none(&found, &format!("files over {LINES_OF_A_FILE} lines"));
}

#[test]
fn functions_fit_a_screen() {
    let mut found = Vec::new();
    let mut excused: Vec<(String, String)> = Vec::new();
    for path in ["src", "parsers", "tests"].map(rust_files).concat() {
        let (text, path) = (text(&path), path.display().to_string());
        for f in functions(&text).into_iter().filter(|function| function.lines > LINES_OF_A_FUNCTION) {
            if LONG_FUNCTIONS.contains(&(path.as_str(), f.name)) {
                excused.push((path.clone(), f.name.to_owned()));
            } else {
                found.push(format!("{path}:{}: {} has {} lines", f.line, f.name, f.lines));
            }
        }
    }
    none(&found, &format!("functions over {LINES_OF_A_FUNCTION} lines"));
    let is_used = |path: &str, name: &str| excused.iter().any(|(p, n)| p == path && n == name);
    let unused = LONG_FUNCTIONS.iter().filter(|(path, name)| !is_used(path, name)).map(|(path, name)| format!("{path}: {name}"));
    none(&unused.collect::<Vec<_>>(), "excused in LONG_FUNCTIONS, and short");
}

#[test]
fn nothing_panics_outside_of_tests() {
    let mut found = Vec::new();
    let all = ["src", "parsers/src"].map(rust_files).concat();
    for path in all.iter().filter(|path| !is_test(path)) {
        let text = text(path);
        let parser = path.starts_with("parsers");
        for (number, line) in code(&text) {
            // What can't be reached is asserted where it can be argued; in a parser nothing can.
            let panics =
                PANICS.iter().any(|what| line.contains(what)) || parser && (line.contains("unreachable!(") || line.contains(" assert"));
            if panics {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    none(&found, "the program would end here");
}

#[test]
fn no_text_speaks_of_undone_work_or_of_one_machine() {
    let mut found = Vec::new();
    for path in files("").iter().filter(|path| path.extension().is_none_or(|end| end != "gz" && end != "lock")) {
        let sample = path.starts_with("samples");
        for (at, line) in text(path).lines().enumerate() {
            let is_path = |what: &str| {
                let own = |(before, _): (usize, &str)| !line[..before].ends_with(|c: char| c.is_alphanumeric() || "./_}-".contains(c));
                !sample && line.match_indices(what).any(own)
            };
            if UNDONE.iter().any(|what| has_word(line, what)) || MACHINES.iter().any(|what| is_path(what)) {
                found.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    none(&found, "words that are not to be left behind");
}

/// Whether the text is there as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(letter) && !line[at + word.len()..].starts_with(letter))
}

#[test]
fn every_parser_has_samples() {
    let lacks = |name: &str| !root().join("samples").join(name).is_dir() || files(&format!("samples/{name}")).is_empty();
    let found: Vec<String> = PARSERS.iter().map(|parser| parser.name).filter(|name| lacks(name)).map(str::to_owned).collect();
    none(&found, "parsers without samples");
}
