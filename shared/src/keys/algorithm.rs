//! The supported algorithms for access tokens, in one table. Generating, reading, publishing and using a key all look
//! up the details here.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSignatureEncoding,
};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::EllipticCurve;
use serde::{Deserialize, Serialize};

use crate::config::Reader;

/// An algorithm for access tokens. The variant is its name in settings, keyrings, JWT headers and JWKs (RFC 7518
/// §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256. Like all three HMACs it has no public key, so every verifier could also sign tokens.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSA PKCS#1 v1.5 with SHA-256. Every JWT library can verify it (S45). API Gateway's own authorizer accepts only RSA.
    RS256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RS384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

/// The kind of key that an algorithm needs. `Display` describes the requirements.
#[derive(Clone, Debug)]
pub enum KeyKind {
    /// A secret at least as long as the digest (RFC 7518 §3.2).
    Hmac(hmac::Algorithm),
    /// An RSA key of 2048 to 8192 bits. aws-lc refuses others (S46).
    Rsa(&'static RsaSignatureEncoding),
    /// An ECDSA key on this curve.
    Ecdsa(&'static EcdsaSigningAlgorithm, EllipticCurve),
    /// An Ed25519 key.
    Ed25519,
}

/// The length of new RSA keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaBits {
    /// 112 bits of security, enough until 2030 (NIST SP 800-57).
    Rsa2048,
    /// 128 bits of security.
    Rsa3072,
    /// Slower signatures, for policies that ask for it.
    Rsa4096,
}

impl RsaBits {
    /// Reads the length for new keys.
    pub fn read(read: &mut Reader<'_>) -> RsaBits {
        match read.choice("JWT_RSA_BITS", "3072", &["2048", "3072", "4096"]).as_str() {
            "2048" => RsaBits::Rsa2048,
            "4096" => RsaBits::Rsa4096,
            _ => RsaBits::Rsa3072,
        }
    }

    /// The number of bits, as in the setting.
    pub fn number(self) -> u32 {
        match self {
            RsaBits::Rsa2048 => 2048,
            RsaBits::Rsa3072 => 3072,
            RsaBits::Rsa4096 => 4096,
        }
    }

    /// aws-lc's value for it.
    pub(super) fn size(self) -> KeySize {
        match self {
            RsaBits::Rsa2048 => KeySize::Rsa2048,
            RsaBits::Rsa3072 => KeySize::Rsa3072,
            RsaBits::Rsa4096 => KeySize::Rsa4096,
        }
    }
}

impl SigningAlgorithm {
    /// Reads the algorithm for new tokens.
    pub fn read(read: &mut Reader<'_>) -> SigningAlgorithm {
        let (variable, default) = ("JWT_ALGORITHM", SigningAlgorithm::RS256);
        // ES512 is in the standards, so it gets a message of its own.
        if read.get(variable).as_deref() == Some("ES512") {
            read.report(format!("{variable}: ES512 is not supported by the jsonwebtoken crate. Use ES384"));
            return default;
        }
        let name = read.choice(variable, default.name(), &SigningAlgorithm::ALL.map(SigningAlgorithm::name));
        SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name).unwrap_or(default)
    }

    /// All supported algorithms.
    pub const ALL: [SigningAlgorithm; 9] = [
        SigningAlgorithm::HS256,
        SigningAlgorithm::HS384,
        SigningAlgorithm::HS512,
        SigningAlgorithm::RS256,
        SigningAlgorithm::RS384,
        SigningAlgorithm::RS512,
        SigningAlgorithm::ES256,
        SigningAlgorithm::ES384,
        SigningAlgorithm::EdDSA,
    ];

    /// The table: the name, the JWT crate's value and the kind of key. ES512 is missing because the JWT crate lacks it.
    fn row(self) -> (&'static str, Algorithm, KeyKind) {
        use KeyKind::{Ecdsa, Ed25519, Hmac, Rsa};
        match self {
            SigningAlgorithm::HS256 => ("HS256", Algorithm::HS256, Hmac(HMAC_SHA256)),
            SigningAlgorithm::HS384 => ("HS384", Algorithm::HS384, Hmac(HMAC_SHA384)),
            SigningAlgorithm::HS512 => ("HS512", Algorithm::HS512, Hmac(HMAC_SHA512)),
            SigningAlgorithm::RS256 => ("RS256", Algorithm::RS256, Rsa(&RSA_PKCS1_SHA256)),
            SigningAlgorithm::RS384 => ("RS384", Algorithm::RS384, Rsa(&RSA_PKCS1_SHA384)),
            SigningAlgorithm::RS512 => ("RS512", Algorithm::RS512, Rsa(&RSA_PKCS1_SHA512)),
            SigningAlgorithm::ES256 => {
                ("ES256", Algorithm::ES256, Ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, EllipticCurve::P256))
            }
            SigningAlgorithm::ES384 => {
                ("ES384", Algorithm::ES384, Ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, EllipticCurve::P384))
            }
            SigningAlgorithm::EdDSA => ("EdDSA", Algorithm::EdDSA, Ed25519),
        }
    }

    /// The name, as in RFC 7518.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The JWT crate's value for it.
    pub(crate) fn in_header(self) -> Algorithm {
        self.row().1
    }

    /// The kind of key for this algorithm.
    pub fn kind(self) -> KeyKind {
        self.row().2
    }

    /// Whether the key is a shared secret without a public half.
    pub fn is_symmetric(self) -> bool {
        matches!(self.kind(), KeyKind::Hmac(_))
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyKind::Hmac(algorithm) => {
                write!(f, "{} bytes or more in base64", algorithm.digest_algorithm().output_len())
            }
            KeyKind::Rsa(_) => f.write_str("an RSA key of 2048 to 8192 bits, PKCS#8 in PEM"),
            KeyKind::Ecdsa(_, curve) => write!(f, "a key on {curve:?}, PKCS#8 in PEM"),
            KeyKind::Ed25519 => f.write_str("an Ed25519 key, PKCS#8 in PEM"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::AlgorithmFamily;
    use serde_json::json;

    use super::*;

    /// All except PSS. It would be a second algorithm for the same RSA keys, and there is no demand for it.
    #[test]
    fn every_algorithm_of_the_jwt_crate_is_in_the_table() {
        let families = [AlgorithmFamily::Hmac, AlgorithmFamily::Rsa, AlgorithmFamily::Ec, AlgorithmFamily::Ed];
        let words = families.iter().flat_map(|family| family.algorithms()).copied();
        let words = words.filter(|word| !format!("{word:?}").starts_with("PS"));
        assert_eq!(words.collect::<Vec<_>>(), SigningAlgorithm::ALL.map(SigningAlgorithm::in_header));
    }

    #[test]
    fn an_algorithm_has_one_name_everywhere() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(json!(algorithm), algorithm.name());
            assert_eq!(json!(algorithm.in_header()), algorithm.name());
        }
        assert!(serde_json::from_value::<SigningAlgorithm>(json!("ES512")).is_err());
    }
}
