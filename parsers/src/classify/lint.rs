//! Finds rules that say nothing, that can never match, or whose examples belong to another.

use super::pattern::Pattern;
use super::rules::{Problem, Rule};
use super::{Classifier, Reply, Said, providers};
use std::collections::HashMap;

/// Everything that is wrong with a classifier's rules: those that can't be read, that share an id, have no example, have
/// an example that another rule takes, or a pattern that an earlier rule always takes first.
pub fn lint(classifier: &Classifier) -> Vec<Problem> {
    let mut problems = classifier.problems.clone();
    let mut seen: HashMap<&str, &Rule> = HashMap::new();
    for rule in classifier.rules() {
        let mut say = |reason: String| problems.push(Problem { file: rule.file.clone(), rule: rule.id.clone(), reason });
        if let Some(other) = seen.insert(&rule.id, rule) {
            say(format!("its id is taken by a rule in {}", other.file));
        }
        if rule.examples.is_empty() {
            say("it has no example".to_owned());
        }
        rule.examples.iter().filter_map(|example| misled(classifier, rule, example)).for_each(&mut say);
        rule.any.iter().filter_map(|pattern| shadowed(classifier, rule, pattern)).for_each(&mut say);
    }
    problems
}

/// An example is what a host said, or this server, as the rule asks.
fn misled(classifier: &Classifier, rule: &Rule, example: &str) -> Option<String> {
    let mut reply = Reply::of(example.as_bytes());
    reply.relay = relay(rule);
    reply.said = rule.said.unwrap_or(Said::Unknown);
    let taken = other(classifier, rule, &reply)?;
    Some(format!("its example {example:?} {taken}"))
}

/// A text with nothing but the pattern, under the rule's own conditions, must come to the rule.
fn shadowed(classifier: &Classifier, rule: &Rule, pattern: &Pattern) -> Option<String> {
    let text = pattern.shortest_text();
    let codes = if rule.codes.is_empty() { vec![(None, None)] } else { rule.codes.iter().map(|code| code.example()).collect() };
    let said = rule.said.unwrap_or(Said::Unknown);
    let all = codes.into_iter().map(|(reply_code, dsn)| Reply { relay: relay(rule), reply_code, dsn, text: text.as_bytes(), said });
    let taken = all.map(|reply| other(classifier, rule, &reply)).collect::<Option<Vec<String>>>()?;
    Some(format!("its pattern {:?} can never decide: it {}", pattern.written(), taken.first()?))
}

fn relay(rule: &Rule) -> &'static [u8] {
    let provider = providers().iter().find(|provider| rule.relay && rule.provider == Some(&provider.name));
    provider.map_or(b"", |provider| provider.relay())
}

/// Who takes a reply, if it is not the rule.
fn other(classifier: &Classifier, rule: &Rule, reply: &Reply<'_>) -> Option<String> {
    match classifier.classify(reply).rule {
        Some(taker) if std::ptr::eq(taker, rule) => None,
        Some(taker) => Some(format!("is taken by the earlier rule {} ({})", taker.id, taker.file)),
        None => Some("does not match".to_owned()),
    }
}
