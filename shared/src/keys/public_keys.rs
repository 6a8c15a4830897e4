//! Public keys: what others check our access tokens with.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};

use crate::keys::key_pair::KeyPair;
use crate::keys::keyring::{Dated, Ring, SigningKey};
use crate::words::{Error, Result, Timestamp};

/// What is signed to see whether a key works; no token, for it has no dots.
const TRIAL: &[u8] = b"latchkey";

/// The public halves of the signing keys, as the public-keys item holds them and JWKS shows them (S47).
///
/// Keys stand here before they are active and until they retire. HMAC keys have no public half.
///
/// # Errors
/// [`Error::Internal`], naming the key, when any key cannot be used, an HMAC key too: whoever adds one to the ring
/// learns of it here, before it is active.
pub fn public_keys(ring: &Ring<SigningKey>, now: Timestamp) -> Result<JwkSet> {
    let public = ring.live(now).filter_map(|key| public_key(key).transpose());
    Ok(JwkSet { keys: public.collect::<Result<_>>()? })
}

/// The same set, after each key has signed and its public half has accepted the signature.
///
/// # Errors
/// As [`public_keys`]; [`Error::Internal`], naming the key, when its halves do not belong together.
pub(super) fn proven(ring: &Ring<SigningKey>, now: Timestamp) -> Result<JwkSet> {
    for key in ring.live(now) {
        let pair = KeyPair::read(key)?;
        let signature = BASE64URL_NOPAD.encode(&pair.sign(TRIAL)?);
        let accepted = verify(&signature, TRIAL, &pair.checking, key.key.algorithm.in_header());
        if !accepted.map_err(Error::internal)? {
            return Err(Error::internal(format!("the public half of {} does not accept its signature", key.id)));
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
