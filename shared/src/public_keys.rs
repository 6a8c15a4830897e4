//! Public keys: what others check our access tokens with.

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};

use crate::access::{SigningAlgorithm, encoding_key};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::keyring::{Dated, Ring, SigningKey};

/// The public halves of the signing keys, as the public-keys item holds them and JWKS shows them (S47).
///
/// Keys stand here before they are active and until they retire. HS256 keys have no public half.
///
/// # Errors
/// [`Error::Internal`] when a key cannot be read.
pub fn public_keys(ring: &Ring<SigningKey>, now: Timestamp) -> Result<JwkSet> {
    let public =
        ring.all().iter().filter(|key| ring.find(&key.id, now).is_some()).filter_map(|key| public_key(key).transpose());
    Ok(JwkSet { keys: public.collect::<Result<_>>()? })
}

fn public_key(key: &Dated<SigningKey>) -> Result<Option<Jwk>> {
    let algorithm = SigningAlgorithm::of(&key.key);
    if algorithm == SigningAlgorithm::HS256 {
        return Ok(None);
    }
    let mut jwk = Jwk::from_encoding_key(&encoding_key(&key.key)?, algorithm.in_header()).map_err(Error::internal)?;
    jwk.common.key_id = Some(key.id.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(Some(jwk))
}
