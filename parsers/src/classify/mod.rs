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
mod lint;
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
pub use provider::{Provider, provider_named, provider_of, providers};
pub use reply::{Reply, Said};
pub use rules::{Problem, Rule};

use crate::model::{Action, Class, Delivery, Event, Line, Reject, Status};
use automaton::Automaton;
use memo::{Beside, Memo};
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

    /// Whether a line tells a failure, so that it is asked why.
    #[inline]
    #[must_use]
    pub fn asks_why(line: &Line<'_>) -> bool {
        match line {
            Line::Event(Event::Delivery(delivery)) => has_failed(delivery),
            Line::Event(Event::Reject(reject)) => was_refused(reject),
            _ => false,
        }
    }

    /// Classes a line where it tells a failure, and gives the skeleton of its text, 0 where it tells none. Where neither words
    /// nor codes say why, what the parser said stays.
    #[inline]
    pub fn class_line(&self, line: &mut Line<'_>) -> u64 {
        match line {
            Line::Event(Event::Delivery(delivery)) => self.class_delivery(delivery),
            Line::Event(Event::Reject(reject)) if was_refused(reject) => {
                let Reject { reply_code, dsn, .. } = *reject;
                let beside = Beside { provider: None, reply_code, dsn, refused: true };
                let (class, skeleton) = self.known(reject.diagnostic.0, beside, || Reply::of_reject(reject));
                reject.class = class.or(reject.class);
                skeleton
            }
            _ => 0,
        }
    }

    /// The same for a delivery.
    pub fn class_delivery(&self, delivery: &mut Delivery<'_>) -> u64 {
        if !has_failed(delivery) {
            return 0;
        }
        let Delivery { reply_code, dsn, .. } = *delivery;
        let beside = Beside { provider: provider_of(&delivery.relay.name), reply_code, dsn, refused: false };
        let (class, skeleton) = self.known(delivery.diagnostic.0, beside, || Reply::of_delivery(delivery));
        delivery.class = class.or(delivery.class);
        skeleton
    }

    /// What is the same for texts that differ in names and numbers only. Two that have the same differ in nothing else: they
    /// have the same words for the rules, and the same template. It is another one in each process.
    #[must_use]
    pub fn skeleton(&self, text: &[u8]) -> u64 {
        self.memo.skeleton(text, &self.vocabulary)
    }

    /// The class of a reply, and the skeleton of the text that it stands in.
    fn known<'r>(&self, text: &[u8], beside: Beside, reply: impl FnOnce() -> Reply<'r>) -> (Option<Class>, u64) {
        let skeleton = self.skeleton(text);
        let key = self.memo.key(skeleton, beside);
        let class = self.memo.classes.get(key).unwrap_or_else(|| {
            let class = self.classify_of(&reply(), beside.provider).class;
            self.memo.classes.put(key, class);
            class
        });
        (Some(class).filter(|class| *class != Class::Unknown), skeleton)
    }
}

#[inline]
fn has_failed(delivery: &Delivery<'_>) -> bool {
    matches!(delivery.status, Status::Deferred | Status::Bounced | Status::Expired | Status::Undeliverable)
}

#[inline]
fn was_refused(reject: &Reject<'_>) -> bool {
    matches!(reject.action, Action::Reject | Action::RejectWarning)
}
