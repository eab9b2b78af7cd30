//! Who may import whom: a line goes from `input` through `pipeline`, `correlate`, `aggregate` and `report` to `render`, and
//! nobody looks back.

use super::source::{code, is_test, paths};
use super::{none, rust_files, text};
use std::path::Path;

/// A module of the program, and all that it may name: paths below `crate::`, and below `mailscope_parsers::`.
struct Module {
    name: &'static str,
    crates: &'static [&'static str],
    parsers: &'static [&'static str],
}

const ANYTHING: &str = "";

const PROGRAM: &[Module] = &[
    // Knows no parser: of a line it reads the stamp, and of a queue id the second of its birth.
    Module { name: "input", crates: &["input"], parsers: &["envelope", "model", "birth_second"] },
    Module {
        name: "pipeline",
        crates: &["pipeline", "input", "correlate::Fact", "correlate::Step", "correlate::instance"],
        parsers: &[
            "classify::Classifier",
            "classify::Failure",
            "classify::Told",
            "envelope",
            "generic",
            "model",
            "near",
            "Parser",
            "goes_on",
            "is_copy",
            "parse_into",
        ],
    },
    Module { name: "correlate", crates: &["correlate"], parsers: &["model", "near"] },
    // A line as the pipeline hands it on, and its word for no time. Words of a text are found eight letters at a time.
    Module {
        name: "aggregate",
        crates: &["aggregate", "correlate", "pipeline::NO_TIME", "pipeline::Seen", "pipeline::both", "pipeline::lock"],
        parsers: &["classify", "model", "near::have_capitals", "scan::Letters"],
    },
    Module { name: "numbers", crates: &[], parsers: &[] },
    // Times are written in a zone.
    Module {
        name: "report",
        crates: &["report", "aggregate", "input::Zone", "numbers", "pipeline::NO_TIME", "pipeline::both"],
        parsers: &["classify::list_named", "model"],
    },
    // Of the summaries only what counts by key, and the shapes of texts; of the lives what the logs add to a listing.
    Module {
        name: "queue",
        crates: &[
            "queue",
            "correlate",
            "aggregate::Merge",
            "aggregate::Row",
            "aggregate::Table",
            "aggregate::provider",
            "aggregate::template",
            "input::Zone",
        ],
        parsers: &["model", "classify", "scan", "Listing", "LISTINGS", "listing"],
    },
    // Lines as the pipeline hands them on; times are written in a zone.
    Module { name: "trace", crates: &["trace", "correlate", "pipeline::Seen", "input::Zone"], parsers: &["model"] },
    // The report says in the words of the model what is for good and what is for now; a story is told by its events; a queue
    // stands beside the report.
    Module {
        name: "render",
        crates: &["render", "report", "queue", "trace", "numbers", "pipeline::Seen", "input::Zone"],
        parsers: &["model"],
    },
    // Lives, lines as the pipeline hands them on, the report's lists. Of the summaries only which times count; of the renderers
    // only how hostile text is made harmless.
    Module {
        name: "export",
        crates: &[
            "export",
            "correlate",
            "report",
            // Frames are made of rows, and written by the exports that write frames.
            "tables",
            "queue::Known",
            "queue::Tried",
            "aggregate::Window",
            "input::Zone",
            "pipeline::Seen",
            "render::is_unsafe",
            "render::json",
            "render::printable",
        ],
        parsers: &["model", "classify::provider_of", "near::are_same", "near::lie_between"],
    },
    // Lines as the pipeline hands them on; of the classes which names are providers' and block lists'.
    Module {
        name: "anonymize",
        crates: &["anonymize", "pipeline::Seen"],
        parsers: &["model", "classify::list_named", "classify::provider_of"],
    },
    Module { name: "tables", crates: &["tables", "export"], parsers: &[] },
    Module { name: "query", crates: &["query", "export"], parsers: &[] },
    // Knows replies, and no log.
    Module { name: "explain", crates: &["explain", "render::printable"], parsers: &["classify", "model"] },
    // The screen: sums, lines as the pipeline hands them on, and findings; times are written in a zone.
    Module {
        name: "live",
        crates: &["live", "aggregate", "pipeline::NO_TIME", "pipeline::Seen", "report", "input::Zone", "render::printable"],
        parsers: &["model"],
    },
    // What alerts are made of, and the words that they may name; zones, to see that one is one.
    Module { name: "config", crates: &["config", "live::alerts", "report::FINDINGS", "report::Severity", "input::Zone"], parsers: &[] },
    Module { name: "cli", crates: &[ANYTHING], parsers: &[ANYTHING] },
    Module { name: "main", crates: &[], parsers: &[] },
    Module { name: "lib", crates: &[], parsers: &[] },
];

/// What the modules of the parsers may name below `crate::`; all others are parsers, which know the words, the readers and
/// their own directory.
const PARSERS: &[(&str, &[&str])] = &[
    ("near", &["near"]),
    ("model", &["model", "near"]),
    ("scan", &["scan", "model", "near"]),
    ("envelope", &["envelope", "model", "near", "scan"]),
    ("classify", &["classify", "model", "near", "scan"]),
    ("lib", &[ANYTHING]),
];
const EVERY_PARSER: &[&str] = &["Listing", "Parser", "model", "near", "scan", "envelope", "classify"];

