//! Ids of users, sessions and challenges. Clients treat them as opaque strings.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::words::clock::Timestamp;
use crate::words::entropy::Entropy;
use crate::words::error::{Error, Result};

/// The id of a user: a UUIDv7.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// A new id with the time `now`.
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
        // `try_parse` also accepts braces and capitals, but an id has only one spelling.
        if id.to_string() == text { Ok(id) } else { Err(Error::internal("not a user id in its canonical form")) }
    }
}

/// The id of a session: 128 random bits in 22 characters, or a keyed digest ([`Index::session`](super::Index::session)). It is
/// public, because every access token contains it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

/// The length of 128 bits in base64url without padding.
const ID_LENGTH: usize = 22;

impl SessionId {
    /// The id with these 128 bits.
    pub(super) fn of(bits: &[u8; 16]) -> SessionId {
        SessionId(BASE64URL_NOPAD.encode(bits))
    }

    /// A new random id.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy) -> Result<SessionId> {
        Ok(SessionId(random_id(entropy)?))
    }

    /// The id as text, 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<SessionId> {
        if is_random_id(text) { Ok(SessionId(text.to_owned())) } else { Err(Error::internal("not a session id")) }
    }
}

/// The id of a challenge, as a client sees it: sealed text (`shared::codes::Seal`). It binds a code to the client that requested
/// it (S08).
#[derive(Clone, Debug)]
pub struct ChallengeId(SecretString);

impl ChallengeId {
    /// An id from a client, unchecked.
    pub fn from_client(text: String) -> ChallengeId {
        ChallengeId(text.into())
    }

    /// The id as text, for the client that requested the code.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A client's retry key: 22 characters of base64url, drawn at random before a first attempt and sent again with each repetition.
/// A repetition with the same key gets the first answer again.
///
/// The text counts, not the bits in it: 22 characters hold 132 bits, and clients may draw characters instead of bytes.
#[derive(Clone, Debug)]
pub struct RetryKey(SecretString);

impl RetryKey {
    /// The key as text, for digests.
    pub(crate) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for RetryKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<RetryKey> {
        if is_random_id(text) {
            Ok(RetryKey(text.into()))
        } else {
            Err(Error::invalid("`retry` must be 22 characters of base64url."))
        }
    }
}

/// A short random name, 48 bits in 8 characters, unique among the few entries of one item.
///
/// # Errors
/// As [`Entropy::bytes`].
pub fn short_id(entropy: &Entropy) -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&entropy.bytes::<6>()?))
}

/// 128 random bits in base64url, 22 characters.
///
/// # Errors
/// As [`Entropy::bytes`].
pub fn random_id(entropy: &Entropy) -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&entropy.bytes::<16>()?))
}

/// Whether `text` has the form of [`random_id`].
pub fn is_random_id(text: &str) -> bool {
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
    fn a_retry_key_is_22_characters_of_base64url() {
        let key: RetryKey = "AAAAAAAAAAAAAAAAAAAA-_".parse().unwrap();
        assert_eq!(key.reveal(), "AAAAAAAAAAAAAAAAAAAA-_");
        assert!(!format!("{key:?}").contains("AAAA"));
        for text in [
            "AAAAAAAAAAAAAAAAAAAA-",
            "AAAAAAAAAAAAAAAAAAAA-_A",
            "AAAAAAAAAAAAAAAAAAAA+/",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "ÄÄÄÄÄÄÄÄÄÄÄ",
        ] {
            assert_eq!(text.parse::<RetryKey>().map_err(|error| error.code()).err(), Some("invalid_request"), "{text}");
        }
    }

    #[test]
    fn debug_never_prints_a_challenge() {
        let id = ChallengeId::from_client(random_id(&Entropy).unwrap());
        assert!(!format!("{id:?}").contains(id.reveal()));
    }
}
