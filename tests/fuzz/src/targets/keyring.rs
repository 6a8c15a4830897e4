//! Keys in Secrets Manager and in the table, after changes by an operator.

use std::sync::OnceLock;

use data_encoding::BASE64;
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};
use shared::keys::{CodeKeys, Dated, RefreshKeys, Ring, SigningAlgorithm, SigningKey, SigningKeys, public_keys};
use shared::sessions::{CheckingKeys, Signer};
use shared::words::Timestamp;

use crate::{Target, Word};

pub(super) const NOW: u64 = 1_767_225_600;
/// Keys only for tests.
const PEMS: [(SigningAlgorithm, &str); 4] = [
    (SigningAlgorithm::ES256, include_str!("../../../keys/p256.pem")),
    (SigningAlgorithm::ES384, include_str!("../../../keys/p384.pem")),
    (SigningAlgorithm::EdDSA, include_str!("../../../keys/ed25519.pem")),
    (SigningAlgorithm::RS256, include_str!("../../../keys/rsa2048-1.pem")),
];

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(NOW)
}

/// A keyring with one key of each kind, HMAC first. The RSA key is slow to read and therefore optional.
pub(super) fn ring(kinds: usize) -> Ring<SigningKey> {
    let hmac = (SigningAlgorithm::HS256, BASE64.encode(&[7; 32]));
    let keys = [hmac].into_iter().chain(PEMS.map(|(algorithm, pem)| (algorithm, pem.to_owned())));
    let dated = keys.take(kinds).map(|(algorithm, secret)| Dated {
        id: format!("k{}", algorithm.name()),
        active_from: 0,
        retired_at: None,
        key: SigningKey::new(algorithm, secret),
    });
    Ring::new(dated.collect())
}

/// The public halves of a keyring with all kinds.
pub(super) fn published() -> &'static JwkSet {
    static SET: OnceLock<JwkSet> = OnceLock::new();
    SET.get_or_init(|| public_keys(&ring(5), now()).unwrap())
}

#[rustfmt::skip] // Words side by side.
pub(super) const KEYRING: Target = Target {
    name: "keyring", asks_functions: false,
    run: keyring,
    seeds: || {
        let refresh = json!([{ "id": "r1", "active_from": 0, "retired_at": null, "key": BASE64.encode(&[1; 32]) }]);
        let of = |ring: Ring<SigningKey>| json!({ "signing": ring, "root": BASE64.encode(&[3; 32]) }).to_string().into_bytes();
        let codes = json!({ "index": BASE64.encode(&[2; 32]), "peppers": refresh }).to_string().into_bytes();
        let refresh = json!({ "refresh": refresh, "restored_at": 7 }).to_string().into_bytes();
        vec![of(ring(1)), of(ring(2)), of(ring(4)), codes, refresh]
    },
    dictionary: &[
        "\"id\"", "\"active_from\"", "\"retired_at\"", "\"key\"", "\"algorithm\"", "\"secret\"", "null", "HS256",
        "HS512", "ES256", "RS256", "PS256", "none", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
        "\\n", "AAAA", "=", "[]", "{}", "0", "1767225600",
    ],
    reaches: &["keys of codes", "keys of refresh tokens", "keys of tokens", "a key that cannot be used", "no keyring"],
};

/// A keyring is written as it was read. Its published part has no private member (S47).
fn keyring(input: &[u8]) -> Word {
    if let Ok(codes) = serde_json::from_slice::<CodeKeys>(input) {
        let text = serde_json::to_string(&codes).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<CodeKeys>(&text).unwrap()).unwrap(), text);
        let _ = codes.peppers.active(now());
        return "keys of codes";
    }
    if let Ok(refresh) = serde_json::from_slice::<RefreshKeys>(input) {
        let text = serde_json::to_string(&refresh).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<RefreshKeys>(&text).unwrap()).unwrap(), text);
        let _ = refresh.refresh.active(now());
        return "keys of refresh tokens";
    }
    let Ok(tokens) = serde_json::from_slice::<SigningKeys>(input) else {
        return "no keyring";
    };
    let text = serde_json::to_string(&tokens).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<SigningKeys>(&text).unwrap()).unwrap(), text);
    let active = tokens.signing.active_for(SigningAlgorithm::ES256, now());
    let signer = active.and_then(Signer::new);
    let (checking, set) = (CheckingKeys::of(&tokens.signing, now()), public_keys(&tokens.signing, now()));
    // Publishing skips HMAC keys, but signing and verifying need every key.
    assert!(set.is_ok() || checking.is_err(), "a verification key cannot be published");
    if let Ok(set) = &set {
        has_public_members_only(&serde_json::to_value(set).unwrap());
        assert!(CheckingKeys::published(set).is_ok());
    }
    if signer.is_ok() && checking.is_ok() { "keys of tokens" } else { "a key that cannot be used" }
}

fn has_public_members_only(set: &Value) {
    const PUBLIC: [&str; 9] = ["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x"];
    for key in set["keys"].as_array().unwrap() {
        let names = key.as_object().unwrap().keys();
        let others: Vec<_> = names.filter(|name| !PUBLIC.contains(&name.as_str()) && *name != "y").collect();
        assert!(others.is_empty(), "{others:?} of a key are published");
    }
}

#[rustfmt::skip] // Words side by side.
pub(super) const JWKS: Target = Target {
    name: "jwks", asks_functions: false,
    run: jwks,
    seeds: || {
        vec![
            serde_json::to_vec(published()).unwrap(),
            br#"{"keys":[{"kty":"oct","k":"AA","alg":"HS256","kid":"x"}]}"#.to_vec(),
        ]
    },
    dictionary: &[
        "\"keys\"", "\"kty\"", "\"oct\"", "\"RSA\"", "\"EC\"", "\"OKP\"", "\"alg\"", "\"HS256\"", "\"RS256\"",
        "\"none\"", "\"kid\"", "\"crv\"", "\"P-256\"", "\"k\"", "\"n\"", "\"e\"", "\"x\"", "\"y\"", "AQAB", "AA",
        "[]", "{}", "null",
    ],
    reaches: &["keys", "a key that cannot be read", "no set"],
};

/// A secret among the published keys verifies no token (S40).
fn jwks(input: &[u8]) -> Word {
    let Ok(set) = serde_json::from_slice::<JwkSet>(input) else {
        return "no set";
    };
    let Ok(keys) = CheckingKeys::published(&set) else {
        return "a key that cannot be read";
    };
    let named =
        |id: &str| data_encoding::BASE64URL_NOPAD.encode(json!({ "alg": "HS256", "kid": id }).to_string().as_bytes());
    for jwk in &set.keys {
        let is_secret = serde_json::to_value(jwk).unwrap()["kty"] == "oct";
        let shared = set.keys.iter().filter(|other| other.common.key_id == jwk.common.key_id).count() > 1;
        if let Some(id) = jwk.common.key_id.as_deref().filter(|_| is_secret && !shared) {
            assert!(keys.miss_key_of(&format!("{}.e30.AA", named(id))), "a secret checks tokens");
        }
    }
    "keys"
}
