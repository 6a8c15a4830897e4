//! New keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::{BASE64, HEXLOWER};
use shared::access::SigningAlgorithm;
use shared::entropy::Entropy;
use shared::keyring::{Bytes32, SigningKey};

use crate::failure::Failure;

/// A 256-bit key.
pub(super) fn bytes() -> Result<Bytes32, Failure> {
    Entropy.bytes().map(Bytes32::new).map_err(Failure::new)
}

/// A name that no other key has had, in this ring or before it: others may remember keys by name.
pub(super) fn id() -> Result<String, Failure> {
    Entropy.bytes::<8>().map(|bytes| HEXLOWER.encode(&bytes)).map_err(Failure::new)
}

/// A signing key: out of `pem`, where there is one for this algorithm.
pub(super) fn signing_key(algorithm: SigningAlgorithm, pem: Option<String>) -> Result<SigningKey, Failure> {
    let failure = |_| Failure::new("a signing key could not be made");
    Ok(match (algorithm, pem) {
        (SigningAlgorithm::RS256, Some(pem)) => SigningKey::RS256(pem),
        (SigningAlgorithm::ES256, Some(pem)) => SigningKey::ES256(pem),
        (SigningAlgorithm::RS256, None) => {
            let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failure)?;
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failure)?;
            SigningKey::RS256(private_pem(der.as_ref()))
        }
        (SigningAlgorithm::ES256, None) => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failure)?;
            SigningKey::ES256(private_pem(pair.to_pkcs8v1().map_err(failure)?.as_ref()))
        }
        (SigningAlgorithm::HS256, _) => SigningKey::HS256(bytes()?),
    })
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
        for (algorithm, public) in
            [(SigningAlgorithm::RS256, 1), (SigningAlgorithm::ES256, 1), (SigningAlgorithm::HS256, 0)]
        {
            let key = signing_key(algorithm, None).unwrap();
            let ring = Ring::new(vec![Dated { id: id().unwrap(), active_from: 0, retired_at: None, key }]);
            assert!(Signer::new(ring.active(now).unwrap(), algorithm).is_ok(), "{algorithm:?}");
            assert_eq!(public_keys(&ring, now).unwrap().keys.len(), public, "{algorithm:?}");
        }
    }
}
