//! The rules of one session, in short.

use std::time::Duration;

use shared::words::{ExpiresAt, Timestamp};
use tests::Tokens;
use tests::deployment::session_of;

use super::model::{APART, Known};

const GRACE: Duration = Duration::from_secs(10);
/// How long a sign-in is a fresh proof.
const FRESH: Duration = Duration::from_secs(600);
const ACCESS: Duration = Duration::from_secs(900);
const IDLE: Duration = Duration::from_secs(86_400);
const ABSOLUTE: Duration = Duration::from_secs(2 * 86_400);

pub struct Session {
    pub id: String,
    /// Oldest first.
    refresh: Vec<String>,
    /// The newest.
    pub access: String,
    opened: Timestamp,
    rotated: Timestamp,
    idle_end: ExpiresAt,
    absolute_end: ExpiresAt,
    has_ended: bool,
}

/// The limits in a session's life.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Grace,
    Access,
    Idle,
    Absolute,
}

impl Session {
    pub fn new(tokens: Tokens, now: Timestamp) -> Session {
        Session {
            id: session_of(&tokens.access),
            refresh: vec![tokens.refresh],
            access: tokens.access,
            opened: now,
            rotated: now,
            idle_end: ExpiresAt::after(now, IDLE),
            absolute_end: ExpiresAt::after(now, ABSOLUTE),
            has_ended: false,
        }
    }

    /// The token `age` generations before the newest, or the oldest.
    pub fn token(&self, age: usize) -> String {
        self.refresh[self.refresh.len() - 1 - self.age(age)].clone()
    }

    fn age(&self, age: usize) -> usize {
        age.min(self.refresh.len() - 1)
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub fn is_over(&self, now: Timestamp) -> bool {
        self.has_ended || self.idle_end.has_passed(now) || self.absolute_end.has_passed(now)
    }

    /// True if it is active even by TTL's clock.
    pub fn lives_surely(&self, now: Timestamp) -> bool {
        !self.is_over(now) && !self.absolute_end.has_passed(now.after(APART))
    }

    /// Whether its sign-in is a fresh proof.
    pub fn is_fresh(&self, now: Timestamp) -> Known {
        match self.opened.until(now) {
            age if age + APART <= FRESH => Known::Yes,
            age if age > FRESH + APART => Known::No,
            _ => Known::Unsure,
        }
    }

    /// The newest token gets a successor. The previous one repeats this during the grace period. All others are refused.
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

    /// Applies the result of a refresh.
    pub fn refreshed(&mut self, age: usize, tokens: Option<Tokens>, now: Timestamp) {
        match tokens {
            // Reuse of a token ends the session. An expiry by one clock is provisional, because another clock may be behind.
            None => self.has_ended |= !self.is_over(now),
            Some(tokens) if self.age(age) == 0 => {
                self.refresh.push(tokens.refresh);
                self.access = tokens.access;
                self.rotated = now;
                self.idle_end = ExpiresAt::after(now, IDLE);
            }
            Some(tokens) => assert_eq!(Some(&tokens.refresh), self.refresh.last(), "not the same successor"),
        }
    }

    /// The expected result with the newest access token. It works until it expires, if the session is on its user's list.
    pub fn opens(&self, now: Timestamp) -> Known {
        let is_good = now >= self.rotated && !ExpiresAt::after(self.rotated, ACCESS).has_passed(now);
        match is_good && !self.has_ended {
            _ if is_good && self.absolute_end.has_passed(now.after(APART)) => Known::Unsure,
            true => Known::Yes,
            false => Known::No,
        }
    }

    pub fn end(&mut self) {
        self.has_ended = true;
    }

    pub fn when(&self, end: End) -> Timestamp {
        match end {
            End::Grace => self.rotated.after(GRACE),
            End::Access => self.rotated.after(ACCESS),
            End::Idle => self.idle_end.moment(),
            End::Absolute => self.absolute_end.moment(),
        }
    }

    /// The situation of a refresh with that token at this moment, for the statistics.
    pub fn at_stake(&self, age: usize, now: Timestamp) -> Option<&'static str> {
        let near = |end: End| self.when(end).before(APART) <= now && now <= self.when(end).after(APART);
        match self.age(age) {
            _ if self.has_ended => Some("a session that was ended"),
            0 if near(End::Absolute) => Some("within 10 s of the absolute end"),
            0 if self.absolute_end.has_passed(now) => Some("after the absolute end"),
            0 if near(End::Idle) => Some("within 10 s of the idle end"),
            0 if self.idle_end.has_passed(now) => Some("after the idle end"),
            1 if self.rotated.until(now) <= GRACE => Some("within the grace"),
            1 if near(End::Grace) => Some("within 10 s after the grace"),
            1.. => Some("a used token, late"),
            _ => None,
        }
    }
}
