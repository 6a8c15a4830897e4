//! Issues the tokens of a session with the active keys.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::aws::{KeyringReader, Secrets, Warm};
use crate::config::{Check, Reader};
use crate::factors::PendingSeal;
use crate::http::Request;
use crate::http::cookie::Cookie;
use crate::http::frontends::TokenDelivery;
use crate::keys::{RefreshKeys, SigningKeys};
use crate::sessions::{
    AccessPolicy, Audience, Grant, Issuing, RefreshToken, RotatedBy, Session, Signer, Subject, Transaction,
};
use crate::words::{Entropy, Error, MacKey, Result, RetryKey, Timestamp, random_id};

/// The settings for issuing tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The policy of access tokens: algorithm, audience, lifetime, claim names.
    pub access: AccessPolicy,
    /// How much of its life an access token may lose at random, in percent. Applications that were started together then do not
    /// refresh together.
    pub jitter: u32,
    /// The `iss` claim. By default `https://` and the domain that API Gateway names in the event.
    pub issuer: Option<String>,
    /// The ARN of the secret with the keys of refresh tokens.
    pub refresh_secret: String,
    /// The ARN of the secret with the keys of access tokens.
    pub signing_secret: String,
}

impl TokenSettings {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> TokenSettings {
        TokenSettings {
            access: AccessPolicy::read(read),
            jitter: read.count("JWT_ACCESS_JITTER", 5, 0..=50),
            issuer: TokenSettings::read_issuer(read),
            refresh_secret: RefreshKeys::read_secret(read),
            signing_secret: SigningKeys::read_secret(read),
        }
    }

    /// Reads the issuer only.
    pub fn read_issuer(read: &mut Reader<'_>) -> Option<String> {
        read.optional("JWT_ISSUER", IS_ISSUER)
    }
}

const IS_ISSUER: Check = (
    names_an_issuer,
    "an https URL such as https://auth.example.com (http for loopback), without query, fragment or final slash",
);

/// RFC 8414 §2 requires https and forbids a query and a fragment (S48). Like browsers, this also accepts http on loopback, which
/// `local` uses.
fn names_an_issuer(text: &str) -> bool {
    let is_loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('/'))
    });
    let has_host = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    (is_loopback || has_host)
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
        && !text.ends_with('/')
}

/// Issues the tokens of sessions.
pub struct Issuer {
    policy: AccessPolicy,
    jitter: u32,
    name: Option<String>,
    refresh: KeyringReader<RefreshKeys>,
    signing: KeyringReader<SigningKeys>,
    /// The signer of the last token. Kept to avoid parsing its key again.
    signer: Mutex<Option<Arc<Signer>>>,
}

/// The keys for one request, at its time and for its tenant.
pub struct RequestKeys<'a> {
    issuer: &'a Issuer,
    request: &'a Request,
    refresh: Arc<RefreshKeys>,
    signing: Arc<SigningKeys>,
    now: Timestamp,
}

/// A usable key for access tokens. Only [`RequestKeys::issue`] signs with it, and only for a session.
pub struct AccessKey(Arc<Signer>);

/// Both tokens of a session.
#[derive(Serialize)]
pub struct Tokens {
    /// The access token, a JWT.
    pub access: String,
    /// The refresh token, if it travels in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// The lifetime of the access token, in seconds.
    #[serde(skip)]
    pub expires_in: u64,
    /// The lifetime of the refresh token's cookie. `None` if the browser forgets it when it is closed.
    #[serde(skip)]
    life: Option<Duration>,
}

impl Tokens {
    /// Moves the refresh token from the body to a cookie, if tokens travel in cookies. Returns its `Set-Cookie` value.
    pub fn into_cookie(&mut self, delivery: TokenDelivery) -> Option<String> {
        match delivery {
            TokenDelivery::Body => None,
            TokenDelivery::Cookie => self.refresh.take().map(|token| match self.life {
                Some(life) => Cookie::Refresh.keep(&token, life),
                None => Cookie::Refresh.keep_until_closed(&token),
            }),
        }
    }
}

impl Issuer {
    /// Creates the issuer from the settings.
    pub fn new(settings: TokenSettings, secrets: &Secrets) -> Issuer {
        Issuer {
            policy: settings.access,
            jitter: settings.jitter,
            name: settings.issuer,
            refresh: secrets.keyring(settings.refresh_secret),
            signing: secrets.keyring(settings.signing_secret),
            signer: Mutex::default(),
        }
    }

    /// The keyrings to read when a function starts.
    pub fn keyrings(&self) -> [&dyn Warm; 2] {
        [&self.refresh, &self.signing]
    }

