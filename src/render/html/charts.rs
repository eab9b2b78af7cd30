//! Where the marks of the page's charts stand. In goes the report, out come positions that the page's template draws as SVG:
//! across in percent, so that a chart is as wide as the screen and its text stays readable; down in pixels. Nothing here
//! writes markup.

use crate::numbers::count;
use crate::report::{Bucket, Delay, DelayFigures, MailRow, Pattern, Report};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// More columns than this can't be told apart: neighbours are added up.
const COLUMNS: usize = 144;
/// Labels below a time axis.
const LABELS: usize = 6;
/// The height of the timeline's plot, and the room above it for the topmost label.
const PLOT: f64 = 190.0;
const ABOVE: f64 = 8.0;
/// Percent of an axis that a label needs.
const LABEL: f64 = 14.0;
/// Steps of colour in the heat map.
const STEPS: f64 = 6.0;
const DAY_S: i64 = 86_400;

/// All charts of the page.
#[derive(Serialize)]
pub struct Charts {
    timeline: Option<Timeline>,
    heat: Heat,
    delay: Option<DelayChart>,
    /// The course of each pattern, in the order of the patterns.
    courses: Vec<Vec<Bar>>,
    /// How much of the largest number each class is.
    classes: Vec<f64>,
}

/// A rectangle: across in percent, down in pixels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A place on an axis and what is written there.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Tick {
    at: f64,
    text: String,
}

#[derive(Serialize)]
struct Timeline {
    /// Time covered by one column: `hour`, `day`, `5 minutes`, `3 hours` ...
    unit: String,
    height: f64,
    /// Room for the longest value.
    margin: usize,
    columns: Vec<Column>,
    values: Vec<Tick>,
    times: Vec<Tick>,
}

#[derive(Serialize)]
struct Column {
    from: String,
    all: Bar,
    /// Outcomes from the bottom up; none of no height.
    parts: Vec<Part>,
    /// Where the mark of what was received stands.
    received_y: Option<f64>,
    counts: Bucket,
}

#[derive(Serialize)]
struct Part {
    outcome: &'static str,
    #[serde(flatten)]
    bar: Bar,
}

#[derive(Serialize)]
struct Heat {
    rows: Vec<HeatRow>,
    times: Vec<Tick>,
    most: u64,
}

#[derive(Serialize)]
struct HeatRow {
    destination: String,
    total: u64,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    from: String,
    count: u64,
    x: f64,
    width: f64,
    /// 1 to [`STEPS`].
    step: u64,
}

#[derive(Serialize)]
struct DelayChart {
    ticks: Vec<Tick>,
    rows: Vec<DelayRow>,
}

#[derive(Serialize)]
struct DelayRow {
    /// `provider`, `domain`, or empty for the sum of all.
    what: &'static str,
    name: String,
    count: u64,
    figures: DelayFigures,
    spans: Vec<Span>,
}

/// From one percentile to the next.
#[derive(Serialize)]
struct Span {
    percentile: &'static str,
    x: f64,
    width: f64,
}

impl Charts {
    pub fn of(report: &Report) -> Self {
        let columns = Columns::of(report);
        Self {
            timeline: (report.timeline.len() > 1).then(|| timeline(report, &columns)),
            heat: heat(report, &columns),
            delay: delay(report),
            courses: report.patterns.iter().map(|pattern| course(pattern, &columns)).collect(),
            classes: classes(report),
        }
    }
}

/// The buckets of the report, neighbours put together where there are too many.
struct Columns<'a> {
    times: Vec<&'a str>,
    at: HashMap<&'a str, usize>,
    together: usize,
    bucket_s: i64,
}

impl<'a> Columns<'a> {
    fn of(report: &'a Report) -> Self {
        let times: Vec<&str> = report.timeline.iter().map(|bucket| bucket.from.as_str()).collect();
        let together = times.len().div_ceil(COLUMNS).max(1);
        Self::new(times, together, report.bucket_s)
    }

