//! The last hour by itself: what is found in it is found now, however long everything was well before.
//!
//! Two summaries of half an hour each, by the time of the log; the elder goes when the younger is full. Their lists are
//! short: a finding is about what is heavy.

use crate::aggregate::{Summary, Window};
use crate::correlate::Life;
use crate::input::Zone;
use crate::pipeline::{NO_TIME, Seen};
use crate::report::{Finding, findings};
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};

const HALF: Micros = 30 * 60 * 1_000_000;
/// Rows of a list.
const ROWS: usize = 600;

#[derive(Serialize, Deserialize)]
pub struct Recent {
    elder: Summary,
    younger: Summary,
    /// When the younger one began.
    begun: Option<Micros>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { elder: empty(), younger: empty(), begun: None }
    }
}

impl Recent {
    pub fn line(&mut self, seen: &Seen<'_>) {
        let time = seen.record.time;
        if time != NO_TIME {
            let begun = *self.begun.get_or_insert(time);
            if time >= begun + HALF {
                self.elder = if time < begun + 2 * HALF { std::mem::replace(&mut self.younger, empty()) } else { empty() };
                self.younger = empty();
                self.begun = Some(time);
            }
        }
        self.younger.line(seen);
    }

    pub fn lives<'l>(&mut self, lives: impl Iterator<Item = &'l Life>) {
        self.younger.lives(lives);
    }

    /// What is found, with what is still open.
    pub fn findings<'l>(&self, open: impl Iterator<Item = &'l Life>, zone: Zone) -> Vec<Finding> {
        let mut all = self.elder.clone().merged(self.younger.clone());
        all.window.since = all.lines.days.extent().map(|extent| extent.first);
        all.lives(open);
        findings(all, zone)
    }
}

fn empty() -> Summary {
    Summary::new(Window::default()).limited(ROWS)
}
