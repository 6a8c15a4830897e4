//! Names that Latchkey gives out: users, sessions, challenges. Opaque strings on the wire.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::words::clock::Timestamp;
use crate::words::entropy::Entropy;
use crate::words::error::{Error, Result};
use crate::words::lane::Lane;

/// A user: a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// A new one, made at `now`.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy, now: Timestamp) -> Result<UserId> {
        let millis = now.unix().saturating_mul(1_000);
        Ok(UserId(uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()?).into_uuid()))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for UserId {
    type Err = Error;

    fn from_str(text: &str) -> Result<UserId> {
        let id = Uuid::try_parse(text).map(UserId).map_err(Error::internal)?;
        // `try_parse` reads braces and capitals too; an id has one spelling.
        if id.to_string() == text { Ok(id) } else { Err(Error::internal("not a user id in its own spelling")) }
    }
}

/// A session: 128 random bits, 22 characters. Not a secret: it is a claim of every access token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

/// Length of 128 bits in base64url without padding.
const ID_LENGTH: usize = 22;

impl SessionId {
    /// A new one.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy) -> Result<SessionId> {
        Ok(SessionId(random_id(entropy)?))
    }

    /// Its 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<SessionId> {
        if is_id(text) { Ok(SessionId(text.to_owned())) } else { Err(Error::internal("not a session id")) }
    }
}

/// What binds a code to whoever asked for it: 128 random bits that only the asking client learns (S08).
#[derive(Clone, Debug)]
pub struct ChallengeId(SecretString);

/// Before the id of a challenge on the lane of known browsers. The table's name for a challenge is a digest of all of its
/// id, so nobody can take one to the other lane.
const KNOWN: &str = "d.";

impl ChallengeId {
    /// A new one on `lane`.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy, lane: Lane) -> Result<ChallengeId> {
        let id = random_id(entropy)?;
        Ok(ChallengeId::from_client(match lane {
            Lane::Open => id,
            Lane::Known => format!("{KNOWN}{id}"),
        }))
    }

    /// The lane that it was drawn on.
    pub fn lane(&self) -> Lane {
        if self.reveal().starts_with(KNOWN) { Lane::Known } else { Lane::Open }
    }

    /// A client's own words for one. What is no challenge id names an unknown challenge, like any other.
    pub fn from_client(text: String) -> ChallengeId {
        ChallengeId(text.into())
    }

    /// The id, for the answer to whoever asked.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// 128 random bits as text.
///
/// # Errors
/// As [`Entropy::bytes`].
pub fn random_id(entropy: &Entropy) -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&entropy.bytes::<16>()?))
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let now = Timestamp::from_unix(1_767_225_600);
        let user = UserId::draw(&Entropy, now).unwrap();
        assert_eq!(user.to_string().parse::<UserId>().unwrap(), user);
        assert!(user.to_string().to_uppercase().parse::<UserId>().is_err());
        assert_eq!(user.0.get_version_num(), 7);

        let session = SessionId::draw(&Entropy).unwrap();
        assert_eq!(session.as_str().len(), ID_LENGTH);
        assert_eq!(session.as_str().parse::<SessionId>().unwrap(), session);
        assert!("a.b".parse::<SessionId>().is_err());
    }

    #[test]
    fn debug_never_prints_a_challenge() {
        let id = ChallengeId::draw(&Entropy, Lane::Open).unwrap();
        assert!(!format!("{id:?}").contains(id.reveal()));
    }
}
