//! Since when: the stretch of a series in which far more failed than in the rest of it.

/// What failed and what was tried in one bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    pub failed: u64,
    pub all: u64,
}

/// A stretch of buckets, `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    pub from: usize,
    pub until: usize,
}

/// Longer series are looked at for a beginning only, not for an end.
const LONG: usize = 400;
/// How much likelier two rates must be than one: the logarithm of the likelihood ratio.
const SURE: f64 = 12.0;
/// How many times the rate of the rest.
const TIMES: f64 = 3.0;

/// The stretch whose rate differs most from the rest's (the likelihood ratio of two binomial rates against one), if it is
/// at least three times as high; `None` where failures are spread evenly.
#[must_use]
pub fn spell(series: &[Tried]) -> Option<Spell> {
    let mut sums = vec![(0.0, 0.0)];
    for bucket in series {
        let (failed, all) = sums[sums.len() - 1];
        sums.push((failed + bucket.failed as f64, all + bucket.all.max(bucket.failed) as f64));
    }
    let (failed, all) = sums[series.len()];
    let even = likelihood(failed, all);
    let mut best: Option<(f64, Spell)> = None;
    for from in 0..series.len() {
        // A stretch begins and ends with something that failed.
        if series[from].failed == 0 {
            continue;
        }
        let first = if series.len() > LONG { series.len() } else { from + 1 };
        for until in first..=series.len() {
            if (until < series.len() && series[until - 1].failed == 0) || (from == 0 && until == series.len()) {
                continue;
            }
            let (within, of) = (sums[until].0 - sums[from].0, sums[until].1 - sums[from].1);
            let (rest, rest_of) = (failed - within, all - of);
            let higher = within / of >= TIMES * (rest + 0.5) / (rest_of + 1.0);
            if rest_of <= 0.0 || !higher {
                continue;
            }
            let sure = likelihood(within, of) + likelihood(rest, rest_of) - even;
            if sure > SURE && best.is_none_or(|(known, _)| sure > known) {
                best = Some((sure, Spell { from, until }));
            }
        }
    }
    best.map(|(_, spell)| spell)
}

/// Of a binomial at its own rate.
fn likelihood(failed: f64, all: f64) -> f64 {
    let part = |n: f64| if n > 0.0 { n * (n / all).ln() } else { 0.0 };
    part(failed) + part(all - failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(failed: &[u64]) -> Vec<Tried> {
        failed.iter().map(|failed| Tried { failed: *failed, all: 100 }).collect()
    }

    #[test]
    fn a_beginning_and_an_end() {
        assert_eq!(spell(&series(&[0, 1, 0, 0, 30, 28, 33, 31])), Some(Spell { from: 4, until: 8 }));
        assert_eq!(spell(&series(&[0, 1, 0, 25, 28, 0, 0, 1])), Some(Spell { from: 3, until: 5 }));
        assert_eq!(spell(&series(&[40, 45, 0, 1, 0, 0])), Some(Spell { from: 0, until: 2 }));
    }

    #[test]
    fn what_is_even_has_none() {
        assert_eq!(spell(&series(&[5, 6, 4, 5, 7, 5, 4, 6])), None);
        assert_eq!(spell(&series(&[0, 0, 1, 0, 0, 2, 0, 0])), None);
        assert_eq!(spell(&series(&[])), None);
        assert_eq!(spell(&series(&[50])), None);
    }

    #[test]
    fn more_traffic_is_no_more_failure() {
        let day: Vec<Tried> =
            (0..24).map(|hour| Tried { failed: if hour > 8 { 50 } else { 5 }, all: if hour > 8 { 1000 } else { 100 } }).collect();
        assert_eq!(spell(&day), None);
    }
}
