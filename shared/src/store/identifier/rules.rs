//! Conditions that several writes share.

use super::item::{self, FAILURES, Names};
use crate::codes::{ChallengePolicy, Lockout, Strength};
use crate::store::expression::{Condition, all, any};
use crate::words::{Lane, Timestamp};

/// Short codes are sent only while the failures are below the lockout's cap, long codes only from the cap on.
pub(super) fn strength_fits(strength: Strength, policy: &ChallengePolicy) -> Condition {
    let long_from = ("long_from", policy.lockout().long_from());
    match strength {
        Strength::Short => FAILURES.below(long_from),
        Strength::Long => FAILURES.at_least(long_from),
    }
}

/// The lockout's wait is over for this lane. The write checks it itself, because another request may have counted a failure a
/// moment ago.
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
