//! Generating keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::{BASE64, HEXLOWER};
use pem::{EncodeConfig, LineEnding, Pem};

use crate::keys::algorithm::{KeyKind, RsaBits, SigningAlgorithm};
use crate::keys::bytes::Bytes32;
use crate::keys::keyring::{Dated, SigningKey};
use crate::words::{Entropy, Error, Result, Timestamp};

/// The length of a SHA-512 digest in bytes. An HMAC key is as long as its digest.
const LONGEST_DIGEST: usize = 64;

/// A random 256-bit key.
///
/// # Errors
/// As [`Entropy::bytes`].
pub fn bytes(entropy: &Entropy) -> Result<Bytes32> {
    entropy.bytes().map(Bytes32::new)
}

/// A new signing key. An RSA key takes a second or more to generate.
///
/// # Errors
/// [`Error::Internal`] if the system's generator or aws-lc fails.
pub fn signing_key(algorithm: SigningAlgorithm, bits: RsaBits, entropy: &Entropy) -> Result<SigningKey> {
    let failure = |_| Error::internal("failed to generate a signing key");
    let secret = match algorithm.kind() {
        KeyKind::Hmac(algorithm) => {
            let random = entropy.bytes::<LONGEST_DIGEST>()?;
            BASE64.encode(random.get(..algorithm.digest_algorithm().output_len()).unwrap_or(&random))
        }
        KeyKind::Rsa(_) => {
            let pair = KeyPair::generate(bits.size()).map_err(failure)?;
            private_pem(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failure)?.as_ref())
        }
        KeyKind::Ecdsa(algorithm, _) => {
            let pair = EcdsaKeyPair::generate(algorithm).map_err(failure)?;
            private_pem(pair.to_pkcs8v1().map_err(failure)?.as_ref())
        }
        KeyKind::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(failure)?;
            private_pem(pair.to_pkcs8v1().map_err(failure)?.as_ref())
        }
    };
    Ok(SigningKey::new(algorithm, secret))
}

/// Gives a key a new random id and makes it active from `start` on. Ids are never reused, because clients may cache keys by id.
///
/// # Errors
/// As [`Entropy::bytes`].
pub fn dated<K>(key: K, start: Timestamp, entropy: &Entropy) -> Result<Dated<K>> {
    let id = HEXLOWER.encode(&entropy.bytes::<8>()?);
    Ok(Dated { id, active_from: start.unix(), retired_at: None, key })
}

fn private_pem(der: &[u8]) -> String {
    pem::encode_config(&Pem::new("PRIVATE KEY", der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::keyring::Ring;
    use crate::keys::public_keys::proven;

    #[test]
    fn every_kind_of_key_signs_and_has_its_public_half() {
        let now = Timestamp::from_unix(1_000);
        // Generate the RSA key once. It takes longer than all the others together.
        let mut rsa: Option<String> = None;
        for algorithm in SigningAlgorithm::ALL {
            let is_rsa = matches!(algorithm.kind(), KeyKind::Rsa(_));
            let key = match rsa.clone().filter(|_| is_rsa) {
                Some(pem) => SigningKey::new(algorithm, pem),
                None => signing_key(algorithm, RsaBits::Rsa2048, &Entropy).unwrap(),
            };
            rsa = is_rsa.then(|| key.reveal().to_owned());
            let ring = Ring::new(vec![dated(key, now, &Entropy).unwrap()]);
            let public = usize::from(!algorithm.is_symmetric());
            assert_eq!(proven(&ring, now).unwrap().keys.len(), public, "{algorithm:?}");
        }
    }

    #[test]
    fn no_two_keys_are_the_same() {
        for algorithm in
            SigningAlgorithm::ALL.into_iter().filter(|algorithm| !matches!(algorithm.kind(), KeyKind::Rsa(_)))
        {
            let keys = [
                signing_key(algorithm, RsaBits::Rsa2048, &Entropy).unwrap(),
                signing_key(algorithm, RsaBits::Rsa2048, &Entropy).unwrap(),
            ];
            assert_ne!(keys[0].reveal(), keys[1].reveal(), "{algorithm:?}");
        }
    }
}
