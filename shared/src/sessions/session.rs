//! Sessions: one sign-in on one device, continued by a chain of refresh tokens.

use std::time::Duration;

use crate::config::Reader;
use crate::sessions::device::Device;
use crate::sessions::proof::Proof;
use crate::sessions::refresh_token::{Audience, Grant, RefreshToken, Seed};
use crate::words::{Entropy, ExpiresAt, MacKey, Result, SessionId, Timestamp, UserId};

/// How long sessions last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// An unused session ends after this time.
    pub idle: Duration,
    /// Every session ends after this time (S34).
    pub absolute: Duration,
    /// Whether a refresh issues a new refresh token.
    pub rotation: bool,
    /// How long the previous token is still accepted after a rotation, for lost answers, retries and parallel tabs.
    /// It gets the current token again.
    pub grace: Duration,
    /// The maximum number of sessions of one user. A new session beyond it ends the oldest one, even if others have
    /// already expired unused.
    pub per_user: usize,
}

impl SessionPolicy {
    /// Reads the settings for sessions.
    pub fn read(read: &mut Reader<'_>) -> SessionPolicy {
        SessionPolicy {
            idle: read.days("REFRESH_IDLE_DAYS", 30, 1..=365),
            absolute: SessionPolicy::read_absolute(read),
            rotation: read.is_on("REFRESH_ROTATION"),
            grace: read.seconds("REFRESH_GRACE_SECONDS", 10, 0..=60),
            per_user: read.number("SESSIONS_PER_USER", 10, 1..=10) as usize,
        }
    }

    /// Reads only the maximum length of a session.
    pub fn read_absolute(read: &mut Reader<'_>) -> Duration {
        read.days("REFRESH_ABSOLUTE_DAYS", 90, 1..=365)
    }
}

/// A session as stored in the table. The user's item decides whether it is still active.
///
/// Outside this crate it comes from the table or from [`Session::open`], which needs a proof, and cannot be changed.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's id.
    pub(crate) id: SessionId,
    /// The session's user.
    pub(crate) user: UserId,
    /// The current generation of the refresh token.
    pub(crate) generation: u32,
    /// The id of the key for the current refresh token.
    pub(crate) key_id: String,
    /// The secret in the second MAC of every refresh token.
    pub(crate) seed: Seed,
    /// When the user signed in.
    pub(crate) created: Timestamp,
    /// When the current generation began.
    pub(crate) rotated: Timestamp,
    /// When the session last got tokens.
    pub(crate) used: Timestamp,
    /// The device at that time.
    pub(crate) device: Device,
    /// When it ends unless it is used again.
    pub(crate) idle_end: ExpiresAt,
    /// When it ends at the latest.
    pub(crate) absolute_end: ExpiresAt,
    /// The authentication methods of the sign-in, with names from RFC 8176.
    pub(crate) methods: Vec<String>,
    /// The invocation that wrote the item last. A repeated write uses this to detect its own success.
    pub(crate) written_by: String,
}

/// The outcome of presenting a refresh token.
#[derive(Debug)]
pub enum Rotation {
    /// The token was current. The session has moved on to the next one.
    Rotated(Session),
    /// The token was the previous one, within the grace period. It gets the same successor again.
    Repeated(Session),
    /// The token was older, or the grace period was over. Someone probably has a copy.
    Reused(Session),
    /// The token has expired, or belongs to an unknown session or another chain.
    Refused,
}

impl Rotation {
    /// Its name in logs.
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
    /// A new session for `proof`, at generation 1.
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

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// The session's user.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// When the user signed in.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// When the session last got tokens.
    pub fn used(&self) -> Timestamp {
        self.used
    }

    /// The device at that time.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether `token` is one of this session's, in any generation.
    pub fn owns(&self, token: &RefreshToken, key: &MacKey, audience: Audience<'_>) -> bool {
        token.belongs_to(key, &self.seed, audience)
    }

    /// The refresh token of the current generation. Repeated calls give the same bytes.
    pub fn token(&self, key: &MacKey, audience: Audience<'_>) -> RefreshToken {
        let grant = Grant {
            key_id: self.key_id.clone(),
            user: self.user.clone(),
            session: self.id.clone(),
            generation: self.generation,
        };
        RefreshToken::issue(grant, key, &self.seed, audience)
    }

    /// Whether it has expired.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.idle_end.has_passed(now) || self.absolute_end.has_passed(now)
    }

    /// Decides about a token of generation `presented` after the write to advance the session was refused. `self` is
    /// the state returned by that write.
    pub fn judge(self, presented: u32, invocation: &str, policy: &SessionPolicy, now: Timestamp) -> Rotation {
        if self.is_over(now) || presented > self.generation {
            return Rotation::Refused;
        }
        let in_grace = !policy.grace.is_zero() && self.rotated.until(now) <= policy.grace;
        let is_previous = self.generation.checked_sub(1) == Some(presented);
        // The SDK repeats a write if its answer is lost, and then the first one makes the repetition fail.
        let is_own_write = is_previous && self.written_by == invocation;
        if is_own_write || (is_previous && in_grace) {
            Rotation::Repeated(self)
        } else if presented == self.generation {
            // Neither expired nor an old generation, so the state changed during the request.
            Rotation::Refused
        } else {
            Rotation::Reused(self)
        }
    }
}

/// The circumstances of a new session.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The policy for the session.
    pub policy: &'a SessionPolicy,
    /// The id of the active refresh key.
    pub key_id: &'a str,
    /// The device of the user.
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

    /// Logs and an alarm depend on these names.
    #[test]
    fn each_outcome_of_a_token_has_a_word() {
        let [one, two, three] = [session(1), session(1), session(1)];
        let all = [Rotation::Rotated(one), Rotation::Repeated(two), Rotation::Reused(three), Rotation::Refused];
        assert_eq!(all.each_ref().map(Rotation::name), ["rotated", "repeated", "reused", "refused"]);
    }

    #[test]
    fn an_ended_session_is_refused_and_is_no_reuse() {
        assert!(matches!(session(3).judge(1, "", &POLICY, at(1_000)), Rotation::Refused));
    }
}
