//! Freshness: changes that could take an account over need a recent proof of the user, at the user's own level.

use std::time::Duration;

use crate::config::Reader;
use crate::factors::{Method, SecondFactorMode};
use crate::people::User;
use crate::sessions::access_token::Subject;
use crate::words::{Error, Level, Result, Timestamp};

/// How recent a proof must be, and whether second factors count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The maximum age of the proof.
    pub max_age: Duration,
    /// Whose second factors count.
    second_factor: SecondFactorMode,
}

impl Freshness {
    /// Reads the settings for fresh proofs.
    pub fn read(read: &mut Reader<'_>) -> Freshness {
        let max_age = read.seconds("STEP_UP_SECONDS", 600, 60..=3_600);
        Freshness { max_age, second_factor: SecondFactorMode::read(read) }
    }

    /// Lets a request pass if its session was proved recently enough, with a second factor if its user has one (S131).
    ///
    /// Whether `user` has one is read from the table. The token alone could be older than the factor.
    ///
    /// # Errors
    /// [`Error::StepUpRequired`] otherwise.
    pub fn demand(&self, subject: &Subject, user: &User, now: Timestamp) -> Result<()> {
        let needs_factor = self.second_factor.asks(user);
        let level = if needs_factor { Level::Factor } else { Level::Code };
        let is_fresh = subject.authenticated.until(now) <= self.max_age;
        if is_fresh && subject.level >= level {
            return Ok(());
        }
        let methods = Method::of_step_up(needs_factor);
        Err(Error::StepUpRequired { level, max_age: self.max_age, methods })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Entropy, SessionId, UserId};

    const NOW: u64 = 1_000_000;
    const BY_FACTOR: &[&str] = &["totp", "backup_code"];
    const BY_CODE: &[&str] = &["otp"];

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    /// What is demanded, or `None` if the request passes.
    fn demanded(
        policy: &str,
        since: Option<u64>,
        level: Level,
        proved: u64,
    ) -> Option<(Level, &'static [&'static str])> {
        let lookup = |name: &str| (name == "SECOND_FACTOR").then(|| policy.to_owned());
        let freshness = crate::config::read(lookup, Freshness::read).unwrap();
        let (id, session) = (UserId::draw(&Entropy, at(NOW)).unwrap(), SessionId::draw(&Entropy).unwrap());
        let user = User::sign_up(id, &"ada@example.com".parse().unwrap(), &session, at(0));
        let user = User { second_factor_since: since.map(at), ..user };
        let subject = Subject { user: user.id.clone(), session, authenticated: at(proved), level, methods: Vec::new() };
        match freshness.demand(&subject, &user, at(NOW)) {
            Ok(()) => None,
            Err(Error::StepUpRequired { level, max_age, methods }) => {
                assert_eq!(max_age, Duration::from_secs(600));
                Some((level, methods))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// S131: ten minutes, counted from the proof.
    #[test]
    fn a_proof_is_fresh_for_ten_minutes() {
        for proved in [NOW - 600, NOW, NOW + 5] {
            assert_eq!(demanded("optional", None, Level::Code, proved), None, "{proved}");
        }
        assert_eq!(demanded("optional", None, Level::Code, NOW - 601), Some((Level::Code, BY_CODE)));
        assert_eq!(demanded("optional", Some(1), Level::Factor, NOW - 601), Some((Level::Factor, BY_FACTOR)));
    }

    /// A user with a second factor needs it, however new the session is.
    #[test]
    fn a_second_factor_is_needed_where_the_user_has_one() {
        for policy in ["optional", "required", "risk"] {
            assert_eq!(demanded(policy, Some(1), Level::Code, NOW), Some((Level::Factor, BY_FACTOR)), "{policy}");
            assert_eq!(demanded(policy, Some(1), Level::Factor, NOW), None, "{policy}");
            assert_eq!(demanded(policy, None, Level::Code, NOW), None, "{policy}");
        }
        assert_eq!(demanded("off", Some(1), Level::Code, NOW), None, "nobody could prove a factor");
    }
}
