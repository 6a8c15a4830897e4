//! The rules of one user's codes and sessions, in short.

use std::time::Duration;

use shared::words::{ExpiresAt, Timestamp};
use tests::deployment::wrong;

use super::session::Session;

const TRIES: u32 = 3;
/// From this number of consecutive wrong answers on, some answers must wait. Their delay is not part of the model.
const FAILURES: u32 = 10;
const CODES: usize = 5;
const SENDS: u32 = 4;
const RESEND: Duration = Duration::from_secs(30);
const SESSIONS: usize = 10;
/// The largest difference between two clocks, including TTL's.
pub const APART: Duration = Duration::from_secs(10);

/// The expected result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    Yes,
    No,
    Unsure,
}

/// The expected result of a resend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sent {
    Again,
    TooSoon,
    Anew,
    Unsure,
}

/// The code in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Typed {
    Right,
    Wrong,
    /// An earlier code of the same challenge, replaced by a resend.
    Old,
}

#[derive(Default)]
pub struct Model {
    pub challenges: Vec<Challenge>,
    pub sessions: Vec<Session>,
    /// Wrong answers since the last right one, at most.
    failures: u32,
}

pub struct Challenge {
    pub id: String,
    code: String,
    old: Vec<String>,
    end: ExpiresAt,
    sent: Timestamp,
    sends: u32,
    tries: u32,
    /// Unbound answers since it began.
    unbound: u32,
    is_used: bool,
    /// It was answered while answers may wait, so the number of remaining attempts is unknown.
    is_unsure: bool,
}

impl Model {
    /// One of the challenges, most often the newest.
    pub fn pick(&self, number: usize) -> Option<usize> {
        let back = if number.is_multiple_of(2) { 0 } else { number / 2 };
        self.challenges.len().checked_sub(1).map(|last| last - back % (last + 1))
    }

    pub fn session(&mut self, number: usize) -> Option<&mut Session> {
        let count = self.sessions.len().max(1);
        self.sessions.get_mut(number % count)
    }

    /// One more session would end the oldest. Another test covers this.
    pub fn has_room(&self) -> bool {
        self.sessions.iter().filter(|session| !session.has_ended()).count() < SESSIONS
    }

    /// True if a new challenge or an unbound answer may be refused because of failures.
    pub fn may_wait(&self) -> bool {
        self.failures >= FAILURES
    }

    pub fn is_full(&self, now: Timestamp) -> bool {
        let is_there = |it: &&Challenge| !it.is_used && !it.end.has_passed(now.before(APART));
        self.challenges.iter().filter(is_there).count() >= CODES
    }

    /// The expected result of a bound answer.
    pub fn answer(&self, at: usize, typed: Typed, now: Timestamp) -> Known {
        match &self.challenges[at] {
            challenge if typed != Typed::Right || challenge.is_over(now) => Known::No,
            challenge if challenge.is_unsure || challenge.is_closing(now) => Known::Unsure,
            challenge if challenge.tries == 0 => Known::No,
            _ => Known::Yes,
        }
    }

    /// An answer uses up an attempt of a pending challenge. A success resets all failures.
    pub fn answered(&mut self, at: usize, succeeded: bool, now: Timestamp) {
        let challenge = &mut self.challenges[at];
        if succeeded {
            challenge.is_used = true;
            self.failures = 0;
        } else if challenge.is_closing(now) {
            challenge.is_unsure = true;
            self.failures += 1;
        } else if challenge.tries > 0 && !challenge.is_over(now) {
            challenge.tries -= 1;
            self.failures += 1;
        }
    }

    /// The expected result of an unbound answer with this challenge's code.
    pub fn answer_unbound(&self, at: usize, typed: Typed, now: Timestamp) -> Known {
        match &self.challenges[at] {
            challenge if typed != Typed::Right || challenge.is_over(now) || challenge.unbound >= TRIES => Known::No,
            challenge if self.may_wait() || challenge.is_unsure || challenge.is_closing(now) => Known::Unsure,
            _ => Known::Yes,
        }
    }

    /// Unbound attempts are counted separately from bound ones, and together for all pending challenges.
    pub fn answered_unbound(&mut self, at: usize, answer: &str, now: Timestamp) {
        let is_closing = self.challenges.iter().any(|it| !it.is_used && !it.is_over(now) && it.is_closing(now));
        match answer {
            "ok" => {
                self.challenges[at].is_used = true;
                self.failures = 0;
            }
            // The code was not compared, so nothing was counted.
            "too_many_attempts" => return,
            _ => self.failures += 1,
        }
        let living = self.challenges.iter_mut().filter(|it| !it.is_over(now));
        living.for_each(|it| if is_closing { it.is_unsure = true } else { it.unbound += 1 });
    }

    /// The expected result of a resend.
    pub fn resend(&self, at: usize, now: Timestamp) -> Sent {
        match &self.challenges[at] {
            it if it.is_over(now) => Sent::Anew,
            it if it.is_unsure || it.is_closing(now) => Sent::Unsure,
            it if it.tries == 0 => Sent::Anew,
            it if !ExpiresAt::after(it.sent, RESEND).has_passed(now) => Sent::TooSoon,
            it if it.sends == SENDS => Sent::Anew,
            _ => Sent::Again,
        }
    }
}

impl Challenge {
    pub fn new(id: String, code: String, now: Timestamp, life: Duration) -> Challenge {
        Challenge {
            id,
            code,
            old: Vec::new(),
            end: ExpiresAt::after(now, life),
            sent: now,
            sends: 1,
            tries: TRIES,
            unbound: 0,
            is_used: false,
            is_unsure: false,
        }
    }

    /// A resend has a new code and the same expiry and attempts.
    pub fn sent_again(&mut self, code: String, now: Timestamp, life: Duration) {
        self.old.push(std::mem::replace(&mut self.code, code));
        (self.sent, self.end) = (now, ExpiresAt::after(now, life));
        self.sends += 1;
    }

    pub fn text(&self, typed: Typed) -> String {
        match (typed, self.old.last()) {
            (Typed::Right, _) => self.code.clone(),
            (Typed::Old, Some(old)) => old.clone(),
            (Typed::Wrong | Typed::Old, _) => wrong(&self.code),
        }
    }

    pub fn end(&self) -> Timestamp {
        self.end.moment()
    }

    /// True if unbound answers are no longer compared with it, although it is pending.
    pub fn is_spent_unbound(&self, now: Timestamp) -> bool {
        !self.is_over(now) && self.unbound >= TRIES
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.is_used || self.end.has_passed(now)
    }

    /// Expired by a fast clock, so a code request may have deleted it.
    fn is_closing(&self, now: Timestamp) -> bool {
        self.end.has_passed(now.after(APART))
    }

    /// The situation of an answer at this moment, for the statistics.
    pub fn at_stake(&self, typed: Typed, now: Timestamp) -> Option<&'static str> {
        let is_near = self.end().before(APART) <= now && now <= self.end().after(APART);
        match typed {
            _ if self.is_used => Some("a used code"),
            Typed::Right if is_near => Some("within 10 s of a code's end"),
            Typed::Right if self.end.has_passed(now) => Some("after a code's end"),
            Typed::Right if self.tries == 0 => Some("no tries left"),
            Typed::Old if !self.old.is_empty() => Some("a code from before it was sent again"),
            Typed::Right | Typed::Wrong | Typed::Old => None,
        }
    }
}
