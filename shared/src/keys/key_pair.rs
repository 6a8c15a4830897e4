//! Signing keys in the form of aws-lc. Each key is read once, and refused if it is too weak or of the wrong kind (S46).
//!
//! The JWT crate parses and checks an RSA key for each signature, and this costs more than the signature. So the signing half
//! is kept in the crate's own backend, aws-lc. The crate still reads the PEM and verifies with the public half.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaSignatureEncoding};
use data_encoding::BASE64;
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::keys::algorithm::KeyKind;
use crate::keys::keyring::{Dated, SigningKey};
use crate::words::{Error, Result};

/// Both halves of a signing key.
pub(crate) struct KeyPair {
    signing: Signing,
    /// The public half only. HMAC has none, so there it is the secret.
    pub(crate) checking: DecodingKey,
}

enum Signing {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a key is unusable. The text must reveal nothing about the key.
type Reason = Box<dyn std::error::Error + Send + Sync>;

impl KeyPair {
    /// Reads a key for its algorithm.
    ///
    /// # Errors
    /// [`Error::Internal`] if the key is unsuitable for its algorithm. The error names the key and the algorithm's requirement.
    pub(crate) fn read(key: &Dated<SigningKey>) -> Result<KeyPair> {
        read(&key.key).map_err(|reason| {
            let (id, name, needs) = (&key.id, key.key.algorithm.name(), key.key.algorithm.kind());
            Error::internal(format!("the signing key {id} cannot be used: {name} needs {needs} ({reason})"))
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.signing {
            Signing::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Signing::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map_err(Error::internal)?;
                Ok(signature)
            }
            Signing::Ecdsa(pair) => Ok(pair.sign(&random, message).map_err(Error::internal)?.as_ref().to_vec()),
            Signing::Ed25519(pair) => Ok(pair.try_sign(message).map_err(Error::internal)?.as_ref().to_vec()),
        }
    }
}

fn read(key: &SigningKey) -> std::result::Result<KeyPair, Reason> {
    let text = key.reveal().as_bytes();
    let (signing, checking) = match key.algorithm.kind() {
        KeyKind::Hmac(algorithm) => {
            // The decoder's own message would quote a character of the secret.
            let secret = BASE64.decode(text).map_err(|_| "InvalidEncoding")?;
            if secret.len() < algorithm.digest_algorithm().output_len() {
                return Err("TooSmall".into());
            }
            (Signing::Hmac(Box::new(hmac::Key::new(algorithm, &secret))), DecodingKey::from_secret(&secret)?)
        }
        KeyKind::Rsa(encoding) => {
            let pair = RsaKeyPair::from_der(EncodingKey::from_rsa_pem(text)?.as_bytes())?;
            let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
            (Signing::Rsa(pair, encoding), public)
        }
        KeyKind::Ecdsa(algorithm, _) => {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, EncodingKey::from_ec_pem(text)?.as_bytes())?;
            let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
            (Signing::Ecdsa(pair), public)
        }
        KeyKind::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(EncodingKey::from_ed_pem(text)?.as_bytes())?;
            let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
            (Signing::Ed25519(pair), public)
        }
    };
    Ok(KeyPair { signing, checking })
}
