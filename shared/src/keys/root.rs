//! The root key: it signs the published set of public keys.
//!
//! Functions that check access tokens read the set from a table. They trust it for its signature and not for its place, so
//! write access to the table is not enough to add a key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::config::{Check, Reader};
use crate::keys::bytes::Bytes32;
use crate::words::{Entropy, Error, Result};

/// The root key. It is an Ed25519 key, stored as its seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RootKey(Bytes32);

/// The public half of the root key: a setting, and so out of reach for writers of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRoot(String);

const IS_ROOT: Check = (|text| public_half(text).is_some(), "the root key's public half, 32 bytes in base64url");

impl RootKey {
    /// A new root key.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn generate(entropy: &Entropy) -> Result<RootKey> {
        entropy.bytes().map(RootKey::of_seed)
    }

    /// The root key with this seed.
    pub fn of_seed(seed: [u8; 32]) -> RootKey {
        RootKey(Bytes32::new(seed))
    }

    /// The public half.
    ///
    /// # Errors
    /// As [`RootKey::sign`].
    pub fn public(&self) -> Result<TrustedRoot> {
        Ok(TrustedRoot(BASE64URL_NOPAD.encode(self.pair()?.public_key().as_ref())))
    }

    /// The key's id, for its withdrawal: `root-` and the first eight characters of its public half.
    ///
    /// # Errors
    /// As [`RootKey::sign`].
    pub fn id(&self) -> Result<String> {
        let public: String = self.public()?.0.chars().take(8).collect();
        Ok(format!("root-{public}"))
    }

    /// The signature of `message`.
    ///
    /// # Errors
    /// [`Error::Internal`] if aws-lc fails.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        let signature = self.pair()?.try_sign(message).map_err(Error::internal)?;
        Ok(BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    fn pair(&self) -> Result<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(self.0.reveal()).map_err(|_| Error::internal("the root key is unusable"))
    }
}

impl TrustedRoot {
    /// Reads the setting.
    pub fn read(read: &mut Reader<'_>) -> TrustedRoot {
        TrustedRoot(read.text("ROOT_KEY", None, IS_ROOT))
    }

    /// The text of the setting.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `signature` is the root key's for `message`.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let (Some(key), Ok(signature)) = (public_half(&self.0), BASE64URL_NOPAD.decode(signature.as_bytes())) else {
            return false;
        };
        UnparsedPublicKey::new(&ED25519, key).verify(message, &signature).is_ok()
    }
}

fn public_half(text: &str) -> Option<[u8; 32]> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_root_keys_own_signature_of_the_same_message_is_verified() {
        let [ours, other] = [1, 2].map(|byte| RootKey::of_seed([byte; 32]));
        let root = ours.public().unwrap();
        assert!(root.verifies(b"set", &ours.sign(b"set").unwrap()));
        assert!(!root.verifies(b"sets", &ours.sign(b"set").unwrap()));
        assert!(!root.verifies(b"set", &other.sign(b"set").unwrap()));
        for broken in ["", "AAAA", "not base64!"] {
            assert!(!root.verifies(b"set", broken), "{broken}");
        }
    }

    /// RFC 8032, 7.1, test 1.
    #[test]
    fn the_public_half_is_that_of_rfc_8032() {
        let seed = data_encoding::HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = RootKey::of_seed(seed.unwrap().try_into().unwrap()).public().unwrap();
        assert_eq!(public.as_str(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }
}
