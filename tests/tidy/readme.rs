//! The README says what the program does: every list of names in it is compared with the code, and every figure and line of
//! its sample with what the program and the log say.

use super::{none, root, text};
use mailscope::export::{Column, TABLES};
use mailscope_parsers::classify::{Classifier, meaning_of_class};
use mailscope_parsers::generic::BUILT_IN;
use mailscope_parsers::model::Class;
use mailscope_parsers::{LISTINGS, PARSERS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The log that the README shows.
const SAMPLE: &str = "samples/postfix/mail.log";

fn readme() -> String {
    text(Path::new("README.md"))
}

/// What a heading stands over, up to the next one of its rank or a higher one.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let rank = heading.split(' ').next().expect("a heading");
    let from = readme.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the README lacks {heading:?}")) + heading.len() + 2;
    let rest = &readme[from..];
    let ends = |(at, _): &(usize, &str)| {
        let line = &rest[at + 1..];
        line.split(' ').next().is_some_and(|hashes| !hashes.is_empty() && hashes.len() <= rank.len() && hashes.chars().all(|c| c == '#'))
    };
    let end = rest.match_indices('\n').find(ends).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The quoted words of the list that begins with `start` and ends with a line that ends with a full stop.
fn list<'a>(readme: &'a str, start: &str) -> Vec<&'a str> {
    let from = readme.find(&format!("\n{start}")).unwrap_or_else(|| panic!("the README lacks the list {start:?}")) + 1 + start.len();
    let end = readme[from..].find(".\n").map_or(readme.len(), |end| from + end);
    quoted(&readme[from..end])
}

