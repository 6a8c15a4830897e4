//! Keyrings: keys by id, each with the dates of its use.
//!
//! There are five keyrings, each a secret of its own, so that each function gets only the keys it needs: [`IndexKeys`],
//! [`CodeKeys`], [`RefreshKeys`], [`SigningKeys`] and [`VaultKeys`]. They are stored in Secrets Manager as JSON. A new key is added before its
//! `active_from`, early enough for every running instance to read it. It stays until `retired_at`, when everything made with it
//! has expired. A key of the vault stays, because what it encrypts does not expire.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::config::{IS_ARN, Reader};
use crate::keys::algorithm::SigningAlgorithm;
use crate::keys::bytes::Bytes32;
use crate::keys::root::RootKey;
use crate::words::{Error, Result, Timestamp};

/// How long an instance may use a keyring after reading it. A new key must not become active sooner than this after
/// its creation.
pub const LONGEST_CACHED: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// The secret `index`: the key of functions that look people up by address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexKeys {
    /// The key for digests of identifiers and networks in items' keys and logs. It never rotates, because existing
    /// identifiers could not be found any more.
    pub index: Bytes32,
}

/// The secret `codes`: the keys of functions that make or check codes.
///
/// A role that can read this secret and the table of challenges can compute every live code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeKeys {
    /// Peppers of code digests. Each challenge stores the id of its pepper.
    pub peppers: Ring<Bytes32>,
    /// Version 0.1 kept the index key here. `rotate-keys` takes it over from an old keyring, and new ones lack it.
    #[serde(default, skip_serializing)]
    index: Option<Bytes32>,
}

/// The secret `refresh`: the keys of functions that issue or accept refresh tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshKeys {
    /// The keys for refresh tokens.
    pub refresh: Ring<Bytes32>,
    /// When the users' table was last restored from a backup, in seconds since 1970. Sessions opened before are refused,
    /// because the backup has sessions that had ended.
    #[serde(default)]
    pub restored_at: u64,
}

/// The secret `signing`: the keys of functions that issue access tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningKeys {
    /// The keys for access tokens.
    pub signing: Ring<SigningKey>,
    /// The key that signs the published set of their public halves.
    pub root: RootKey,
}

/// The secret `vault`: the keys that encrypt the secrets of authenticator apps. A deployment without second factors has none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VaultKeys {
    /// Keys for AES-256-GCM. Each secret stores the id of its key.
    pub vault: Ring<Bytes32>,
}

impl IndexKeys {
    /// Reads the ARN of its secret.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("INDEX_SECRET_ARN", None, IS_ARN)
    }

    /// The index key that a keyring of codes from version 0.1 holds.
    pub fn of_old(codes: &CodeKeys) -> Option<IndexKeys> {
        codes.index.clone().map(|index| IndexKeys { index })
    }
}

impl CodeKeys {
    /// A keyring with these peppers.
    pub fn new(peppers: Ring<Bytes32>) -> CodeKeys {
        CodeKeys { peppers, index: None }
    }

    /// Reads the ARN of its secret.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("CODES_SECRET_ARN", None, IS_ARN)
    }
}

impl RefreshKeys {
    /// Reads the ARN of its secret.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("REFRESH_SECRET_ARN", None, IS_ARN)
    }

    /// Whether a session opened at `created` may have come back with a backup after it had ended.
    pub fn precedes_restore(&self, created: Timestamp) -> bool {
        created.unix() < self.restored_at
    }

    /// The earliest opening time of an active session: `oldest`, or the last restore if that is later.
    pub fn oldest_session(&self, oldest: Timestamp) -> Timestamp {
        oldest.max(Timestamp::from_unix(self.restored_at.saturating_sub(1)))
    }
}

impl SigningKeys {
    /// Reads the ARN of its secret.
    pub fn read_secret(read: &mut Reader<'_>) -> String {
        read.text("SIGNING_SECRET_ARN", None, IS_ARN)
    }
}

impl VaultKeys {
    /// Reads the ARN of its secret. A deployment without second factors has none.
    pub fn read_secret(read: &mut Reader<'_>) -> Option<String> {
        read.optional("VAULT_SECRET_ARN", IS_ARN)
    }
}

/// All keys of one purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ring<K>(Vec<Dated<K>>);

impl<K> Default for Ring<K> {
    fn default() -> Ring<K> {
        Ring(Vec::new())
    }
}

