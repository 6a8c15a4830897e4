//! `POST /api/auth/logout/`: end the session of a refresh token, or with `all` every session of its user.
//!
//! One write, in the user's item. The answer is the same whether the token was real, old, forged or already signed out:
//! the caller wanted the session to be over, and it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::aws::Aws;
use shared::config::Config;
use shared::http::{Cookie, Frontends, Function, Issuer, Reply, Request, TokenDelivery, given, token_of};
use shared::sessions::{Grant, RefreshToken};
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result, Timestamp};

/// What this function may touch: the users' table and the keyring of tokens.
pub struct Logout {
    clock: Clock,
    frontends: Frontends,
    issuer: Issuer,
    /// How long a session lives at most.
    longest: Duration,
    users: UserTable,
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

    async fn compose(config: Config, clock: Clock) -> Result<Logout> {
        let aws = Aws::new(&config.aws)?;
        let (issuer, store) = (Issuer::new(&config, &aws), Store::new(&aws));
        tokio::join!(issuer.warm(clock.now()), store.connect(1));
        let (longest, frontends) = (config.session.absolute, config.frontends);
        Ok(Logout { clock, frontends, issuer, longest, users: store.user_table(config.user_table) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Ask { refresh, all, token_delivery } = request.json()?;
        let (delivery, token) = token_of(&request, &self.frontends, token_delivery, refresh)?;
        let keys = self.issuer.keys(now).await?;
        let token = token.and_then(|token| token.parse::<RefreshToken>().ok());
        if let Some((grant, _)) = token.as_ref().and_then(|token| keys.authenticate(token)) {
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
