//! A server that nobody has heard of is added to a copy of the parsers, as `parsers/README.md` says and with nothing besides:
//! the steps name every file that changes, and the copy's own tests are content.

use super::{none, root, rust_files, text};
use mailscope_parsers::PARSERS;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = r#"//! Toy: `delivered 1 to a@b.example`.

use crate::Parser;
use crate::model::{Delivery, Event, Line, Record, Status, Text, Unrecognized};
use crate::scan::Cursor;

pub const PARSER: Parser = Parser { name: "toy", reads: "Toy: deliveries", parse };

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if record.program.0 != b"toyd" {
        return false;
    }
    let mut text = Cursor::new(record.text.0);
    let id = if text.eat(b"delivered ") { text.until_literal(b" to ") } else { None };
    *line = match id {
        Some(id) => {
            let delivery = Delivery { envelope_recipient: Text(text.rest), ..Delivery::new(Text(id), Status::Sent) };
            Line::Event(Event::Delivery(delivery))
        }
        None => Line::Unrecognized(Unrecognized::Text),
    };
    true
}
"#;

/// The steps: what stands between the heading and the paragraph behind the list.
fn steps(readme: &str) -> Vec<&str> {
    let section = readme.split("\n## A parser for another MTA\n").nth(1).expect("the section");
    let numbered = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    section.lines().skip_while(|line| !numbered(line)).take_while(numbered).collect()
}

/// What a step names between backticks that is a path, with the toy's name put in; below `parsers/` but for samples and the
/// project's README.
fn paths(step: &str) -> Vec<String> {
    let quoted = step.split('`').skip(1).step_by(2).filter(|word| word.contains('.') && !word.contains(' '));
    let named = quoted.map(|word| word.replace("<mta>", "toy").replace("<name>", "toy"));
    named.map(|word| if word.starts_with("src/") { format!("parsers/{word}") } else { word }).collect()
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// All files below a directory or file of `root`, by their paths from there.
fn read(root: &Path, below: &Path, files: &mut Files) {
    let path = root.join(below);
    if path.is_dir() {
        let entries = fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("a directory entry").file_name());
        entries.for_each(|name| read(root, &below.join(name), files));
    } else {
        files.insert(below.to_path_buf(), fs::read(&path).expect("a file"));
    }
}

/// Some files of a workspace: what its parsers are made of, and what their tests read.
fn parsers_of(root: &Path) -> Files {
    let mut files = Files::new();
    ["Cargo.toml", "README.md", "parsers"].iter().for_each(|part| read(root, Path::new(part), &mut files));
    for entry in fs::read_dir(root.join("samples")).expect("samples").map(|entry| entry.expect("a directory entry").path()) {
        let shapes = Path::new("samples").join(entry.file_name().expect("a name")).join("shapes");
        if root.join(&shapes).is_dir() {
            read(root, &shapes, &mut files);
        }
    }
    files
}

/// The manifest of a workspace that has the parsers and nothing else.
fn manifest(whole: &str) -> String {
    let (head, rest) = whole.split_once("\n[package]\n").expect("the package");
    let profiles = rest.find("\n[profile.dev]").expect("the profiles");
    let is_list = |line: &&str| line.starts_with("members = ") || line.starts_with("default-members = ");
    let kept: Vec<&str> = head.lines().filter(|line| !is_list(line)).collect();
    kept.join("\n").replacen("[workspace]", "[workspace]\nmembers = [\"parsers\"]", 1) + &rest[profiles..]
}

/// Runs some of the copy's tests.
fn cargo(at: &Path, update: bool, tests: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--offline", "--quiet", "-p", "mailscope-parsers", "--test", "samples", "--"]).args(tests).current_dir(at);
    command.env("CARGO_TARGET_DIR", at.with_extension("target")).env_remove("UPDATE_GOLDEN");
    if update {
        command.env("UPDATE_GOLDEN", "1");
    }
    let output = command.output().expect("cargo starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{tests:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn a_new_server_touches_only_the_files_that_the_steps_name() {
    let readme = text(Path::new("parsers/README.md"));
    let steps = steps(&readme);
    let named: Vec<String> = steps.iter().flat_map(|step| paths(step)).collect();
    assert_eq!(named, ["parsers/src/toy/mod.rs", "parsers/src/lib.rs", "samples/toy/shapes/*.log", "README.md"], "{steps:?}");
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("toy");
    let _ = fs::remove_dir_all(&at);
    let mut before = parsers_of(root());
    before.insert("Cargo.toml".into(), manifest(&text(Path::new("Cargo.toml"))).into_bytes());
    let write = |path: &str, bytes: &[u8]| {
        let path = at.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, bytes).expect("a file");
    };
    before.iter().for_each(|(path, bytes)| write(&path.display().to_string(), bytes));
    write("Cargo.lock", text(Path::new("Cargo.lock")).as_bytes());

    let registry = text(Path::new(&named[1])).replacen("mod sendmail;\n", "mod sendmail;\nmod toy;\n", 1);
    let registry = registry.replacen("    sendmail::PARSER,\n", "    sendmail::PARSER,\n    toy::PARSER,\n", 1);
    write(&named[0], MODULE.as_bytes());
    write(&named[1], registry.as_bytes());
    write(&named[2].replace('*', "toy"), b"Nov 24 07:00:01 mail toyd[1]: delivered 1 to a@b.example\n");
    cargo(&at, true, &["every_sample_line", "row_in_the_readme"]);
    cargo(&at, false, &["goldens::", "parity::", "closed::"]);

    let after = parsers_of(&at);
    let changed = after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)).map(|(path, _)| path.display().to_string());
    let changed: Vec<String> = changed.collect();
    let golden = "samples/toy/shapes/toy.jsonl";
    assert_eq!(changed, ["README.md", "parsers/src/lib.rs", "parsers/src/toy/mod.rs", golden, "samples/toy/shapes/toy.log"]);
    assert!(before.keys().all(|path| after.contains_key(path)));
    let read = "{\"line\":1,\"kind\":\"delivery\",\"queue_id\":\"1\",\"envelope_recipient\":\"a@b.example\",\"status\":\"sent\"}\n";
    assert_eq!(fs::read_to_string(at.join(golden)).expect("a golden"), read);
    assert!(fs::read_to_string(at.join("README.md")).expect("the README").contains("\n| toy | Toy: deliveries |\n"));
}

/// What a parser is called is its own affair: the program knows names only from the registry, but for the commands that list
/// a queue or do something about it, and for where logs lie.
#[test]
fn the_program_names_no_parser() {
    const COMMANDS_AND_PLACES: &[&str] = &["src/cli/live.rs", "src/input/discover.rs", "src/queue/findings.rs"];
    let mut found = Vec::new();
    for path in rust_files("src").into_iter().filter(|path| !COMMANDS_AND_PLACES.iter().any(|excused| path.ends_with(excused))) {
        let code = text(&path);
        let names = PARSERS.iter().filter(|parser| code.contains(&format!("\"{}\"", parser.name)));
        found.extend(names.map(|parser| format!("{}: {}", path.display(), parser.name)));
    }
    none(&found, "a parser's name outside of the registry");
}
