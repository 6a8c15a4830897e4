//! `GET /.well-known/jwks.json` and `GET /.well-known/openid-configuration`: how others check our access tokens.
//!
//! Reads the public-keys item and nothing else; there is no permission for more.

use std::time::Duration;

use serde_json::{Value, json};
use shared::aws::{self, Aws, Cache};
use shared::config::Reader;
use shared::http::{Reply, Request, TokenSettings};
use shared::keys::SigningAlgorithm;
use shared::runtime::Function;
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result};

/// What this function may touch.
pub struct Jwks {
    clock: Clock,
    issuer: Option<String>,
    algorithm: SigningAlgorithm,
    table: UserTable,
    keys: Cache<Value>,
}

/// What this function reads.
#[derive(Debug)]
pub struct Settings {
    issuer: Option<String>,
    algorithm: SigningAlgorithm,
    user_table: String,
}

const KEYS: &str = "/.well-known/jwks.json";
/// A new key stands here much longer before it signs, so that nobody ever has to ask for an unknown one (V41). A key that was
/// withdrawn is gone after this time, even if the table cannot be read again: an error is better than a leaked key.
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
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Jwks> {
        let Settings { issuer, algorithm, user_table } = settings;
        let store = Store::new(&Aws::new(aws)?);
        store.connect(1).await;
        Ok(Jwks { clock, issuer, algorithm, table: store.user_table(user_table), keys: Cache::new(FRESH) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let reply = match request.path.as_str() {
            KEYS => {
                let keys = async { Ok(json!(self.table.public_keys(now).await?)) };
                Reply::ok(self.keys.get(now, FRESH, keys).await?.as_ref())
            }
            _ => Reply::ok(self.discovery(&request.issuer(self.issuer.as_deref()))),
        };
        Ok(reply?.cached(CACHE_CONTROL))
    }
}

impl Jwks {
    /// What a verifier needs (S48), and our own endpoints under names of their own: they are not OAuth's.
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
