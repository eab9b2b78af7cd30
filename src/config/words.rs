//! Values as people write them, lengths of time and limits, and what to say where a word is none that is known.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;

/// `30s`, `5m`, `2h`, `1d`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub seconds: i64,
}

impl Length {
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.unsigned_abs())
    }

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.seconds * 1_000_000
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(LengthVisitor)
    }
}

#[derive(Clone, Copy)]
struct LengthVisitor;

impl Visitor<'_> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a length of time such as \"30s\", \"5m\", \"2h\" or \"1d\"")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Length, E> {
        let fits = (0..=366 * 86_400).contains(&seconds);
        if fits { Ok(Length { seconds }) } else { Err(E::invalid_value(Unexpected::Signed(seconds), &self)) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Length, E> {
        let wrong = || E::invalid_value(Unexpected::Str(text), &Self);
        let unit = text.chars().last().ok_or_else(wrong)?;
        let unit_s = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: i64 = text[..text.len() - 1].trim().parse().map_err(|_| wrong())?;
        self.visit_i64(count.checked_mul(unit_s).ok_or_else(wrong)?)
    }
}

/// A number, or a share such as `"20%"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    Number(f64),
    Share(f64),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a number, or a share such as \"20%\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        if number.is_finite() { Ok(Amount::Number(number)) } else { Err(E::invalid_value(Unexpected::Float(number), &self)) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        match number.filter(|number| (0.0..=100.0).contains(number)) {
            Some(number) => Ok(Amount::Share(number / 100.0)),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// What a reader of the file can do something with: of a word that is not known the nearest one that is.
pub fn clearer(message: &str) -> String {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = if message.starts_with("unknown field") {
        "key"
    } else if message.starts_with("unknown variant") {
        "word"
    } else {
        return message.trim_end().replace('\n', "; ").replace("missing field", "missing key");
    };
    let Some((unknown, known)) = words.split_first() else { return message.to_owned() };
    format!("unknown {what} `{unknown}`{}", nearest(unknown, known.iter().copied()))
}

/// `: is it x?`, or all that there is to choose from.
pub fn nearest<'w>(unknown: &str, known: impl Iterator<Item = &'w str> + Clone) -> String {
    let near = known
        .clone()
        .map(|word| (strsim::levenshtein(unknown, word), word))
        .min()
        .filter(|(distance, _)| *distance <= 1 + unknown.len() / 4);
    match near {
        Some((_, word)) => format!("; is `{word}` meant?"),
        None => format!("; known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        assert_eq!(clearer("unknown field `chanels`, expected `channels` or `name`"), "unknown key `chanels`; is `channels` meant?");
        assert_eq!(clearer("unknown variant `x`, expected `a` or `cde`"), "unknown word `x`; is `a` meant?");
        assert_eq!(clearer("unknown field `colour`, expected one of `name`, `on`"), "unknown key `colour`; known are name, on");
    }
}
