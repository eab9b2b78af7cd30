//! `[[alert]]`: what is told.

use super::words::{Amount, Length, nearest};
use super::{Channel, Mistake};
use crate::live::alerts::{By, Condition, DAYS, Direction, Limits, Measure, Rule};
use crate::report::{FINDINGS, Severity};
use serde::Deserialize;
use toml::Spanned;

/// No window is longer.
const LONGEST_S: i64 = 3600;
/// The second limit, where none is named, as a part of the first.
const CLEAR: f64 = 0.8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum On {
    Finding,
    Rate,
    Silence,
    Queue,
    Pattern,
    Normal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Critical,
    Warning,
    Notice,
}

impl From<Weight> for Severity {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Critical => Self::Critical,
            Weight::Warning => Self::Warning,
            Weight::Notice => Self::Notice,
        }
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: Spanned<String>,
    on: Spanned<On>,
    severity: Option<Weight>,
    channels: Option<Vec<Spanned<String>>>,
    #[serde(rename = "for")]
    hold: Option<Length>,
    release: Option<Length>,
    finding: Option<Vec<Spanned<String>>>,
    least: Option<Weight>,
    of: Option<Spanned<String>>,
    by: Option<Spanned<String>>,
    only: Option<Vec<String>>,
    window: Option<Spanned<Length>>,
    above: Option<Spanned<Amount>>,
    clear: Option<Spanned<Amount>>,
    at_least: Option<u64>,
    learning: Option<Length>,
    direction: Option<Spanned<String>>,
    times: Option<Spanned<f64>>,
    days: Option<Spanned<i64>>,
}

impl Entry {
    pub fn place(&self) -> std::ops::Range<usize> {
        self.name.span()
    }

    pub fn resolve(mut self, channels: &[Channel]) -> Result<Rule, Mistake> {
        let (at, name) = (self.on.span(), self.name.get_ref().clone());
        if name.is_empty() || name.contains(char::is_control) {
            return Err(Mistake::new(self.place(), "an alert needs a name"));
        }
        let condition = self.condition()?;
        // Silence is as long as it is; nothing else counts as one.
        let hold = if matches!(condition, Condition::Silence { .. }) { None } else { self.hold.take() };
        let hold = hold.map_or(0, Length::micros);
        let rule = Rule {
            name,
            severity: self.severity.take().map_or(Severity::Warning, Severity::from),
            condition,
            hold,
            release: self.release.take().map_or(hold, Length::micros),
            channels: named(self.channels.take().unwrap_or_default(), channels)?,
        };
        match self.left() {
            Some(key) => Err(Mistake::new(at, format!("the alert {:?}: `{key}` says nothing about an alert of this kind", rule.name))),
            None => Ok(rule),
        }
    }

    fn condition(&mut self) -> Result<Condition, Mistake> {
        match *self.on.get_ref() {
            On::Finding => {
                let words = self.finding.take().unwrap_or_default();
                if let Some(unknown) = words.iter().find(|word| !FINDINGS.contains(&word.get_ref().as_str())) {
                    let what = format!("unknown finding `{}`{}", unknown.get_ref(), nearest(unknown.get_ref(), FINDINGS.iter().copied()));
                    return Err(Mistake::new(unknown.span(), what));
                }
                let words = words.into_iter().map(Spanned::into_inner).collect();
                Ok(Condition::Finding { words, least: self.least.take().map_or(Severity::Notice, Severity::from) })
            }
            On::Rate => self.rate(),
            On::Silence => {
                let measure = self.measure(Some(Measure::Lines), |measure| !measure.is_share())?;
                let length = self.hold.take().filter(|length| length.seconds > 0);
                let length = length.ok_or_else(|| self.lacks("for, how long it has to be silent"))?;
                Ok(Condition::Silence { measure, length: length.micros() })
            }
            On::Queue => Ok(Condition::Queue { window_s: self.window(LONGEST_S, LONGEST_S)?, limits: self.limits(false)? }),
            On::Pattern => Ok(Condition::Pattern {
                at_least: self.at_least.take().unwrap_or(5),
                window_s: self.window(900, 86_400)?,
                learning_s: self.learning.take().map_or(3600, |length| length.seconds),
            }),
            On::Normal => self.normal(),
        }
    }

    fn rate(&mut self) -> Result<Condition, Mistake> {
        let measure = self.measure(None, |measure| measure != Measure::Lines)?;
        let by = match self.by.take() {
            Some(word) => known(&word, &By::ALL, By::name)?,
            None => By::All,
        };
        if by == By::Class && matches!(measure, Measure::Received | Measure::Delivered) {
            return Err(Mistake::new(
                self.on.span(),
                "only what fails has a class: of = \"deferred\", \"bounced\", \"rejected\" or a rate of these",
            ));
        }
        let only = self.only.take().unwrap_or_default();
        if by == By::All && !only.is_empty() {
            return Err(Mistake::new(self.on.span(), "`only` needs `by`: provider, domain, sender or class"));
        }
        let at_least = if measure.is_share() { self.at_least.take().unwrap_or(20) } else { 0 };
        Ok(Condition::Rate {
            measure,
            by,
            only,
            window_s: self.window(900, LONGEST_S)?,
            limits: self.limits(measure.is_share())?,
            at_least,
        })
    }

