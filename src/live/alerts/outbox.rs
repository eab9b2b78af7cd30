//! What one channel is to be told, and when: what comes together is one message, nothing is told twice, no more goes out
//! in an hour than is wanted, and what could not be sent goes with the next attempt.
//!
//! There is no queue of messages. What is to be told waits by alert and key, so that an alert that fired and was over while
//! the channel was down is one line and not two; memory is bounded by a number of these. What nobody was told yet can be
//! asked for at any time, so that it outlives the program. Times are those of any clock that only goes on, from its beginning.

use super::Change;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
/// Changes that wait; more are only counted.
const MOST: usize = 200;
/// The first wait after a failure; each further one is twice as long, up to the last.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(300);

/// How a channel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// What comes within this time of the first is told with it.
    pub group_wait: Duration,
    /// What still fires is told again after this time.
    pub repeat: Option<Duration>,
    pub most_per_hour: usize,
}

/// What it is about.
type Id = (String, String);

/// One channel's.
pub struct Outbox {
    manner: Manner,
    waiting: BTreeMap<Id, Change>,
    /// What came while a message is on its way: whether it says anything new depends on whether that arrives.
    behind: Vec<Change>,
    is_on_its_way: bool,
    /// Changes that there was no room for.
    pub left_out: u64,
    /// So many of them the message on its way speaks of.
    left_out_told: u64,
    /// When the first of them came.
    first: Option<Duration>,
    /// What fires and was told, and when.
    told: BTreeMap<Id, (Change, Duration)>,
    /// When messages went, the last hour.
    sent: VecDeque<Duration>,
    failures: u32,
    not_before: Duration,
}

impl Outbox {
    /// With what an earlier run has told.
    #[must_use]
    pub fn new(manner: Manner, told: Vec<Change>, now: Duration) -> Self {
        let told = told.into_iter().map(|change| (id(&change), (change, now))).collect();
        Self {
            manner,
            waiting: BTreeMap::new(),
            behind: Vec::new(),
            is_on_its_way: false,
            left_out: 0,
            left_out_told: 0,
            first: None,
            told,
            sent: VecDeque::new(),
            failures: 0,
            not_before: Duration::ZERO,
        }
    }

    /// Takes a change.
    pub fn take(&mut self, change: Change, now: Duration) {
        let id = id(&change);
        if self.is_on_its_way {
            if self.behind.len() < MOST {
                self.behind.push(change)
            } else {
                self.left_out += 1
            }
            return;
        }
        if change.until.is_none() && self.told.contains_key(&id) {
            // It was over in between, and nobody knows: it still fires.
            self.waiting.remove(&id);
            return;
        }
        if self.waiting.len() >= MOST && !self.waiting.contains_key(&id) {
            self.left_out += 1;
            return;
        }
        self.waiting.insert(id, change);
        self.first.get_or_insert(now);
    }

    /// When the next message is to go; `None` while there is nothing to say.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let grouped = self.first.filter(|_| !self.waiting.is_empty()).map(|first| first + self.manner.group_wait);
        let repeated = self.manner.repeat.and_then(|repeat| Some(self.told.values().map(|(_, at)| *at).min()? + repeat));
        let wanted = grouped.into_iter().chain(repeated).min()?;
        let allowed = if self.sent.len() < self.manner.most_per_hour {
            Duration::ZERO
        } else {
            self.sent.front().map_or(HOUR, |first| *first + HOUR)
        };
        Some(wanted.max(self.not_before).max(allowed))
    }

    /// All that is to be said now: what fires first, then what is over. It is on its way until it is said what became of it.
    #[must_use]
    pub fn message(&mut self, now: Duration) -> Vec<Change> {
        self.is_on_its_way = true;
        self.left_out_told = self.left_out;
        let again = self
            .told
            .iter()
            .filter(|(id, (_, at))| !self.waiting.contains_key(*id) && self.manner.repeat.is_some_and(|repeat| *at + repeat <= now));
        let mut all: Vec<Change> = self.waiting.values().cloned().chain(again.map(|(_, (change, _))| change.clone())).collect();
        all.sort_by_key(|change| (change.until.is_some(), change.severity, change.since));
        all
    }

    /// The message went.
    pub fn sent(&mut self, message: Vec<Change>, now: Duration) {
        for change in message {
            let id = id(&change);
            if change.until.is_some() {
                self.told.remove(&id);
            } else {
                self.told.insert(id, (change, now));
            }
        }
        self.waiting.clear();
        self.left_out -= self.left_out_told;
        (self.first, self.failures, self.not_before, self.left_out_told) = (None, 0, Duration::ZERO, 0);
        self.catch_up(now);
        self.sent.push_back(now);
        while self.sent.len() > self.manner.most_per_hour || self.sent.front().is_some_and(|first| *first + HOUR <= now) {
            self.sent.pop_front();
        }
    }

    /// It did not go; how long until it is tried again.
    pub fn failed(&mut self, now: Duration) -> Duration {
        let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(16)).min(LAST_RETRY);
        self.failures += 1;
        self.not_before = now + wait;
        self.catch_up(now);
        wait
    }

    fn catch_up(&mut self, now: Duration) {
        self.is_on_its_way = false;
        std::mem::take(&mut self.behind).into_iter().for_each(|change| self.take(change, now));
    }

    /// What nobody was told, in an order in which it can be taken again.
    #[must_use]
    pub fn untold(&self) -> Vec<Change> {
        self.waiting.values().chain(&self.behind).cloned().collect()
    }

    /// Whether there is something that nobody was told.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the last attempt failed.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.failures > 0
    }
}

