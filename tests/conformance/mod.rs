//! Conformance with the corpora: log lines of other mail-log projects, each with what that project
//! (or a plain reading of the line) says about them. The lines go through the program as a user
//! would run it, and its output is held against the expectation by the rules of the corpora's
//! README.
//!
//! The corpora are no part of the repository. `MAILSCOPE_CORPORA` names the directory that holds
//! `cases/*.jsonl`; without it these tests say that they were skipped. Cases of Postfix, Exim, Sendmail, Courier and Dovecot are run.
//!
//! Where a case and the design disagree, the design wins: such an expectation stands in `EXCUSED`
//! with the sentence that contradicts it, and a test keeps that table short, true and free of
//! excuses that are no longer needed.

mod cases;
mod classes;
mod exim_suite;
mod judging;
mod matcher;
mod matching;
mod replies;

use std::collections::BTreeSet;
use std::fs;

use cases::{Case, Form, corpora, load};
use judging::judge_all;
use matching::{Mismatch, plain};

/// One expectation that the design contradicts. It names the path, so that everything else the
/// case expects is still judged.
struct Excuse {
    id: &'static str,
    path: &'static str,
    quote: &'static str,
}

const RECEIVED_NEEDS_PROOF: &str = "messages taken in, from clients, submission and local \
    programs: an arrival line (`client=`, pickup) and proof that the queue took it (qmgr `from=`, \
    hold, a delivery line or `removed`)";

const EXCUSED: &[Excuse] = &[
    // Two `client=` lines and nothing after either of them.
    Excuse { id: "exporter-kumina/SASL login", path: "messages.received", quote: RECEIVED_NEEDS_PROOF },
    // Three `client=` lines, of which only 838FC8A5F has a line of the queue manager.
    Excuse { id: "exporter-digineo/mail.log", path: "messages.received", quote: RECEIVED_NEEDS_PROOF },
];

fn is_excused(id: &str, path: &str) -> bool {
    EXCUSED.iter().any(|e| e.id == id && e.path == path)
}

/// Runs the cases of one form, prints every failure and the counts, and panics once at the end.
fn check(test: &str, of_form: fn(&Form) -> bool) {
    let Some(corpora) = corpora(test) else { return };
    let cases = load(&corpora);
    let cases: Vec<&Case> = cases.iter().filter(|case| of_form(&case.form)).collect();
    assert!(!cases.is_empty(), "{test}: the corpora hold no such case");
    let (mut passed, mut failed, mut excused, mut classes) = (0, 0, 0, 0);
    for (case, judgement) in cases.iter().zip(judge_all(&cases)) {
        classes += judgement.classes_skipped;
        let all = judgement.failures.len();
        let failures: Vec<Mismatch> = judgement.failures.into_iter().filter(|failure| !is_excused(&case.id, &failure.path)).collect();
        match (failures.is_empty(), all) {
            (true, 0) => passed += 1,
            (true, _) => excused += 1,
            (false, _) => failed += 1,
        }
        for failure in failures {
            let Mismatch { line, path, expected, got } = failure;
            eprintln!("FAILED {}\n  line: {}", case.id, case.line(line));
            eprintln!("  {path}: expected {expected}, got {got}");
        }
    }
    let counts = format!("{test}: passed {passed}, failed {failed}, excused {excused}");
    eprintln!("{counts}; class not judged, no code decides it: {classes}");
    assert!(failed == 0, "{counts}");
}

#[test]
fn lines() {
    check("lines", |form| matches!(form, Form::Lines(_)));
}

#[test]
fn sequences() {
    check("sequences", |form| matches!(form, Form::Sequence { .. }));
}

#[test]
fn reports() {
    check("reports", |form| matches!(form, Form::Report(_)));
}

#[test]
fn excuses_are_few_and_needed() {
    let test = "excuses_are_few_and_needed";
    for excuse in EXCUSED {
        assert!(!excuse.quote.trim().is_empty(), "{}: no quote", excuse.id);
    }
    let Some(corpora) = corpora(test) else { return };
    let cases = load(&corpora);
    let ids: BTreeSet<&str> = EXCUSED.iter().map(|excuse| excuse.id).collect();
    assert!(ids.len() * 100 <= cases.len() * 2, "{} of {} cases are excused, more than 2 %", ids.len(), cases.len());
    // The design lies beside the corpora where they are kept together; then it must say the words.
    if let Ok(design) = fs::read_to_string(corpora.join("../DESIGN.md")) {
        for excuse in EXCUSED {
            let said = plain(&design).contains(&plain(excuse.quote));
            assert!(said, "{}: the design does not say the quote", excuse.id);
        }
    }
    let excused: Vec<&Case> = cases.iter().filter(|case| ids.contains(case.id.as_str())).collect();
    let judgements = judge_all(&excused);
    for excuse in EXCUSED {
        let at = excused.iter().position(|case| case.id == excuse.id);
        let at = at.unwrap_or_else(|| panic!("{}: no such case", excuse.id));
        let fails = judgements[at].failures.iter().any(|failure| failure.path == excuse.path);
        assert!(fails, "{}: {} holds or was not judged, the excuse is stale", excuse.id, excuse.path);
    }
}