/// The cells of the rows of all tables in a text, the heads and rules left out.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |at: usize| lines[at].starts_with('|') && !lines[at].starts_with("|--");
    let is_head = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|--"));
    (0..lines.len())
        .filter(|at| is_row(*at) && !is_head(*at))
        .map(|at| lines[at].trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// The commands of the README's consoles, without the prompt.
fn commands(readme: &str) -> Vec<&str> {
    readme.lines().filter_map(|line| line.strip_prefix("$ ")).collect()
}

/// The program's standard output, run at the root of the checkout.
fn run(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mailscope")).args(args).current_dir(root()).output().expect("the program");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The arguments of the README's main command.
fn main_command(readme: &str) -> Vec<&str> {
    let start = "cargo run --release --no-default-features -- ";
    let command = commands(readme).into_iter().find_map(|command| command.strip_prefix(start));
    let args: Vec<&str> = command.expect("a command that runs the program").split(' ').collect();
    assert!(args.contains(&SAMPLE), "{args:?}");
    args
}

fn report(readme: &str) -> Value {
    let args = [main_command(readme), vec!["--format", "json", "--top", "5000"]].concat();
    serde_json::from_str(&run(&args)).expect("JSON")
}

/// `messages.received` in a report.
fn at<'a>(report: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(report, |value, key| value.get(key))
}

/// The subcommands that the help names, but `help` itself.
fn subcommands() -> Vec<String> {
    let help = run(&["--help"]);
    let below = help.split("Commands:\n").nth(1).expect("commands");
    let names = below.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What a build without the feature `tables` lacks.
const OF_THE_FEATURE: &str = "query";

/// Whether this build has the command.
fn is_built(command: &str) -> bool {
    cfg!(feature = "tables") || command != OF_THE_FEATURE
}

/// The long options in a text.
fn options(text: &str) -> BTreeSet<&str> {
    let ends = |c: char| !(c.is_ascii_lowercase() || c == '-');
    text.split("--").skip(1).filter_map(|after| after.split(ends).next()).filter(|name| name.len() > 1 && !name.starts_with('-')).collect()
}

#[test]
fn every_subcommand_has_its_section_and_no_other_has() {
    let readme = readme();
    let headings: Vec<&str> =
        section(&readme, "## Commands").lines().filter_map(|line| line.strip_prefix("### ")).filter(|name| is_built(name)).collect();
    let besides = ["The configuration", "Options", "Exit status"];
    assert_eq!(headings.iter().filter(|heading| !besides.contains(heading)).collect::<Vec<_>>(), subcommands().iter().collect::<Vec<_>>());
}

#[test]
fn every_option_is_told_and_there_is_no_other() {
    let readme = readme();
    let rows = rows(section(&readme, "### Options"));
    for command in subcommands() {
        let help = run(&[&command, "--help"]);
        let mut has = options(help.split("Options:").nth(1).unwrap_or_default());
        has.retain(|option| !["help", "version"].contains(option));
        // What other text of the help names in passing is an option of the same command.
        let told = rows.iter().filter(|row| row[1].split(", ").any(|of| of == command)).flat_map(|row| options(row[0]));
        assert_eq!(told.collect::<BTreeSet<_>>(), has, "options of {command}");
    }
    let all: Vec<&str> = rows.iter().flat_map(|row| row[1].split(", ")).collect();
    let commands = subcommands();
    assert!(all.iter().filter(|of| is_built(of)).all(|of| commands.iter().any(|command| command == of)), "{all:?}");
}

#[test]
fn the_columns_are_those_of_the_tables() {
    let readme = readme();
    let names = |columns: &'static [Column]| columns.iter().map(|column| column.name).collect::<Vec<_>>();
    for table in TABLES {
        assert_eq!(list(&readme, &format!("Columns of `{}`:", table.name)), names(table.columns));
    }
    let told: Vec<Vec<&str>> = rows(section(&readme, "### export"));
    let told: Vec<(&str, &str)> = told.iter().map(|row| (row[0].trim_matches('`'), row[1])).collect();
    assert_eq!(told, TABLES.iter().map(|table| (table.name, table.about)).collect::<Vec<_>>());
}

#[test]
fn the_listings_are_those_of_the_registry() {
    let readme = readme();
    let told = rows(section(&readme, "### queue"));
    let names: Vec<&str> = told.iter().flat_map(|row| quoted(row[0])).take(LISTINGS.len()).collect();
    assert_eq!(names, LISTINGS.iter().map(|listing| listing.name).collect::<Vec<_>>());
}

#[test]
fn the_keys_of_a_queue_are_the_programs() {
    let readme = readme();
    let printed = run(&["queue", "--format", "json", "--top", "1", "--logs", SAMPLE, "--", "samples/postfix/queue/mixed.json"]);
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    let keys: BTreeSet<&str> = printed.as_object().expect("an object").keys().map(String::as_str).collect();
    let told = list(&readme, "Keys of a queue:").into_iter().filter(|key| *key != "--logs");
    assert_eq!(told.collect::<BTreeSet<_>>(), keys);
    assert!(readme.contains(&format!("`{}`", printed["schema"].as_str().expect("a schema"))));
}

#[test]
fn the_parsers_and_formats_are_those_of_the_registry() {
    let readme = readme();
    let names: Vec<&str> = rows(section(&readme, "## Parsers")).iter().map(|row| row[0]).collect();
    let formats = BUILT_IN.iter().filter_map(|(file, _)| file.strip_suffix(".toml"));
    assert_eq!(names, PARSERS.iter().map(|parser| parser.name).chain(formats).collect::<Vec<_>>());
}

/// A word of the model as it is in JSON.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).expect("a word").as_str().expect("a word").to_owned()
}

#[test]
fn the_classes_are_those_of_the_model() {
    let readme = readme();
    let rows = rows(section(&readme, "## Classes of failure"));
    let told: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
    let means = |class: Class| meaning_of_class(class).expect("a meaning").means.clone();
    let row = |class: &Class| vec![class.name().to_owned(), word(&class.side()), word(&class.kind()), means(*class)];
    assert_eq!(told, Class::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn the_rules_shown_can_be_used() {
    let readme = readme();
    let text = section(&readme, "## Classes of failure");
    let rules = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("rules");
    let problems = Classifier::with(&[("README.md", rules)]).err().unwrap_or_default();
    none(&problems.iter().map(ToString::to_string).collect::<Vec<_>>(), "the rules of the README");
}

#[test]
fn the_fields_of_an_explanation_are_those_of_the_program() {
    let readme = readme();
    let printed = run(&["explain", "--format", "json", "451 4.3.0 local error [TSS04]"]);
    let other = run(&["explain", "--format", "json", "451 4.3.0 local error"]);
    let keys = |text: &str| serde_json::from_str::<Value>(text).expect("JSON").as_object().expect("an object").keys().cloned().collect();
    let all: BTreeSet<String> = BTreeSet::union(&keys(&printed), &keys(&other)).cloned().collect();
    let told: BTreeSet<&str> = quoted(section(&readme, "### explain").split("```").nth(2).expect("text")).into_iter().collect();
    let untold = all.iter().filter(|key| !told.contains(key.as_str())).cloned();
    none(&untold.collect::<Vec<_>>(), "fields that the README does not tell");
    assert!(all.len() >= 10, "{all:?}");
}

#[test]
fn the_kinds_are_those_of_the_events() {
    let mut kinds = BTreeSet::new();
    for path in super::files("samples").iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        for line in text(path).lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            kinds.extend(event["kind"].as_str().map(str::to_owned));
        }
    }
    kinds.retain(|kind| kind != "ignored" && kind != "unrecognized");
    let readme = readme();
    assert_eq!(list(&readme, "Kinds:").into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), kinds);
}

