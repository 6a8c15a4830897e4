//! The stack's clock. Functions, expiry and messages follow it. A user or a test can move it forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use shared::words::{Clock, Timestamp};

/// A clock that only moves forward. Clones share the same time.
#[derive(Clone, Debug)]
pub struct StackClock {
    base: Base,
    /// How far the clock has been moved, in seconds.
    ahead: Arc<AtomicU64>,
    /// The error with which functions read the clock, in seconds.
    skew: Arc<AtomicI64>,
}

#[derive(Clone, Debug)]
enum Base {
    Running(Clock),
    Frozen(Timestamp),
}

impl StackClock {
    /// A clock that follows the system clock.
    pub fn running() -> StackClock {
        StackClock { base: Base::Running(Clock::system()), ahead: Arc::default(), skew: Arc::default() }
    }

    /// A clock that stands still at `moment` until it is moved.
    pub fn frozen_at(moment: Timestamp) -> StackClock {
        StackClock { base: Base::Frozen(moment), ahead: Arc::default(), skew: Arc::default() }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        let base = match &self.base {
            Base::Running(clock) => clock.now(),
            Base::Frozen(moment) => *moment,
        };
        base.after(Duration::from_secs(self.ahead.load(Ordering::SeqCst)))
    }

    /// Moves the clock forward by whole seconds and returns the new time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        // Saturates, because a huge number from a user would otherwise wrap the time to the past.
        let _ = self
            .ahead
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_add(by.as_secs())));
        self.now()
    }

    /// From now on, every handle reads the time with this error, like the clock of another machine.
    pub fn skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::SeqCst);
    }

    /// The clock for functions, with the error from [`StackClock::skew()`].
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
