//! Keyrings: keys by id, each with the dates between which it is used.
//!
//! There are two, so that no function holds a key that it does not need: [`CodeKeys`] and [`TokenKeys`]. Both lie
//! in Secrets Manager as JSON. A new key stands in the ring before `active_from`, long enough for every running
//! instance to have read it, and stays until `retired_at`, when nothing that it made is valid any more.

use data_encoding::BASE64;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::config::{IS_ARN, Reader};
use crate::keys::algorithm::SigningAlgorithm;
use crate::words::{Error, MacKey, Result, Timestamp, masked};

/// How long an instance may go on with the keyring that it has read. A key made by a rotation must not become
/// active sooner than this.
pub const LONGEST_CACHED: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// The secret `codes`: what request-otp and verify-otp need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeKeys {
    /// Digests identifiers in keys and logs. It never rotates: no identifier would be found again.
    pub index: Bytes32,
    /// Peppers of code digests; each challenge names its own.
    pub peppers: Ring<Bytes32>,
}

/// The secret `tokens`: what verify-otp, refresh and logout need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenKeys {
    /// Sign access tokens.
    pub signing: Ring<SigningKey>,
    /// Authenticate refresh tokens.
    pub refresh: Ring<Bytes32>,
}

impl CodeKeys {
    /// Reads which secret they are in.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("CODES_SECRET_ARN", None, IS_ARN)
    }
}

impl TokenKeys {
    /// Reads which secret they are in.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("TOKENS_SECRET_ARN", None, IS_ARN)
    }
}

/// Keys of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ring<K>(Vec<Dated<K>>);

impl<K> Default for Ring<K> {
    fn default() -> Ring<K> {
        Ring(Vec::new())
    }
}

/// A key with its name and its dates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dated<K> {
    /// Its name: unique in its ring, and in `kid` and refresh tokens of `[A-Za-z0-9_-]` only.
    pub id: String,
    /// The first second in which it is used for new things (seconds since the epoch).
    pub active_from: u64,
    /// The first second in which nothing it made is accepted; `null` while that is not decided.
    pub retired_at: Option<u64>,
    /// The key.
    pub key: K,
}

impl<K> Ring<K> {
    /// A ring of these keys.
    pub fn new(keys: Vec<Dated<K>>) -> Ring<K> {
        Ring(keys)
    }

    /// The key for new things: the one that became active last.
    ///
    /// # Errors
    /// [`Error::Internal`] when no key is active: the secret needs a rotation.
    pub fn active(&self, now: Timestamp) -> Result<&Dated<K>> {
        self.newest(now, |_| true).ok_or_else(|| Error::internal("no key of the keyring is active"))
    }

    fn newest(&self, now: Timestamp, fits: impl Fn(&K) -> bool) -> Option<&Dated<K>> {
        let active = self.live(now).filter(|key| key.active_from <= now.unix() && fits(&key.key));
        active.max_by_key(|key| key.active_from)
    }

    /// The key of that name, unless it has retired.
    pub fn find(&self, id: &str, now: Timestamp) -> Option<&Dated<K>> {
        self.live(now).find(|key| key.id == id)
    }

    /// The keys that have not retired: those that make, have made or will make what is valid.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Dated<K>> {
        self.0.iter().filter(move |key| !key.is_retired(now))
    }

    /// All keys, the retired ones too.
    pub fn all(&self) -> &[Dated<K>] {
        &self.0
    }

    /// Whether it has a key of that name, be it retired.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }
}

impl Ring<SigningKey> {
    /// The key for new tokens: of those for `algorithm`, the one that became active last. While none of them is active
    /// it is the one of any other: a change of `JWT_ALGORITHM` waits until whoever checks tokens can have the new key.
    ///
    /// So a ring may have keys for two algorithms, and each instance signs with its own.
    ///
    /// # Errors
    /// As [`Ring::active`].
    pub fn active_for(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Result<&Dated<SigningKey>> {
        self.newest(now, |key| key.algorithm == algorithm).map_or_else(|| self.active(now), Ok)
    }
}

impl<K> Dated<K> {
    fn is_retired(&self, now: Timestamp) -> bool {
        self.retired_at.is_some_and(|end| end <= now.unix())
    }
}

/// A 256-bit key as base64 in the secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes32(Zeroizing<[u8; 32]>);

impl Bytes32 {
    /// The key in `bytes`.
    pub fn new(bytes: [u8; 32]) -> Bytes32 {
        Bytes32(bytes.into())
    }

