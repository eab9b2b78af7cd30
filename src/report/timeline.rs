//! The finest buckets made coarser, by the length of the window alone.

use super::lists::text;
use super::{Bucket, Heat};
use crate::aggregate::{self, Counted, Course, Courses, FINEST_S, Merge};
use crate::input::Zone;
use mailscope_parsers::model::Micros;
use std::collections::{BTreeMap, HashMap};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;
/// Empty buckets are shown up to so many in all: a stray stamp of another year must not fill pages.
const MOST: i64 = 1000;

/// 5 minutes for windows to 3 hours, hours to 7 days, days beyond.
pub fn bucket_s(window: Option<(Micros, Micros)>) -> i64 {
    let length_s = window.map_or(0, |(from, to)| (to - from) / 1_000_000);
    match length_s {
        _ if length_s <= 3 * HOUR_S => FINEST_S,
        _ if length_s <= 7 * DAY_S => HOUR_S,
        _ => DAY_S,
    }
}

/// The start of the bucket that a time falls into, both in seconds since 1970 UTC.
fn start(time: i64, bucket_s: i64, zone: Zone) -> i64 {
    let local = zone.local(time * 1_000_000);
    if bucket_s == DAY_S {
        return local.date_naive().and_hms_opt(0, 0, 0).map_or(time, |midnight| zone.utc(midnight));
    }
    let offset = i64::from(local.offset().local_minus_utc());
    (time + offset).div_euclid(bucket_s) * bucket_s - offset
}

/// Series in the buckets of the report, added up; only those in which something happened.
pub fn spread<'t, B: Counted + 't>(
    finest: impl IntoIterator<Item = &'t aggregate::Timeline<B>>,
    count: impl Fn(&B) -> u64,
    bucket_s: i64,
    zone: Zone,
) -> BTreeMap<i64, u64> {
    let mut buckets = BTreeMap::new();
    for (time, bucket) in finest.into_iter().flat_map(aggregate::Timeline::iter) {
        match count(&bucket) {
            0 => {}
            count => *buckets.entry(start(time, bucket_s, zone)).or_default() += count,
        }
    }
    buckets
}

/// The buckets of the window, by their start in seconds since 1970; empty ones too.
pub fn buckets(finest: &aggregate::Timeline, window: Option<(Micros, Micros)>, zone: Zone) -> BTreeMap<i64, aggregate::Bucket> {
    let bucket_s = bucket_s(window);
    let mut buckets: BTreeMap<i64, aggregate::Bucket> = BTreeMap::new();
    if let Some((from, to)) = window {
        let (first, last) = (start(from / 1_000_000, bucket_s, zone), to / 1_000_000);
        if (last - first) / bucket_s < MOST {
            let mut at = first;
            while at <= last {
                buckets.entry(start(at, bucket_s, zone)).or_default();
                at += bucket_s;
            }
        }
    }
    for (time, bucket) in finest.iter() {
        buckets.entry(start(time, bucket_s, zone)).or_default().merge(bucket);
    }
    buckets
}

pub fn rows(buckets: &BTreeMap<i64, aggregate::Bucket>, zone: Zone) -> Vec<Bucket> {
    let row = |(from, bucket): (&i64, &aggregate::Bucket)| Bucket {
        from: zone.local(from * 1_000_000).to_rfc3339(),
        received: bucket.received,
        delivered: bucket.delivered,
        deferred_attempts: bucket.deferred_attempts,
        bounced: bucket.bounced,
        rejected: bucket.rejected,
    };
    buckets.iter().map(row).collect()
}

/// The destinations that defer most, and when.
pub fn heat(failing: &Courses, top: usize, bucket_s: i64, zone: Zone) -> Vec<Heat> {
    let mut by_destination: HashMap<&[u8], Vec<&Course>> = HashMap::new();
    for (_, destination, course) in failing.iter().filter(|(.., course)| course.count > course.permanent) {
        by_destination.entry(destination).or_default().push(course);
    }
    let deferred = |courses: &[&Course]| courses.iter().map(|course| course.count - course.permanent).sum::<u64>();
    let mut all: Vec<_> = by_destination.into_iter().map(|(destination, courses)| (deferred(&courses), destination, courses)).collect();
    all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let cells = |(_, destination, courses): (u64, &[u8], Vec<&Course>)| {
        let cells = spread(courses.into_iter().map(|course| &course.timeline), |failed| failed.passing.get(), bucket_s, zone);
        let destination = text(destination);
        let cell = move |(from, deferred_attempts): (i64, u64)| Heat {
            destination: destination.clone(),
            from: zone.local(from * 1_000_000).to_rfc3339(),
            deferred_attempts,
        };
        cells.into_iter().map(cell)
    };
    all.into_iter().take(top).flat_map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_alone_chooses() {
        let hours = |n: i64| Some((0, n * HOUR_S * 1_000_000));
        assert_eq!((bucket_s(hours(3)), bucket_s(hours(4)), bucket_s(hours(168)), bucket_s(hours(169))), (FINEST_S, HOUR_S, HOUR_S, DAY_S));
    }

    #[test]
    fn days_are_local_days() {
        let mut finest: aggregate::Timeline = aggregate::Timeline::default();
        finest.at(1_795_476_600_000_000).received = 1; // 2026-11-23T23:30Z, the 24th in Berlin
        let (zone, window) = ("Europe/Berlin".parse().unwrap(), (1_795_476_600_000_000 - 8 * DAY_S * 1_000_000, 1_795_476_600_000_000));
        let rows = rows(&buckets(&finest, Some(window), zone), zone);
        let row = rows.iter().find(|row| row.received == 1).unwrap();
        assert_eq!(row.from, "2026-11-24T00:00:00+01:00");
    }
}
