//! Recurring failures and refusals, the frequent ones first. Templates that differ in one word only, and that word is a
//! name (nothing else says it), are one pattern: `user ann unknown`, `user bob unknown`. Which these are depends on the
//! set of templates alone, and not on the order in which they came.

use super::lists::text;
use super::timeline::spread;
use super::{Concerned, Counted, Pattern, Reason, Template};
use crate::aggregate::{Merge, PatternRow, Patterns};
use crate::input::Zone;
use mailscope_parsers::model::{Class, Micros};
use std::collections::{BTreeMap, HashMap};

/// So many templates that differ in one word make that word a name.
const VARIANTS: usize = 5;
/// Domains or clients shown of each pattern.
const CONCERNED: usize = 5;

/// One pattern as it is counted.
pub struct Found {
    /// The stage of a reject, empty for deliveries.
    pub stage: String,
    pub template: String,
    pub row: PatternRow,
}

/// All patterns, similar ones made one, the frequent ones first.
pub fn found(patterns: &mut Patterns) -> Vec<Found> {
    let rows = patterns.take_rows();
    let mut all: Vec<Found> = rows.map(|(stage, template, row)| Found { stage: text(&stage), template: text(&template), row }).collect();
    all.sort_by(|a, b| (&a.stage, &a.template).cmp(&(&b.stage, &b.template)));
    // Bytes that are no UTF-8 read alike, whichever they are; which of two such templates came first would depend on the split.
    all.dedup_by(|this, before| {
        let is_same = (&this.stage, &this.template) == (&before.stage, &before.template);
        if is_same {
            before.row.merge(std::mem::take(&mut this.row));
        }
        is_same
    });
    let mut all = one_of_similar(all);
    all.sort_by(|a, b| b.row.count.cmp(&a.row.count).then_with(|| (&a.stage, &a.template).cmp(&(&b.stage, &b.template))));
    all
}

/// What two templates have in common if they differ in the word at one place only.
type Frame = (String, Class, usize, Vec<String>);

fn one_of_similar(mut all: Vec<Found>) -> Vec<Found> {
    let words: Vec<Vec<String>> = all.iter().map(|found| found.template.split(' ').map(str::to_owned).collect()).collect();
    let mut said: HashMap<&str, usize> = HashMap::new();
    words.iter().flatten().for_each(|word| *said.entry(word).or_default() += 1);
    let mut frames: BTreeMap<Frame, Vec<usize>> = BTreeMap::new();
    for (at, words) in words.iter().enumerate() {
        for place in 0..words.len() {
            if said[words[place].as_str()] == 1 && words[place].chars().any(char::is_alphabetic) && words.len() > 2 {
                let mut frame = words.clone();
                "*".clone_into(&mut frame[place]);
                let found = &all[at];
                frames.entry((found.stage.clone(), found.row.class(), place, frame)).or_default().push(at);
            }
        }
    }
    let mut gone = vec![false; all.len()];
    for ((.., frame), members) in frames {
        let members: Vec<usize> = members.into_iter().filter(|at| !gone[*at]).collect();
        if members.len() < VARIANTS {
            continue;
        }
        for at in &members[1..] {
            gone[*at] = true;
            let row = std::mem::take(&mut all[*at].row);
            all[members[0]].row.merge(row);
        }
        all[members[0]].template = frame.join(" ");
    }
    let mut gone = gone.into_iter();
    all.retain(|_| gone.next() != Some(true));
    all
}

/// The heaviest ones.
fn concerned(row: &PatternRow) -> Vec<(String, u64)> {
    let heaviest = row.concerned.iter().flat_map(|table| super::lists::sorted(table).into_iter().take(CONCERNED));
    heaviest.map(|(name, count)| (text(name), *count)).collect()
}

pub fn pattern(found: &Found, bucket_s: i64, zone: Zone, stamp: &impl Fn(Micros) -> String) -> Pattern {
    let row = &found.row;
    Pattern {
        template: found.template.clone(),
        count: row.count,
        class: row.class().name(),
        first: row.seen.filter(|(first, _)| *first != crate::pipeline::NO_TIME).map(|(first, _)| stamp(first)),
        last: row.seen.filter(|(first, _)| *first != crate::pipeline::NO_TIME).map(|(_, last)| stamp(last)),
        domains: concerned(row).into_iter().map(|(domain, count)| Concerned { domain, count }).collect(),
        examples: row.examples.iter().map(|(.., example)| text(example)).collect(),
        timeline: spread([&row.timeline], |count| count.get(), bucket_s, zone)
            .into_iter()
            .map(|(from, count)| Counted { from: stamp(from * 1_000_000), count })
            .collect(),
    }
}

pub fn reason(found: &Found) -> Reason {
    Reason {
        stage: found.stage.clone(),
        template: found.template.clone(),
        class: found.row.class().name(),
        count: found.row.count,
        top_clients: concerned(&found.row).into_iter().map(|(client, _)| client).collect(),
    }
}

/// The texts that no rule knows, of deliveries and rejects together.
pub fn unclassified(found: &[Found]) -> Vec<Template> {
    let mut by_template: BTreeMap<&str, u64> = BTreeMap::new();
    for found in found {
        let unknown = found.row.classes.count(Class::Unknown);
        if unknown > 0 {
            *by_template.entry(&found.template).or_default() += unknown;
        }
    }
    let mut list: Vec<Template> =
        by_template.into_iter().map(|(template, count)| Template { template: template.to_owned(), count }).collect();
    list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(templates: &[(&str, Class)]) -> Vec<(String, u64)> {
        let row = |class: &Class| {
            let mut row = PatternRow { count: 1, ..PatternRow::default() };
            row.classes.add(*class, 1);
            row
        };
        let found =
            templates.iter().map(|(template, class)| Found { stage: String::new(), template: (*template).to_owned(), row: row(class) });
        let mut all: Vec<Found> = found.collect();
        all.sort_by(|a, b| a.template.cmp(&b.template));
        one_of_similar(all).into_iter().map(|found| (found.template, found.row.count)).collect()
    }

    #[test]
    fn a_name_is_a_varying_part_and_a_reason_is_none() {
        let users = ["ann", "bob", "cyd", "dan", "eve"].map(|name| format!("550 no mailbox {name} here"));
        let mut all: Vec<(&str, Class)> = users.iter().map(|template| (template.as_str(), Class::RecipientUnknown)).collect();
        assert_eq!(of(&all), [("550 no mailbox * here".to_owned(), 5)]);
        assert_eq!(of(&all[1..]).len(), 4);
        all.push(("452 mailbox full", Class::MailboxFull));
        all.push(("452 mailbox disabled", Class::MailboxDisabled));
        assert_eq!(of(&all).len(), 3);
    }
}
