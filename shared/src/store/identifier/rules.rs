//! Conditions that more than one write has.

use super::item::{self, FAILURES, Names};
use crate::codes::{ChallengePolicy, Lockout, Strength};
use crate::store::expression::{Condition, all, any};
use crate::words::{Lane, Timestamp};

/// A guessable code goes out below the lockout's cap only, and a long one from the cap on.
pub(super) fn strength_fits(strength: Strength, policy: &ChallengePolicy) -> Condition {
    let long_from = ("long_from", policy.lockout().long_from());
    match strength {
        Strength::Short => FAILURES.below(long_from),
        Strength::Long => FAILURES.at_least(long_from),
    }
}

/// No wait of the lockout is running on the lane. The write itself asks, because a failure may have been counted a moment
/// ago.
pub(super) fn is_not_waiting(lane: Lane, now: Timestamp) -> Condition {
    let Names { failures, last_failure, .. } = item::names(lane);
    let bands = Lockout::bands(now);
    let last = bands.len().saturating_sub(1);
    any(bands.into_iter().enumerate().map(|(index, (below, since))| match index {
        0 => failures.below(below),
        _ if index == last => last_failure.at_most(since),
        _ => all([failures.below(below), last_failure.at_most(since)]),
    }))
}
