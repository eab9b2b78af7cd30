//! Why a delivery or a client failed: rules over the words of a reply, then its codes.
//!
//! In comes a [`Reply`], out goes a [`Classified`]: the class, the rule that decided, the provider. The answer depends on
//! the reply alone, never on what came before it. Rules are data (`rules/*.toml`): those of the providers first, then
//! block lists, then what any server says; the first that matches wins, and a user's own come before all of them. What no
//! rule knows is classed by its enhanced code (RFC 3463 and the IANA registry), then by its reply code (RFC 5321).
//!
//! All patterns are searched for at once by one automaton over words, so that the number of rules costs nothing. What this
//! never does: look at a log line (that is a parser's), or guess whether a failure lasts (that is what the server did, not
//! what it was told).

mod automaton;
mod codes;
mod failure;
mod lint;
mod lists;
mod memo;
mod pattern;
mod provider;
mod reply;
mod rules;
mod skeleton;
mod words;

#[cfg(test)]
mod tests;

pub use codes::{Meaning, by_code, meaning_of_class, meaning_of_enhanced, meaning_of_reply};
pub use failure::{Failure, Told};
pub use lists::{list_named, list_of};
pub use provider::{Provider, provider_named, provider_of, providers};
pub use reply::{Reply, Said};
pub use rules::{Problem, Rule};

use crate::model::{Class, Line};
use automaton::Automaton;
use memo::Memo;
use std::sync::LazyLock;
use words::{Vocabulary, Words};

/// The class of a recipient that was given up without a known reply.
pub const EXPIRED: Class = Class::Expired;

/// The rules that come with the program, in their order.
const FILES: &[(&str, &str)] = &[
    ("google.toml", include_str!("../../rules/google.toml")),
    ("microsoft.toml", include_str!("../../rules/microsoft.toml")),
    ("yahoo.toml", include_str!("../../rules/yahoo.toml")),
    ("mailboxes.toml", include_str!("../../rules/mailboxes.toml")),
    ("gateways.toml", include_str!("../../rules/gateways.toml")),
    ("blocklists.toml", include_str!("../../rules/blocklists.toml")),
    ("servers.toml", include_str!("../../rules/servers.toml")),
    ("words.toml", include_str!("../../rules/words.toml")),
    ("broad.toml", include_str!("../../rules/broad.toml")),
];

static BUILT_IN: LazyLock<Classifier> = LazyLock::new(|| Classifier::of(&[]));

/// The rules and the automaton over their patterns. Built once, used by every thread.
#[derive(Debug)]
pub struct Classifier {
    rules: Vec<Rule>,
    vocabulary: Vocabulary,
    automaton: Automaton,
    problems: Vec<Problem>,
    memo: Memo,
}

/// What a reply was found to be.
#[derive(Clone, Copy, Debug)]
pub struct Classified<'c> {
    pub class: Class,
    /// The rule that decided; none where a code did.
    pub rule: Option<&'c Rule>,
    /// Known by the relay's name, or by words that only this provider uses.
    pub provider: Option<&'static str>,
}

impl Classifier {
    /// The one with the program's own rules.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// With rules of a user's before the program's own; `own` are names of files and what is in them.
    ///
    /// # Errors
    /// Every reason why one of these rules can't be used, or never would be.
    pub fn with(own: &[(&str, &str)]) -> Result<Self, Vec<Problem>> {
        let classifier = Self::of(own);
        let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
        let mut problems = lint::lint(&classifier);
        problems.retain(|problem| names.contains(&problem.file.as_str()));
        if problems.is_empty() { Ok(classifier) } else { Err(problems) }
    }

    fn of(own: &[(&str, &str)]) -> Self {
        let mut problems = Vec::new();
        let mut vocabulary = Vocabulary::default();
        let read = |(name, text): &(&str, &str)| rules::read(name, text, &mut vocabulary, &mut problems);
        let rules: Vec<Rule> = own.iter().chain(FILES).flat_map(read).collect();
        let automaton = Automaton::over(&rules, vocabulary.len());
        Self { rules, vocabulary, automaton, problems, memo: Memo::default() }
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What is wrong with the rules: see [`Problem`].
    #[must_use]
    pub fn lint(&self) -> Vec<Problem> {
        lint::lint(self)
    }

    /// ```
    /// use mailscope_parsers::{classify::{Classifier, Reply}, model::Class};
    /// let reply = Reply::of(b"450 4.2.0 Greylisted, come back in 5 minutes");
    /// assert_eq!(Classifier::built_in().classify(&reply).class, Class::Greylisted);
    /// ```
    #[must_use]
    pub fn classify(&self, reply: &Reply<'_>) -> Classified<'_> {
        self.classify_of(reply, provider_of(reply.relay))
    }

    fn classify_of(&self, reply: &Reply<'_>, relay: Option<&'static str>) -> Classified<'_> {
        let words = Words::of(reply.text, &self.vocabulary);
        if let Some(rule) = self.automaton.first(&self.rules, &words, reply, relay) {
            return Classified { class: rule.class, rule: Some(rule), provider: rule.provider.or(relay) };
        }
        let class =
            if words.tokens().is_empty() { codes::by_bare_code(reply.dsn, reply.reply_code) } else { by_code(reply.dsn, reply.reply_code) };
        Classified { class, rule: None, provider: relay }
    }

    /// Classes a line where it tells a failure.
    #[inline]
    pub fn class_line(&self, line: &mut Line<'_>) -> Option<Told> {
        let failure = Failure::of(line)?;
        let mut said = None;
        self.class_all(&[failure], |_, told| {
            told.put(line);
            said = Some(told);
        });
        said
    }

    /// Says why these failed, each by its place. To ask for many is faster: what must be fetched from memory that is far away
    /// is fetched for all of them together.
    pub fn class_all(&self, failures: &[Failure<'_>], mut each: impl FnMut(usize, Told)) {
        let Memo { skeletons, classes, .. } = &self.memo;
        let texts: Vec<u64> = failures.iter().map(|failure| self.memo.text(failure.text)).collect();
        let known: Vec<Option<u64>> = texts.iter().map(|text| skeletons.get(*text)).collect();
        let told = failures.iter().zip(texts.iter().zip(known)).map(|(failure, (text, known))| {
            // One of those before may have had the same text.
            known.or_else(|| skeletons.get(*text)).unwrap_or_else(|| self.memo.skeleton(failure.text, *text, &self.vocabulary))
        });
        let told: Vec<u64> = told.collect();
        let key = |(failure, skeleton): (&Failure<'_>, &u64)| {
            let beside = failure.beside();
            (self.memo.key(*skeleton, beside), beside.provider)
        };
        let keys: Vec<(u64, Option<&'static str>)> = failures.iter().zip(&told).map(key).collect();
        let known: Vec<Option<Class>> = keys.iter().map(|(key, _)| classes.get(*key)).collect();
        for (n, failure) in failures.iter().enumerate() {
            let (key, provider) = keys[n];
            let class = known[n].or_else(|| classes.get(key)).unwrap_or_else(|| {
                let class = self.classify_of(&failure.reply(), provider).class;
                classes.put(key, class);
                class
            });
            each(n, Told { class: Some(class).filter(|class| *class != Class::Unknown), skeleton: told[n], provider });
        }
    }

    /// What is the same for texts that differ in names and numbers only. Two that have the same differ in nothing else: they
    /// have the same words for the rules, and the same template. It is another one in each process.
    #[must_use]
    pub fn skeleton(&self, text: &[u8]) -> u64 {
        self.memo.skeleton(text, self.memo.text(text), &self.vocabulary)
    }
}
