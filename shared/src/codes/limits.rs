//! Limits on requests and failures, for each network and each identifier.

use std::time::Duration;

use crate::config::Reader;
use crate::words::{Error, Result, Timestamp};

/// An action counted for each network in fixed windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A request for a code.
    Request,
    /// A wrong code.
    Failure,
    /// A request for a code by SMS.
    Sms,
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
            Action::Request => "request",
            Action::Failure => "failure",
            Action::Sms => "sms",
        }
    }
}

/// The length of a network's windows for requests and failures.
pub const NETWORK_WINDOW: Duration = Duration::from_secs(600);

impl Allowance {
    /// Reads the limit on requests for codes from one network.
    pub fn read_requests(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_REQUESTS_PER_IP", 25, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// Reads the limit on wrong codes from one network.
    pub fn read_failures(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_FAILURES_PER_IP", 30, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// The end of the window that contains `now`.
    pub fn window_end(self, now: Timestamp) -> Timestamp {
        let length = self.per.as_secs().max(1);
        Timestamp::from_unix(now.unix() - now.unix() % length).after(self.per)
    }
}

/// The lockout of an identifier: the wait after consecutive failures, and the switch to long codes (S04, S07).
///
/// From the 10th failure on, new challenges and unbound attempts have to wait after each failure. The wait starts at
/// 30 s and doubles every ten failures, up to 1 h. From [`Lockout::long_from`] failures on, new challenges are
/// immediate again, because long codes cannot be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    long_from: u32,
}

/// NIST SP 800-63B-4 §3.2.2: at most 100 consecutive failures with guessable codes.
const MOST_FAILURES: u32 = 100;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const STEP: u32 = 10;

impl Lockout {
    /// The lockout for codes with `attempts` bound and `attempts` unbound attempts each.
    ///
    /// Short codes sent before the first long one can still be guessed: `attempts` times each for `live_challenges`
    /// codes, plus `attempts` unbound ones for all of them together. These count towards the 100 failures as well.
    pub fn new(attempts: u32, live_challenges: u32) -> Lockout {
        Lockout { long_from: MOST_FAILURES.saturating_sub((live_challenges + 1) * attempts) }
    }

    /// The number of failures at which codes become long.
    pub fn long_from(self) -> u32 {
        self.long_from
    }

    /// The wait after the given number of failures.
    pub fn wait(failures: u32) -> Duration {
        match failures / STEP {
            0 => Duration::ZERO,
            tens => FIRST_WAIT.saturating_mul(1_u32.checked_shl(tens - 1).unwrap_or(u32::MAX)).min(LONGEST_WAIT),
        }
    }

    /// The waits as rows for a condition: with fewer than `.0` failures, an attempt is allowed if the last failure
    /// was at or before `.1`. The last row applies to all higher numbers.
    pub fn bands(now: Timestamp) -> Vec<(u32, Timestamp)> {
        let longest = (1..).find(|tens| Lockout::wait(tens * STEP) == LONGEST_WAIT).unwrap_or(1);
        (0..=longest).map(|tens| ((tens + 1) * STEP, now.before(Lockout::wait(tens * STEP)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_names_of_their_own() {
        let names = [Action::Request, Action::Failure, Action::Sms].map(Action::name);
        assert_eq!(names, ["request", "failure", "sms"]);
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        let allowance = Allowance { count: 1, per: Duration::from_secs(600) };
        for (now, end) in [(0, 600), (599, 600), (600, 1_200)] {
            assert_eq!(allowance.window_end(Timestamp::from_unix(now)).unix(), end);
        }
    }

    /// S07: 30 s from the 10th failure on, doubled every ten failures, at most 1 h.
    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        for (failures, seconds) in
            [(0, 0), (9, 0), (10, 30), (19, 30), (20, 60), (50, 480), (79, 1_920), (80, 3_600), (1_000, 3_600)]
        {
            assert_eq!(Lockout::wait(failures).as_secs(), seconds, "{failures}");
        }
        assert_eq!(Lockout::wait(u32::MAX).as_secs(), 3_600);
    }

    #[test]
    fn the_bands_say_what_the_wait_says() {
        let now = Timestamp::from_unix(1_000_000);
        let bands = Lockout::bands(now);
        assert_eq!(bands.len(), 9, "a condition has a limit of its own");
        for failures in 0..120 {
            let band = bands.iter().find(|(below, _)| failures < *below).or(bands.last()).unwrap();
            assert_eq!(band.1.until(now), Lockout::wait(failures), "{failures}");
        }
    }

    /// S04: the limit of 100 holds even if every active short code is guessed at until its attempts run out.
    #[test]
    fn long_codes_come_in_time() {
        for attempts in 1..=10 {
            let lockout = Lockout::new(attempts, 7);
            assert!(lockout.long_from() - 1 + 7 * attempts + attempts < 100);
            assert!(lockout.long_from() >= 20);
        }
        assert_eq!(Lockout::new(3, 7).long_from(), 76);
    }
}
