//! `POST /api/auth/token/refresh/`: exchanges a refresh token for its successor and a new access token.
//!
//! 1. Refuse forged tokens without a read.
//! 2. Move the session on by one generation. At the same time, read the user to check that the session is still active.
//! 3. The current token gets its successor. The previous token gets the same successor again, from the client that rotated it: its
//!    retry key shows this at any time, and without a key the grace period is left. Any other used token ends the session,
//!    because someone probably has a copy.
//! 4. The first refresh of a user's day notes the day of the last activity.

use serde::{Deserialize, Serialize};
use shared::aws::{self, Aws, Secrets};
use shared::config::Reader;
use shared::http::{Cookie, Delivered, Frontends, Issuer, Reply, Request, TokenDelivery, TokenSettings, Tokens};
use shared::observe::report::{self, About};
use shared::people::EndReason;
use shared::runtime::Function;
use shared::sessions::{RefreshToken, RotatedBy, Rotation, Session, SessionPolicy};
use shared::store::{RotationRequest, Store, UserTable, Users};
use shared::words::{Clock, Error, Result, RetryKey};

/// The function's resources: the users' table and the keys of both tokens.
pub struct Refresh {
    clock: Clock,
    policy: SessionPolicy,
    frontends: Frontends,
    issuer: Issuer,
    users: UserTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    policy: SessionPolicy,
    frontends: Frontends,
    tokens: TokenSettings,
    user_table: String,
}

#[derive(Deserialize)]
struct Body {
    refresh: Option<String>,
    retry: Option<String>,
    token_delivery: Option<TokenDelivery>,
}

/// The request's two secrets.
struct Presented {
    token: Option<String>,
    retry: Option<RetryKey>,
}

#[derive(Serialize)]
struct Refreshed {
    #[serde(flatten)]
    tokens: Tokens,
    expires_in: u64,
}

impl Function for Refresh {
    const NAME: &'static str = "refresh";
    const IS_AWAITED: bool = true;

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            policy: SessionPolicy::read(read),
            frontends: Frontends::read(read),
            tokens: TokenSettings::read(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Refresh> {
        let Settings { policy, frontends, tokens, user_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let secrets = Secrets::new(&aws);
        let issuer = Issuer::new(tokens, &secrets);
        let store = Store::new(&aws);
        tokio::join!(secrets.warm(issuer.keyrings(), clock.now()), store.connect(2));
        Ok(Refresh { clock, policy, frontends, issuer, users: store.user_table(user_table) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let Body { refresh, retry, token_delivery } = request.json()?;
        let retry = retry.as_deref().map(str::parse).transpose()?;
        let Delivered { delivery, text: token, .. } =
            request.refresh_token(&self.frontends, token_delivery, refresh)?;
        match self.trade(Presented { token, retry }, delivery, &request).await {
            // Clear the cookie. Otherwise the browser would keep sending a useless token.
            Err(error @ Error::InvalidToken) if delivery == TokenDelivery::Cookie => {
                Reply::refusal(&error, request.language).with_cookie(&Cookie::Refresh.clear())
            }
            outcome => outcome,
        }
    }
}

impl Refresh {
    async fn trade(&self, presented: Presented, delivery: TokenDelivery, request: &Request) -> Result<Reply> {
        let now = self.clock.now();
        let token: RefreshToken = presented.token.ok_or(Error::InvalidToken)?.parse()?;

        let keys = self.issuer.keys(request, now).await?;
        let (grant, key) = keys.authenticate(&token).ok_or(Error::InvalidToken)?;
        report::about(About::User(&grant.user));
        report::about(About::Session(&grant.session));
        let access_key = keys.access_key()?;

        let next_key = keys.refresh_key_id()?;
        let by = RotatedBy::of(&token, &key, presented.retry.as_ref(), keys.audience())?;
        let presented = RotationRequest { grant, next_key, by: &by, device: &request.device(), policy: &self.policy };
        let users = self.users.of(request.tenant());
        let (rotation, user) = tokio::try_join!(users.rotate(presented, now), users.user(&grant.user))?;

        let is_genuine = |session: &Session| session.owns(&token, &key, keys.audience());
        let session = match rotation {
            Rotation::Rotated(session) | Rotation::Repeated(session) if is_genuine(&session) => session,
            Rotation::Reused(session) if is_genuine(&session) => return end(users, &session).await,
            Rotation::Rotated(_) | Rotation::Repeated(_) | Rotation::Reused(_) | Rotation::Refused => {
                return Err(Error::InvalidToken);
            }
        };
        let user = user.filter(|user| user.has(session.id())).ok_or(Error::InvalidToken)?;
        if !keys.admit(&session) {
            return Err(Error::InvalidToken);
        }
        // A failure is only logged, because the session has moved on.
        if let Err(error) = users.note_activity(&user, session.id(), now).await {
            tracing::warn!(cause = error.cause(), user = %user.id, "the day of the last activity stays an older one");
        }
        let mut tokens = keys.issue(&session, &access_key)?;
        let cookie = tokens.into_cookie(delivery);
        Reply::ok(Refreshed { expires_in: tokens.expires_in, tokens })?.with_cookies(cookie)
    }
}

/// A used token was presented again. Its session ends for everyone, the attacker and the user alike (S32).
async fn end(users: Users<'_>, session: &Session) -> Result<Reply> {
    let (user, id) = (session.user(), session.id());
    let ended = users.end_session(user, id, EndReason::Reuse).await?;
    tracing::warn!(event = "refresh_reuse", %user, session = id.as_str(), ended, "a used refresh token was presented");
    Err(Error::InvalidToken)
}