    fn new(times: Vec<&'a str>, together: usize, bucket_s: i64) -> Self {
        let at = times.iter().enumerate().map(|(at, time)| (*time, at)).collect();
        Self { times, at, together, bucket_s }
    }

    fn len(&self) -> usize {
        self.times.len().div_ceil(self.together)
    }

    fn start(&self, column: usize) -> &'a str {
        self.times.get(column * self.together).copied().unwrap_or_default()
    }

    /// The column of a bucket.
    fn of_time(&self, from: &str) -> Option<usize> {
        self.at.get(from).map(|at| at / self.together)
    }

    fn width(&self) -> f64 {
        100.0 / self.len().max(1) as f64
    }

    /// A column's place, less a gap where there is room for one.
    fn place(&self, column: usize) -> (f64, f64) {
        let gap = if self.len() > 8 { 0.14 } else { 0.02 };
        (fine(self.width() * (column as f64 + gap / 2.0)), fine(self.width() * (1.0 - gap)))
    }

    fn unit(&self) -> String {
        let (length, word) = match self.bucket_s {
            DAY_S => (1, "day"),
            3600 => (1, "hour"),
            seconds => (seconds / 60, "minute"),
        };
        match length * self.together as i64 {
            1 => word.to_owned(),
            many => format!("{many} {word}s"),
        }
    }

    /// The time below some columns, in as few words as tell them apart.
    fn labels(&self) -> Vec<Tick> {
        let each = self.len().div_ceil(LABELS).max(1);
        let day = |time: &'a str| time.get(..10).unwrap_or_default();
        let one_day = self.times.first().map(|time| day(time)) == self.times.last().map(|time| day(time));
        let text = |time: &str| match self.bucket_s {
            DAY_S => time.get(5..10).unwrap_or_default().to_owned(),
            _ if one_day => time.get(11..16).unwrap_or_default().to_owned(),
            _ => time.get(5..16).unwrap_or_default().replace('T', " "),
        };
        // A label begins at its column: at the right end there is no room for one.
        let ticks = (0..self.len()).step_by(each).map(|column| Tick { at: self.place(column).0, text: text(self.start(column)) });
        ticks.filter(|tick| tick.at <= 100.0 - LABEL).collect()
    }
}

