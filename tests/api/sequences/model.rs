//! The rules, as briefly as they can be said.

use std::time::Duration;

use shared::clock::{ExpiresAt, Timestamp};

const TRIES: u32 = 3;
/// So many wrong answers in a row, and some answers must wait: the model does not say how long.
const FAILURES: u32 = 10;
const CODES: usize = 5;
const GRACE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30 * 86_400);
const ABSOLUTE: Duration = Duration::from_secs(90 * 86_400);
const SESSIONS: usize = 10;
/// TTL goes by a clock of its own: so close to the end, a session may be gone or not.
const APART: Duration = Duration::from_secs(10);

/// Whether something succeeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    Yes,
    No,
    Unsure,
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
    pub code: String,
    end: ExpiresAt,
    tries: u32,
    is_used: bool,
    /// Answered while answers may have to wait: nobody knows how many tries are left.
    is_unsure: bool,
}

pub struct Session {
    /// Oldest first.
    tokens: Vec<String>,
    rotated: Timestamp,
    idle_end: ExpiresAt,
    absolute_end: ExpiresAt,
    has_ended: bool,
}

impl Model {
    /// One of the challenges, the newest most often.
    pub fn pick(&self, number: usize) -> Option<usize> {
        let back = if number.is_multiple_of(2) { 0 } else { number / 2 };
        self.challenges.len().checked_sub(1).map(|last| last - back % (last + 1))
    }

    pub fn session(&mut self, number: usize) -> Option<&mut Session> {
        let count = self.sessions.len().max(1);
        self.sessions.get_mut(number % count)
    }

    /// One more would end the oldest: another test's matter.
    pub fn has_room(&self) -> bool {
        self.sessions.iter().filter(|session| !session.has_ended).count() < SESSIONS
    }

    pub fn may_wait(&self) -> bool {
        self.failures >= FAILURES
    }

    /// So many codes are under way that another may have to wait for the end of one.
    pub fn is_full(&self, now: Timestamp) -> bool {
        let is_there = |it: &&Challenge| !it.is_used && !it.end.has_passed(now.before(APART));
        self.challenges.iter().filter(is_there).count() >= CODES
    }

    /// What a bound answer leads to.
    pub fn answer(&self, at: usize, is_right: bool, now: Timestamp) -> Known {
        match &self.challenges[at] {
            challenge if !is_right || challenge.is_over(now) => Known::No,
            challenge if self.may_wait() || challenge.is_unsure || challenge.is_closing(now) => Known::Unsure,
            challenge if challenge.tries == 0 => Known::No,
            _ => Known::Yes,
        }
    }

    /// A try is spent on what lives. Success forgives all failures.
    pub fn answered(&mut self, at: usize, is_right: bool, succeeded: bool, now: Timestamp) {
        let may_wait = self.may_wait();
        let challenge = &mut self.challenges[at];
        if succeeded {
            challenge.is_used = true;
            self.failures = 0;
        } else if may_wait || challenge.is_closing(now) {
            challenge.is_unsure = true;
            self.failures += 1;
        } else if !is_right && challenge.tries > 0 && !challenge.is_over(now) {
            challenge.tries -= 1;
            self.failures += 1;
        }
    }

    /// Whether a challenge that is not over has this code. Unbound tries are others than its own.
    pub fn lives(&self, code: &str, now: Timestamp) -> bool {
        let is_meant = |it: &Challenge| it.code == code && !it.is_over(now);
        self.challenges.iter().any(is_meant)
    }

    pub fn answered_unbound(&mut self, code: &str, succeeded: bool) {
        if !succeeded {
            self.failures += 1;
            return;
        }
        self.failures = 0;
        self.challenges.iter_mut().filter(|challenge| challenge.code == code).for_each(|it| it.is_used = true);
    }
}

impl Challenge {
    pub fn new(id: String, code: String, now: Timestamp, life: Duration) -> Challenge {
        Challenge { id, code, end: ExpiresAt::after(now, life), tries: TRIES, is_used: false, is_unsure: false }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.is_used || self.end.has_passed(now)
    }

    /// Over by another's clock: who asks for a code then may have swept it away.
    fn is_closing(&self, now: Timestamp) -> bool {
        self.end.has_passed(now.after(APART))
    }
}

impl Session {
    pub fn new(token: String, now: Timestamp) -> Session {
        Session {
            tokens: vec![token],
            rotated: now,
            idle_end: ExpiresAt::after(now, IDLE),
            absolute_end: ExpiresAt::after(now, ABSOLUTE),
            has_ended: false,
        }
    }

    /// The token that is `age` generations old, or the oldest.
    pub fn token(&self, age: usize) -> String {
        self.tokens[self.tokens.len() - 1 - self.age(age)].clone()
    }

    fn age(&self, age: usize) -> usize {
        age.min(self.tokens.len() - 1)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.has_ended || self.idle_end.has_passed(now) || self.absolute_end.has_passed(now)
    }

    /// Also by the clock that TTL goes by.
    pub fn lives_surely(&self, now: Timestamp) -> bool {
        !self.is_over(now) && !self.absolute_end.has_passed(now.after(APART))
    }

    /// The newest token moves the session on, the one before repeats that for a moment, and no other does anything good.
    pub fn refresh(&self, age: usize, now: Timestamp) -> Known {
        let is_good = match self.age(age) {
            0 => true,
            1 => self.rotated.until(now) <= GRACE,
            _ => false,
        };
        match is_good {
            true if self.lives_surely(now) => Known::Yes,
            true if !self.is_over(now) => Known::Unsure,
            _ => Known::No,
        }
    }

    /// What was given instead, if something was.
    pub fn refreshed(&mut self, age: usize, token: Option<String>, now: Timestamp) {
        match token {
            // A copy ends it. That a clock is past its end does not: another may not be there yet.
            None => self.has_ended |= !self.is_over(now),
            Some(token) if self.age(age) == 0 => {
                self.tokens.push(token);
                self.rotated = now;
                self.idle_end = ExpiresAt::after(now, IDLE);
            }
            Some(token) => assert_eq!(Some(&token), self.tokens.last(), "not the same successor"),
        }
    }

    pub fn end(&mut self) {
        self.has_ended = true;
    }
}
