//! Replies that other projects have labelled, against the rules: most must be of the label's class, in every class, and few
//! may be left without one.

use super::corpora;
use mailscope_parsers::classify::{Classifier, Reply};
use mailscope_parsers::model::EnhancedStatus;
use std::collections::BTreeMap;
use std::fs;

/// Shares that must be reached.
const AGREEMENT: f64 = 0.90;
const MACRO_F1: f64 = 0.85;
/// The share that must not.
const UNKNOWN: f64 = 0.05;

/// How often a class was right, missed, and said where another was right.
#[derive(Default)]
struct Counts {
    right: f64,
    missed: f64,
    wrong: f64,
}

#[test]
fn labelled_replies_are_classed_as_labelled() {
    let Some(corpora) = corpora("labelled_replies_are_classed_as_labelled") else { return };
    let path = corpora.join("classify/train.tsv");
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let (mut scored, mut agreed, mut unknown) = (0.0, 0.0, 0.0);
    let text = String::from_utf8_lossy(&text);
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [class, _, _, dsn, reply_code, text] = fields[..] else { panic!("{line}") };
        // Labels that are too coarse to judge by.
        if class == "?" {
            continue;
        }
        let mut reply = Reply::of(text.as_bytes());
        reply.dsn = EnhancedStatus::parse(dsn.as_bytes()).or(reply.dsn);
        reply.reply_code = reply_code.parse().ok().or(reply.reply_code);
        let got = Classifier::built_in().classify(&reply).class.name();
        scored += 1.0;
        unknown += f64::from(u8::from(got == "unknown"));
        if class.split('|').any(|right| right == got) {
            agreed += 1.0;
            counts.entry(got).or_default().right += 1.0;
        } else {
            eprintln!("{class}, not {got}: {dsn} {reply_code} {text}");
            counts.entry(class.split('|').next().expect("a class")).or_default().missed += 1.0;
            counts.entry(got).or_default().wrong += 1.0;
        }
    }
    let f1: Vec<f64> = counts
        .values()
        .filter(|counts| counts.right + counts.missed > 0.0)
        .map(|counts| 2.0 * counts.right / (2.0 * counts.right + counts.missed + counts.wrong))
        .collect();
    let (agreement, macro_f1, unknown) = (agreed / scored, f1.iter().sum::<f64>() / f1.len() as f64, unknown / scored);
    eprintln!("{scored} replies: agreement {agreement:.3}, macro-F1 {macro_f1:.3}, unknown {unknown:.3}");
    assert!(scored > 200.0, "{scored} replies");
    assert!(agreement >= AGREEMENT, "agreement {agreement:.3}");
    assert!(macro_f1 >= MACRO_F1, "macro-F1 {macro_f1:.3}");
    assert!(unknown < UNKNOWN, "unknown {unknown:.3}");
}
