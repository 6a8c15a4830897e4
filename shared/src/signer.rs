//! Signing access tokens, with a key that is parsed once and not for every token.
//!
//! The JWT crate parses and checks an RSA key at each signature, which costs more than the signature. So the key is held
//! in the crate's own backend here, and the three parts of a token are put together by hand; reading keys, public keys
//! and checking tokens are the crate's.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::json;

use crate::access::{AccessPolicy, Issuing, SigningAlgorithm, Subject, TYPE, claims, encoding_key};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::keyring::{Dated, SigningKey};

/// Makes tokens with one key.
pub struct Signer {
    key_id: String,
    algorithm: SigningAlgorithm,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Hmac(Box<hmac::Key>),
}

impl Signer {
    /// The signer with `key`, which must be of the algorithm that the settings ask for.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key cannot be read or is of another algorithm.
    pub fn new(key: &Dated<SigningKey>, algorithm: SigningAlgorithm) -> Result<Signer> {
        if SigningAlgorithm::of(&key.key) != algorithm {
            let problem =
                format!("the active signing key is not of JWT_ALGORITHM {}: rotate the keys", algorithm.name());
            return Err(Error::internal(problem));
        }
        Ok(Signer { key_id: key.id.clone(), algorithm, key: Key::read(&key.key)? })
    }

    /// The name of its key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The token for `subject`, valid from `now`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key does not sign.
    pub fn sign(
        &self,
        subject: &Subject,
        context: Issuing<'_>,
        policy: &AccessPolicy,
        now: Timestamp,
    ) -> Result<String> {
        let header = json!({ "typ": TYPE, "alg": self.algorithm.name(), "kid": self.key_id });
        let mut token = format!("{}.{}", part(&header)?, part(&claims(subject, context, policy, now))?);
        let signature = self.key.sign(token.as_bytes())?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        Ok(token)
    }
}

fn part(json: &impl Serialize) -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&serde_json::to_vec(json).map_err(Error::internal)?))
}

impl Key {
    fn read(key: &SigningKey) -> Result<Key> {
        let read = encoding_key(key)?;
        match key {
            SigningKey::RS256(_) => RsaKeyPair::from_der(read.as_bytes()).map(Key::Rsa).map_err(Error::internal),
            SigningKey::ES256(_) => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, read.as_bytes())
                .map(Key::Ecdsa)
                .map_err(Error::internal),
            SigningKey::HS256(_) => Ok(Key::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, read.as_bytes())))),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(Error::internal)?;
                Ok(signature)
            }
            Key::Ecdsa(pair) => Ok(pair.sign(&random, message).map_err(Error::internal)?.as_ref().to_vec()),
            Key::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }
}