/// Three digits after the point are less than a pixel.
fn fine(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn timeline(report: &Report, columns: &Columns<'_>) -> Timeline {
    let sums: Vec<Bucket> = report.timeline.chunks(columns.together).map(sum).collect();
    let most = sums.iter().map(|bucket| outcomes(bucket).iter().map(|(_, count)| count).sum::<u64>().max(bucket.received)).max();
    let (step, top) = round_scale(most.unwrap_or(0));
    let height_of = |count: u64| count as f64 / top as f64 * PLOT;
    let column = |(at, counts): (usize, Bucket)| {
        let (x, width) = columns.place(at);
        let mut y = ABOVE + PLOT;
        let mut parts = Vec::new();
        for (outcome, count) in outcomes(&counts).into_iter().filter(|(_, count)| *count > 0) {
            let height = height_of(count);
            y -= height;
            parts.push(Part { outcome, bar: Bar { x, y: fine(y), width, height: fine(height) } });
        }
        Column {
            from: columns.start(at).to_owned(),
            all: Bar { x: fine(columns.width() * at as f64), y: ABOVE, width: fine(columns.width()), height: PLOT },
            parts,
            received_y: (counts.received > 0).then(|| fine(ABOVE + PLOT - height_of(counts.received))),
            counts,
        }
    };
    let values = (0..=top / step).map(|at| at * step);
    Timeline {
        unit: columns.unit(),
        height: ABOVE + PLOT,
        margin: count(top).len() * 8,
        values: values.map(|value| Tick { at: fine(ABOVE + PLOT - height_of(value)), text: count(value) }).collect(),
        times: columns.labels(),
        columns: sums.into_iter().enumerate().map(column).collect(),
    }
}

/// What became of mail in a bucket, from the bottom of the column up.
fn outcomes(bucket: &Bucket) -> [(&'static str, u64); 4] {
    [("delivered", bucket.delivered), ("deferred", bucket.deferred_attempts), ("failed", bucket.bounced), ("rejected", bucket.rejected)]
}

fn sum(buckets: &[Bucket]) -> Bucket {
    let of = |pick: fn(&Bucket) -> u64| buckets.iter().map(pick).sum();
    Bucket {
        from: buckets.first().map_or_else(String::new, |bucket| bucket.from.clone()),
        received: of(|bucket| bucket.received),
        delivered: of(|bucket| bucket.delivered),
        deferred_attempts: of(|bucket| bucket.deferred_attempts),
        bounced: of(|bucket| bucket.bounced),
        rejected: of(|bucket| bucket.rejected),
    }
}

/// A step of 1, 2 or 5 times a power of ten of which three or four reach the top, and the top.
fn round_scale(most: u64) -> (u64, u64) {
    let mut step = 1;
    for factor in [2, 5, 10].into_iter().cycle() {
        if most <= step * 4 {
            break;
        }
        let power = 10_u64.pow(step.ilog10());
        step = power * factor;
    }
    (step, most.div_ceil(step).max(1) * step)
}

fn heat(report: &Report, columns: &Columns<'_>) -> Heat {
    let mut rows: Vec<(&str, BTreeMap<usize, u64>)> = Vec::new();
    for cell in &report.heat {
        let Some(column) = columns.of_time(&cell.from) else { continue };
        if rows.last().is_none_or(|(destination, _)| *destination != cell.destination) {
            rows.push((&cell.destination, BTreeMap::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            *cells.entry(column).or_default() += cell.deferred_attempts;
        }
    }
    let most = rows.iter().flat_map(|(_, cells)| cells.values()).max().copied().unwrap_or(0);
    let row = |(destination, cells): (&str, BTreeMap<usize, u64>)| HeatRow {
        destination: destination.to_owned(),
        total: cells.values().sum(),
        cells: cells
            .into_iter()
            .map(|(column, count)| {
                let (x, width) = (fine(columns.width() * column as f64), fine(columns.width()));
                // Few and many differ by powers: the square root shows both.
                let step = ((count as f64 / most as f64).sqrt() * STEPS).ceil() as u64;
                Cell { from: columns.start(column).to_owned(), count, x, width, step }
            })
            .collect(),
    };
    Heat { rows: rows.into_iter().map(row).collect(), times: columns.labels(), most }
}

/// Where a pattern was seen, each column as high as its share of the highest.
fn course(pattern: &Pattern, columns: &Columns<'_>) -> Vec<Bar> {
    const HEIGHT: f64 = 22.0;
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    for seen in &pattern.timeline {
        if let Some(column) = columns.of_time(&seen.from) {
            *counts.entry(column).or_default() += seen.count;
        }
    }
    let most = counts.values().max().copied().unwrap_or(1);
    let bar = |(column, count): (usize, u64)| {
        let (x, width) = columns.place(column);
        let height = fine((count as f64 / most as f64 * HEIGHT).max(1.5));
        Bar { x, y: fine(HEIGHT - height), width, height }
    };
    counts.into_iter().map(bar).collect()
}

/// Marks of a logarithmic axis of seconds.
const TIMES: [(f64, &str); 12] = [
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3600.0, "1 h"),
    (21_600.0, "6 h"),
    (86_400.0, "1 d"),
    (604_800.0, "7 d"),
    (6_048_000.0, "70 d"),
];

/// Delays of all, of each provider, and of the domains, which tell more where the relays are of no known provider.
fn delay(report: &Report) -> Option<DelayChart> {
    type Source<'a> = (&'static str, &'a str, &'a Delay);
    let of = |what: &'static str, rows: &'_ [MailRow]| -> Vec<(&'static str, String, Delay)> {
        rows.iter().map(|row| (what, row.name.clone(), row.delay.clone())).collect()
    };
    let providers = of("provider", &report.providers);
    let domains = of("domain", &report.domains);
    let mut sources: Vec<Source<'_>> = vec![("", "all", &report.delay.total)];
    // The only provider is all.
    let providers = if providers.len() > 1 { providers } else { Vec::new() };
    sources.extend(providers.iter().chain(&domains).map(|(what, name, delay)| (*what, name.as_str(), delay)));
    let known: Vec<(Source<'_>, &DelayFigures)> =
        sources.into_iter().filter_map(|source| source.2.figures.as_ref().map(|figures| (source, figures))).collect();
    let least = known.iter().map(|(_, figures)| figures.p50_s).reduce(f64::min)?;
    let longest = known.iter().map(|(_, figures)| figures.p99_s).reduce(f64::max)?;
    let first = TIMES.iter().rposition(|(at, _)| *at < least).unwrap_or(0);
    let last = TIMES.iter().position(|(at, _)| *at > longest).unwrap_or(TIMES.len() - 1).max(first + 1);
    let (low, high) = (TIMES[first].0.ln(), TIMES[last].0.ln());
    let across = |seconds: f64| ((seconds.max(1e-9).ln() - low) / (high - low) * 100.0).clamp(0.0, 100.0);
    let row = |((what, name, delay), figures): (Source<'_>, &DelayFigures)| {
        let ends = [("p50", figures.p50_s), ("p90", figures.p90_s), ("p95", figures.p95_s), ("p99", figures.p99_s)];
        let mut from = 0.0;
        let spans = ends.map(|(percentile, seconds)| {
            let to = across(seconds);
            // What takes no time at all is still to be seen.
            let least = if from == 0.0 { 0.6 } else { 0.0 };
            let span = Span { percentile, x: fine(from), width: fine((to - from).max(least)) };
            from = to;
            span
        });
        DelayRow { what, name: name.to_owned(), count: delay.count, figures: figures.clone(), spans: spans.into() }
    };
    let mut ticks: Vec<Tick> =
        TIMES[first..=last].iter().map(|(at, text)| Tick { at: fine(across(*at)), text: (*text).to_owned() }).collect();
    let mut end = -LABEL;
    for tick in &mut ticks {
        if tick.at - end < LABEL || tick.at < 100.0 && tick.at > 100.0 - LABEL {
            tick.text.clear();
        } else {
            end = tick.at;
        }
    }
    Some(DelayChart { ticks, rows: known.into_iter().map(row).collect() })
}

fn classes(report: &Report) -> Vec<f64> {
    let most = report.classes.iter().map(|row| row.attempts.max(row.recipients)).max().unwrap_or(0).max(1);
    report.classes.iter().map(|row| fine(row.attempts.max(row.recipients) as f64 / most as f64 * 100.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers_above_the_most() {
        assert_eq!(
            [0, 1, 4, 5, 8, 9, 20, 41, 97, 230, 1001].map(round_scale),
            [(1, 1), (1, 1), (1, 4), (2, 6), (2, 8), (5, 10), (5, 20), (20, 60), (50, 100), (100, 300), (500, 1500)]
        );
    }

    #[test]
    fn many_buckets_share_columns_and_few_labels() {
        let times: Vec<String> = (0..300).map(|n| format!("2026-{:02}-{:02}T00:00:00+00:00", n / 28 + 1, n % 28 + 1)).collect();
        let columns = Columns::new(times.iter().map(String::as_str).collect(), 3, DAY_S);
        assert_eq!((columns.len(), columns.unit().as_str(), columns.labels().len()), (100, "3 days", 6));
        assert_eq!(columns.of_time(&times[5]), Some(1));
        let (x, width) = columns.place(99);
        assert!(x + width <= 100.0);
    }
}
