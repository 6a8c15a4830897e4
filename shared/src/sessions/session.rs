//! Sessions: one sign-in on one device, kept alive by a chain of refresh tokens.

use std::time::Duration;

use crate::config::Reader;
use crate::sessions::device::Device;
use crate::sessions::proof::Proof;
use crate::sessions::refresh_token::{Audience, Grant, RefreshToken, Seed};
use crate::words::{Entropy, ExpiresAt, MacKey, Result, SessionId, Timestamp, UserId};

/// How sessions live and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Unused for this long, a session ends.
    pub idle: Duration,
    /// After this long every session ends (S34).
    pub absolute: Duration,
    /// Whether a refresh issues a new refresh token.
    pub rotation: bool,
    /// How long the token before the current one still gets the current one: lost answers, retries, second tabs.
    pub grace: Duration,
    /// Sessions of one user; a further one ends the one that was opened first, though others may have died unused.
    pub per_user: usize,
}

impl SessionPolicy {
    /// Reads its variables.
    pub fn read(read: &mut Reader<'_>) -> SessionPolicy {
        SessionPolicy {
            idle: read.days("REFRESH_IDLE_DAYS", 30, 1..=365),
            absolute: SessionPolicy::read_absolute(read),
            rotation: read.is_on("REFRESH_ROTATION"),
            grace: read.seconds("REFRESH_GRACE_SECONDS", 10, 0..=60),
            per_user: read.number("SESSIONS_PER_USER", 10, 1..=10) as usize,
        }
    }

    /// Reads how long a session lives at most, and nothing else.
    pub fn read_absolute(read: &mut Reader<'_>) -> Duration {
        read.days("REFRESH_ABSOLUTE_DAYS", 90, 1..=365)
    }
}

/// A session as its item holds it. Whether it lives is the user item's word, not this one's.
///
/// Outside this crate it comes from [`Session::open`], which takes a proof, or from the table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The current generation of its refresh token.
    pub generation: u32,
    /// The key that the current token is made with.
    pub key_id: String,
    /// Its part of every token's second MAC.
    pub seed: Seed,
    /// When its person proved who they are.
    pub created: Timestamp,
    /// When the current generation began.
    pub rotated: Timestamp,
    /// When it got tokens last.
    pub used: Timestamp,
    /// What it got them with.
    pub device: Device,
    /// When it ends unless it is used.
    pub idle_end: ExpiresAt,
    /// When it ends in any case.
    pub absolute_end: ExpiresAt,
    /// How the person proved it (RFC 8176 words).
    pub methods: Vec<String>,
    /// Which invocation made the last write; tells a repeated write that it has succeeded already.
    pub written_by: String,
}

/// What presenting a refresh token led to.
#[derive(Debug)]
pub enum Rotation {
    /// It was the current one. Here is the session with the next.
    Rotated(Session),
    /// It was the one before, within the grace period: the same successor again.
    Repeated(Session),
    /// An older one, or too late: somebody has a copy.
    Reused(Session),
    /// Expired, unknown, or from a chain that is not this one.
    Refused,
}

impl Rotation {
    /// The word for it in a log.
    pub fn name(&self) -> &'static str {
        match self {
            Rotation::Rotated(_) => "rotated",
            Rotation::Repeated(_) => "repeated",
            Rotation::Reused(_) => "reused",
            Rotation::Refused => "refused",
        }
    }
}

