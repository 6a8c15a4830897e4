//! Access tokens: signed JWTs of type `at+jwt` (RFC 9068).

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{SessionId, Tenant, UserId};
use crate::keyring::SigningKey;
use crate::session::Session;

/// How access tokens are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The algorithm of new tokens.
    pub algorithm: SigningAlgorithm,
    /// `aud`, and `client_id`.
    pub audience: String,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// Claims whose names a deployment may choose.
    pub names: ClaimNames,
}

/// Names for claims that existing backends look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// The user id, also in `sub`.
    pub user_id: String,
    /// Always `access`.
    pub token_type: String,
    /// The token's own id.
    pub jti: String,
}

/// Claims that keep their meaning whatever a deployment names its own.
pub const RESERVED_CLAIMS: [&str; 11] =
    ["iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "sid", "tenant_id", "auth_time", "amr"];

/// The algorithms that tokens may be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSA PKCS#1 v1.5 with SHA-256: what API Gateway's own authorizer accepts (S45).
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// HMAC-SHA-256: no public keys; whoever checks could also sign.
    HS256,
}

/// The header's `typ` (RFC 9068 §2.1).
pub(crate) const TYPE: &str = "at+jwt";
/// What tells it from a refresh token.
pub(crate) const TOKEN_TYPE: &str = "access";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user.
    pub user: UserId,
    /// The session it belongs to.
    pub session: SessionId,
    /// When the person proved who they are.
    pub authenticated: Timestamp,
    /// How (RFC 8176 words).
    pub methods: Vec<String>,
}

impl Subject {
    /// What the tokens of a session say.
    pub fn of(session: &Session) -> Subject {
        Subject {
            user: session.user.clone(),
            session: session.id.clone(),
            authenticated: session.created,
            methods: session.methods.clone(),
        }
    }
}

impl SigningAlgorithm {
    /// Its name in a header.
    pub fn name(self) -> &'static str {
        match self {
            SigningAlgorithm::RS256 => "RS256",
            SigningAlgorithm::ES256 => "ES256",
            SigningAlgorithm::HS256 => "HS256",
        }
    }

    /// The one that a key is for.
    pub(crate) fn of(key: &SigningKey) -> SigningAlgorithm {
        match key {
            SigningKey::RS256(_) => SigningAlgorithm::RS256,
            SigningKey::ES256(_) => SigningAlgorithm::ES256,
            SigningKey::HS256(_) => SigningAlgorithm::HS256,
        }
    }

    /// The JWT crate's word for it.
    pub(crate) fn in_header(self) -> Algorithm {
        match self {
            SigningAlgorithm::RS256 => Algorithm::RS256,
            SigningAlgorithm::ES256 => Algorithm::ES256,
            SigningAlgorithm::HS256 => Algorithm::HS256,
        }
    }
}

/// What a new token takes from its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Issuing<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `tenant_id`, where it is not the default one.
    pub tenant: &'a Tenant,
    /// The token's own id: 128 random bits.
    pub jti: &'a str,
}

/// The claims of a token for `subject`, valid from `now`.
pub(crate) fn claims(
    subject: &Subject,
    context: Issuing<'_>,
    policy: &AccessPolicy,
    now: Timestamp,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", json!(context.issuer));
    claim("aud", json!(policy.audience));
    claim("client_id", json!(policy.audience));
    claim("sub", json!(subject.user));
    claim(&policy.names.user_id, json!(subject.user));
    claim("sid", json!(subject.session));
    claim("iat", json!(now.unix()));
    claim("nbf", json!(now.unix()));
    claim("exp", json!(now.after(policy.lifetime).unix()));
    claim("auth_time", json!(subject.authenticated.unix()));
    claim("amr", json!(subject.methods));
    claim(&policy.names.token_type, json!(TOKEN_TYPE));
    claim(&policy.names.jti, json!(context.jti));
    if !context.tenant.is_default() {
        claim("tenant_id", json!(context.tenant.as_str()));
    }
    claims
}

pub(crate) fn encoding_key(key: &SigningKey) -> Result<EncodingKey> {
    match key {
        SigningKey::RS256(pem) => EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal),
        SigningKey::ES256(pem) => EncodingKey::from_ec_pem(pem.as_bytes()).map_err(Error::internal),
        SigningKey::HS256(secret) => Ok(EncodingKey::from_secret(secret.mac().reveal())),
    }
}
