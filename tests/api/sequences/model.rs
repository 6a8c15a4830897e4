//! The rules of one user's codes and sessions, in short.

use std::time::Duration;

use shared::words::{ExpiresAt, Timestamp};
use tests::deployment::wrong;

use super::session::Session;

const TRIES: u32 = 3;
/// How long a code is accepted.
const LIFE: Duration = Duration::from_secs(600);
const LONG: usize = 13;
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
}

pub struct Challenge {
    pub id: String,
    code: String,
    old: Vec<String>,
    end: ExpiresAt,
    sent: Timestamp,
    /// The day to which its attempts are charged.
    day: u64,
    sends: u32,
    tries: u32,
    is_used: bool,
    /// A request by a fast clock may have removed it, so the number of remaining attempts is unknown.
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

    /// The expected result of an answer, with the challenge id or without it. All requests come from one network, so an answer
    /// without an id is compared with every code of digits under way.
    pub fn answer(&self, at: usize, typed: Typed, now: Timestamp) -> Known {
        match &self.challenges[at] {
            challenge if typed != Typed::Right || challenge.is_over(now) => Known::No,
            challenge if challenge.is_unsure || challenge.is_closing(now) => Known::Unsure,
            challenge if challenge.tries == 0 && !challenge.is_long() => Known::No,
            _ => Known::Yes,
        }
    }

    /// A success uses up the code of every challenge that shares it. A failure uses up an attempt of a code of digits.
    pub fn answered(&mut self, at: usize, succeeded: bool, now: Timestamp) {
        if succeeded {
            self.use_up(at);
        } else {
            self.challenges[at].spend(now);
        }
    }

    /// An answer without an id uses up an attempt of every code of digits under way.
    pub fn answered_unbound(&mut self, at: usize, succeeded: bool, now: Timestamp) {
        if !self.challenges[at].is_long() {
            self.challenges.iter_mut().for_each(|challenge| challenge.spend(now));
        }
        if succeeded {
            self.use_up(at);
        }
    }

    fn use_up(&mut self, at: usize) {
        let code = self.challenges[at].code.clone();
        self.challenges
            .iter_mut()
            .filter(|challenge| challenge.code == code)
            .for_each(|challenge| challenge.is_used = true);
    }

    /// The newest long code and its end, for a request without a message of its own.
    pub fn shared(&self) -> Option<(String, ExpiresAt)> {
        let long = self.challenges.iter().filter(|challenge| challenge.is_long() && !challenge.is_used);
        long.max_by_key(|challenge| challenge.end).map(|challenge| (challenge.code.clone(), challenge.end))
    }

    /// The expected result of a resend that gets a message with digits.
    pub fn resend(&self, at: usize, now: Timestamp) -> Sent {
        match &self.challenges[at] {
            it if !ExpiresAt::after(it.sent, RESEND).has_passed(now) => Sent::TooSoon,
            it if it.is_over(now) || it.is_long() => Sent::Anew,
            it if it.is_unsure || it.is_closing(now) => Sent::Unsure,
            it if it.tries == 0 || it.sends == SENDS || it.day != now.day() => Sent::Anew,
            _ => Sent::Again,
        }
    }
}

impl Challenge {
    pub fn new(id: String, code: String, now: Timestamp) -> Challenge {
        Challenge {
            id,
            code,
            old: Vec::new(),
            end: ExpiresAt::after(now, LIFE),
            sent: now,
            day: now.day(),
            sends: 1,
            tries: TRIES,
            is_used: false,
            is_unsure: false,
        }
    }

    /// A challenge that shares a code.
    pub fn sharing(id: String, (code, end): (String, ExpiresAt), now: Timestamp) -> Challenge {
        Challenge { end, ..Challenge::new(id, code, now) }
    }

    /// A resend has a new code and the same attempts.
    pub fn sent_again(&mut self, id: String, code: String, now: Timestamp) {
        self.old.push(std::mem::replace(&mut self.code, code));
        (self.id, self.sent, self.end) = (id, now, ExpiresAt::after(now, LIFE));
        self.sends += 1;
    }

    pub fn mark_unsure(&mut self) {
        self.is_unsure = true;
    }

    pub fn is_long(&self) -> bool {
        self.code.len() == LONG
    }

    fn spend(&mut self, now: Timestamp) {
        if self.is_long() || self.is_over(now) {
            return;
        }
        if self.is_closing(now) {
            self.is_unsure = true;
        }
        self.tries = self.tries.saturating_sub(1);
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
            Typed::Right if self.is_long() => Some("a long code"),
            Typed::Right if is_near => Some("within 10 s of a code's end"),
            Typed::Right if self.end.has_passed(now) => Some("after a code's end"),
            Typed::Right if self.tries == 0 && !self.is_long() => Some("no tries left"),
            Typed::Old if !self.old.is_empty() => Some("a code from before it was sent again"),
            Typed::Right | Typed::Wrong | Typed::Old => None,
        }
    }
}
