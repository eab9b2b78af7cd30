//! Rules as data: TOML in, rules out, and a precise reason for each one that can't be used.
//!
//! ```toml
//! [[rule]]
//! id = "mailbox-over-quota"
//! class = "mailbox_full"
//! any = ["over quota", "mailbox ... is full"]   # one of these in the text
//! not = ["disk quota"]                          # optional: and none of these
//! codes = ["552", "x.2.x"]                      # optional: and one of these codes
//! provider = "Google"                           # optional: whose words these are
//! relay = true                                  # optional: only where the relay is the provider's
//! weak = true                                   # optional: not where the enhanced code says more than these words
//! said = "remote"                               # optional: only where "remote" or "local" said it
//! examples = ["552 5.2.2 Mailbox of that user is full"]
//! advice = "..."                                # optional: what to do, where it is more than the class says
//! ```

use super::Said;
use super::pattern::{Code, Pattern};
use super::provider::provider_named;
use super::words::Vocabulary;
use crate::model::Class;
use serde::Deserialize;
use std::fmt;

/// One rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    id: String,
    class: String,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    #[serde(default)]
    codes: Vec<String>,
    provider: Option<String>,
    #[serde(default)]
    relay: bool,
    #[serde(default)]
    weak: bool,
    said: Option<String>,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    advice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

/// One rule, ready to be used.
#[derive(Debug)]
pub struct Rule {
    pub id: String,
    /// The file that it stands in.
    pub file: String,
    pub class: Class,
    pub(super) any: Vec<Pattern>,
    pub(super) not: Vec<Pattern>,
    pub(super) codes: Vec<Code>,
    pub provider: Option<&'static str>,
    /// Only where the relay is the provider's.
    pub(super) relay: bool,
    /// Not where the enhanced code says more.
    pub(super) weak: bool,
    pub(super) said: Option<Said>,
    pub examples: Vec<String>,
    /// What to do; empty where the class says it all.
    pub advice: String,
}

/// Why a rule can't be used, or never would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// The rule's id; empty where the file itself can't be read.
    pub rule: String,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule.as_str() {
            "" => write!(f, "{}: {}", self.file, self.reason),
            rule => write!(f, "{}: rule {rule}: {}", self.file, self.reason),
        }
    }
}

const NO_PATTERN: &str = "is no pattern: words, \"...\" between them for what may stand there, a star only at the end of a word of three letters or more; no numbers";

/// Reads the rules of one file. What can't be used is a problem, and the rest is still read.
pub fn read(file: &str, text: &str, vocabulary: &mut Vocabulary, problems: &mut Vec<Problem>) -> Vec<Rule> {
    match toml::from_str::<File>(text) {
        Ok(written) => {
            written.rule.into_iter().enumerate().filter_map(|(at, written)| rule(file, at, written, vocabulary, problems)).collect()
        }
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            problems.push(Problem { file: file.to_owned(), rule: String::new(), reason: format!("line {line}: {}", error.message()) });
            Vec::new()
        }
    }
}

fn rule(file: &str, at: usize, written: Written, vocabulary: &mut Vocabulary, problems: &mut Vec<Problem>) -> Option<Rule> {
    let id = if written.id.is_empty() { format!("number {}", at + 1) } else { written.id.clone() };
    let mut wrong: Vec<String> = Vec::new();
    if written.id.is_empty() {
        wrong.push("it has no id".to_owned());
    }
    let class = Class::ALL.iter().copied().find(|class| class.name() == written.class);
    if class.is_none() {
        let known = Class::ALL.iter().map(|class| class.name()).collect::<Vec<_>>().join(", ");
        wrong.push(format!("the class {:?} is not known; classes are {known}", written.class));
    }
    let any = each(&written.any, |text| Pattern::read(text, vocabulary), NO_PATTERN, &mut wrong);
    let not = each(&written.not, |text| Pattern::read(text, vocabulary), NO_PATTERN, &mut wrong);
    let codes = each(&written.codes, Code::read, "is no code (550, 4xx, 5.1.1, x.7.1, x.7.600-649)", &mut wrong);
    if written.any.is_empty() && written.codes.is_empty() {
        wrong.push("it asks for nothing: neither any nor codes".to_owned());
    }
    let provider = written.provider.as_deref().and_then(provider_named);
    if let (Some(name), None) = (&written.provider, provider) {
        wrong.push(format!("the provider {name:?} is not known"));
    }
    if written.relay && written.provider.is_none() {
        wrong.push("relay = true without a provider".to_owned());
    }
    let said = match written.said.as_deref() {
        None => None,
        Some("remote") => Some(Said::Remote),
        Some("local") => Some(Said::Local),
        Some(other) => {
            wrong.push(format!("said is \"remote\" or \"local\", not {other:?}"));
            None
        }
    };
    let (file, failed) = (file.to_owned(), !wrong.is_empty());
    problems.extend(wrong.into_iter().map(|reason| Problem { file: file.clone(), rule: id.clone(), reason }));
    let class = class.filter(|_| !failed)?;
    let (relay, weak, examples, advice) = (written.relay, written.weak, written.examples, written.advice);
    Some(Rule { id, file, class, any, not, codes, provider, relay, weak, said, examples, advice })
}

fn each<T>(written: &[String], mut read: impl FnMut(&str) -> Option<T>, why: &str, wrong: &mut Vec<String>) -> Vec<T> {
    let mut all = Vec::with_capacity(written.len());
    for text in written {
        match read(text) {
            Some(one) => all.push(one),
            None => wrong.push(format!("{text:?} {why}")),
        }
    }
    all
}
