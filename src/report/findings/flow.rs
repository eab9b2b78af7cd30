//! Whether mail keeps moving: a queue that grows, and delays that sit in one stage.

use super::spell::Tried;
use super::{Facts, Finding, Severity, When, number};
use mailscope_parsers::model::Side;

pub fn find(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    queue(facts, all);
    stages(facts, all);
}

/// More in than out: what is left of the stretch at the end of the window in which the queue grew.
fn queue(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    const SOME: i64 = 100;
    let net = |bucket: &crate::aggregate::Bucket| bucket.received.cast_signed() - bucket.left.cast_signed();
    // The stretch that ends with the window and adds most to the queue.
    let (mut sum, mut most, mut since) = (0, 0, None);
    for (from, bucket) in facts.buckets.iter().rev() {
        sum += net(bucket);
        if sum > most {
            (most, since) = (sum, Some(*from));
        }
    }
    let Some(since) = since else { return };
    let received: u64 = facts.buckets.range(since..).map(|(_, bucket)| bucket.received).sum();
    // The last bucket's mail has had no time yet to leave.
    let last = facts.buckets.values().next_back().map_or(0, net).max(0);
    if most - last < SOME || (most - last) * 10 < received.cast_signed() {
        return;
    }
    all.push(Finding {
        finding: "queue_grows",
        severity: if most * 3 >= received.cast_signed() { Severity::Critical } else { Severity::Warning },
        title: format!("The queue grows: {} more came in than left", number(most.unsigned_abs(), "message")),
        evidence: format!(
            "of {} received since then; {} in the queue at the end",
            number(received, "message"),
            number(facts.summary.mail.messages.open, "queue file")
        ),
        since: Some(facts.stamp(since * 1_000_000)),
        until: None,
        side: Side::Sender,
        action: "look which destinations hold it up (mailscope queue shows them by age), and whether one sender fills it".to_owned(),
        weight: most.unsigned_abs(),
    });
}

/// A stage, from when on its mean is too long (in microseconds), and what that means.
const STAGES: [(&str, u64, &str); 4] = [
    (
        "before the queue manager",
        60_000_000,
        "mail waits before it is first tried, or is tried again and again: look at slow content filters and milters, a busy disk, and at what was deferred",
    ),
    (
        "in the queue manager",
        10_000_000,
        "the queue is busy: more mail than delivery agents; raise their number, or find the destination that occupies them",
    ),
    ("connecting", 10_000_000, "connections take long: slow DNS, a dead MX that is tried first, or greeting delays of the receivers"),
    ("transmitting", 10_000_000, "transmission takes long: large messages, a slow line, or receivers that filter while we wait"),
];

fn stages(facts: &Facts<'_>, all: &mut Vec<Finding>) {
    const SOME: u64 = 50;
    let totals: [u64; 4] = facts.buckets.values().fold([0; 4], |sums, bucket| std::array::from_fn(|at| sums[at] + bucket.stages[at]));
    let delivered: u64 = facts.buckets.values().map(|bucket| bucket.delivered).sum();
    for (at, (stage, limit, action)) in STAGES.iter().enumerate() {
        // A bucket that is slow counts with all that it delivered.
        let slow = |bucket: &crate::aggregate::Bucket| bucket.delivered > 0 && bucket.stages[at] / bucket.delivered >= *limit;
        let series: Vec<Tried> = facts
            .buckets
            .values()
            .map(|bucket| Tried { failed: if slow(bucket) { bucket.delivered } else { 0 }, all: bucket.delivered })
            .collect();
        let late: u64 = series.iter().map(|bucket| bucket.failed).sum();
        let is_main = totals[at] * 2 >= totals.iter().sum::<u64>();
        // One message that came late after days must not make its bucket slow: half of what was delivered had to wait.
        let median = facts.summary.mail.stages.of(at).all().quantiles([0.5]).map_or(0, |[median]| median);
        if late < SOME || late * 10 < delivered || !is_main || (late * 2 >= delivered && median * 4 < *limit) {
            continue;
        }
        let first = facts.buckets.iter().find(|(_, bucket)| slow(bucket)).map(|(from, _)| *from);
        let When { since, until, .. } = facts.when_series(&series, first);
        all.push(Finding {
            finding: "delay_in_stage",
            severity: Severity::Warning,
            title: format!("Mail waits long {stage}"),
            evidence: format!(
                "{:.0} s on average for {} at such times",
                totals[at] as f64 / 1e6 / delivered.max(1) as f64,
                number(late, "recipient")
            ),
            since,
            until,
            side: Side::Sender,
            action: (*action).to_owned(),
            weight: late,
        });
    }
}