    /// The keys for `request` at `now`.
    ///
    /// # Errors
    /// As [`KeyringReader::keys`].
    pub async fn keys<'a>(&'a self, request: &'a Request, now: Timestamp) -> Result<RequestKeys<'a>> {
        let (refresh, signing) = tokio::try_join!(self.refresh.keys(now), self.signing.keys(now))?;
        Ok(RequestKeys { issuer: self, request, refresh, signing, now })
    }

    /// The life of one access token: the setting, shortened at random.
    fn lifetime(&self) -> Result<Duration> {
        let longest = self.policy.lifetime.as_secs();
        let most = longest * u64::from(self.jitter) / 100;
        Ok(Duration::from_secs(longest - Entropy.below(most + 1)?))
    }
}

impl RequestKeys<'_> {
    /// Checks a refresh token. Returns its content and the key that made it, or `None` if the token is forged or has expired.
    pub fn authenticate<'t>(&self, token: &'t RefreshToken) -> Option<(&'t Grant, MacKey)> {
        token.check(&self.refresh, self.audience(), self.now)
    }

    /// Whether `session` may get tokens. The key of its current refresh token may have been withdrawn. And a backup of the users'
    /// table may have brought back a session that had ended.
    pub fn admit(&self, session: &Session) -> bool {
        let has_key = self.refresh.refresh.find(&session.key_id, self.now).is_some();
        has_key && !self.refresh.precedes_restore(session.created)
    }

    /// The audience of refresh tokens.
    pub fn audience(&self) -> Audience<'_> {
        Audience { tenant: self.request.tenant(), client: &self.issuer.policy.audience }
    }

    /// Seals the sign-ins and step-ups that wait for a second factor.
    pub fn pendings(&self) -> PendingSeal<'_> {
        PendingSeal::new(&self.refresh, self.request.tenant())
    }

    /// A request with this retry key that moves `session` to its next generation. A client that loses the answer refreshes its old
    /// token with the same key. Without a key, the invocation itself is the name.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if the key of the session's refresh token has retired; as [`Entropy::bytes`].
    pub fn moved_by(&self, session: &Session, retry: Option<&RetryKey>) -> Result<RotatedBy> {
        let key = self.refresh.refresh.find(&session.key_id, self.now).ok_or(Error::InvalidToken)?.key.mac();
        RotatedBy::of(&session.token(&key, self.audience()), &key, retry, self.audience())
    }

    /// The id of the key for new refresh tokens.
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active`].
    pub fn refresh_key_id(&self) -> Result<&str> {
        Ok(&self.refresh.refresh.active(self.now)?.id)
    }

    /// The key for new access tokens. Handlers call this before they write, so that a keyring without a usable key leaves the
    /// user's code unused.
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active_for`] and [`Signer::new`].
    pub fn access_key(&self) -> Result<AccessKey> {
        let active = self.signing.signing.active_for(self.issuer.policy.algorithm, self.now)?;
        let mut last = self.issuer.signer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = &*last
            && signer.key_id() == active.id
        {
            return Ok(AccessKey(signer.clone()));
        }
        let signer = Arc::new(Signer::new(active)?);
        *last = Some(signer.clone());
        Ok(AccessKey(signer))
    }

    /// Issues the tokens of `session`.
    ///
    /// # Errors
    /// [`Error::Internal`] if [`RequestKeys::admit`] would refuse the session for its key, or if signing fails.
    pub fn issue(&self, session: &Session, key: &AccessKey) -> Result<Tokens> {
        self.issue_for(session, key, None)
    }

    /// The same after a step-up. The access token names the transaction that the user has confirmed. Later ones do not.
    ///
    /// # Errors
    /// As [`RequestKeys::issue`].
    pub fn issue_for(
        &self,
        session: &Session,
        AccessKey(signer): &AccessKey,
        transaction: Option<&Transaction>,
    ) -> Result<Tokens> {
        let Issuer { policy, name, .. } = self.issuer;
        let key = self.refresh.refresh.find(&session.key_id, self.now);
        let key = key.ok_or_else(|| Error::internal("the key of an active session's refresh token has retired"))?;
        let issuer = &self.request.issuer(name.as_deref());
        let jti = &random_id(&Entropy)?;
        let lifetime = self.issuer.lifetime()?;
        let issuing = Issuing { issuer, tenant: self.request.tenant(), jti, lifetime, transaction };
        let end = session.idle_end.min(session.absolute_end).moment();
        Ok(Tokens {
            access: signer.sign(&Subject::of(session), issuing, policy, self.now)?,
            refresh: Some(session.token(&key.key.mac(), self.audience()).reveal()),
            expires_in: lifetime.as_secs(),
            life: session.is_remembered().then_some(self.now.until(end)),
        })
    }
}
