//! What was counted so far, and what is not over yet: the same correlation and the same sums as the report's, so that at
//! the end both say the same.

use crate::aggregate::{Patterns, Summary, Window};
use crate::cli::report::{How, count};
use crate::correlate::{Correlator, Detail};
use crate::input::{Chunk, Zone};
use crate::pipeline::{Kept, Reader, Seen};
use crate::report::{InputFacts, Report, build};
use bumpalo::Bump;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Running {
    correlator: Correlator,
    summary: Summary,
    pub bytes: u64,
    /// Memory for the lines of a chunk.
    #[serde(skip)]
    kept: Kept<'static>,
}

impl Running {
    pub fn new(window: Window) -> Self {
        let correlator = Correlator::new(Detail::Counts, window.since);
        Self { correlator, summary: Summary::new(window), bytes: 0, kept: Kept::default() }
    }

    /// Counts a chunk; shows every line of the window to `each`.
    pub fn take(&mut self, chunk: &Chunk, reader: &Reader, host: Option<&str>, each: impl FnMut(&Seen<'_>)) {
        let mut kept = std::mem::take(&mut self.kept).recycled();
        let bump = Bump::new();
        count(chunk, &bump, &How { reader, host, names: None }, &mut self.summary, &mut kept, each);
        self.bytes += chunk.lines().len() as u64 + chunk.cut_bytes;
        kept.for_each(|step| self.correlator.step(step));
        self.kept = kept.recycled();
        let closed = self.correlator.take_closed();
        self.summary.lives(&closed);
        self.correlator.recycle(closed);
    }

    /// Failures by what they have in common.
    pub fn patterns(&self) -> &Patterns {
        &self.summary.lines.patterns
    }

    /// The report as if the log ended here.
    pub fn report(&self, files: u64, top: usize, zone: Zone) -> Report {
        let (mut summary, mut correlator) = (self.summary.clone(), self.correlator.clone());
        summary.lives(&correlator.finish());
        summary.name_hosts(correlator.hosts());
        build(summary, InputFacts { files, bytes: self.bytes }, None, top, zone)
    }
}
