//! Columns of age: the first is `first_min` wide, each further one twice as wide as the one before (or as wide as the
//! first), the last has no end. An age on a border belongs to the older column.

/// How ages fall into columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    pub count: usize,
    pub first_min: u64,
    pub linear: bool,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { count: 10, first_min: 5, linear: false }
    }
}

impl Buckets {
    /// The upper borders in minutes, of all columns but the last.
    #[must_use]
    pub fn bounds(self) -> Vec<u64> {
        let border = |at: usize| {
            let steps = if self.linear { at as u64 + 1 } else { 1_u64.checked_shl(at as u32).unwrap_or(u64::MAX) };
            self.first_min.saturating_mul(steps)
        };
        (0..self.count.saturating_sub(1)).map(border).collect()
    }

    /// The column of an age, counted from 0.
    #[must_use]
    pub fn of(self, age_s: u64) -> usize {
        let steps = age_s / self.first_min.saturating_mul(60).max(1);
        let column = match steps {
            0 => 0,
            _ if self.linear => usize::try_from(steps).unwrap_or(usize::MAX),
            _ => 1 + steps.ilog2() as usize,
        };
        column.min(self.count.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_double() {
        let buckets = Buckets::default();
        assert_eq!(buckets.bounds(), [5, 10, 20, 40, 80, 160, 320, 640, 1280]);
        let at = |minutes: u64| buckets.of(minutes * 60);
        assert_eq!([0, 4, 5, 9, 10, 19, 20, 1279, 1280, 1_000_000].map(at), [0, 0, 1, 1, 2, 2, 3, 8, 9, 9]);
        assert_eq!((buckets.of(299), buckets.of(300)), (0, 1));
    }

    #[test]
    fn columns_of_one_width() {
        let buckets = Buckets { count: 4, first_min: 10, linear: true };
        assert_eq!(buckets.bounds(), [10, 20, 30]);
        assert_eq!([0, 9, 10, 29, 30, 300].map(|minutes| buckets.of(minutes * 60)), [0, 0, 1, 2, 3, 3]);
        assert_eq!(Buckets { count: 1, ..buckets }.of(u64::MAX), 0);
    }

    /// The column is the one whose borders hold the age, whatever the width.
    #[test]
    fn columns_are_those_of_their_borders() {
        for buckets in
            [Buckets::default(), Buckets { count: 70, first_min: 1, linear: false }, Buckets { count: 9, first_min: 7, linear: true }]
        {
            let bounds = buckets.bounds();
            for age_s in (0..200_000).step_by(53) {
                assert_eq!(
                    buckets.of(age_s),
                    bounds.iter().filter(|bound| age_s >= bound.saturating_mul(60)).count(),
                    "{age_s} {buckets:?}"
                );
            }
        }
    }
}
