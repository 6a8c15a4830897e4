//! The stack's own clock. Functions, expiry and messages follow it, and a person or a test can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use shared::words::{Clock, Timestamp};

/// A clock that only ever moves forward. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct StackClock {
    base: Base,
    /// Seconds by which it has been moved.
    ahead: Arc<AtomicU64>,
    /// By how many seconds functions read it wrongly.
    skew: Arc<AtomicI64>,
}

#[derive(Clone, Debug)]
enum Base {
    Running(Clock),
    Frozen(Timestamp),
}

impl StackClock {
    /// Goes with the system's clock.
    pub fn running() -> StackClock {
        StackClock { base: Base::Running(Clock::system()), ahead: Arc::default(), skew: Arc::default() }
    }

    /// Stands still at `moment` until it is moved.
    pub fn frozen_at(moment: Timestamp) -> StackClock {
        StackClock { base: Base::Frozen(moment), ahead: Arc::default(), skew: Arc::default() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let base = match &self.base {
            Base::Running(clock) => clock.now(),
            Base::Frozen(moment) => *moment,
        };
        base.after(Duration::from_secs(self.ahead.load(Ordering::SeqCst)))
    }

    /// Moves it forward by whole seconds; gives the new time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        // Saturates, so that no number that someone types makes it wrap to the past.
        let _ = self
            .ahead
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_add(by.as_secs())));
        self.now()
    }

    /// From now on every handle is this many seconds off, as the clocks of machines are.
    pub fn skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::SeqCst);
    }

    /// The same clock, as functions read it.
    pub fn handle(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || {
            let unix = clock.now().unix().saturating_add_signed(clock.skew.load(Ordering::SeqCst));
            Timestamp::from_unix(unix)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_by_hand_only_and_never_back() {
        let clock = StackClock::frozen_at(Timestamp::from_unix(1_000));
        let handle = clock.handle();
        clock.advance(Duration::from_secs(60));
        assert_eq!(handle.now(), Timestamp::from_unix(1_060));
        clock.advance(Duration::MAX);
        assert_eq!(clock.advance(Duration::from_secs(1)), handle.now());
        assert!(handle.now() > Timestamp::from_unix(1_060));
    }
}
