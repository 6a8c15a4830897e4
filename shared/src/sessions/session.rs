//! Sessions: one sign-in on one device, continued by a chain of refresh tokens.

use std::time::Duration;

use subtle::ConstantTimeEq;

use crate::config::Reader;
use crate::people::Familiarity;
use crate::sessions::device::Device;
use crate::sessions::proof::Proof;
use crate::sessions::refresh_token::{Audience, Grant, RefreshToken, Seed};
use crate::words::{Entropy, ExpiresAt, Level, MacKey, Result, RetryKey, SessionId, Timestamp, UserId, random_id};

/// How long sessions last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// An unused session ends after this time.
    pub idle: Duration,
    /// Every session ends after this time (S34).
    pub absolute: Duration,
    /// Whether a refresh issues a new refresh token.
    pub rotation: bool,
    /// How long after a rotation the previous token gets the current one again without a retry key, for lost answers, retries and
    /// parallel tabs. For the same time after a sign-in, the same answer with its retry key gets the session's tokens again.
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
    /// When the user last gave a proof of the session's level: at the sign-in or a step-up.
    pub(crate) authenticated: Timestamp,
    /// When the current generation began.
    pub(crate) rotated: Timestamp,
    /// The hour in which the session last got tokens. The exact time would tell a thief when to present a used token (S162).
    pub(crate) used: Timestamp,
    /// The device at that time.
    pub(crate) device: Device,
    /// When it ends unless it is used again.
    pub(crate) idle_end: ExpiresAt,
    /// When it ends at the latest.
    pub(crate) absolute_end: ExpiresAt,
    /// How long it may be unused, if its user did not want to be remembered. Otherwise the policy decides.
    pub(crate) short_idle: Option<Duration>,
    /// The authentication methods of the sign-in and of all step-ups, with names from RFC 8176.
    pub(crate) methods: Vec<String>,
    /// The way of the sign-in, such as `otp_email`. Empty for sessions from before ways were kept.
    pub(crate) way: String,
    /// How well the client was known then.
    pub(crate) familiarity: Familiarity,
    /// Whether the user has disavowed the sign-in.
    pub(crate) is_disavowed: bool,
    /// The request that began the current generation.
    pub(crate) rotated_by: RotatedBy,
}

/// How long a session of a user who does not want to be remembered may be unused. A session on someone else's computer then ends
/// before the next day.
const SHORT_IDLE: Duration = Duration::from_secs(12 * 3_600);

/// Names the request that rotated a refresh token, so that its repetition is recognized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotatedBy {
    /// Any request with this retry key, as [`RefreshToken::retry_digest`].
    Retry(String),
    /// A request without a retry key, by the random id of its invocation. The SDK may repeat its write. Empty for a new session.
    Invocation(String),
}

impl RotatedBy {
    /// The name of a request that moves the session of `token` to the next generation: its retry key, or its own invocation.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn of(
        token: &RefreshToken,
        key: &MacKey,
        retry: Option<&RetryKey>,
        audience: Audience<'_>,
    ) -> Result<RotatedBy> {
        Ok(match retry {
            Some(retry) => RotatedBy::Retry(token.retry_digest(key, retry, audience)),
            None => RotatedBy::Invocation(random_id(&Entropy)?),
        })
    }
}

