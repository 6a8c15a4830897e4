//! Checking access tokens: their signature, issuer, audience, type and times.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::keys::{Dated, KeyKind, KeyPair, Ring, SigningAlgorithm, SigningKey};
use crate::sessions::access_token::{AccessPolicy, Subject, TOKEN_TYPE, TYPE};
use crate::words::{Error, Level, Result, Timestamp};

/// The largest integer that every JSON parser reads exactly.
const LARGEST_TIME: u64 = 1 << 53;

/// Keys for checking tokens, by `kid`. Each key is valid for a single algorithm.
pub struct CheckingKeys(BTreeMap<String, (Algorithm, DecodingKey)>);

impl CheckingKeys {
    /// The keys from the public-keys item.
    ///
    /// Keys for unsupported algorithms are ignored, and so are secrets. Otherwise anyone with write access to the
    /// item could add a secret and sign with it.
    ///
    /// # Errors
    /// [`Error::Internal`] if a supported key is malformed.
    pub fn published(set: &JwkSet) -> Result<CheckingKeys> {
        let mut keys = BTreeMap::new();
        for jwk in &set.keys {
            let Some(algorithm) = algorithm_of(jwk) else { continue };
            let key = DecodingKey::from_jwk(jwk).map_err(Error::internal)?;
            keys.extend(jwk.common.key_id.clone().map(|id| (id, (algorithm.in_header(), key))));
        }
        Ok(CheckingKeys(keys))
    }

    /// The keys from the keyring, for functions with access to it. Only these can check HMAC tokens.
    ///
    /// # Errors
    /// [`Error::Internal`], naming the key, if one is malformed or too weak (S46).
    pub fn of(ring: &Ring<SigningKey>, now: Timestamp) -> Result<CheckingKeys> {
        let checking = |key: &Dated<SigningKey>| {
            let algorithm = key.key.algorithm.in_header();
            Ok((key.id.clone(), (algorithm, KeyPair::read(key)?.checking)))
        };
        ring.live(now).map(checking).collect::<Result<_>>().map(CheckingKeys)
    }

    /// Whether `token` names an unknown key.
    pub fn miss_key_of(&self, token: &str) -> bool {
        let named = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid);
        named.is_some_and(|id| !self.0.contains_key(&id))
    }

    /// The contents of `token`, if it is a currently valid access token, signed by one of these keys, from `issuer`,
    /// and for the policy's audience.
    ///
    /// The header only selects a key by its `kid`, compared as an opaque string. `jku`, `x5u`, `jwk` and `x5c` are ignored, and
    /// the algorithm is the key's (S40, S41). Times are compared with `now` and must be whole numbers (S44).
    ///
    /// # Errors
    /// [`Error::InvalidToken`] for every kind of invalid token.
    pub fn check(&self, token: &str, issuer: &str, policy: &AccessPolicy, now: Timestamp) -> Result<Subject> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::InvalidToken)?;
        let key_id = header.kid.as_deref().ok_or(Error::InvalidToken)?;
        let (algorithm, key) = self.0.get(key_id).ok_or(Error::InvalidToken)?;
        // Latchkey's tokens have no critical headers. Unknown ones must be refused (RFC 7515 §4.1.11).
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(Error::InvalidToken);
        }

        let mut validation = Validation::new(*algorithm);
        validation.set_audience(&[&policy.audience]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The JWT crate would use the system's clock, but tests and `local` move the time.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims: Map<String, Value> =
            jsonwebtoken::decode(token, key, &validation).map_err(|_| Error::InvalidToken)?.claims;

        read_claims(&claims, policy, now).ok_or(Error::InvalidToken)
    }
}

/// The algorithm of a published key, if the key is of the right kind for it.
fn algorithm_of(jwk: &Jwk) -> Option<SigningAlgorithm> {
    let named = jwk.common.key_algorithm?;
    let algorithm = SigningAlgorithm::ALL.into_iter().find(|known| KeyAlgorithm::from(known.in_header()) == named)?;
    let fits = match (algorithm.kind(), &jwk.algorithm) {
        (KeyKind::Rsa(_), AlgorithmParameters::RSA(_)) => true,
        (KeyKind::Ecdsa(_, curve), AlgorithmParameters::EllipticCurve(key)) => key.curve == curve,
        (KeyKind::Ed25519, AlgorithmParameters::OctetKeyPair(key)) => key.curve == EllipticCurve::Ed25519,
        (KeyKind::Hmac(_) | KeyKind::Rsa(_) | KeyKind::Ecdsa(..) | KeyKind::Ed25519, _) => false,
    };
    fits.then_some(algorithm)
}