impl Session {
    /// A new one at its first generation, for `proof`.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn open(
        proof: &Proof,
        user: UserId,
        opening: Opening<'_>,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Session> {
        Ok(Session {
            id: SessionId::draw(entropy)?,
            user,
            generation: 1,
            key_id: opening.key_id.to_owned(),
            seed: Seed(entropy.bytes()?),
            created: now,
            rotated: now,
            used: now,
            device: opening.device.clone(),
            idle_end: ExpiresAt::after(now, opening.policy.idle),
            absolute_end: ExpiresAt::after(now, opening.policy.absolute),
            methods: proof.methods(),
            written_by: String::new(),
        })
    }

    /// The refresh token of the current generation: the same bytes whenever it is asked for.
    pub fn token(&self, key: &MacKey, audience: Audience<'_>) -> RefreshToken {
        let grant = Grant {
            key_id: self.key_id.clone(),
            user: self.user.clone(),
            session: self.id.clone(),
            generation: self.generation,
        };
        RefreshToken::issue(grant, key, &self.seed, audience)
    }

    /// Whether it has come to an end by itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.idle_end.has_passed(now) || self.absolute_end.has_passed(now)
    }

    /// What a token of generation `presented` leads to, now that the write that would have moved the session on
    /// has been refused and has shown this state.
    pub fn judge(self, presented: u32, invocation: &str, policy: &SessionPolicy, now: Timestamp) -> Rotation {
        if self.is_over(now) || presented > self.generation {
            return Rotation::Refused;
        }
        let in_grace = !policy.grace.is_zero() && self.rotated.until(now) <= policy.grace;
        let is_previous = self.generation.checked_sub(1) == Some(presented);
        // The SDK repeats a write whose answer was lost; the repetition is refused by its own success.
        let is_own_write = is_previous && self.written_by == invocation;
        if is_own_write || (is_previous && in_grace) {
            Rotation::Repeated(self)
        } else if presented == self.generation {
            // Refused for another reason than the generation, and not expired: the state moved under the request.
            Rotation::Refused
        } else {
            Rotation::Reused(self)
        }
    }
}

/// What a new session takes from the deployment.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The policy that it lives under.
    pub policy: &'a SessionPolicy,
    /// The refresh key that is active.
    pub key_id: &'a str,
    /// What they use.
    pub device: &'a Device,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::proven;

    const POLICY: SessionPolicy = SessionPolicy {
        idle: Duration::from_secs(1_000),
        absolute: Duration::from_secs(3_000),
        rotation: true,
        grace: Duration::from_secs(10),
        per_user: 10,
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn session(generation: u32) -> Session {
        let user = UserId::draw(&Entropy, at(0)).unwrap();
        let device = &Device { words: String::new(), prefix: String::new() };
        let opening = Opening { policy: &POLICY, key_id: "r1", device };
        let proof = Proof::Code(proven());
        Session { generation, ..Session::open(&proof, user, opening, &Entropy, at(0)).unwrap() }
    }

    #[test]
    fn a_session_says_how_it_was_proved() {
        assert_eq!(session(1).methods, ["otp"]);
    }

    #[test]
    fn only_the_previous_generation_has_grace() {
        assert!(matches!(session(3).judge(2, "", &POLICY, at(10)), Rotation::Repeated(_)));
        assert!(matches!(session(3).judge(2, "other", &POLICY, at(11)), Rotation::Reused(_)));
        assert!(matches!(session(3).judge(1, "", &POLICY, at(1)), Rotation::Reused(_)));
        assert!(matches!(session(3).judge(4, "", &POLICY, at(1)), Rotation::Refused));
    }

    #[test]
    fn a_repeated_write_knows_its_own_success_without_any_grace() {
        let policy = SessionPolicy { grace: Duration::ZERO, ..POLICY };
        let moved = Session { written_by: "me".to_owned(), ..session(3) };
        assert!(matches!(moved.clone().judge(2, "me", &policy, at(0)), Rotation::Repeated(_)));
        assert!(matches!(moved.judge(2, "other", &policy, at(0)), Rotation::Reused(_)));
    }

    /// What a log and an alarm know them by.
    #[test]
    fn what_a_token_led_to_has_a_word() {
        let [one, two, three] = [session(1), session(1), session(1)];
        let all = [Rotation::Rotated(one), Rotation::Repeated(two), Rotation::Reused(three), Rotation::Refused];
        assert_eq!(all.each_ref().map(Rotation::name), ["rotated", "repeated", "reused", "refused"]);
    }

    #[test]
    fn an_ended_session_is_refused_and_is_no_reuse() {
        assert!(matches!(session(3).judge(1, "", &POLICY, at(1_000)), Rotation::Refused));
    }
}