/// What stands only where it is allowed to: the text, the modules of the program, and why.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    ("rayon::", &["pipeline"], "threads are handed out in one place"),
    // Of the input only what comes before there are lines: unpacking, records to lines.
    ("std::thread", &["pipeline", "cli", "input"], "threads are handed out in one place"),
    ("polars", &["tables", "query", "export"], "frames are never on the path of the report"),
    ("::now(", &["input", "cli"], "the same log gives the same report at any time"),
    ("ratatui", &["live", "cli"], "only the live screen takes the terminal"),
    ("notify::", &["input"], "files are followed where they are read"),
    ("std::net", &["cli", "anonymize"], "nobody else talks to the network; pseudonyms are made of addresses"),
    ("ureq", &["cli"], "nobody else talks to the network"),
    ("lettre", &["cli"], "nobody else talks to the network"),
    ("toml::", &["config"], "the configuration is read in one place"),
    ("signal_hook", &["cli"], "signals are for the command line"),
    ("std::fs", &["input", "cli"], "files are opened and written at the edge"),
    ("std::process", &["main", "cli", "input"], "nothing but the command line ends the program, and only the input starts one"),
    ("clap", &["cli"], "only the command line knows its arguments"),
    ("indicatif", &["cli"], "progress is shown by the command line"),
    ("bzip2", &["input"], "what a file is packed with is forgotten once it is read"),
    ("liblzma", &["input"], "what a file is packed with is forgotten once it is read"),
    ("zstd", &["input"], "what a file is packed with is forgotten once it is read"),
    ("regex::", &["trace"], "only what a user asks for is searched with patterns"),
    ("flate2", &["input"], "what a file is packed with is forgotten once it is read"),
    ("println!", &["cli"], "printing is the command line's"),
];

/// What the parsers never mention: they have no files, no clock, no threads, no environment.
const NEVER_IN_PARSERS: &[&str] = &[
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::sync",
    "std::time",
    "::now(",
    "Local::",
    "Utc",
    "println!",
    "print!(",
    "rayon",
    "polars",
    "regex",
];

/// `src/input/read.rs` is of `input`, `src/pipeline.rs` of `pipeline`, below `src`.
fn module(path: &Path, src: &str) -> String {
    let first = path.strip_prefix(src).expect("a file of this crate").components().next().expect("a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn allows(allowed: &[&str], path: &str) -> bool {
    allowed
        .iter()
        .any(|allowed| *allowed == ANYTHING || path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
}

/// What is not allowed among the paths of a file that begin with `start`.
fn trespasses(path: &Path, start: &str, allowed: &[&str]) -> Vec<String> {
    let text = text(path);
    let found = paths(&code(&text), start).into_iter().filter(|(_, to)| !allows(allowed, to));
    found.map(|(line, to)| format!("{}:{line}: {start}{to}", path.display())).collect()
}

/// Paths upwards would go round the rules: out of a module's root file, or two steps at once.
fn upwards(path: &Path, src: &str) -> Vec<String> {
    let name = path.strip_prefix(src).expect("a file of this crate").to_string_lossy().into_owned();
    let is_root = !name.contains('/') || name.matches('/').count() == 1 && name.ends_with("/mod.rs");
    let text = text(path);
    let is_up = |line: &str| line.contains("super::super::") || is_root && line.contains("super::");
    code(&text)
        .iter()
        .filter(|(_, line)| is_up(line))
        .map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
        .collect()
}

#[test]
fn modules_of_the_program_know_only_those_before_them() {
    let mut found = Vec::new();
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        let name = module(path, "src");
        let rule = PROGRAM.iter().find(|rule| rule.name == name);
        let rule = rule.unwrap_or_else(|| panic!("{}: say in PROGRAM whom the module {name} may know", path.display()));
        found.extend(trespasses(path, "crate::", rule.crates));
        found.extend(trespasses(path, "mailscope_parsers::", rule.parsers));
        found.extend(upwards(path, "src"));
    }
    none(&found, "not theirs to know");
}

#[test]
fn parsers_never_know_each_other() {
    let mut found = Vec::new();
    for path in rust_files("parsers/src").iter().filter(|path| !is_test(path)) {
        let name = module(path, "parsers/src");
        let own = [EVERY_PARSER, &[name.as_str()]].concat();
        let allowed = PARSERS.iter().find(|(module, _)| *module == name).map_or(own.as_slice(), |(_, allowed)| allowed);
        found.extend(trespasses(path, "crate::", allowed));
        found.extend(upwards(path, "parsers/src"));
    }
    none(&found, "not theirs to know");
}

#[test]
fn some_things_stand_in_one_place() {
    let mut found = Vec::new();
    for path in rust_files("src").iter().filter(|path| !is_test(path)) {
        let (name, text) = (module(path, "src"), text(path));
        for (number, line) in code(&text) {
            let out = ONLY_IN.iter().filter(|(what, places, _)| line.contains(what) && !places.contains(&name.as_str()));
            found.extend(out.map(|(what, _, why)| format!("{}:{number}: {what} ({why})", path.display())));
        }
    }
    none(&found, "in the wrong module");
}

#[test]
fn parsers_have_no_files_no_clock_and_no_threads() {
    let mut found = Vec::new();
    for path in rust_files("parsers/src").iter().filter(|path| !is_test(path)) {
        let text = text(path);
        for (number, line) in code(&text) {
            // Rules are data: read once, at their first use, and the same for everyone ever after. Formats that are data may be
            // regular expressions: no line of a server that has a parser gets there.
            let line = match module(path, "parsers/src").as_str() {
                "classify" => line.replace("std::sync::LazyLock", "").replace("std::sync::atomic", ""),
                "generic" => line.replace("regex", ""),
                _ => line.to_string(),
            };
            let out = NEVER_IN_PARSERS.iter().filter(|what| line.contains(**what));
            found.extend(out.map(|what| format!("{}:{number}: {what}", path.display())));
        }
    }
    none(&found, "not in a parser");
}