    fn normal(&mut self) -> Result<Condition, Mistake> {
        let measure = self.measure(None, |measure| measure != Measure::Lines && !measure.is_share())?;
        let direction = match self.direction.take() {
            Some(word) => known(&word, &Direction::ALL, Direction::name)?,
            None => Direction::Both,
        };
        let times = self.times.take();
        if let Some(times) = times.as_ref().filter(|times| !(1.0..=1000.0).contains(times.get_ref())) {
            return Err(Mistake::new(times.span(), "times: how many times further away than usual, from 1 to 1000"));
        }
        let days = self.days.take();
        if let Some(days) = days.as_ref().filter(|days| !(3..=DAYS).contains(days.get_ref())) {
            return Err(Mistake::new(days.span(), format!("days: from 3 to {DAYS}")));
        }
        let (times, days) = (times.map_or(4.0, Spanned::into_inner), days.map_or(14, Spanned::into_inner));
        Ok(Condition::Normal { measure, direction, times, days })
    }

    fn measure(&mut self, otherwise: Option<Measure>, fits: impl Fn(Measure) -> bool) -> Result<Measure, Mistake> {
        let all: Vec<Measure> = Measure::ALL.into_iter().filter(|measure| fits(*measure)).collect();
        match (self.of.take(), otherwise) {
            (Some(word), _) => known(&word, &all, Measure::name),
            (None, Some(otherwise)) => Ok(otherwise),
            (None, None) => Err(self.lacks(&format!("of: {}", all.iter().map(|measure| measure.name()).collect::<Vec<_>>().join(", ")))),
        }
    }

    fn window(&mut self, otherwise: i64, longest: i64) -> Result<i64, Mistake> {
        match self.window.take() {
            Some(length) if (60..=longest).contains(&length.get_ref().seconds) => Ok(length.get_ref().seconds),
            Some(length) => Err(Mistake::new(length.span(), format!("window: from 1m to {}h", longest / 3600))),
            None => Ok(otherwise),
        }
    }

    fn limits(&mut self, share: bool) -> Result<Limits, Mistake> {
        let above = self.above.take().ok_or_else(|| self.lacks("above, the limit"))?;
        let of = |amount: &Spanned<Amount>| match (*amount.get_ref(), share) {
            (Amount::Share(limit), true) => Ok(limit),
            (Amount::Number(limit), true) if (0.0..=1.0).contains(&limit) => Ok(limit),
            (Amount::Number(limit), false) if limit >= 0.0 => Ok(limit),
            (_, true) => Err(Mistake::new(amount.span(), "of a rate the limit is a share: \"20%\" or 0.2")),
            (_, false) => Err(Mistake::new(amount.span(), "of a count the limit is a number, and no share")),
        };
        let limit = of(&above)?;
        match self.clear.take() {
            None => Ok(Limits { above: limit, clear: limit * CLEAR }),
            Some(clear) => match of(&clear)? {
                low if low <= limit => Ok(Limits { above: limit, clear: low }),
                _ => Err(Mistake::new(clear.span(), "clear is not above `above`")),
            },
        }
    }

    fn lacks(&self, what: &str) -> Mistake {
        Mistake::new(self.on.span(), format!("the alert {:?} needs {what}", self.name.get_ref()))
    }

    /// A key that nobody asked for.
    fn left(&self) -> Option<&'static str> {
        let keys = [
            (self.hold.is_some(), "for"),
            (self.finding.is_some(), "finding"),
            (self.least.is_some(), "least"),
            (self.of.is_some(), "of"),
            (self.by.is_some(), "by"),
            (self.only.is_some(), "only"),
            (self.window.is_some(), "window"),
            (self.above.is_some(), "above"),
            (self.clear.is_some(), "clear"),
            (self.at_least.is_some(), "at_least"),
            (self.learning.is_some(), "learning"),
            (self.direction.is_some(), "direction"),
            (self.times.is_some(), "times"),
            (self.days.is_some(), "days"),
        ];
        keys.iter().find(|(is_there, _)| *is_there).map(|(_, key)| *key)
    }
}

/// The channels that are named, all of which there are.
fn named(names: Vec<Spanned<String>>, channels: &[Channel]) -> Result<Vec<String>, Mistake> {
    let is_known = |name: &String| channels.iter().any(|channel| channel.name == *name);
    match names.iter().find(|name| !is_known(name.get_ref())) {
        Some(unknown) => {
            let known = channels.iter().map(|channel| channel.name.as_str());
            let near = if channels.is_empty() { String::new() } else { nearest(unknown.get_ref(), known) };
            Err(Mistake::new(unknown.span(), format!("there is no channel `{}`{near}", unknown.get_ref())))
        }
        None => Ok(names.into_iter().map(Spanned::into_inner).collect()),
    }
}

fn known<T: Copy>(word: &Spanned<String>, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, Mistake> {
    let wanted = word.get_ref();
    all.iter().copied().find(|one| name(*one) == wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        Mistake::new(word.span(), format!("unknown word `{wanted}`{}", nearest(wanted, names.iter().copied())))
    })
}
