//! `GET /.well-known/jwks.json` and `GET /.well-known/openid-configuration`: data for verifying access tokens.
//!
//! The function only reads the public-keys item. This is also its only permission.

use std::time::Duration;

use serde_json::{Value, json};
use shared::aws::{self, Aws, Cache};
use shared::config::Reader;
use shared::http::{Reply, Request, TokenSettings};
use shared::keys::{SigningAlgorithm, TrustedRoot};
use shared::runtime::Function;
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result};

/// The function's resources.
pub struct Jwks {
    clock: Clock,
    issuer: Option<String>,
    algorithm: SigningAlgorithm,
    root: TrustedRoot,
    table: UserTable,
    keys: Cache<Value>,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    issuer: Option<String>,
    algorithm: SigningAlgorithm,
    root: TrustedRoot,
    user_table: String,
}

const KEYS: &str = "/.well-known/jwks.json";
/// How long the keys are cached. A new key is published long before it signs, so verifiers know it in time (V41).
///
/// A revoked key disappears after this time even if the table is unreachable, because an error is better than a leaked key.
const FRESH: Duration = Duration::from_secs(60);
const CACHE_CONTROL: &str = "public, max-age=300";

impl Function for Jwks {
    const NAME: &'static str = "jwks";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            issuer: TokenSettings::read_issuer(read),
            algorithm: SigningAlgorithm::read(read),
            root: TrustedRoot::read(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Jwks> {
        let Settings { issuer, algorithm, root, user_table } = settings;
        let store = Store::new(&Aws::new(aws, &clock)?);
        store.connect(1).await;
        let table = store.user_table(user_table);
        Ok(Jwks { clock, issuer, algorithm, root, table, keys: Cache::new(FRESH) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let reply = match request.path.as_str() {
            KEYS => {
                let keys = async { Ok(json!(self.table.public_keys(&self.root, now).await?)) };
                Reply::ok(self.keys.get(now, FRESH, keys).await?.as_ref())
            }
            _ => Reply::ok(self.discovery(&request.issuer(self.issuer.as_deref()))),
        };
        Ok(reply?.cached(CACHE_CONTROL))
    }
}

impl Jwks {
    /// The issuer's data for verifiers (S48). Latchkey's endpoints differ from those of OAuth, so their names differ too.
    fn discovery(&self, issuer: &str) -> Value {
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{KEYS}"),
            "id_token_signing_alg_values_supported": [self.algorithm.name()],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "otp_request_endpoint": format!("{issuer}/api/auth/otp/request/"),
            "otp_verify_endpoint": format!("{issuer}/api/auth/otp/verify/"),
            "token_refresh_endpoint": format!("{issuer}/api/auth/token/refresh/"),
            "logout_endpoint": format!("{issuer}/api/auth/logout/"),
            "sessions_endpoint": format!("{issuer}/api/auth/sessions/"),
            "profile_endpoint": format!("{issuer}/api/profile/"),
        })
    }
}
