//! Limits: how much one network and one identifier may ask for and fail at. All of the policy on one page.

use std::time::Duration;

use crate::config::Reader;
use crate::words::{Error, Result, Timestamp};

/// What is counted for each network, in fixed windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Asking for a code.
    Request,
    /// Answering one wrongly.
    Failure,
    /// Asking for a code by SMS.
    Sms,
}

/// How often an [`Action`] may happen in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The count that is still allowed.
    pub count: u32,
    /// The length of a window.
    pub per: Duration,
}

/// What a limit has left for one more action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Enough.
    Left,
    /// Nothing, until that moment.
    SpentUntil(Timestamp),
}

impl Quota {
    /// What two limits have left together: nothing until the later end.
    #[must_use]
    pub fn and(self, other: Quota) -> Quota {
        match (self, other) {
            (Quota::SpentUntil(one), Quota::SpentUntil(two)) => Quota::SpentUntil(one.max(two)),
            (spent @ Quota::SpentUntil(_), Quota::Left) | (Quota::Left, spent) => spent,
        }
    }

    /// How long nothing is left.
    pub fn wait(self, now: Timestamp) -> Option<Duration> {
        match self {
            Quota::Left => None,
            Quota::SpentUntil(end) => Some(now.until(end)),
        }
    }

    /// Turns a spent limit into the error that `refuse` makes of the time to wait.
    ///
    /// # Errors
    /// What `refuse` returns.
    pub fn or_refuse(self, now: Timestamp, refuse: impl Fn(Duration) -> Error) -> Result<()> {
        self.wait(now).map_or(Ok(()), |wait| Err(refuse(wait)))
    }
}

impl Action {
    /// The word in its key.
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
    /// Reads how often one network may ask for a code.
    pub fn read_requests(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_REQUESTS_PER_IP", 25, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// Reads how often one network may answer wrongly.
    pub fn read_failures(read: &mut Reader<'_>) -> Allowance {
        Allowance { count: read.count("OTP_FAILURES_PER_IP", 30, 1..=1_000_000), per: NETWORK_WINDOW }
    }

    /// When the window that `now` lies in ends.
    pub fn window_end(self, now: Timestamp) -> Timestamp {
        let length = self.per.as_secs().max(1);
        Timestamp::from_unix(now.unix() - now.unix() % length).after(self.per)
    }
}

/// The wait after consecutive failures of one identifier, and where codes become long (S04, S07).
///
/// From the 10th failure on, new challenges and unbound tries wait after each failure: 30 s, doubling with every
/// ten, at most 1 h. From [`Lockout::long_from`] on there is no wait for a new challenge: its code is too long to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    long_from: u32,
}

/// NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures with guessable codes.
const MOST_FAILURES: u32 = 100;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const STEP: u32 = 10;

impl Lockout {
    /// The lockout where a code may be compared `attempts` times bound and as often unbound.
    ///
    /// When the first long code is sent, as many short ones as may live at once can still be failed at:
    /// each `attempts` times bound, and `attempts` times unbound for all of them together.
    pub fn new(attempts: u32, live_challenges: u32) -> Lockout {
        Lockout { long_from: MOST_FAILURES.saturating_sub((live_challenges + 1) * attempts) }
    }

    /// The number of failures from which on codes are long.
    pub fn long_from(self) -> u32 {
        self.long_from
    }

    /// How long a failure keeps an identifier with so many of them waiting.
    pub fn wait(failures: u32) -> Duration {
        match failures / STEP {
            0 => Duration::ZERO,
            tens => FIRST_WAIT.saturating_mul(1_u32.checked_shl(tens - 1).unwrap_or(u32::MAX)).min(LONGEST_WAIT),
        }
    }

    /// The waits as a table, for a condition: fewer failures than `.0` may go on if the last was at `.1` or before.
    /// The last row holds for any number.
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

    /// S07: 30 s from the 10th failure, doubling with every ten, at most 1 h.
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

    /// S04: with every short code that may still live failed at to the end, 100 is not passed.
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
