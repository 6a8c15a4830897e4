//! Access tokens: signed JWTs of type `at+jwt` (RFC 9068).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::config::{Check, IS_NAME, Reader};
use crate::keys::SigningAlgorithm;
use crate::sessions::session::Session;
use crate::words::{SessionId, Tenant, Timestamp, UserId};

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

impl AccessPolicy {
    /// Reads its variables.
    pub fn read(read: &mut Reader<'_>) -> AccessPolicy {
        AccessPolicy {
            algorithm: SigningAlgorithm::read(read),
            audience: AccessPolicy::read_audience(read),
            lifetime: lifetime(read),
            leeway: leeway(read),
            names: ClaimNames::read(read),
        }
    }

    /// Reads the audience, and nothing else.
    pub fn read_audience(read: &mut Reader<'_>) -> String {
        read.text("JWT_AUDIENCE", Some("latchkey"), IS_NAME)
    }

    /// Reads how long after its issue a token may be accepted, and nothing else.
    pub fn read_accepted_for(read: &mut Reader<'_>) -> Duration {
        lifetime(read).saturating_add(leeway(read))
    }
}

fn lifetime(read: &mut Reader<'_>) -> Duration {
    read.seconds("JWT_ACCESS_SECONDS", 900, 300..=86_400)
}

fn leeway(read: &mut Reader<'_>) -> Duration {
    read.seconds("JWT_LEEWAY_SECONDS", 0, 0..=120)
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
const RESERVED_CLAIMS: [&str; 11] =
    ["iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "sid", "tenant_id", "auth_time", "amr"];

const IS_CLAIM: Check = (
    |text| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte)),
    "a claim name",
);

impl ClaimNames {
    fn read(read: &mut Reader<'_>) -> ClaimNames {
        let user_id = read.text("USER_ID_CLAIM", Some("user_id"), IS_CLAIM);
        let token_type = read.text("TOKEN_TYPE_CLAIM", Some("token_type"), IS_CLAIM);
        let jti = read.text("JTI_CLAIM", Some("jti"), IS_CLAIM);
        for (variable, name) in [("USER_ID_CLAIM", &user_id), ("TOKEN_TYPE_CLAIM", &token_type), ("JTI_CLAIM", &jti)] {
            // The user id may be `sub` itself: it says the same.
            let may_be = variable == "USER_ID_CLAIM" && name == "sub";
            if RESERVED_CLAIMS.contains(&name.as_str()) && !may_be {
                read.report(format!("{variable}: {name} has a meaning of its own"));
            }
        }
        if user_id == token_type || user_id == jti || token_type == jti {
            read.report("USER_ID_CLAIM, TOKEN_TYPE_CLAIM and JTI_CLAIM: expected three different names".to_owned());
        }
        ClaimNames { user_id, token_type, jti }
    }
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
