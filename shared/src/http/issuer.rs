//! Issuing tokens: both tokens of a session, with the keys that are active now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::aws::{Aws, KeyringReader};
use crate::config::{Check, Reader};
use crate::http::Request;
use crate::http::cookie::Cookie;
use crate::http::frontends::TokenDelivery;
use crate::keys::TokenKeys;
use crate::sessions::{AccessPolicy, Audience, Grant, Issuing, RefreshToken, Session, Signer, Subject};
use crate::words::{Entropy, Error, MacKey, Result, Timestamp, random_id};

/// What issuing and checking tokens take from the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// Access tokens: algorithm, audience, life, claim names.
    pub access: AccessPolicy,
    /// `iss`; by default `https://` and the domain that API Gateway names in the event.
    pub issuer: Option<String>,
    /// The secret with the keys.
    pub secret: String,
}

impl TokenSettings {
    /// Reads their variables.
    pub fn read(read: &mut Reader<'_>) -> TokenSettings {
        TokenSettings {
            access: AccessPolicy::read(read),
            issuer: TokenSettings::read_issuer(read),
            secret: TokenKeys::read_secret(read),
        }
    }

    /// Reads the issuer, and nothing else.
    pub fn read_issuer(read: &mut Reader<'_>) -> Option<String> {
        read.optional("JWT_ISSUER", IS_ISSUER)
    }
}

const IS_ISSUER: Check = (names_an_issuer, "an https URL (http for loopback) without query, fragment or final slash");

/// RFC 8414 §2: https, no query, no fragment (S48); a browser treats http on loopback as safe, and so does `local`.
fn names_an_issuer(text: &str) -> bool {
    let is_loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('/'))
    });
    let has_host = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    (is_loopback || has_host)
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
        && !text.ends_with('/')
}

/// Makes the tokens of sessions.
pub struct Issuer {
    policy: AccessPolicy,
    name: Option<String>,
    keys: KeyringReader<TokenKeys>,
    /// The key that signed last, parsed.
    signer: Mutex<Option<Arc<Signer>>>,
}

/// The keys at one request's moment, for its tenant.
pub struct RequestKeys<'a> {
    issuer: &'a Issuer,
    request: &'a Request,
    keys: Arc<TokenKeys>,
    now: Timestamp,
}

/// Both tokens of a session, and how long the access token lives, in seconds.
#[derive(Serialize)]
pub struct Tokens {
    /// The JWT.
    pub access: String,
    /// The opaque token, where the body tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// From now.
    #[serde(skip)]
    pub expires_in: u64,
    /// How long the refresh token lives unless it is used.
    #[serde(skip)]
    life: Duration,
}

impl Tokens {
    /// Takes the refresh token out of the body where it travels as a cookie, and sets that.
    pub fn into_cookie(&mut self, delivery: TokenDelivery) -> Option<String> {
        match delivery {
            TokenDelivery::Body => None,
            TokenDelivery::Cookie => self.refresh.take().map(|token| Cookie::Refresh.keep(&token, self.life)),
        }
    }
}

impl Issuer {
    /// The issuer that the settings describe.
    pub fn new(settings: TokenSettings, aws: &Aws) -> Issuer {
        let TokenSettings { access, issuer, secret } = settings;
        Issuer { policy: access, name: issuer, keys: KeyringReader::new(aws, secret), signer: Mutex::default() }
    }

    /// Reads the keys when a function starts.
    pub async fn warm(&self, now: Timestamp) {
        self.keys.warm(now).await;
    }

    /// The keys for `request` at `now`.
    ///
    /// # Errors
    /// As [`KeyringReader::keys`].
    pub async fn keys<'a>(&'a self, request: &'a Request, now: Timestamp) -> Result<RequestKeys<'a>> {
        Ok(RequestKeys { issuer: self, request, keys: self.keys.keys(now).await?, now })
    }
}

impl RequestKeys<'_> {
    /// What a refresh token says and the key that it was made with, if we made it.
    pub fn authenticate<'t>(&self, token: &'t RefreshToken) -> Option<(&'t Grant, MacKey)> {
        token.check(&self.keys, self.audience(), self.now)
    }

    /// Whom refresh tokens are for.
    pub fn audience(&self) -> Audience<'_> {
        Audience { tenant: self.request.tenant(), client: &self.issuer.policy.audience }
    }

    /// The name of the key for new refresh tokens.
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active`].
    pub fn refresh_key_id(&self) -> Result<&str> {
        Ok(&self.keys.refresh.active(self.now)?.id)
    }

    /// The signer of new access tokens. Asked for before anything is written, so that a keyring that cannot sign costs
    /// nobody a code.
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active_for`] and [`Signer::new`].
    pub fn signer(&self) -> Result<Arc<Signer>> {
        let active = self.keys.signing.active_for(self.issuer.policy.algorithm, self.now)?;
        let mut last = self.issuer.signer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = &*last
            && signer.key_id() == active.id
        {
            return Ok(signer.clone());
        }
        let signer = Arc::new(Signer::new(active)?);
        *last = Some(signer.clone());
        Ok(signer)
    }

    /// The tokens of `session` as it stands.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key of the session's own refresh token has left the ring, or does not sign.
    pub fn issue(&self, session: &Session, signer: &Signer) -> Result<Tokens> {
        let Issuer { policy, name, .. } = self.issuer;
        let key = self.keys.refresh.find(&session.key_id, self.now);
        let key = key.ok_or_else(|| Error::internal("the key of a live session's refresh token has retired"))?;
        let issuer = &self.request.issuer(name.as_deref());
        let jti = &random_id(&Entropy)?;
        let issuing = Issuing { issuer, tenant: self.request.tenant(), jti };
        Ok(Tokens {
            access: signer.sign(&Subject::of(session), issuing, policy, self.now)?,
            refresh: Some(session.token(&key.key.mac(), self.audience()).reveal()),
            expires_in: policy.lifetime.as_secs(),
            life: self.now.until(session.idle_end.min(session.absolute_end).moment()),
        })
    }
}
