//! Resends: how often a challenge gets another code, and how often by a call.

use std::time::Duration;

use crate::words::Timestamp;

/// Sends of one challenge: the first and three resends.
pub const MOST_SENDS: u32 = 4;
/// A call or a WhatsApp message follows its text so long after it (S261).
pub const FOLLOWS_AFTER: Duration = Duration::from_secs(30);
/// Calls to one number in a UTC day, by all clients together (S262).
pub const MOST_CALLS: u32 = 2;

/// The facts about a challenge that decide whether it gets another code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resends {
    /// Attempts left.
    pub attempts_left: u32,
    /// Sends so far.
    pub sends: u32,
    /// The UTC day to which its attempts are charged.
    pub day: u64,
}

impl Resends {
    /// Whether a new code may be sent to the challenge, if it has not expired. A long code has no attempts, and so none.
    pub fn may_go_on(self, now: Timestamp) -> bool {
        // Its attempts stay charged to one day.
        self.attempts_left > 0 && self.sends < MOST_SENDS && self.day == now.day()
    }
}

/// The calls to a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The UTC day.
    pub day: u64,
    /// Calls on that day.
    pub count: u32,
}

impl Calls {
    /// Whether one more call may be made (S262).
    pub fn are_left(self, now: Timestamp) -> bool {
        self.day != now.day() || self.count < MOST_CALLS
    }
}
