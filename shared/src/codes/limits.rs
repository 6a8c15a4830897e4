//! Limits on requests and failures of each network.

use std::time::Duration;

use crate::config::Reader;
use crate::words::{Error, NetworkDigest, Result, Timestamp};

/// An action counted for each network in fixed windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A wrong code without a challenge id.
    Failure,
    /// A request for a code by SMS.
    Sms,
    /// A question about what became of a message.
    Status,
}

/// The limit for an [`Action`] in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The number of allowed actions.
    pub count: u32,
    /// The length of a window.
    pub per: Duration,
}

/// Whether a limit allows one more action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// It does.
    Left,
    /// Used up until that time.
    SpentUntil(Timestamp),
}

impl Quota {
    /// Combines two limits. Both must allow the action, so the later end counts.
    #[must_use]
    pub fn and(self, other: Quota) -> Quota {
        match (self, other) {
            (Quota::SpentUntil(one), Quota::SpentUntil(two)) => Quota::SpentUntil(one.max(two)),
            (spent @ Quota::SpentUntil(_), Quota::Left) | (Quota::Left, spent) => spent,
        }
    }

    /// How long to wait, if the limit is used up.
    pub fn wait(self, now: Timestamp) -> Option<Duration> {
        match self {
            Quota::Left => None,
            Quota::SpentUntil(end) => Some(now.until(end)),
        }
    }

    /// Turns a used-up limit into an error. `refuse` makes the error from the time to wait.
    ///
    /// # Errors
    /// The result of `refuse`.
    pub fn or_refuse(self, now: Timestamp, refuse: impl Fn(Duration) -> Error) -> Result<()> {
        self.wait(now).map_or(Ok(()), |wait| Err(refuse(wait)))
    }
}

impl Action {
    /// Its name in keys of the table.
    pub fn name(self) -> &'static str {
        match self {
            Action::Failure => "failure",
            Action::Sms => "sms",
            Action::Status => "status",
        }
    }
}

/// Budgets are counted per day in UTC.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// The length of a network's windows for requests and failures.
pub const NETWORK_WINDOW: Duration = Duration::from_secs(600);

impl Allowance {
    /// Reads the limit on requests for codes from one network.
    pub fn read_requests(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_REQUESTS_PER_IP", 25, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// Reads the limit on wrong codes without a challenge id from one network.
    pub fn read_failures(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_FAILURES_PER_IP", 30, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// The limit on questions about messages from one network.
    pub const STATUS: Allowance = Allowance { count: 30, per: Duration::from_secs(60) };

    /// The end of the window that contains `now`.
    pub fn window_end(self, now: Timestamp) -> Timestamp {
        let length = self.per.as_secs().max(1);
        Timestamp::from_unix(now.unix() - now.unix() % length).after(self.per)
    }
}

/// The end of the UTC day that contains `now`.
pub fn day_end(now: Timestamp) -> Timestamp {
    Allowance { count: 0, per: DAY }.window_end(now)
}

/// A time to wait, rounded up to five minutes, with up to 60 seconds that differ by network. The exact time of a phone number or
/// a country would tell when others asked for an SMS (S148).
pub fn blurred(wait: Duration, network: &NetworkDigest) -> Duration {
    const STEP: u64 = 300;
    let spread = network.short().bytes().map(u64::from).sum::<u64>() % 61;
    Duration::from_secs(wait.as_secs().max(1).div_ceil(STEP) * STEP + spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_names_of_their_own() {
        assert_eq!([Action::Failure, Action::Sms, Action::Status].map(Action::name), ["failure", "sms", "status"]);
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        let allowance = Allowance { count: 1, per: Duration::from_secs(600) };
        for (now, end) in [(0, 600), (599, 600), (600, 1_200)] {
            assert_eq!(allowance.window_end(Timestamp::from_unix(now)).unix(), end);
        }
    }
}
