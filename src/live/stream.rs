//! The last failures, filtered and held still at will.

use mailscope_parsers::model::{Class, Micros};
use std::collections::VecDeque;

const KEPT: usize = 2000;

/// One line of the stream.
#[derive(Clone, Debug)]
pub struct Failure {
    pub time: Micros,
    pub class: Option<Class>,
    pub permanent: bool,
    pub text: String,
    /// Of the message, where it is about one.
    pub queue_id: String,
}

#[derive(Default)]
pub struct Stream {
    /// The newest last.
    lines: VecDeque<Failure>,
    /// What came while it was held still.
    waiting: VecDeque<Failure>,
    pub is_paused: bool,
    pub filter: String,
}

impl Stream {
    pub fn push(&mut self, failure: Failure) {
        let to = if self.is_paused { &mut self.waiting } else { &mut self.lines };
        to.push_back(failure);
        if to.len() > KEPT {
            to.pop_front();
        }
    }

    pub fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        if !is_paused {
            self.lines.append(&mut self.waiting);
            let surplus = self.lines.len().saturating_sub(KEPT);
            self.lines.drain(..surplus);
        }
    }

    /// How many lines wait for the pause to end.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The newest lines that the filter lets through, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Failure> {
        let filter = self.filter.to_lowercase();
        self.lines.iter().rev().filter(move |line| {
            filter.is_empty()
                || line.text.to_lowercase().contains(&filter)
                || line.class.is_some_and(|class| class.name().contains(&filter))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Failure {
        Failure { time: 0, class: Some(Class::MailboxFull), permanent: false, text: text.into(), queue_id: String::new() }
    }

    #[test]
    fn a_pause_loses_nothing_and_a_filter_knows_classes() {
        let mut stream = Stream::default();
        stream.push(failure("one"));
        stream.pause(true);
        stream.push(failure("two"));
        assert_eq!((stream.newest().count(), stream.waiting()), (1, 1));
        stream.pause(false);
        assert_eq!(stream.newest().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["two", "one"]);
        stream.filter = "ONE".into();
        assert_eq!(stream.newest().count(), 1);
        stream.filter = "mailbox_full".into();
        assert_eq!(stream.newest().count(), 2);
        (0..3000).for_each(|_| stream.push(failure("more")));
        assert_eq!(stream.newest().count(), KEPT);
    }
}
