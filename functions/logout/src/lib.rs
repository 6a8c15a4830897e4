//! `POST /api/auth/logout/`: end the session of a refresh token, or with `all` every session of its user.
//!
//! One write, in the user's item. The answer is the same whether the token was real, old, forged or already signed out:
//! the caller wanted the session to be over, and it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::aws::{self, Aws, Keyring};
use shared::config::Reader;
use shared::http::{Cookie, Frontends, Reply, Request, TokenDelivery, given, token_of};
use shared::keys::TokenKeys;
use shared::runtime::Function;
use shared::sessions::{AccessPolicy, Grant, RefreshToken, Scope, SessionPolicy};
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result, Tenant, Timestamp};

/// What this function may touch: the users' table and the keyring of tokens.
pub struct Logout {
    clock: Clock,
    tenant: Tenant,
    frontends: Frontends,
    audience: String,
    /// How long a session lives at most.
    longest: Duration,
    keys: Keyring<TokenKeys>,
    users: UserTable,
}

/// What this function reads.
#[derive(Debug)]
pub struct Settings {
    frontends: Frontends,
    audience: String,
    longest: Duration,
    tokens_secret: String,
    user_table: String,
}

#[derive(Deserialize)]
struct Ask {
    #[serde(default, deserialize_with = "given")]
    refresh: Option<String>,
    all: Option<bool>,
    token_delivery: Option<TokenDelivery>,
}

#[derive(Serialize)]
struct LoggedOut {
    success: bool,
    message: &'static str,
}

impl Function for Logout {
    const NAME: &'static str = "logout";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            frontends: Frontends::read(read),
            audience: AccessPolicy::read_audience(read),
            longest: SessionPolicy::read_absolute(read),
            tokens_secret: TokenKeys::read_secret(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Logout> {
        let Settings { frontends, audience, longest, tokens_secret, user_table } = settings;
        let aws = Aws::new(aws)?;
        let (keys, store) = (Keyring::new(&aws, tokens_secret), Store::new(&aws));
        tokio::join!(keys.warm(clock.now()), store.connect(1));
        let (tenant, users) = (Tenant::default(), store.user_table(user_table));
        Ok(Logout { clock, tenant, frontends, audience, longest, keys, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Ask { refresh, all, token_delivery } = request.json()?;
        let (delivery, token) = token_of(&request, &self.frontends, token_delivery, refresh)?;
        let keys = self.keys.keys(now).await?;
        let token = token.and_then(|token| token.parse::<RefreshToken>().ok());
        let scope = Scope { tenant: &self.tenant, client: &self.audience };
        if let Some((grant, _)) = token.as_ref().and_then(|token| token.check(&keys, scope, now)) {
            self.end(grant, all.unwrap_or(false), now).await?;
        }
        let cleared = (delivery == TokenDelivery::Cookie).then(|| Cookie::Refresh.clear());
        Reply::ok(LoggedOut { success: true, message: "Logged out." })?.with_cookies(cleared)
    }
}

impl Logout {
    async fn end(&self, grant: &Grant, all: bool, now: Timestamp) -> Result<()> {
        let Grant { user, session, .. } = grant;
        let ended = match all {
            true => self.users.end_all_sessions(user, session, now.before(self.longest)).await?,
            false => self.users.end_session(user, session).await?,
        };
        tracing::info!(event = "signed_out", %user, all, ended, "signed out");
        Ok(())
    }
}