fn id(change: &Change) -> Id {
    (change.alert.clone(), change.key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Severity;

    const MANNER: Manner = Manner { group_wait: Duration::from_secs(30), repeat: None, most_per_hour: 3 };

    fn change(key: &str, until: Option<i64>) -> Change {
        let (alert, key, text) = ("alert".into(), key.into(), String::new());
        Change { alert, key, severity: Severity::Warning, text, since: 0, until, channels: Vec::new() }
    }

    fn outbox(manner: Manner) -> Outbox {
        Outbox::new(manner, Vec::new(), Duration::ZERO)
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Sends what is due; what it says: keys, `-` before what is over.
    fn send(outbox: &mut Outbox, now: u64) -> Option<String> {
        if outbox.due().is_none_or(|due| due > at(now)) {
            return None;
        }
        let message = outbox.message(at(now));
        let said = message.iter().map(|change| format!("{}{}", if change.until.is_some() { "-" } else { "" }, change.key));
        let said = said.collect::<Vec<_>>().join(" ");
        outbox.sent(message, at(now));
        Some(said)
    }

    #[test]
    fn what_comes_together_is_one_message_and_is_told_once() {
        let mut outbox = outbox(MANNER);
        outbox.take(change("a", None), at(0));
        outbox.take(change("b", None), at(20));
        assert_eq!((send(&mut outbox, 29), send(&mut outbox, 30)), (None, Some("a b".into())));
        outbox.take(change("a", None), at(40));
        assert_eq!(outbox.due(), None);
        outbox.take(change("a", Some(1)), at(50));
        outbox.take(change("c", None), at(51));
        assert_eq!(send(&mut outbox, 80), Some("c -a".into()));
    }

    #[test]
    fn what_flaps_unseen_is_not_told() {
        let mut outbox = outbox(MANNER);
        outbox.take(change("a", None), at(0));
        assert_eq!(send(&mut outbox, 30), Some("a".into()));
        outbox.take(change("a", Some(1)), at(40));
        outbox.take(change("a", None), at(50));
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn a_channel_that_is_down_is_tried_again_and_told_everything() {
        let mut outbox = outbox(MANNER);
        outbox.take(change("a", None), at(0));
        let waits: Vec<u64> = (0..10).map(|_| outbox.failed(at(100)).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(outbox.due(), Some(at(400)));
        outbox.take(change("a", Some(1)), at(200));
        outbox.take(change("b", None), at(300));
        assert_eq!((send(&mut outbox, 400), outbox.fails()), (Some("b -a".into()), false));
    }

    #[test]
    fn no_more_than_so_many_an_hour() {
        let mut outbox = outbox(MANNER);
        let mut went = Vec::new();
        for minute in 0..90 {
            outbox.take(change(&format!("k{minute:02}"), None), at(minute * 60));
            went.extend(send(&mut outbox, minute * 60 + 30).map(|said| (minute, said.split(' ').count())));
        }
        assert_eq!(went, [(0, 1), (1, 1), (2, 1), (60, 58), (61, 1), (62, 1)]);
        (0..500).for_each(|n| outbox.take(change(&n.to_string(), None), at(6000)));
        assert_eq!((outbox.message(at(6000)).len(), outbox.left_out > 300), (MOST, true));
    }

    #[test]
    fn what_comes_while_a_message_is_on_its_way_is_not_lost() {
        for arrives in [true, false] {
            let mut outbox = outbox(MANNER);
            outbox.take(change("a", None), at(0));
            outbox.take(change("b", None), at(0));
            let message = outbox.message(at(30));
            outbox.take(change("a", Some(1)), at(31));
            outbox.take(change("c", None), at(31));
            let said: Vec<(String, bool)> = outbox.untold().into_iter().map(|change| (change.key, change.until.is_some())).collect();
            assert_eq!(said, [("a", false), ("b", false), ("a", true), ("c", false)].map(|(key, over)| (key.to_owned(), over)));
            if arrives {
                outbox.sent(message, at(32))
            } else {
                assert_eq!(outbox.failed(at(32)).as_secs(), 1)
            }
            assert_eq!(send(&mut outbox, 62), Some(if arrives { "c -a" } else { "b c -a" }.into()));
            assert!(outbox.untold().is_empty());
        }
        // It was told that it is over, and then it was so again.
        let mut outbox = Outbox::new(MANNER, vec![change("a", None)], at(0));
        outbox.take(change("a", Some(1)), at(0));
        let message = outbox.message(at(30));
        outbox.take(change("a", None), at(31));
        outbox.sent(message, at(32));
        assert_eq!(send(&mut outbox, 62), Some("a".into()));
    }

    #[test]
    fn what_there_was_no_room_for_meanwhile_is_counted_in_the_next_message() {
        let mut outbox = outbox(MANNER);
        outbox.take(change("a", None), at(0));
        let message = outbox.message(at(30));
        (0..MOST + 7).for_each(|n| outbox.take(change(&n.to_string(), None), at(31)));
        outbox.sent(message, at(32));
        assert_eq!(outbox.left_out, 7);
        let message = outbox.message(at(70));
        outbox.sent(message, at(71));
        assert_eq!(outbox.left_out, 0);
    }

    #[test]
    fn what_still_fires_is_told_again() {
        let mut outbox = Outbox::new(Manner { repeat: Some(HOUR), ..MANNER }, vec![change("old", None)], at(0));
        outbox.take(change("a", None), at(600));
        assert_eq!(send(&mut outbox, 630), Some("a".into()));
        assert_eq!((send(&mut outbox, 3599), send(&mut outbox, 3600)), (None, Some("old".into())));
        outbox.take(change("a", Some(1)), at(3700));
        assert_eq!(send(&mut outbox, 3730), Some("-a".into()));
        assert_eq!(outbox.due(), Some(at(7200)));
    }
}
