//! Public keys: what applications use to verify access tokens.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};

use crate::keys::key_pair::KeyPair;
use crate::keys::keyring::{Dated, Ring, SigningKey};
use crate::words::{Error, Result, Timestamp};

/// The message for testing a key. It contains no dots, so its signature can never serve as a token's.
const TRIAL: &[u8] = b"latchkey";

/// The public halves of the signing keys, as stored in the public-keys item and served by the JWKS endpoint (S47).
///
/// A key is listed before it is active and until it retires. HMAC keys have no public half.
///
/// # Errors
/// [`Error::Internal`] if a key is unusable, HMAC keys included. The error names the key, so a bad key is detected
/// before it is active.
pub fn public_keys(ring: &Ring<SigningKey>, now: Timestamp) -> Result<JwkSet> {
    let public = ring.live(now).filter_map(|key| public_key(key).transpose());
    Ok(JwkSet { keys: public.collect::<Result<_>>()? })
}

/// The same set, after a test: each key signs a message and its public half verifies the signature.
///
/// # Errors
/// As [`public_keys`]. Also [`Error::Internal`], naming the key, if its halves belong to different keys.
pub(super) fn proven(ring: &Ring<SigningKey>, now: Timestamp) -> Result<JwkSet> {
    for key in ring.live(now) {
        let pair = KeyPair::read(key)?;
        let signature = BASE64URL_NOPAD.encode(&pair.sign(TRIAL)?);
        let accepted = verify(&signature, TRIAL, &pair.checking, key.key.algorithm.in_header());
        if !accepted.map_err(Error::internal)? {
            return Err(Error::internal(format!(
                "the public half of the signing key {} does not verify its signature",
                key.id
            )));
        }
    }
    public_keys(ring, now)
}

fn public_key(key: &Dated<SigningKey>) -> Result<Option<Jwk>> {
    let (pair, algorithm) = (KeyPair::read(key)?, key.key.algorithm);
    if algorithm.is_symmetric() {
        return Ok(None);
    }
    let mut jwk = Jwk::from_decoding_key(&pair.checking, Some(algorithm.in_header())).map_err(Error::internal)?;
    jwk.common.key_id = Some(key.id.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(Some(jwk))
}