fn read_claims(claims: &Map<String, Value>, policy: &AccessPolicy, now: Timestamp) -> Option<Subject> {
    let text = |name: &str| claims.get(name)?.as_str();
    let time =
        |name: &str| claims.get(name)?.as_u64().filter(|&seconds| seconds <= LARGEST_TIME).map(Timestamp::from_unix);
    let is_in_time =
        time("exp")?.after(policy.leeway) > now && time("nbf")?.max(time("iat")?) <= now.after(policy.leeway);
    // Even a signed token lives no longer than one that we would issue, so that nothing made with a stolen key lasts.
    let is_short = time("exp")? <= time("iat")?.after(policy.lifetime).after(policy.leeway);
    let is_ours = text(&policy.names.token_type)? == TOKEN_TYPE
        && text("client_id")? == policy.audience
        && text(&policy.names.user_id)? == text("sub")?
        && text(&policy.names.jti).is_some();
    // Tokens from before levels were kept have none.
    let level = claims.get("acr").map_or(Some(Level::Code), |name| Level::named(name.as_str()?))?;
    let subject = Subject {
        user: text("sub")?.parse().ok()?,
        session: text("sid")?.parse().ok()?,
        authenticated: time("auth_time")?,
        level,
        methods: claims
            .get("amr")?
            .as_array()?
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
    };
    (is_in_time && is_short && is_ours).then_some(subject)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use data_encoding::{BASE64, BASE64URL_NOPAD};
    use serde_json::json;

    use super::*;
    use crate::sessions::access_token::Issuing;
    use crate::sessions::signer::Signer;
    use crate::words::{Entropy, SessionId, Tenant, UserId};

    const NOW: u64 = 1_767_225_600;
    const ISSUER: &str = "https://auth.example.com";
    const KEY: [u8; 32] = [7; 32];

    fn policy() -> AccessPolicy {
        let defaults = crate::config::read(|_| None, AccessPolicy::read).unwrap();
        AccessPolicy { algorithm: SigningAlgorithm::HS256, ..defaults }
    }

    fn ring() -> Ring<SigningKey> {
        let key = SigningKey::new(SigningAlgorithm::HS256, BASE64.encode(&KEY));
        Ring::new(vec![Dated { id: "k1".to_owned(), active_from: 0, retired_at: None, key }])
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn check_at(token: &str, policy: &AccessPolicy, now: u64) -> Option<Subject> {
        CheckingKeys::of(&ring(), at(NOW)).unwrap().check(token, ISSUER, policy, at(now)).ok()
    }

    fn genuine() -> String {
        let subject = Subject {
            user: UserId::draw(&Entropy, at(NOW)).unwrap(),
            session: SessionId::draw(&Entropy).unwrap(),
            authenticated: at(NOW),
            level: Level::Factor,
            methods: vec!["otp".to_owned()],
        };
        let signer = Signer::new(ring().active(at(NOW)).unwrap()).unwrap();
        let (tenant, lifetime) = (&Tenant::default(), policy().lifetime);
        let issuing = Issuing { issuer: ISSUER, tenant, jti: "j", lifetime, transaction: None };
        signer.sign(&subject, issuing, &policy(), at(NOW)).unwrap()
    }

    /// A token with a changed header or claim, signed with the right key, so only the checks of its contents can refuse it.
    fn changed(part: usize, name: &str, value: Option<Value>) -> String {
        let token = genuine();
        let mut parts: Vec<Map<String, Value>> = token
            .split('.')
            .take(2)
            .map(|part| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap())
            .collect();
        match value {
            Some(value) => parts[part].insert(name.to_owned(), value),
            None => parts[part].remove(name),
        };
        let encoded: Vec<String> =
            parts.iter().map(|part| BASE64URL_NOPAD.encode(&serde_json::to_vec(part).unwrap())).collect();
        let signed = encoded.join(".");
        let mac = jsonwebtoken::crypto::sign(
            signed.as_bytes(),
            &jsonwebtoken::EncodingKey::from_secret(&KEY).unwrap(),
            Algorithm::HS256,
        );
        format!("{signed}.{}", mac.unwrap())
    }

    /// A token that outlives the configured life is refused from its first second.
    #[test]
    fn a_token_that_lives_too_long_is_refused() {
        let until = |seconds: u64| changed(1, "exp", Some(json!(NOW + seconds)));
        assert!(check_at(&until(900), &policy(), NOW).is_some() && check_at(&until(901), &policy(), NOW).is_none());
        let lenient = AccessPolicy { leeway: Duration::from_secs(30), ..policy() };
        assert!(check_at(&until(930), &lenient, NOW).is_some() && check_at(&until(931), &lenient, NOW).is_none());
        let shorter = AccessPolicy { lifetime: Duration::from_secs(300), ..policy() };
        assert!(check_at(&genuine(), &shorter, NOW).is_none());
    }

    #[test]
    fn a_genuine_token_is_good_from_its_first_second_to_its_last() {
        let token = genuine();
        assert!(check_at(&token, &policy(), NOW).is_some());
        assert!(check_at(&token, &policy(), NOW + 899).is_some());
        assert!(check_at(&token, &policy(), NOW + 900).is_none());
        assert!(check_at(&token, &policy(), NOW - 1).is_none());
        let lenient = AccessPolicy { leeway: Duration::from_secs(30), ..policy() };
        assert!(check_at(&token, &lenient, NOW + 929).is_some() && check_at(&token, &lenient, NOW + 930).is_none());
        assert!(check_at(&token, &lenient, NOW - 30).is_some() && check_at(&token, &lenient, NOW - 31).is_none());
        assert!(check_at(&changed(0, "kid", Some(json!("k1"))), &policy(), NOW).is_some(), "the test's own signing");
    }

    /// S42, S43, V13: another type, issuer or audience, or a missing claim.
    #[test]
    fn a_token_of_another_kind_is_refused() {
        for (part, name, value) in [
            (0, "typ", Some(json!("JWT"))),
            (0, "typ", None),
            (0, "crit", Some(json!(["exp"]))),
            (0, "kid", None),
            (0, "kid", Some(json!("k2"))),
            (0, "kid", Some(json!("../../k1"))),
            (0, "alg", Some(json!("none"))),
            (0, "alg", Some(json!("HS512"))),
            (0, "alg", Some(json!("RS256"))),
            (1, "iss", Some(json!("https://evil.example"))),
            (1, "iss", None),
            (1, "aud", Some(json!("other"))),
            (1, "aud", None),
            (1, "client_id", Some(json!("other"))),
            (1, "token_type", Some(json!("refresh"))),
            (1, "token_type", None),
            (1, "jti", None),
            (1, "sub", Some(json!("018f0000-0000-7000-8000-000000000000"))),
            (1, "sub", None),
            (1, "sid", None),
            (1, "acr", Some(json!("3f"))),
            (1, "acr", Some(json!(2))),
            (1, "acr", Some(json!(null))),
        ] {
            assert!(check_at(&changed(part, name, value.clone()), &policy(), NOW).is_none(), "{name}: {value:?}");
        }
    }

    /// S130: a token from before levels were kept reaches no higher one.
    #[test]
    fn a_token_without_a_level_has_the_lowest() {
        let level = |token: &str| check_at(token, &policy(), NOW).unwrap().level;
        assert_eq!(level(&genuine()), Level::Factor);
        assert_eq!(level(&changed(1, "acr", None)), Level::Code);
    }

    /// A token names its tenant unless it is the default one.
    #[test]
    fn the_default_tenant_is_not_mentioned() {
        let claims = genuine().split('.').nth(1).map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
        assert!(serde_json::from_slice::<Value>(&claims).unwrap().get("tenant_id").is_none());
    }

    /// S44, V12: times are required, whole numbers, and small enough for every JSON parser.
    #[test]
    fn an_invalid_time_is_refused() {
        let late = json!(NOW + 900);
        for name in ["exp", "nbf", "iat"] {
            for value in [
                json!("1767226500"),
                json!(1_767_226_500.5),
                json!(-1),
                json!(1_u64 << 54),
                json!(u64::MAX),
                json!(null),
            ] {
                assert!(check_at(&changed(1, name, Some(value.clone())), &policy(), NOW).is_none(), "{name}: {value}");
            }
            assert!(check_at(&changed(1, name, None), &policy(), NOW).is_none(), "{name} is missing");
        }
        assert!(check_at(&changed(1, "nbf", Some(late.clone())), &policy(), NOW).is_none());
        assert!(check_at(&changed(1, "iat", Some(late)), &policy(), NOW).is_none());
    }

    /// S40: a published key is valid only for the algorithm that it names, and only if its kind is right.
    #[test]
    fn a_published_key_of_another_kind_is_left_out() {
        let ec = |name: &str, curve: &str| json!({ "kty": "EC", "crv": curve, "x": "AA", "y": "AA", "alg": name });
        let rsa = |name: &str| json!({ "kty": "RSA", "n": "AA", "e": "AQAB", "alg": name });
        let okp = |name: &str, curve: &str| json!({ "kty": "OKP", "crv": curve, "x": "AA", "alg": name });
        for (key, algorithm) in [
            (rsa("RS512"), Some(SigningAlgorithm::RS512)),
            (ec("ES256", "P-256"), Some(SigningAlgorithm::ES256)),
            (ec("ES384", "P-384"), Some(SigningAlgorithm::ES384)),
            (okp("EdDSA", "Ed25519"), Some(SigningAlgorithm::EdDSA)),
            (rsa("PS256"), None),
            (rsa("ES256"), None),
            (rsa("HS256"), None),
            (json!({ "kty": "RSA", "n": "AA", "e": "AQAB" }), None),
            (ec("ES256", "P-384"), None),
            (ec("ES384", "P-256"), None),
            (ec("ES512", "P-521"), None),
            (okp("EdDSA", "P-256"), None),
            (okp("EdDSA", "Ed448"), None),
            (json!({ "kty": "oct", "k": "AA", "alg": "HS256" }), None),
        ] {
            assert_eq!(algorithm_of(&serde_json::from_value(key.clone()).unwrap()), algorithm, "{key}");
        }
    }

    #[test]
    fn a_retired_key_verifies_nothing() {
        let (token, mut key) = (genuine(), ring().all()[0].clone());
        key.retired_at = Some(NOW + 10);
        let ring = Ring::new(vec![key]);
        let is_good =
            |now: u64| CheckingKeys::of(&ring, at(now)).unwrap().check(&token, ISSUER, &policy(), at(now)).is_ok();
        assert!(is_good(NOW + 9) && !is_good(NOW + 10));
    }

    /// S41: keys and addresses of keys in the header are ignored.
    #[test]
    fn a_key_in_the_header_is_ignored() {
        for name in ["jku", "x5u"] {
            let elsewhere = changed(0, name, Some(json!("https://evil.example/keys")));
            assert!(check_at(&elsewhere, &policy(), NOW).is_some());
        }
    }

    /// V41: only an unknown `kid` justifies reading the keys again. A token without one is invalid.
    #[test]
    fn an_unknown_key_name_is_noticed() {
        let keys = CheckingKeys::of(&ring(), at(NOW)).unwrap();
        assert!(!keys.miss_key_of(&genuine()));
        assert!(keys.miss_key_of(&changed(0, "kid", Some(json!("k2")))));
        for other in ["", "x", &changed(0, "kid", None)] {
            assert!(!keys.miss_key_of(other), "{other}");
        }
    }

    #[test]
    fn text_without_the_form_of_a_token_is_refused() {
        let token = genuine();
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        let cut = &token[..token.len() - 1];
        for other in [
            "",
            ".",
            "..",
            "a.b.c",
            unsigned,
            &format!("{unsigned}."),
            cut,
            &format!("{token}.x"),
            &format!(" {token}"),
        ] {
            assert!(check_at(other, &policy(), NOW).is_none(), "{other}");
        }
    }
}
