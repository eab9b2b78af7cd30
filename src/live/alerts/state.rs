//! One alert about one thing, over time: it is so (pending), it has been so for long enough (firing), it is no longer so
//! (over). Two limits and two durations keep it from flapping. It knows no clock: who calls says what time it is.

use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

/// What is known of it at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What it is about: a domain, a provider ...; empty for the whole.
    pub key: String,
    /// Beyond the limit where it begins.
    pub enters: bool,
    /// Not yet below the limit where it ends.
    pub stays: bool,
    /// In one sentence. It may hold words of the log's, and is no safer than these.
    pub text: String,
}

/// An alert that is pending or firing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub since: Micros,
    pub is_firing: bool,
    /// Since when it would be over.
    below: Option<Micros>,
    pub text: String,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// As before.
    Same,
    /// To be told.
    Fires,
    /// It was told, and is over.
    Resolves,
    /// Nothing was told, and nothing is to be.
    Gone,
}

impl State {
    #[must_use]
    pub const fn new(now: Micros) -> Self {
        Self { since: now, is_firing: false, below: None, text: String::new() }
    }

    /// Takes what is known now; `None` where there is nothing of it any more.
    pub fn take(&mut self, now: Micros, reading: Option<&Reading>, hold: Micros, release: Micros) -> Turn {
        let (enters, stays) = reading.map_or((false, false), |reading| (reading.enters, reading.stays || reading.enters));
        if let Some(reading) = reading.filter(|_| stays) {
            self.text.clone_from(&reading.text);
        }
        if !self.is_firing {
            if !enters {
                return Turn::Gone;
            }
            if now - self.since < hold {
                return Turn::Same;
            }
            self.is_firing = true;
            return Turn::Fires;
        }
        if stays {
            self.below = None;
            return Turn::Same;
        }
        let below = *self.below.get_or_insert(now);
        if now - below >= release { Turn::Resolves } else { Turn::Same }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(enters: bool, stays: bool) -> Reading {
        Reading { enters, stays, ..Reading::default() }
    }

    /// The turns, for one reading a second.
    fn turns(readings: &[(bool, bool)], hold: Micros, release: Micros) -> Vec<Turn> {
        let mut state = State::new(0);
        (0..).zip(readings).map(|(now, (enters, stays))| state.take(now, Some(&reading(*enters, *stays)), hold, release)).collect()
    }

    #[test]
    fn it_has_to_be_so_for_a_while() {
        let above = (true, true);
        assert_eq!(turns(&[above, above, above, above], 2, 0), [Turn::Same, Turn::Same, Turn::Fires, Turn::Same]);
        assert_eq!(turns(&[above], 0, 0), [Turn::Fires]);
        assert_eq!(turns(&[above, (false, true)], 2, 0), [Turn::Same, Turn::Gone]);
    }

    #[test]
    fn between_the_limits_it_goes_on() {
        let (above, between, below) = ((true, true), (false, true), (false, false));
        assert_eq!(turns(&[above, between, between, below], 0, 0), [Turn::Fires, Turn::Same, Turn::Same, Turn::Resolves]);
        let flaps = turns(&[above, below, between, below, below, below], 0, 2);
        assert_eq!(flaps, [Turn::Fires, Turn::Same, Turn::Same, Turn::Same, Turn::Same, Turn::Resolves]);
    }

    #[test]
    fn what_is_not_there_any_more_is_over() {
        let mut state = State::new(0);
        assert_eq!(state.take(0, Some(&reading(true, true)), 0, 5), Turn::Fires);
        assert_eq!((state.take(1, None, 0, 5), state.take(6, None, 0, 5)), (Turn::Same, Turn::Resolves));
    }
}
