//! One delivery line, as small as it can be: a queue that fills up keeps thousands of them, and each life begins with one.

use super::life::Span;
use mailscope_parsers::model::{Class, Delays, Delivery, EnhancedStatus, Micros, Status};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One delivery line. There is one for each recipient that is open: what is not counted stands apart.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Attempt {
    pub time: Micros,
    pub status: Status,
    pub class: Option<Class>,
    pub relay_name: Span,
    delay: Wait,
    stages: [Wait; 4],
    /// Their place, counted from 1; 0 where they are not kept.
    particulars: u32,
}

/// What only rows and stories show of a delivery line.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Particulars {
    pub relay_ip: Span,
    pub relay_port: u16,
    pub transport: Span,
    pub dsn: Option<EnhancedStatus>,
    pub reply_code: Option<u16>,
    pub diagnostic: Span,
    pub queued_as: Span,
}

/// What a life keeps of its attempts where rows or stories are made of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    particulars: Vec<Particulars>,
    /// Every attempt, and the place of the same recipient's next one.
    attempts: Vec<(Attempt, u32)>,
}

/// The first and the last of a recipient's attempts, by their places counted from 1; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    first: u32,
    last: u32,
}

impl Told {
    /// Few have more than so many.
    const USUAL: usize = 16;

    /// Nothing, in the same memory, if that is not much.
    pub(super) fn renewed(mut self: Box<Self>) -> Option<Box<Self>> {
        self.particulars.clear();
        self.attempts.clear();
        (self.particulars.capacity().max(self.attempts.capacity()) <= Self::USUAL).then_some(self)
    }

    /// The attempt with its particulars; in the place of those that it had before, if they are no longer wanted.
    pub(super) fn tell(&mut self, attempt: Attempt, particulars: Particulars, instead: Option<&Attempt>) -> Attempt {
        let place = instead.map_or(0, |before| before.particulars);
        if let Some(before) = self.particulars.get_mut(index(place)) {
            *before = particulars;
            return Attempt { particulars: place, ..attempt };
        }
        self.particulars.push(particulars);
        Attempt { particulars: u32::try_from(self.particulars.len()).unwrap_or(0), ..attempt }
    }

    pub(super) fn particulars(&self, attempt: &Attempt) -> Option<Particulars> {
        self.particulars.get(index(attempt.particulars)).copied()
    }

    /// Adds an attempt to a recipient's.
    pub(super) fn push(&mut self, attempt: Attempt, run: &mut Run) {
        self.attempts.push((attempt, 0));
        let Ok(place) = u32::try_from(self.attempts.len()) else { return };
        match self.attempts.get_mut(index(run.last)) {
            Some((_, next)) => *next = place,
            None => run.first = place,
        }
        run.last = place;
    }

    /// A recipient's attempts.
    pub(super) fn attempts(&self, run: Run) -> impl Iterator<Item = &Attempt> {
        let at = |place: u32| self.attempts.get(index(place));
        std::iter::successors(at(run.first), move |(_, next)| at(*next)).map(|(attempt, _)| attempt)
    }
}

/// Where a place is that is counted from 1; nowhere for 0.
fn index(place: u32) -> usize {
    (place as usize).wrapping_sub(1)
}

impl Attempt {
    pub(super) const NONE: Self = Self {
        time: 0,
        status: Status::Deferred,
        class: None,
        relay_name: Span::NONE,
        delay: Wait::NONE,
        stages: [Wait::NONE; 4],
        particulars: 0,
    };

    /// What a delivery line says, but for its particulars.
    #[inline(always)]
    pub(super) fn new(time: Micros, delivery: &Delivery<'_>, relay_name: Span, delay: Option<Micros>) -> Self {
        let stages = delivery.delays.map_or([Wait::NONE; 4], |delays| {
            [delays.before_qmgr, delays.in_qmgr, delays.conn_setup, delays.transmission].map(|stage| Wait::from(Some(stage)))
        });
        let Delivery { status, class, .. } = *delivery;
        Self { time, status, class, relay_name, delay: delay.into(), stages, particulars: 0 }
    }

    /// How long the message had waited, as the line says, in microseconds.
    #[must_use]
    pub fn delay(&self) -> Option<Micros> {
        self.delay.get()
    }

    /// Where it waited.
    #[must_use]
    pub fn delays(&self) -> Option<Delays> {
        let [before_qmgr, in_qmgr, conn_setup, transmission] = self.stages;
        Some(Delays {
            before_qmgr: before_qmgr.get()?,
            in_qmgr: in_qmgr.get()?,
            conn_setup: conn_setup.get()?,
            transmission: transmission.get()?,
        })
    }
}

/// A wait in four bytes: in microseconds below 35 minutes, in milliseconds below 12 days, else in seconds. Logs say no more
/// of such long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait(u32);

impl Wait {
    const NONE: Self = Self(u32::MAX);
    const MILLIS: u32 = 0b10 << 30;
    const SECONDS: u32 = 0b11 << 30;
    const COUNT: u32 = (1 << 30) - 1;

    #[inline]
    fn get(self) -> Option<Micros> {
        if self.0 < Self::MILLIS {
            return Some(self.0.into());
        }
        let unit = match self.0 {
            u32::MAX => return None,
            in_millis if in_millis < Self::SECONDS => 1000,
            _ => 1_000_000,
        };
        Some(Micros::from(self.0 & Self::COUNT) * unit)
    }
}

impl From<Option<Micros>> for Wait {
    fn from(wait: Option<Micros>) -> Self {
        let Some(micros) = wait else { return Self::NONE };
        let micros = micros.max(0);
        if micros < Micros::from(Self::MILLIS) {
            return Self(micros as u32);
        }
        let fits = |count: Micros| u32::try_from(count).ok().filter(|count| *count < Self::COUNT);
        Self(
            fits(micros / 1000)
                .map_or_else(|| fits(micros / 1_000_000).unwrap_or(Self::COUNT - 1) | Self::SECONDS, |millis| millis | Self::MILLIS),
        )
    }
}

impl Serialize for Wait {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::<Micros>::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_kept_as_logs_say_them() {
        let kept = |micros: Micros| Wait::from(Some(micros)).get();
        for exact in [0, 1, 30_000, (1 << 31) - 1, 2_148_000_000, 432_000_000_000, 1_073_741_000_000, 40_000_000_000_000] {
            assert_eq!(kept(exact), Some(exact));
        }
        assert_eq!(Wait::from(None).get(), None);
        assert_eq!(kept(-5), Some(0));
        assert_eq!(kept(3_000_000_001), Some(3_000_000_000), "a microsecond of fifty minutes");
        assert_eq!(kept(Micros::MAX), Some(Micros::from(Wait::COUNT - 1) * 1_000_000), "the longest of all");
    }

    #[test]
    fn an_attempt_is_small() {
        assert!(size_of::<Attempt>() <= 48);
    }
}
