//! Access tokens: with arbitrary text, and with arbitrary claims under a valid signature.

use std::sync::OnceLock;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;
use shared::keys::SigningAlgorithm;
use shared::sessions::{AccessPolicy, CheckingKeys, ClaimNames, Issuing, Signer, Subject};
use shared::words::{Level, Tenant};

use super::keyring::{NOW, now, published, ring};
use crate::{Target, Word};

const ISSUER: &str = "https://auth.example.com";

fn policy() -> AccessPolicy {
    let [user_id, token_type, jti] = ["user_id", "token_type", "jti"].map(str::to_owned);
    AccessPolicy {
        algorithm: SigningAlgorithm::HS256,
        audience: "latchkey".to_owned(),
        lifetime: Duration::from_secs(900),
        leeway: Duration::ZERO,
        names: ClaimNames { user_id, token_type, jti },
    }
}

/// A token for each kind of key.
fn genuine() -> &'static [String] {
    static TOKENS: OnceLock<Vec<String>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let subject = Subject {
            user: "019b76da-a800-7000-8000-000000000000".parse().unwrap(),
            session: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            authenticated: now(),
            level: Level::Code,
            methods: vec!["otp".to_owned()],
        };
        let (tenant, lifetime) = (&Tenant::default(), policy().lifetime);
        let issuing = Issuing { issuer: ISSUER, tenant, jti: "j", lifetime, transaction: None };
        let sign = |key| Signer::new(key).unwrap().sign(&subject, issuing, &policy(), now()).unwrap();
        ring(5).all().iter().map(sign).collect()
    })
}

/// The keys of the keyring, and the published ones.
fn checks() -> &'static [CheckingKeys; 2] {
    static KEYS: OnceLock<[CheckingKeys; 2]> = OnceLock::new();
    KEYS.get_or_init(|| [CheckingKeys::of(&ring(5), now()).unwrap(), CheckingKeys::published(published()).unwrap()])
}

#[rustfmt::skip] // Words side by side.
pub(super) const JWT: Target = Target {
    name: "jwt", asks_functions: false,
    run: jwt,
    seeds: || genuine().iter().map(|token| token.clone().into_bytes()).collect(),
    dictionary: &[
        ".", "..", "=", "A", "e30", "eyJhbGciOiJub25lIn0",
        "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIiwia2lkIjoia0hTMjU2In0", " ", "\n", "-", "_",
    ],
    reaches: &["genuine", "refused"],
};

/// Only tokens signed by the deployment are accepted, with header and claims unchanged (S40).
fn jwt(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let is_ours = checks().each_ref().map(|keys| keys.check(&text, ISSUER, &policy(), now()).is_ok());
    let _ = checks()[1].miss_key_of(&text);
    if is_ours == [false; 2] {
        return "refused";
    }
    let signed = |token: &str| token.rsplit_once('.').map(|(signed, _)| signed.to_owned());
    assert!(genuine().iter().any(|ours| signed(ours) == signed(&text)), "{text}");
    if genuine().iter().any(|ours| *ours == text) {
        "genuine"
    } else {
        "genuine, with another spelling of its signature"
    }
}

#[rustfmt::skip] // Words side by side.
pub(super) const CLAIMS: Target = Target {
    name: "jwt-claims", asks_functions: false,
    run: claims,
    seeds: || {
        let part = |at: usize| BASE64URL_NOPAD.decode(genuine()[0].split('.').nth(at).unwrap().as_bytes()).unwrap();
        vec![[part(0), b"\n".to_vec(), part(1)].concat()]
    },
    dictionary: &[
        "\"exp\":", "\"nbf\":", "\"iat\":", "\"iss\":", "\"aud\":", "\"sub\":", "\"sid\":", "\"amr\":", "\"jti\":",
        "\"client_id\":", "\"acr\":\"2f\",", "\"typ\":", "\"alg\":", "\"kid\":", "\"crit\":[\"b64\"],", "\"b64\":false,",
        "\"zip\":\"DEF\",", "\"jku\":\"https://evil.example\",", "\"at+jwt\"", "\"JWT\"", "\"none\"", "\"HS256\"",
        "\"RS256\"", "1767226500", "1767225600", "-1", "1e3", "1767226500.5", "\"1767226500\"", "null", "[]",
        "[\"latchkey\"]", "\"latchkey\"", "9007199254740992", "9007199254740993", "18446744073709551615",
    ],
    reaches: &["accepted", "refused"],
};

/// A header and claims signed with a real key, so that only the checks themselves can refuse them (S42 to S44).
fn claims(input: &[u8]) -> Word {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, claims) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let message = [header, claims].map(|part| BASE64URL_NOPAD.encode(part)).join(".");
    let key = EncodingKey::from_secret(&[7; 32]).unwrap();
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    let Ok(subject) = checks()[0].check(&format!("{message}.{mac}"), ISSUER, &policy(), now()) else {
        return "refused";
    };
    let [header, claims]: [Value; 2] = [header, claims].map(|part| serde_json::from_slice(part).unwrap());
    assert_eq!((&header["alg"], &header["typ"], &header["kid"]), (&"HS256".into(), &"at+jwt".into(), &"kHS256".into()));
    let time = |name: &str| claims[name].as_u64().filter(|time| *time <= 1 << 53).unwrap();
    assert!(time("exp") > NOW && time("nbf") <= NOW && time("iat") <= NOW, "{claims}");
    let is_or_has =
        |claim: &Value, text: &str| claim == text || claim.as_array().is_some_and(|all| all.contains(&text.into()));
    assert!(is_or_has(&claims["aud"], "latchkey") && is_or_has(&claims["iss"], ISSUER), "{claims}");
    assert_eq!(subject.level.name(), claims.get("acr").map_or("1f", |level| level.as_str().unwrap()));
    assert_eq!((&claims["client_id"], &claims["token_type"]), (&"latchkey".into(), &"access".into()));
    assert_eq!(
        (claims["sub"].as_str(), claims["sid"].as_str()),
        (Some(subject.user.to_string().as_str()), Some(subject.session.as_str()))
    );
    "accepted"
}
