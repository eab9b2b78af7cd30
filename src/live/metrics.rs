//! Counters for Prometheus, in its text format (version 0.0.4). Labels have few values each: providers are those that are
//! known by name, classes and statuses those of the model, so that no log makes them many.

use crate::aggregate::provider;
use crate::pipeline::{NO_TIME, Seen};
use mailscope_parsers::model::{Action, Delivery, Event, Line, Micros, Status};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The upper ends of the buckets of delays, in seconds.
const BUCKETS_S: [f64; 12] = [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86_400.0];
const STAGES: [&str; 5] = ["total", "before_qmgr", "in_qmgr", "conn_setup", "transmission"];

/// A distribution of durations.
#[derive(Clone, Copy, Default)]
struct Histogram {
    /// Not cumulative; the last is beyond all ends.
    counts: [u64; BUCKETS_S.len() + 1],
    sum_micros: u64,
}

impl Histogram {
    fn add(&mut self, micros: Micros, times: u64) {
        let micros = u64::try_from(micros).unwrap_or(0);
        let seconds = micros as f64 / 1e6;
        let at = BUCKETS_S.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS_S.len());
        self.counts[at] += times;
        self.sum_micros = self.sum_micros.saturating_add(micros.saturating_mul(times));
    }
}

/// Everything since the program started.
#[derive(Default)]
pub struct Metrics {
    events: u64,
    ignored: u64,
    unrecognized: u64,
    /// By status, provider and class.
    deliveries: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    delays: [Histogram; STAGES.len()],
    /// By stage and class.
    rejects: BTreeMap<(&'static str, &'static str), u64>,
    problems: BTreeMap<&'static str, u64>,
    auth_failures: u64,
    begun: u64,
    removed: u64,
    connections: u64,
    last: Micros,
}

impl Metrics {
    pub fn see(&mut self, seen: &Seen<'_>) {
        let event = match &seen.line {
            Line::Event(event) => event,
            Line::Ignored(_) => return self.ignored += 1,
            Line::Unrecognized(_) => return self.unrecognized += 1,
        };
        self.events += 1;
        if seen.record.time != NO_TIME {
            self.last = self.last.max(seen.record.time);
        }
        let times = u64::from(seen.count);
        match event {
            Event::Delivery(delivery) => self.delivery(delivery, times),
            Event::Reject(reject) if reject.action == Action::Reject => {
                let class = reject.class.map_or("unknown", |class| class.name());
                *self.rejects.entry((reject.stage.name(), class)).or_default() += times;
            }
            Event::Problem(problem) => *self.problems.entry(problem.severity.name()).or_default() += times,
            Event::AuthFailure(_) => self.auth_failures += times,
            Event::Accepted(accepted) if !accepted.queue_id.is_empty() => self.begun += times,
            Event::Notification(_) => self.begun += times,
            Event::Removed(_) => self.removed += times,
            Event::Connect(_) => self.connections += times,
            _ => {}
        }
    }

    fn delivery(&mut self, delivery: &Delivery<'_>, times: u64) {
        if delivery.status.is_probe() || delivery.envelope_recipient.is_empty() {
            return;
        }
        let class = if delivery.status == Status::Sent { "" } else { delivery.class.map_or("", |class| class.name()) };
        *self.deliveries.entry((delivery.status.name(), provider(&delivery.relay.name), class)).or_default() += times;
        if delivery.status != Status::Sent {
            return;
        }
        let stages = delivery.delays.map(|delays| [delays.before_qmgr, delays.in_qmgr, delays.conn_setup, delays.transmission]);
        let all = [delivery.delay].into_iter().chain(stages.into_iter().flatten().map(Some));
        self.delays.iter_mut().zip(all).for_each(|(histogram, micros)| micros.into_iter().for_each(|micros| histogram.add(micros, times)));
    }

    /// All of them, as `/metrics` gives them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(8192);
        // Writing to memory does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let results = [("event", self.events), ("ignored", self.ignored), ("unrecognized", self.unrecognized)];
        head(out, "lines_total", "counter", "Lines read, by what they were.")?;
        results.iter().try_for_each(|(result, count)| writeln!(out, "mailscope_lines_total{{result=\"{result}\"}} {count}"))?;
        head(out, "deliveries_total", "counter", "Delivery attempts, one for each recipient.")?;
        for ((status, provider, class), count) in &self.deliveries {
            writeln!(out, "mailscope_deliveries_total{{status=\"{status}\",provider=\"{provider}\",class=\"{class}\"}} {count}")?;
        }
        self.delays(out)?;
        head(out, "rejects_total", "counter", "Clients and messages turned away before the queue.")?;
        for ((stage, class), count) in &self.rejects {
            writeln!(out, "mailscope_rejects_total{{stage=\"{stage}\",class=\"{class}\"}} {count}")?;
        }
        head(out, "problems_total", "counter", "Complaints of the server.")?;
        self.problems
            .iter()
            .try_for_each(|(severity, count)| writeln!(out, "mailscope_problems_total{{severity=\"{severity}\"}} {count}"))?;
        let plain = [
            ("auth_failures_total", "counter", "Failed log-ins.", self.auth_failures),
            ("connections_total", "counter", "Connections of clients.", self.connections),
            ("queue_files_begun_total", "counter", "Queue files that clients, local programs and notifications began.", self.begun),
            ("queue_files_removed_total", "counter", "Queue files removed.", self.removed),
            ("last_event_timestamp_seconds", "gauge", "The time of the latest event.", u64::try_from(self.last / 1_000_000).unwrap_or(0)),
        ];
        for (name, kind, help, value) in plain {
            head(out, name, kind, help)?;
            writeln!(out, "mailscope_{name} {value}")?;
        }
        head(out, "build_info", "gauge", "The version of the program.")?;
        writeln!(out, "mailscope_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))
    }

    fn delays(&self, out: &mut String) -> std::fmt::Result {
        const NAME: &str = "mailscope_delivery_delay_seconds";
        head(out, "delivery_delay_seconds", "histogram", "How long delivered mail took, in all and by stage.")?;
        for (stage, histogram) in STAGES.iter().zip(&self.delays) {
            let mut sum = 0;
            let ends = BUCKETS_S.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (end, count) in ends.zip(histogram.counts) {
                sum += count;
                writeln!(out, "{NAME}_bucket{{stage=\"{stage}\",le=\"{end}\"}} {sum}")?;
            }
            writeln!(out, "{NAME}_sum{{stage=\"{stage}\"}} {}", histogram.sum_micros as f64 / 1e6)?;
            writeln!(out, "{NAME}_count{{stage=\"{stage}\"}} {sum}")?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP mailscope_{name} {help}\n# TYPE mailscope_{name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let mut metrics = Metrics::default();
        for micros in [50_000, 100_000, 700_000, 1_000_000_000_000] {
            metrics.delays[0].add(micros, 2);
        }
        let text = metrics.text();
        for line in ["le=\"0.1\"} 4", "le=\"0.5\"} 4", "le=\"1\"} 6", "le=\"86400\"} 6", "le=\"+Inf\"} 8"] {
            assert!(text.contains(&format!("_bucket{{stage=\"total\",{line}\n")), "{line}: {text}");
        }
        assert!(text.contains("_sum{stage=\"total\"} 2000001.7\n") && text.contains("_count{stage=\"total\"} 8\n"));
    }
}