/// A key with its id and dates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dated<K> {
    /// The id, unique in its ring. Ids in `kid` and refresh tokens contain only `[A-Za-z0-9_-]`.
    pub id: String,
    /// When it is first used for new tokens or codes, in seconds since 1970.
    pub active_from: u64,
    /// When everything made with it becomes invalid, in seconds since 1970. `null` while undecided.
    pub retired_at: Option<u64>,
    /// The key.
    pub key: K,
}

impl<K> Ring<K> {
    /// A ring of these keys.
    pub fn new(keys: Vec<Dated<K>>) -> Ring<K> {
        Ring(keys)
    }

    /// The key for new tokens or codes: the last to become active.
    ///
    /// # Errors
    /// [`Error::Internal`] if all keys are inactive. The secret then needs a rotation.
    pub fn active(&self, now: Timestamp) -> Result<&Dated<K>> {
        self.newest(now, |_| true)
            .ok_or_else(|| Error::internal("the keyring has no active key; invoke rotate-keys with mode `ensure`"))
    }

    fn newest(&self, now: Timestamp, fits: impl Fn(&K) -> bool) -> Option<&Dated<K>> {
        let active = self.live(now).filter(|key| key.active_from <= now.unix() && fits(&key.key));
        active.max_by_key(|key| key.active_from)
    }

    /// The key with this id, unless it has retired.
    pub fn find(&self, id: &str, now: Timestamp) -> Option<&Dated<K>> {
        self.live(now).find(|key| key.id == id)
    }

    /// The keys before their retirement, including those not yet active.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Dated<K>> {
        self.0.iter().filter(move |key| !key.is_retired(now))
    }

    /// All keys, including retired ones.
    pub fn all(&self) -> &[Dated<K>] {
        &self.0
    }

    /// Whether the ring has a key with this id, including retired ones.
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }
}

impl Ring<SigningKey> {
    /// The key for new tokens of `algorithm`: the last to become active among those for this algorithm.
    ///
    /// Without such a key, it is the last active key of any algorithm. After a change of `JWT_ALGORITHM`, tokens keep
    /// the old algorithm until verifiers have had time to fetch the new public key.
    ///
    /// A ring may hold keys for two algorithms at once, and each instance signs with the algorithm in its own settings.
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

/// A key for signing access tokens.
///
/// It is parsed and checked only when used (`key_pair`), so a bad key in the ring does no harm before it is active.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningKey {
    /// The only algorithm for this key, even if another could use the same key (S40).
    pub algorithm: SigningAlgorithm,
    #[serde(serialize_with = "revealed")]
    secret: SecretString,
}

impl SigningKey {
    /// Takes the key as text: PKCS#8 in PEM, or random bytes in base64 for HMAC.
    pub fn new(algorithm: SigningAlgorithm, secret: String) -> SigningKey {
        SigningKey { algorithm, secret: secret.into() }
    }

    /// The key as text, to parse it.
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

    /// The JSON of keyrings must stay readable.
    #[test]
    fn a_stored_keyring_survives_a_round_trip() {
        let dated = |secret: &str| format!(r#"{{"id":"k","active_from":1,"retired_at":null,"key":{secret}}}"#);
        let keys = ["RS256", "ES256", "HS256"].map(|name| dated(&format!(r#"{{"algorithm":"{name}","secret":"x"}}"#)));
        let root = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let text = format!(r#"{{"signing":[{}],"root":"{root}"}}"#, keys.join(","));
        let read: SigningKeys = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(read.signing.all()[2].key.algorithm, SigningAlgorithm::HS256);

        let text = format!(r#"{{"refresh":[{}],"restored_at":7}}"#, dated(&format!(r#""{root}""#)));
        let read: RefreshKeys = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(read.precedes_restore(at(6)) && !read.precedes_restore(at(7)));

        let text = format!(r#"{{"vault":[{}]}}"#, dated(&format!(r#""{root}""#)));
        let read: VaultKeys = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    /// The index key of version 0.1 is found again, and is not written back beside the peppers.
    #[test]
    fn an_old_keyring_of_codes_gives_its_index_key() {
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let old: CodeKeys = serde_json::from_str(&format!(r#"{{"index":"{key}","peppers":[]}}"#)).unwrap();
        assert_eq!(String::from(IndexKeys::of_old(&old).unwrap().index), key);
        assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"peppers":[]}"#);
    }

    #[test]
    fn debug_never_prints_a_key() {
        let signing = SigningKey::new(SigningAlgorithm::RS256, "-----BEGIN".to_owned());
        let text = format!("{:?} {signing:?}", key("a", 0, None));
        assert!(!text.contains("AQEB") && !text.contains("BEGIN"), "{text}");
    }
}
