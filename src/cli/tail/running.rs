//! What was counted so far, and what is not over yet: the same correlation and the same sums as the report's, so that at
//! the end both say the same.

use super::recent::Recent;
use crate::aggregate::{Patterns, Summary, Window};
use crate::cli::report::{How, count};
use crate::correlate::{Correlator, Detail, Spare};
use crate::input::{Chunk, Zone};
use crate::pipeline::{Kept, Seen};
use crate::report::{Finding, InputFacts, Report, build};
use bumpalo::Bump;
use serde::{Deserialize, Serialize};

/// Rows of a list that are told apart. A report's program ends; this one is to be as large after a year as after an hour.
const ROWS: usize = 1000;

#[derive(Serialize, Deserialize)]
pub struct Running {
    correlator: Correlator,
    summary: Summary,
    pub bytes: u64,
    /// Memory for the lines of a chunk.
    #[serde(skip)]
    kept: Kept<'static>,
    /// The last hour by itself, where somebody wants to know what is found in it.
    recent: Option<Recent>,
}

impl Running {
    pub fn new(window: Window) -> Self {
        let correlator = Correlator::new(Detail::Counts, window.since);
        Self { correlator, summary: Summary::new(window).limited(ROWS), bytes: 0, kept: Kept::default(), recent: None }
    }

    /// Begins or ends to look at the last hour by itself.
    pub fn watch(&mut self, recent: bool) {
        self.recent = if recent { Some(self.recent.take().unwrap_or_default()) } else { None };
    }

    /// Counts a chunk; shows every line of the window to `each`.
    pub fn take(&mut self, chunk: &Chunk, how: &How<'_>, mut each: impl FnMut(&Seen<'_>)) {
        let mut kept = std::mem::take(&mut self.kept).recycled();
        let bump = Bump::new();
        let recent = &mut self.recent;
        count(
            chunk,
            &bump,
            how,
            &mut self.summary,
            &mut kept,
            |seen| {
                if let Some(recent) = recent {
                    recent.line(seen);
                }
                each(seen);
            },
            |_| (),
        );
        self.bytes += chunk.lines().len() as u64 + chunk.cut_bytes;
        kept.for_each(|step| self.correlator.step(step));
        self.kept = kept.recycled();
        let closed = self.correlator.take_closed();
        self.summary.lives(closed.iter().map(|life| &**life));
        if let Some(recent) = &mut self.recent {
            recent.lives(closed.iter().map(|life| &**life));
        }
        self.correlator.recycle(Spare::of(closed, Detail::Counts));
    }

    /// What is found in the last hour, where that is watched.
    pub fn findings(&self, zone: Zone) -> Vec<Finding> {
        self.recent.as_ref().map_or_else(Vec::new, |recent| recent.findings(self.correlator.open(), zone))
    }

    /// Failures by what they have in common.
    pub fn patterns(&self) -> &Patterns {
        &self.summary.ledger.causes.patterns
    }

    /// The report as if the log ended here.
    pub fn report(&self, files: u64, top: usize, zone: Zone) -> Report {
        let (mut summary, mut correlator) = (self.summary.clone(), self.correlator.clone());
        summary.lives(correlator.finish().iter().map(|life| &**life));
        summary.name_hosts(correlator.hosts());
        build(summary, InputFacts { files, bytes: self.bytes }, None, top, zone).0
    }
}