#[test]
fn the_keys_are_those_of_the_report() {
    let readme = readme();
    let report = report(&readme);
    // `approximate` is there only where something is.
    let keys: BTreeSet<&str> =
        report.as_object().expect("an object").keys().map(String::as_str).filter(|key| *key != "approximate").collect();
    assert_eq!(list(&readme, "Keys:").into_iter().collect::<BTreeSet<_>>(), keys);
    assert!(readme.contains(&format!("`{}`", report["schema"].as_str().expect("a schema"))));
}

#[test]
fn the_findings_are_those_of_the_program() {
    let readme = readme();
    let table = readme.split("| finding | is there when |").nth(1).expect("a table");
    let told: Vec<&str> = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(told, mailscope::report::FINDINGS);
}

#[test]
fn what_is_counted_is_in_the_report() {
    let readme = readme();
    let report = report(&readme);
    let rows = rows(section(&readme, "## What is counted"));
    assert!(rows.len() > 10);
    let found = rows.iter().flat_map(|row| quoted(row[0])).filter(|path| at(&report, path).is_none()).map(str::to_owned);
    none(&found.collect::<Vec<_>>(), "not in the report");
    for group in ["messages", "recipients", "attempts", "rates"] {
        let told: BTreeSet<&str> = quoted(section(&readme, "## What is counted")).into_iter().collect();
        let keys = report[group].as_object().expect("a group").keys().map(|key| format!("{group}.{key}"));
        let besides = ["messages.size_bytes", "messages.notification_outcomes"];
        let missing = keys.filter(|key| !told.contains(key.as_str()) && !besides.contains(&key.as_str()));
        none(&missing.collect::<Vec<_>>(), "in the report, and not told");
    }
}

#[test]
fn the_output_shown_is_the_programs() {
    let readme = readme();
    let printed = run(&main_command(&readme));
    let shown =
        readme.split("$ cargo run --release --no-default-features").nth(1).and_then(|rest| rest.split("```").next()).expect("a console");
    let mut lines = printed.lines().filter(|line| !line.is_empty());
    // In the order of the output, with gaps only where the README has dots.
    let mut gap = false;
    for line in shown.lines().skip(1).filter(|line| !line.is_empty()) {
        if line == "..." {
            gap = true;
            continue;
        }
        let next = if gap { lines.find(|next| *next == line) } else { lines.next() };
        assert_eq!(next, Some(line), "the README shows another line here");
        gap = false;
    }
}

#[test]
fn the_story_shown_is_the_programs() {
    let readme = readme();
    let (command, shown) =
        section(&readme, "### trace").split("$ mailscope ").last().and_then(|rest| rest.split_once('\n')).expect("a console");
    let args: Vec<&str> = command.split(' ').collect();
    assert_eq!(shown.split("```").next(), Some(run(&args).as_str()));
}

#[test]
fn the_comparison_has_the_figures_of_the_program() {
    let readme = readme();
    let report = report(&readme);
    let rows = rows(section(&readme, "## Beside pflogsumm"));
    assert!(rows.len() > 5);
    for row in rows {
        let path = quoted(row[0])[0];
        assert_eq!(at(&report, path).map(Value::to_string).as_deref(), Some(row[1]), "{path}");
    }
}

#[test]
fn the_lines_that_decide_are_in_the_log() {
    let (readme, log) = (readme(), text(Path::new(SAMPLE)));
    let quotes: Vec<&str> = section(&readme, "## Beside pflogsumm").lines().filter(|line| line.starts_with("Nov 24 ")).collect();
    assert!(quotes.len() > 10);
    let is_there = |quote: &str| match quote.strip_suffix(" ...") {
        Some(start) => log.lines().any(|line| line.starts_with(start)),
        None => log.lines().any(|line| line == quote),
    };
    let missing = quotes.into_iter().filter(|quote| !is_there(quote)).map(str::to_owned);
    none(&missing.collect::<Vec<_>>(), &format!("not in {SAMPLE}"));
}

#[test]
fn links_lead_somewhere() {
    let readme = readme();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://"));
    let dead = links.filter(|link| !root().join(link).exists()).map(str::to_owned);
    none(&dead.collect::<Vec<_>>(), "links of the README");
}

#[test]
fn the_toolchain_it_asks_for_is_that_of_the_manifest() {
    let manifest = text(Path::new("Cargo.toml"));
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("a rust-version");
    assert!(readme().contains(&format!("Rust {} or later", version.trim_matches('"'))), "rust-version is {version}");
}

#[test]
fn the_readmes_test_command_is_what_ci_runs() {
    let (readme, ci) = (readme(), fs::read_to_string(root().join(".ci/run")).expect(".ci/run"));
    let tests: Vec<&str> = commands(&readme).into_iter().filter(|command| command.starts_with("cargo test")).collect();
    assert_eq!(tests.len(), 1, "{tests:?}");
    assert!(ci.lines().any(|line| line.trim() == tests[0]), ".ci/run does not run {:?}", tests[0]);
}
