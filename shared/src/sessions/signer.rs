//! Signing access tokens with a key that is parsed once instead of for every token.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::json;

use crate::keys::{Dated, KeyPair, SigningAlgorithm, SigningKey};
use crate::sessions::access_token::{AccessPolicy, Issuing, Subject, TYPE, claims};
use crate::words::{Error, Result, Timestamp};

/// Signs tokens with one key.
pub struct Signer {
    key_id: String,
    algorithm: SigningAlgorithm,
    pair: KeyPair,
}

impl Signer {
    /// A signer for `key` and its only algorithm (S40).
    ///
    /// # Errors
    /// [`Error::Internal`], naming the key, if it is malformed or too weak (S46).
    pub fn new(key: &Dated<SigningKey>) -> Result<Signer> {
        Ok(Signer { key_id: key.id.clone(), algorithm: key.key.algorithm, pair: KeyPair::read(key)? })
    }

    /// The id of its key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// A token for `subject`, valid from `now` on.
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn sign(
        &self,
        subject: &Subject,
        context: Issuing<'_>,
        policy: &AccessPolicy,
        now: Timestamp,
    ) -> Result<String> {
        let header = json!({ "typ": TYPE, "alg": self.algorithm.name(), "kid": self.key_id });
        let mut token = format!("{}.{}", part(&header)?, part(&claims(subject, context, policy, now))?);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        Ok(token)
    }
}

fn part(json: &impl Serialize) -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&serde_json::to_vec(json).map_err(Error::internal)?))
}
