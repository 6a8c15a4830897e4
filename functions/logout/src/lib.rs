//! `POST /api/auth/logout/`: ends the session of a refresh token, or with `all` every session of its user.
//!
//! The function makes one write, to the user's item. The answer is the same for a real, old, forged or revoked token,
//! because in each case the session is over, as the client wanted.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::aws::{self, Aws, KeyringReader};
use shared::config::Reader;
use shared::http::{Cookie, Delivered, Frontends, Reply, Request, TokenDelivery};
use shared::keys::RefreshKeys;
use shared::observe::report::{self, About};
use shared::runtime::Function;
use shared::sessions::{AccessPolicy, Audience, Grant, RefreshToken, SessionPolicy};
use shared::store::{Store, UserTable, Users};
use shared::words::{Clock, Result, Timestamp};

/// The function's resources: the users' table and the keys of refresh tokens.
pub struct Logout {
    clock: Clock,
    frontends: Frontends,
    audience: String,
    /// How long a session lasts at most.
    longest: Duration,
    keys: KeyringReader<RefreshKeys>,
    users: UserTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    frontends: Frontends,
    audience: String,
    longest: Duration,
    refresh_secret: String,
    user_table: String,
}

#[derive(Deserialize)]
struct Body {
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
            refresh_secret: RefreshKeys::read_secret(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Logout> {
        let Settings { frontends, audience, longest, refresh_secret, user_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let keys = KeyringReader::new(&aws, refresh_secret);
        let store = Store::new(&aws);
        tokio::join!(keys.warm(clock.now()), store.connect(1));
        let users = store.user_table(user_table);
        Ok(Logout { clock, frontends, audience, longest, keys, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Body { refresh, all, token_delivery } = request.json()?;
        let Delivered { delivery, text, .. } = request.refresh_token(&self.frontends, token_delivery, refresh)?;
        let keys = self.keys.keys(now).await?;
        let token = text.and_then(|text| text.parse::<RefreshToken>().ok());
        let audience = Audience { tenant: request.tenant(), client: &self.audience };
        if let Some((grant, _)) = token.as_ref().and_then(|token| token.check(&keys, audience, now)) {
            let oldest = keys.oldest_session(now.before(self.longest));
            self.end(self.users.of(request.tenant()), grant, all.unwrap_or(false), oldest).await?;
        }
        let cleared = (delivery == TokenDelivery::Cookie).then(|| Cookie::Refresh.clear());
        Reply::ok(LoggedOut { success: true, message: "Logged out." })?.with_cookies(cleared)
    }
}

impl Logout {
    async fn end(&self, users: Users<'_>, grant: &Grant, all: bool, oldest: Timestamp) -> Result<()> {
        let Grant { user, session, .. } = grant;
        report::about(About::User(user));
        report::about(About::Session(session));
        let ended = match all {
            true => users.end_all_sessions(user, session, oldest).await?,
            false => users.end_session(user, session).await?,
        };
        tracing::info!(event = "signed_out", %user, all, ended, "signed out");
        Ok(())
    }
}
