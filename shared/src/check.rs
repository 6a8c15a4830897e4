//! Checking access tokens: ours, for us, now, and nothing else.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::access::{AccessPolicy, Subject, TOKEN_TYPE, TYPE};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::keyring::{Ring, SigningKey};

/// The largest integer that every JSON reader keeps exact.
const LARGEST_TIME: u64 = 1 << 53;

/// Keys that tokens are checked with, by `kid`: each for the one algorithm that it was made for.
pub struct CheckingKeys(BTreeMap<String, (Algorithm, DecodingKey)>);

impl CheckingKeys {
    /// From the public-keys item. Keys of a kind that we do not sign with are left out.
    ///
    /// # Errors
    /// [`Error::Internal`] when a key of ours cannot be read.
    pub fn published(set: &JwkSet) -> Result<CheckingKeys> {
        let mut keys = BTreeMap::new();
        for jwk in &set.keys {
            let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
                (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
                (AlgorithmParameters::EllipticCurve(_), Some(KeyAlgorithm::ES256)) => Algorithm::ES256,
                _ => continue,
            };
            let key = DecodingKey::from_jwk(jwk).map_err(Error::internal)?;
            keys.extend(jwk.common.key_id.clone().map(|id| (id, (algorithm, key))));
        }
        Ok(CheckingKeys(keys))
    }

    /// From the keyring itself: the only place where HS256 keys are.
    pub fn shared(ring: &Ring<SigningKey>, now: Timestamp) -> CheckingKeys {
        let secrets =
            ring.all().iter().filter(|key| ring.find(&key.id, now).is_some()).filter_map(|key| match &key.key {
                SigningKey::HS256(secret) => {
                    Some((key.id.clone(), (Algorithm::HS256, DecodingKey::from_secret(secret.mac().reveal()))))
                }
                SigningKey::RS256(_) | SigningKey::ES256(_) => None,
            });
        CheckingKeys(secrets.collect())
    }

    /// What `token` says, if we signed it for `issuer` and the policy's audience, as an access token, and it is valid now.
    ///
    /// The header chooses a key by its `kid`, compared as an opaque string, and nothing else: `jku`, `x5u`, `jwk` and
    /// `x5c` are not looked at, and the algorithm is the key's (S40, S41). Times are compared with `now`, and are whole
    /// numbers or refused (S44).
    ///
    /// # Errors
    /// [`Error::InvalidToken`], whatever is wrong with it.
    pub fn check(&self, token: &str, issuer: &str, policy: &AccessPolicy, now: Timestamp) -> Result<Subject> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::InvalidToken)?;
        let key_id = header.kid.as_deref().ok_or(Error::InvalidToken)?;
        let (algorithm, key) = self.0.get(key_id).ok_or(Error::InvalidToken)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Error::InvalidToken);
        }

        let mut validation = Validation::new(*algorithm);
        validation.set_audience(&[&policy.audience]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The JWT crate reads the system's clock; ours can be moved.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims: Map<String, Value> =
            jsonwebtoken::decode(token, key, &validation).map_err(|_| Error::InvalidToken)?.claims;

        read_claims(&claims, policy, now).ok_or(Error::InvalidToken)
    }
}

fn read_claims(claims: &Map<String, Value>, policy: &AccessPolicy, now: Timestamp) -> Option<Subject> {
    let text = |name: &str| claims.get(name)?.as_str();
    let time =
        |name: &str| claims.get(name)?.as_u64().filter(|&seconds| seconds <= LARGEST_TIME).map(Timestamp::from_unix);
    let (expires, not_before, issued) = (time("exp")?, time("nbf")?, time("iat")?);
    let is_in_time = expires.after(policy.leeway) > now && not_before.max(issued) <= now.after(policy.leeway);
    let is_ours = text(&policy.names.token_type)? == TOKEN_TYPE
        && text("client_id")? == policy.audience
        && text(&policy.names.user_id)? == text("sub")?
        && text(&policy.names.jti).is_some();
    let subject = Subject {
        user: text("sub")?.parse().ok()?,
        session: text("sid")?.parse().ok()?,
        authenticated: time("auth_time")?,
        methods: claims
            .get("amr")?
            .as_array()?
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
    };
    (is_in_time && is_ours).then_some(subject)
}
