//! The newest messages that a service took, for the events about them.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::lock::locked;

/// How many are kept. Older ones are dropped.
const KEPT: usize = 10_000;

pub(crate) struct Sent<T>(Mutex<Counted<T>>);

struct Counted<T> {
    newest: VecDeque<T>,
    /// How many there were in all.
    count: u64,
}

impl<T> Default for Sent<T> {
    fn default() -> Sent<T> {
        Sent(Mutex::new(Counted { newest: VecDeque::new(), count: 0 }))
    }
}

impl<T: Clone> Sent<T> {
    pub(crate) fn keep(&self, message: T) {
        let mut sent = locked(&self.0);
        sent.newest.push_back(message);
        sent.count += 1;
        while sent.newest.len() > KEPT {
            sent.newest.pop_front();
        }
    }

    /// Those after the first `count`, at most the newest, and how many there are in all.
    pub(crate) fn after(&self, count: u64) -> (Vec<T>, u64) {
        let sent = locked(&self.0);
        let new = usize::try_from(sent.count - count.min(sent.count)).unwrap_or(usize::MAX);
        let old = sent.newest.len().saturating_sub(new);
        (sent.newest.iter().skip(old).cloned().collect(), sent.count)
    }
}