/// The outcome of presenting a refresh token.
#[derive(Debug)]
pub enum Rotation {
    /// The token was current. The session has moved on to the next one.
    Rotated(Session),
    /// The token was the previous one, and its client asked again. It gets the same successor again.
    Repeated(Session),
    /// The token was older, or another client presented it. Someone probably has a copy.
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
        proof: Proof<'_>,
        user: UserId,
        opening: Opening<'_>,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Session> {
        let short_idle = (!opening.is_remembered).then(|| SHORT_IDLE.min(opening.policy.idle));
        Ok(Session {
            id: opening.id.cloned().map_or_else(|| SessionId::draw(entropy), Ok)?,
            user,
            generation: 1,
            key_id: opening.key_id.to_owned(),
            seed: Seed(entropy.bytes()?),
            created: now,
            authenticated: now,
            rotated: now,
            used: now.hour(),
            device: opening.device.clone(),
            idle_end: ExpiresAt::after(now, short_idle.unwrap_or(opening.policy.idle)),
            absolute_end: ExpiresAt::after(now, opening.policy.absolute),
            short_idle,
            methods: proof.methods(),
            way: proof.way().to_owned(),
            familiarity: opening.familiarity,
            is_disavowed: false,
            rotated_by: RotatedBy::Invocation(String::new()),
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

    /// The level of its proofs.
    pub fn level(&self) -> Level {
        Level::of(&self.methods)
    }

    /// Whether its user wants to stay signed in after the browser was closed.
    pub fn is_remembered(&self) -> bool {
        self.short_idle.is_none()
    }

    /// The session with one more proof, given at `now` (S130). A code steps up only a user without a second factor. A session from
    /// when the user had one then loses its level, because nothing could make it fresh again.
    #[must_use]
    pub fn proved_by(&self, proof: Proof<'_>, now: Timestamp) -> Session {
        self.with_proof(&proof.methods(), now)
    }

    /// Whether this is the state that a step-up of the request `by` has written: `raised`, one generation later. Other requests with
    /// the same retry key may have begun that generation, and then they have not added the proof.
    pub(crate) fn is_raised(&self, raised: &Session, by: &RotatedBy, policy: &SessionPolicy, now: Timestamp) -> bool {
        let is_proved = self.methods == raised.methods && self.authenticated == raised.authenticated;
        let is_next = match policy.rotation {
            true => self.generation.checked_sub(1) == Some(raised.generation) && self.rotated_by == *by,
            false => self.generation == raised.generation,
        };
        is_proved && is_next && !self.is_over(now)
    }

    fn with_proof(&self, proof: &[String], now: Timestamp) -> Session {
        let methods = match Level::of(proof) >= self.level() {
            true => {
                let added = proof.iter().filter(|method| !self.methods.contains(method));
                self.methods.iter().chain(added).cloned().collect()
            }
            false => proof.to_vec(),
        };
        Session { methods, authenticated: now, ..self.clone() }
    }

    /// The hour in which the session last got tokens.
    pub fn used(&self) -> Timestamp {
        self.used
    }

    /// The device at that time.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How well the client of the sign-in was known.
    pub fn familiarity(&self) -> Familiarity {
        self.familiarity
    }

    /// Whether the user has disavowed the sign-in.
    pub fn is_disavowed(&self) -> bool {
        self.is_disavowed
    }

    /// Whether `token` is one of this session's, in any generation.
    pub fn owns(&self, token: &RefreshToken, key: &MacKey, audience: Audience<'_>) -> bool {
        token.belongs_to(key, &self.seed, audience)
    }

    /// The refresh token of the current generation. Repeated calls give the same bytes.
    pub fn token(&self, key: &MacKey, audience: Audience<'_>) -> RefreshToken {
        RefreshToken::issue(self.grant(), key, &self.seed, audience)
    }

    /// The content of that token.
    pub(crate) fn grant(&self) -> Grant {
        Grant {
            key_id: self.key_id.clone(),
            user: self.user.clone(),
            session: self.id.clone(),
            generation: self.generation,
        }
    }

    /// Whether it has expired.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.idle_end.has_passed(now) || self.absolute_end.has_passed(now)
    }

    /// Whether the sign-in may be answered again: it was just now, and its first refresh token is unused (S161).
    pub fn may_be_answered_again(&self, policy: &SessionPolicy, now: Timestamp) -> bool {
        self.generation == 1 && !self.is_over(now) && is_in_grace(self.created, policy, now)
    }

    /// Decides about a token of generation `presented` after the write to advance the session was refused. `self` is
    /// the state returned by that write.
    pub fn judge(
        self,
        presented: u32,
        by: &RotatedBy,
        device: &Device,
        policy: &SessionPolicy,
        now: Timestamp,
    ) -> Rotation {
        if self.is_over(now) || presented > self.generation {
            return Rotation::Refused;
        }
        let is_previous = self.generation.checked_sub(1) == Some(presented);
        if is_previous && self.is_asked_again(by, device, policy, now) {
            Rotation::Repeated(self)
        } else if presented == self.generation {
            // Neither expired nor an old generation, so the state changed during the request.
            Rotation::Refused
        } else {
            Rotation::Reused(self)
        }
    }

    /// Whether the previous token comes back from the client that rotated it (S32). A retry key shows this at any time, because a
    /// thief of the token alone has no key. Without keys, only a short time and the device's words are left, and a thief knows both.
    fn is_asked_again(&self, by: &RotatedBy, device: &Device, policy: &SessionPolicy, now: Timestamp) -> bool {
        match (&self.rotated_by, by) {
            (RotatedBy::Retry(first), RotatedBy::Retry(again)) => first.as_bytes().ct_eq(again.as_bytes()).into(),
            (RotatedBy::Invocation(first), RotatedBy::Invocation(again)) => {
                // The SDK repeats a write if its answer is lost, and then the first one makes the repetition fail.
                first == again || (is_in_grace(self.rotated, policy, now) && self.device.words == device.words)
            }
            (RotatedBy::Retry(_), RotatedBy::Invocation(_)) | (RotatedBy::Invocation(_), RotatedBy::Retry(_)) => false,
        }
    }
}

fn is_in_grace(since: Timestamp, policy: &SessionPolicy, now: Timestamp) -> bool {
    !policy.grace.is_zero() && since.until(now) <= policy.grace
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
    /// How well it is known.
    pub familiarity: Familiarity,
    /// The id, if a repetition of the sign-in must find the session. Otherwise it is random.
    pub id: Option<&'a SessionId>,
    /// Whether the user wants to stay signed in after the browser was closed.
    pub is_remembered: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::codes::proven;

    pub(crate) const POLICY: SessionPolicy = SessionPolicy {
        idle: Duration::from_secs(1_000),
        absolute: Duration::from_secs(3_000),
        rotation: true,
        grace: Duration::from_secs(10),
        per_user: 10,
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    /// A new session of a new user.
    pub(crate) fn session_of(now: Timestamp) -> Session {
        let user = UserId::draw(&Entropy, now).unwrap();
        let (device, familiarity) = (&device("Firefox on Linux"), Familiarity::Known);
        let opening = Opening { policy: &POLICY, key_id: "r1", device, familiarity, id: None, is_remembered: true };
        let code = proven().for_sign_in().unwrap();
        let proof = Proof::Code(&code);
        Session::open(proof, user, opening, &Entropy, now).unwrap()
    }

    fn session(generation: u32) -> Session {
        Session { generation, ..session_of(at(0)) }
    }

    fn device(words: &str) -> Device {
        Device { words: words.to_owned(), prefix: String::new() }
    }

    /// An invocation without a retry key.
    fn plain(id: &str) -> RotatedBy {
        RotatedBy::Invocation(id.to_owned())
    }

    fn keyed(digest: &str) -> RotatedBy {
        RotatedBy::Retry(digest.to_owned())
    }

    fn judged(session: Session, presented: u32, by: &RotatedBy, now: u64) -> &'static str {
        session.judge(presented, by, &device("Firefox on Linux"), &POLICY, at(now)).name()
    }

    #[test]
    fn a_session_says_how_it_was_proved() {
        assert_eq!(session(1).methods, ["otp"]);
    }

    fn methods(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// S130: a proof adds its methods. It makes the session more recent only if it reaches the session's level.
    #[test]
    fn a_session_has_the_level_of_its_last_proof() {
        let (code, factor) = (methods(&["otp"]), methods(&["otp", "mfa"]));
        for (before, proof, after, level) in [
            (&code, &code, &code, Level::Code),
            (&code, &factor, &factor, Level::Factor),
            (&code, &methods(&["mfa"]), &factor, Level::Factor),
            (&factor, &factor, &factor, Level::Factor),
            (&factor, &code, &code, Level::Code),
        ] {
            let session = Session { methods: before.clone(), ..session(1) }.with_proof(proof, at(60));
            assert_eq!((&session.methods, session.level()), (after, level), "{before:?} {proof:?}");
            assert_eq!(session.authenticated, at(60), "{before:?} {proof:?}");
        }
    }

    /// The repetition of a lost step-up is a success, and a refresh with the same retry key is none.
    #[test]
    fn a_repeated_step_up_knows_its_own_success() {
        let (seen, by) = (session(3), keyed("k"));
        let raised = seen.with_proof(&methods(&["otp", "mfa"]), at(60));
        let written = Session { generation: 4, rotated_by: by.clone(), ..raised.clone() };
        let is_ours = |found: &Session, now: u64| found.is_raised(&raised, &by, &POLICY, at(now));
        assert!(is_ours(&written, 60));
        for other in [
            Session { rotated_by: keyed("l"), ..written.clone() },
            Session { rotated_by: plain("k"), ..written.clone() },
            Session { generation: 5, ..written.clone() },
            Session { generation: 4, rotated_by: by.clone(), ..seen.clone() },
            Session { authenticated: at(61), ..written.clone() },
            Session { methods: methods(&["otp"]), ..written.clone() },
        ] {
            assert!(!is_ours(&other, 60), "{other:?}");
        }
        assert!(!is_ours(&written, 1_000), "it is over");

        let still = SessionPolicy { rotation: false, ..POLICY };
        assert!(raised.is_raised(&raised, &by, &still, at(60)) && !written.is_raised(&raised, &by, &still, at(60)));
        assert!(!seen.is_raised(&raised, &by, &still, at(60)));
    }

    /// The shorter of both times counts.
    #[test]
    fn a_session_that_is_not_remembered_ends_after_twelve_hours() {
        let policy = |idle: u64| SessionPolicy { idle: Duration::from_secs(idle), ..POLICY };
        let idle_end = |idle: u64, is_remembered: bool| {
            let (policy, device, familiarity) = (&policy(idle), &device("curl"), Familiarity::Known);
            let opening = Opening { policy, key_id: "r1", device, familiarity, id: None, is_remembered };
            let user = UserId::draw(&Entropy, at(0)).unwrap();
            let session =
                Session::open(Proof::Code(&proven().for_sign_in().unwrap()), user, opening, &Entropy, at(0)).unwrap();
            assert_eq!(session.is_remembered(), is_remembered);
            session.idle_end.moment().unix()
        };
        assert_eq!([idle_end(86_400, true), idle_end(86_400, false)], [86_400, 12 * 3_600]);
        assert_eq!([idle_end(1_000, true), idle_end(1_000, false)], [1_000, 1_000]);
    }

    #[test]
    fn only_the_previous_generation_has_grace() {
        assert_eq!(judged(session(3), 2, &plain("other"), 10), "repeated");
        assert_eq!(judged(session(3), 2, &plain("other"), 11), "reused");
        assert_eq!(judged(session(3), 1, &plain(""), 1), "reused");
        assert_eq!(judged(session(3), 4, &plain(""), 1), "refused");
    }

    /// S32: the grace without a key is for the same device words, from any network.
    #[test]
    fn the_grace_is_for_the_same_device() {
        let moved = Device { prefix: "192.0.0.0/16".to_owned(), ..device("Firefox on Linux") };
        assert_eq!(session(3).judge(2, &plain("other"), &moved, &POLICY, at(1)).name(), "repeated");
        assert_eq!(session(3).judge(2, &plain("other"), &device("curl"), &POLICY, at(1)).name(), "reused");
    }

    /// S32: with a key, only the key counts, and it counts at any time.
    #[test]
    fn a_retry_key_is_accepted_at_any_time_and_no_other() {
        let rotated = || Session { rotated_by: keyed("k"), ..session(3) };
        assert_eq!(judged(rotated(), 2, &keyed("k"), 999), "repeated");
        assert_eq!(rotated().judge(2, &keyed("k"), &device("curl"), &POLICY, at(999)).name(), "repeated");
        assert_eq!(judged(rotated(), 2, &keyed("l"), 0), "reused");
        assert_eq!(judged(rotated(), 2, &plain("k"), 0), "reused");
        assert_eq!(judged(rotated(), 1, &keyed("k"), 0), "reused");
        assert_eq!(judged(session(3), 2, &keyed(""), 0), "reused");
    }

    /// S161: within the grace, until the first refresh.
    #[test]
    fn a_new_session_may_be_answered_again() {
        let again = |session: Session, now: u64| session.may_be_answered_again(&POLICY, at(now));
        assert!(again(session(1), 0) && again(session(1), 10));
        assert!(!again(session(1), 11) && !again(session(2), 0));
        let over = SessionPolicy { grace: Duration::from_secs(2_000), ..POLICY };
        assert!(
            session(1).may_be_answered_again(&over, at(999)) && !session(1).may_be_answered_again(&over, at(1_000))
        );
        assert!(!session(1).may_be_answered_again(&SessionPolicy { grace: Duration::ZERO, ..POLICY }, at(0)));
    }

    #[test]
    fn a_repeated_write_knows_its_own_success_without_any_grace() {
        let policy = SessionPolicy { grace: Duration::ZERO, ..POLICY };
        let moved = Session { rotated_by: plain("me"), ..session(3) };
        let here = &device("Firefox on Linux");
        assert_eq!(moved.clone().judge(2, &plain("me"), here, &policy, at(0)).name(), "repeated");
        assert_eq!(moved.judge(2, &plain("other"), here, &policy, at(0)).name(), "reused");
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
        assert_eq!(judged(session(3), 1, &plain(""), 1_000), "refused");
    }
}
