//! `POST /api/auth/logout/`: ends the session of a refresh token, or with `all` every session of its user.
//!
//! One write to the user's item ends them. With `all`, a second one for each of the user's identifiers makes their device tokens
//! invalid. The answer is the same for a real, old, forged or revoked token, because in each case the session is over, as the
//! client wanted.

use std::time::Duration;

use serde::Deserialize;
use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::config::Reader;
use shared::http::{Cookie, Delivered, Frontends, Reply, Request, TokenDelivery};
use shared::keys::{IndexKeys, RefreshKeys};
use shared::observe::report::{self, About};
use shared::people::{EndReason, User};
use shared::runtime::Function;
use shared::sessions::{AccessPolicy, Audience, Grant, RefreshToken, SessionPolicy};
use shared::store::{OtpTable, Store, UserTable};
use shared::texts::answers;
use shared::words::{Clock, Index, Result, Timestamp};

/// The function's resources: both tables, the keys of refresh tokens and the index key.
pub struct Logout {
    clock: Clock,
    frontends: Frontends,
    audience: String,
    /// How long a session lasts at most.
    longest: Duration,
    keys: KeyringReader<RefreshKeys>,
    index: KeyringReader<IndexKeys>,
    users: UserTable,
    devices: OtpTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    frontends: Frontends,
    audience: String,
    longest: Duration,
    refresh_secret: String,
    index_secret: String,
    user_table: String,
    otp_table: String,
}

#[derive(Deserialize)]
struct Body {
    refresh: Option<String>,
    all: Option<bool>,
    token_delivery: Option<TokenDelivery>,
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
            index_secret: IndexKeys::read_secret(read),
            user_table: UserTable::read_name(read),
            otp_table: OtpTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Logout> {
        let Settings { frontends, audience, longest, refresh_secret, index_secret, user_table, otp_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let secrets = Secrets::new(&aws);
        let (keys, index) = (secrets.keyring(refresh_secret), secrets.keyring(index_secret));
        let store = Store::new(&aws);
        tokio::join!(secrets.warm([&keys, &index], clock.now()), store.connect(1));
        let (users, devices) = (store.user_table(user_table), store.otp_table(otp_table));
        Ok(Logout { clock, frontends, audience, longest, keys, index, users, devices })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Body { refresh, all, token_delivery } = request.json()?;
        let Delivered { delivery, text, .. } = request.refresh_token(&self.frontends, token_delivery, refresh)?;
        let keys = self.keys.keys(now).await?;
        let token = text.and_then(|text| text.parse::<RefreshToken>().ok());
        let audience = Audience { tenant: request.tenant(), client: &self.audience };
        if let Some((grant, _)) = token.as_ref().and_then(|token| token.check(&keys, audience, now)) {
            report::about(About::User(&grant.user));
            report::about(About::Session(&grant.session));
            match all.unwrap_or(false) {
                true => self.end_all(&request, grant, keys.oldest_session(now.before(self.longest)), now).await?,
                false => self.end(&request, grant).await?,
            }
        }
        let cleared = (delivery == TokenDelivery::Cookie).then(|| Cookie::Refresh.clear());
        Reply::done(answers::signed_out(request.language))?.with_cookies(cleared)
    }
}

impl Logout {
    async fn end(&self, request: &Request, Grant { user, session, .. }: &Grant) -> Result<()> {
        let ended = self.users.of(request.tenant()).end_session(user, session, EndReason::Logout).await?;
        tracing::info!(event = "signed_out", %user, all = false, ended, "signed out");
        Ok(())
    }

    async fn end_all(&self, request: &Request, grant: &Grant, oldest: Timestamp, now: Timestamp) -> Result<()> {
        let Grant { user, session, .. } = grant;
        let index = self.index.keys(now).await?;
        let index = Index::new(index.index.mac(), request.tenant());
        let ended = self.users.of(request.tenant()).end_all_sessions(user, session, oldest).await?;
        tracing::info!(event = "signed_out", %user, all = true, ended = ended.is_some(), "signed out");
        if let Some(user) = ended {
            self.forget_devices(&user, &index, now).await;
        }
        Ok(())
    }

    /// A failure is only logged, because the sessions have ended. A device token opens nothing.
    async fn forget_devices(&self, user: &User, index: &Index<'_>, now: Timestamp) {
        let identifiers = user.identifiers().map(|identifier| index.identifier(&identifier));
        if let Err(error) = self.devices.forget_devices(identifiers, now).await {
            tracing::warn!(cause = error.cause(), user = %user.id, "the user's devices stay known");
        }
    }
}
