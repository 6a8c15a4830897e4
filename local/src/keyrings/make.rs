//! New keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::{BASE64, HEXLOWER};
use shared::algorithm::{KeyKind, SigningAlgorithm};
use shared::entropy::Entropy;
use shared::keyring::{Bytes32, SigningKey};

use crate::failure::Failure;

/// Of SHA-512: an HMAC key is as long as its digest.
const LONGEST_DIGEST: usize = 64;

/// A 256-bit key.
pub(super) fn bytes() -> Result<Bytes32, Failure> {
    Entropy.bytes().map(Bytes32::new).map_err(Failure::new)
}

/// A name that no other key has had, in this ring or before it: others may remember keys by name.
pub(super) fn id() -> Result<String, Failure> {
    Entropy.bytes::<8>().map(|bytes| HEXLOWER.encode(&bytes)).map_err(Failure::new)
}

/// A signing key: out of `pem`, where there is one and the algorithm takes any.
pub(super) fn signing_key(algorithm: SigningAlgorithm, pem: Option<String>) -> Result<SigningKey, Failure> {
    let failure = |_| Failure::new("a signing key could not be made");
    let secret = match (algorithm.kind(), pem) {
        (KeyKind::Hmac(algorithm), _) => {
            let random = Entropy.bytes::<LONGEST_DIGEST>().map_err(Failure::new)?;
            BASE64.encode(random.get(..algorithm.digest_algorithm().output_len()).unwrap_or(&random))
        }
        (KeyKind::Rsa(_) | KeyKind::Ecdsa(..) | KeyKind::Ed25519, Some(pem)) => pem,
        (KeyKind::Rsa(_), None) => {
            let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failure)?;
            private_pem(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failure)?.as_ref())
        }
        (KeyKind::Ecdsa(algorithm, _), None) => {
            let pair = EcdsaKeyPair::generate(algorithm).map_err(failure)?;
            private_pem(pair.to_pkcs8v1().map_err(failure)?.as_ref())
        }
        (KeyKind::Ed25519, None) => {
            let pair = Ed25519KeyPair::generate().map_err(failure)?;
            private_pem(pair.to_pkcs8v1().map_err(failure)?.as_ref())
        }
    };
    Ok(SigningKey::new(algorithm, secret))
}

/// RFC 7468: base64 in lines of 64 characters.
fn private_pem(der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use shared::clock::Timestamp;
    use shared::keyring::{Dated, Ring};
    use shared::public_keys::public_keys;
    use shared::signer::Signer;

    use super::*;

    #[test]
    fn every_kind_of_key_signs_and_has_its_public_half() {
        let now = Timestamp::from_unix(1_000);
        // Made once: making one takes longer than all the others together.
        let mut rsa = None;
        for algorithm in SigningAlgorithm::ALL {
            let is_rsa = matches!(algorithm.kind(), KeyKind::Rsa(_));
            let key = signing_key(algorithm, rsa.clone().filter(|_| is_rsa)).unwrap();
            rsa = is_rsa.then(|| key.reveal().to_owned());
            let ring = Ring::new(vec![Dated { id: id().unwrap(), active_from: 0, retired_at: None, key }]);
            assert!(Signer::new(ring.active_for(algorithm, now).unwrap()).is_ok(), "{algorithm:?}");
            let public = usize::from(!algorithm.is_symmetric());
            assert_eq!(public_keys(&ring, now).unwrap().keys.len(), public, "{algorithm:?}");
        }
    }

    #[test]
    fn no_two_keys_are_the_same() {
        for algorithm in
            SigningAlgorithm::ALL.into_iter().filter(|algorithm| !matches!(algorithm.kind(), KeyKind::Rsa(_)))
        {
            let keys = [signing_key(algorithm, None).unwrap(), signing_key(algorithm, None).unwrap()];
            assert_ne!(keys[0].reveal(), keys[1].reveal(), "{algorithm:?}");
        }
    }
}
