//! The brake: while most of the stack's spent attempts are wrong, codes for strangers' requests have eight digits.
//!
//! Attempts are counted in windows of ten minutes. The brake goes on in a window with at least 200 attempts of which over 60 % are
//! wrong, and off when fewer than 40 % are. In between it stays as it was. A window with fewer attempts leaves it on only if it was
//! on before and 40 % are wrong.
//!
//! The counts are an approximation. Each instance of `verify-otp` keeps up to 16 attempts back until its next write, and loses them
//! when it ends. Fixed windows may split an attack, so up to 398 attempts can be spent before one window has 200 of them. The
//! answer is up to 30 seconds old.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::words::Timestamp;

/// The length of a window, in seconds.
const WINDOW: u64 = 600;
/// With fewer attempts in its window, the brake does not go on.
const ENOUGH: u32 = 200;
/// Above this share of wrong answers, in percent, the brake goes on.
const ON_ABOVE: u64 = 60;
/// Below this share, it goes off.
const OFF_BELOW: u64 = 40;
/// An instance writes its attempts when it has so many.
const BATCH: u32 = 16;
/// How long an instance uses what it has read.
const READ_EVERY: Duration = Duration::from_secs(30);

/// The spent attempts of the stack in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// When the window begins.
    pub window: Timestamp,
    /// Spent attempts.
    pub spent: u32,
    /// Those of them with a wrong code.
    pub wrong: u32,
    /// Whether the brake was on when the window began.
    pub was_on: bool,
}

impl Tally {
    /// When the window of `now` begins.
    pub fn window_of(now: Timestamp) -> Timestamp {
        Timestamp::from_unix(now.unix() / WINDOW * WINDOW)
    }

    /// Whether the brake is on at `now`, if no attempt was counted after this window.
    pub fn is_on(&self, now: Timestamp) -> bool {
        match self.window.until(Tally::window_of(now)).as_secs() / WINDOW {
            0 if self.spent < ENOUGH => self.was_on,
            0 => self.goes_on(),
            1 if self.spent < ENOUGH => self.was_on && self.is_wrong_at_least(OFF_BELOW),
            1 => self.goes_on(),
            // Nobody has spent an attempt for a whole window.
            _ => false,
        }
    }

    /// The share of enough attempts decides, with hysteresis.
    fn goes_on(&self) -> bool {
        match self.was_on {
            true => self.is_wrong_at_least(OFF_BELOW),
            false => u64::from(self.wrong) * 100 > u64::from(self.spent) * ON_ABOVE,
        }
    }

    fn is_wrong_at_least(&self, percent: u64) -> bool {
        self.spent > 0 && u64::from(self.wrong) * 100 >= u64::from(self.spent) * percent
    }
}

/// What one instance knows about the brake: the attempts that it has not written yet, and the last tally that it has read.
#[derive(Default)]
pub struct Brake {
    unwritten: Mutex<Tally>,
    read: Mutex<(Timestamp, Tally)>,
}

impl Brake {
    /// Remembers a spent attempt.
    pub fn spent(&self, is_wrong: bool) {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.spent = unwritten.spent.saturating_add(1);
        unwritten.wrong = unwritten.wrong.saturating_add(u32::from(is_wrong));
    }

    /// Takes the remembered attempts out, once there are enough for a write: how many, and how many of them were wrong.
    pub fn take_batch(&self) -> Option<(u32, u32)> {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        if unwritten.spent < BATCH {
            return None;
        }
        let Tally { spent, wrong, .. } = std::mem::take(&mut *unwritten);
        Some((spent, wrong))
    }

    /// Whether the tally has to be read again. The caller then reads it: no other request of this instance does so for a while.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = read.0.after(READ_EVERY) <= now;
        if is_due {
            read.0 = now;
        }
        is_due
    }

    /// Remembers what was read.
    pub fn remember(&self, tally: Tally) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).1 = tally;
    }

    /// Whether the brake is on, by the last tally that was read.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).1.is_on(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a window.
    const START: u64 = 1_767_268_800;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(START + seconds)
    }

    fn tally(spent: u32, wrong: u32, was_on: bool) -> Tally {
        Tally { window: at(0), spent, wrong, was_on }
    }

    /// S173: over 60 % of at least 200 turn it on, under 40 % turn it off.
    #[test]
    fn the_brake_has_hysteresis() {
        for (spent, wrong, was_on, is_on) in [
            (0, 0, false, false),
            (199, 199, false, false),
            (200, 200, false, true),
            (200, 121, false, true),
            (200, 120, false, false),
            (200, 120, true, true),
            (200, 80, true, true),
            (200, 79, true, false),
            (u32::MAX, u32::MAX, false, true),
            // At the beginning of a window, few attempts say little.
            (16, 0, true, true),
            (199, 0, true, true),
        ] {
            for second in [0, 599] {
                assert_eq!(tally(spent, wrong, was_on).is_on(at(second)), is_on, "{spent} {wrong} {was_on}");
            }
        }
    }

    /// A quiet stack does not keep the brake on for ever.
    #[test]
    fn the_brake_goes_off_after_a_window_with_few_wrong_attempts() {
        for (spent, wrong, was_on, is_on) in [
            (16, 6, true, false),
            (16, 7, true, true),
            (199, 199, false, false),
            (200, 121, false, true),
            (200, 79, true, false),
            (200, 80, true, true),
        ] {
            for second in [600, 1_199] {
                assert_eq!(tally(spent, wrong, was_on).is_on(at(second)), is_on, "{spent} {wrong} {was_on}");
            }
        }
        assert!(!tally(1_000, 1_000, true).is_on(at(1_200)), "a window without attempts");
        assert!(tally(1_000, 1_000, true).is_on(Timestamp::from_unix(START - 5)), "another clock is ahead");
        assert!(!Tally::default().is_on(at(0)));
    }

    #[test]
    fn an_instance_writes_sixteen_attempts_at_once_and_reads_every_half_minute() {
        let brake = Brake::default();
        for number in 0..15 {
            brake.spent(number % 3 == 0);
            assert_eq!(brake.take_batch(), None);
        }
        brake.spent(true);
        assert_eq!(brake.take_batch(), Some((16, 6)));
        assert_eq!(brake.take_batch(), None);

        let due: Vec<u64> = (0..90).filter(|second| brake.is_due(at(*second))).collect();
        assert_eq!(due, [0, 30, 60]);
        assert!(!brake.is_on(at(0)));
        brake.remember(tally(200, 200, false));
        assert!(brake.is_on(at(0)) && brake.is_on(at(1_199)) && !brake.is_on(at(1_200)));
    }
}
