//! Access tokens: signed JWTs of type `at+jwt` (RFC 9068).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::config::{Check, IS_NAME, Reader};
use crate::keys::SigningAlgorithm;
use crate::sessions::session::Session;
use crate::sessions::transaction::Transaction;
use crate::words::{Level, SessionId, Tenant, Timestamp, UserId};

/// The settings for access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The algorithm of new tokens.
    pub algorithm: SigningAlgorithm,
    /// The value of `aud` and `client_id`.
    pub audience: String,
    /// The time from `iat` to `exp`.
    pub lifetime: Duration,
    /// The tolerance for clock differences.
    pub leeway: Duration,
    /// The configurable names of claims.
    pub names: ClaimNames,
}

impl AccessPolicy {
    /// Reads the settings for access tokens.
    pub fn read(read: &mut Reader<'_>) -> AccessPolicy {
        AccessPolicy {
            algorithm: SigningAlgorithm::read(read),
            audience: AccessPolicy::read_audience(read),
            lifetime: lifetime(read),
            leeway: leeway(read),
            names: ClaimNames::read(read),
        }
    }

    /// Reads only the audience.
    pub fn read_audience(read: &mut Reader<'_>) -> String {
        read.text("JWT_AUDIENCE", Some("latchkey"), IS_NAME)
    }

    /// Reads only how long a token may be accepted after it was issued.
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

/// Names of claims for existing backends with expectations of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// The claim with the user id. It is also in `sub`.
    pub user_id: String,
    /// The claim with the value `access`.
    pub token_type: String,
    /// The claim with the token's id.
    pub jti: String,
}

/// Claims with a fixed meaning. Configured names must differ from them.
const RESERVED_CLAIMS: [&str; 13] =
    ["iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "sid", "tenant_id", "auth_time", "acr", "amr", "txn"];

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
            // `sub` is allowed, because it contains the user id as well.
            let may_be = variable == "USER_ID_CLAIM" && name == "sub";
            if RESERVED_CLAIMS.contains(&name.as_str()) && !may_be {
                read.report(format!(
                    "{variable}: {name} is already the name of another claim. Choose a different name"
                ));
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
/// The value that distinguishes an access token from a refresh token.
pub(crate) const TOKEN_TYPE: &str = "access";

/// The contents of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user's id.
    pub user: UserId,
    /// The session's id.
    pub session: SessionId,
    /// When the user last gave a proof in this session: a sign-in or a step-up. A refresh does not move it (S131).
    pub authenticated: Timestamp,
    /// The level of the session.
    pub level: Level,
    /// The authentication methods, with names from RFC 8176.
    pub methods: Vec<String>,
}

impl Subject {
    /// The subject of a session's tokens.
    pub fn of(session: &Session) -> Subject {
        Subject {
            user: session.user.clone(),
            session: session.id.clone(),
            authenticated: session.authenticated,
            level: session.level(),
            methods: session.methods.clone(),
        }
    }
}

/// The circumstances of a new token.
#[derive(Clone, Copy, Debug)]
pub struct Issuing<'a> {
    /// The value of `iss`.
    pub issuer: &'a str,
    /// The value of `tenant_id`. The claim is omitted for the default tenant.
    pub tenant: &'a Tenant,
    /// The token's id, 128 random bits.
    pub jti: &'a str,
    /// The time from `iat` to `exp`, at most [`AccessPolicy::lifetime`].
    pub lifetime: Duration,
    /// The transaction that the user has just confirmed.
    pub transaction: Option<&'a Transaction>,
}

/// The claims of a token for `subject`, valid from `now` on.
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
    claim("exp", json!(now.after(context.lifetime).unix()));
    claim("auth_time", json!(subject.authenticated.unix()));
    claim("acr", json!(subject.level.name()));
    claim("amr", json!(subject.methods));
    claim(&policy.names.token_type, json!(TOKEN_TYPE));
    claim(&policy.names.jti, json!(context.jti));
    if !context.tenant.is_default() {
        claim("tenant_id", json!(context.tenant.as_str()));
    }
    if let Some(transaction) = context.transaction {
        claim("txn", json!(transaction.digest()));
    }
    claims
}