    /// The key, to use.
    pub fn mac(&self) -> MacKey {
        MacKey::new(*self.0)
    }
}

impl TryFrom<String> for Bytes32 {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Bytes32, &'static str> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| "a key that is not base64")?;
        bytes.try_into().map(Bytes32::new).map_err(|_| "a key that is not 32 bytes")
    }
}

impl From<Bytes32> for String {
    fn from(key: Bytes32) -> String {
        BASE64.encode(key.0.as_slice())
    }
}

masked!(Bytes32);

/// A key that signs access tokens.
///
/// It is read when it is used, and refused there if it is too weak (`key_pair`): it stops nothing before it is active.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningKey {
    /// The one algorithm that it serves, even where another could use the same key (S40).
    pub algorithm: SigningAlgorithm,
    #[serde(serialize_with = "revealed")]
    secret: SecretString,
}

impl SigningKey {
    /// The key in `secret`: PKCS#8 in PEM, or for HMAC random bytes in base64.
    pub fn new(algorithm: SigningAlgorithm, secret: String) -> SigningKey {
        SigningKey { algorithm, secret: secret.into() }
    }

    /// The key's text, to read it.
    pub fn reveal(&self) -> &str {
        self.secret.expose_secret()
    }
}

fn revealed<S: Serializer>(secret: &SecretString, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, active_from: u64, retired_at: Option<u64>) -> Dated<Bytes32> {
        Dated { id: id.to_owned(), active_from, retired_at, key: Bytes32::new([1; 32]) }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn the_newest_active_key_makes_and_every_unretired_key_checks() {
        let ring = Ring::new(vec![key("old", 0, Some(300)), key("new", 100, None), key("next", 200, None)]);
        assert_eq!(ring.active(at(99)).unwrap().id, "old");
        assert_eq!(ring.active(at(100)).unwrap().id, "new");
        assert_eq!(ring.active(at(200)).unwrap().id, "next");
        assert!(ring.find("old", at(299)).is_some());
        assert!(ring.find("old", at(300)).is_none());
        assert!(ring.find("next", at(0)).is_some());
        assert!(Ring::new(vec![key("later", 100, None)]).active(at(99)).is_err());
    }

    fn signing_key(id: &str, algorithm: SigningAlgorithm, active_from: u64) -> Dated<SigningKey> {
        let key = SigningKey::new(algorithm, String::new());
        Dated { id: id.to_owned(), active_from, retired_at: None, key }
    }

    #[test]
    fn a_token_is_signed_for_the_algorithm_that_is_set_once_it_has_a_key() {
        let (rs256, rs384) = (SigningAlgorithm::RS256, SigningAlgorithm::RS384);
        let ring = Ring::new(vec![
            signing_key("old", rs256, 0),
            signing_key("new", rs256, 100),
            signing_key("other", rs384, 200),
        ]);
        assert_eq!(ring.active_for(rs256, at(99)).unwrap().id, "old");
        assert_eq!(ring.active_for(rs256, at(300)).unwrap().id, "new");
        assert_eq!(ring.active_for(rs384, at(300)).unwrap().id, "other");
        assert_eq!(ring.active_for(rs384, at(199)).unwrap().id, "new");
        assert_eq!(ring.active_for(SigningAlgorithm::ES256, at(199)).unwrap().id, "new");
        assert!(Ring::new(vec![signing_key("later", rs384, 200)]).active_for(rs384, at(199)).is_err());
    }

    /// The three kinds of key that there were at first, as they lie in Secrets Manager.
    #[test]
    fn a_keyring_from_before_reads_and_writes_as_it_was() {
        let dated = |secret: &str| format!(r#"{{"id":"k","active_from":1,"retired_at":null,"key":{secret}}}"#);
        let keys = ["RS256", "ES256", "HS256"].map(|name| dated(&format!(r#"{{"algorithm":"{name}","secret":"x"}}"#)));
        let text = format!(r#"{{"signing":[{}],"refresh":[]}}"#, keys.join(","));
        let read: TokenKeys = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(read.signing.all()[2].key.algorithm, SigningAlgorithm::HS256);
    }

    #[test]
    fn debug_never_prints_a_key() {
        let signing = SigningKey::new(SigningAlgorithm::RS256, "-----BEGIN".to_owned());
        let text = format!("{:?} {signing:?}", key("a", 0, None));
        assert!(!text.contains("AQEB") && !text.contains("BEGIN"), "{text}");
    }
}
