//! Why a delivery failed, in the words of servers: templates with varying parts.
//!
//! A template's `{var}` takes one of its variants, which stays the same through the retries of a recipient; all other
//! slots (ids, addresses, times) vary freely, as they do in real logs. Templates times variants are about three hundred.

use crate::rng::Rng;
use crate::world::Family;
use crate::{permanent, transient};

/// Where in the conversation the failure happened, and so how Postfix words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `host H said: TEXT (in reply to COMMAND command)`
    Said(&'static str),
    /// `host H refused to talk to me: TEXT`
    Refused,
    /// Postfix's own words about the host.
    Own,
    /// Postfix's own words where no host was reached: `relay=none`.
    Unreached,
    /// The same from error(8), without trying.
    Suspended,
}

pub struct Template {
    /// Whose hosts say so; `None` for the shapes that come from this side and fit every host.
    pub family: Option<Family>,
    pub dsn: &'static str,
    pub shape: Shape,
    pub text: &'static str,
    pub variants: &'static [&'static str],
    /// How often, relative to the others that fit.
    pub weight: u32,
}

/// A template and its variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub template: u16,
    pub variant: u16,
}

/// Refusals that end the delivery, and those that end in another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permanence {
    Permanent,
    Transient,
}

impl Permanence {
    #[must_use]
    pub fn templates(self) -> &'static [Template] {
        match self {
            Self::Permanent => permanent::TEMPLATES,
            Self::Transient => transient::TEMPLATES,
        }
    }

    #[must_use]
    pub fn template(self, choice: Choice) -> &'static Template {
        &self.templates()[usize::from(choice.template)]
    }

    /// A reply that fits hosts of the family.
    pub fn choose(self, rng: &mut Rng, family: Family) -> Choice {
        let fits = |t: &&Template| t.family.is_none_or(|f| f == family);
        let total: u32 = self.templates().iter().filter(fits).map(|t| t.weight).sum();
        let mut left = rng.below(u64::from(total)) as u32;
        for (k, template) in self.templates().iter().enumerate().filter(|(_, t)| fits(t)) {
            if left < template.weight {
                let variant = rng.below(template.variants.len().max(1) as u64) as u16;
                return Choice { template: k as u16, variant };
            }
            left -= template.weight;
        }
        Choice { template: 0, variant: 0 }
    }
}

impl Template {
    #[must_use]
    pub fn variant(&self, choice: Choice) -> &'static str {
        self.variants.get(usize::from(choice.variant)).copied().unwrap_or("")
    }
}

/// Copies a template, giving each `{slot}` to `slot` to write.
pub fn fill(out: &mut String, template: &str, mut slot: impl FnMut(&str, &mut String)) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        slot(name, out);
        rest = tail;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_about_three_hundred_texts() {
        let all = [Permanence::Permanent, Permanence::Transient].into_iter();
        let all: Vec<&Template> = all.flat_map(Permanence::templates).collect();
        let texts: usize = all.iter().map(|t| t.variants.len().max(1)).sum();
        assert!((290..=330).contains(&texts), "{texts} texts of {} templates", all.len());
        let said = |t: &&&Template| matches!(t.shape, Shape::Said(_) | Shape::Refused);
        assert!((50..=60).contains(&all.iter().filter(said).count()));
    }

    #[test]
    fn variants_stand_where_their_slot_is() {
        for permanence in [Permanence::Permanent, Permanence::Transient] {
            for t in permanence.templates() {
                assert_eq!(t.text.contains("{var}"), !t.variants.is_empty(), "{}", t.text);
                let permanent = t.dsn.starts_with('5');
                assert_eq!(permanent, permanence == Permanence::Permanent, "{}", t.text);
            }
        }
    }

    #[test]
    fn every_family_has_replies_of_both_kinds() {
        let mut rng = Rng::new(5);
        for permanence in [Permanence::Permanent, Permanence::Transient] {
            for family in [Family::Google, Family::Plain, Family::Mimecast] {
                let choice = permanence.choose(&mut rng, family);
                assert!(permanence.template(choice).family.is_none_or(|f| f == family));
            }
        }
    }

    #[test]
    fn slots_are_filled() {
        let mut out = String::new();
        fill(&mut out, "a {x} b{y}", |name, out| out.push_str(&name.to_uppercase()));
        assert_eq!(out, "a X bY");
    }
}
