//! Checks the access token of a request with cached keys. The user's item then decides whether the session is still active.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::{Aws, Cache, FRESH, KeyringReader, Secrets};
use crate::config::Reader;
use crate::http::{Request, TokenSettings};
use crate::keys::{LONGEST_CACHED, SigningKeys, TrustedRoot};
use crate::observe::report::{self, About};
use crate::sessions::{AccessPolicy, CheckingKeys, Subject};
use crate::store::UserTable;
use crate::words::{Result, Timestamp};

/// The settings for checking access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckerSettings {
    access: AccessPolicy,
    issuer: Option<String>,
    root: TrustedRoot,
    /// The ARN of the secret with the keys. Only HMAC needs it.
    signing_secret: String,
}

impl CheckerSettings {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> CheckerSettings {
        CheckerSettings {
            access: AccessPolicy::read(read),
            issuer: TokenSettings::read_issuer(read),
            root: TrustedRoot::read(read),
            signing_secret: SigningKeys::read_secret(read),
        }
    }
}

/// Checks access tokens.
pub struct Checker {
    policy: AccessPolicy,
    name: Option<String>,
    source: Source,
    keys: Cache<CheckingKeys>,
}

/// The place of the keys.
enum Source {
    /// The public-keys item, for asymmetric keys. Nothing in it can sign, and the root key has signed it.
    Published(UserTable, TrustedRoot),
    /// The keyring itself, because an HMAC key has no public half.
    Shared(KeyringReader<SigningKeys>),
}

/// The minimum age of the keys before a token with an unknown key id makes the checker read them again. It applies to all such
/// tokens together, so that an attacker with invented key ids cannot cause a read with each request (V41).
const UNKNOWN: Duration = Duration::from_secs(60);

impl Checker {
    /// Creates the checker from the settings.
    pub fn new(settings: CheckerSettings, aws: &Aws, users: &UserTable) -> Checker {
        let CheckerSettings { access, issuer, root, signing_secret } = settings;
        let source = match access.algorithm.is_symmetric() {
            true => Source::Shared(Secrets::new(aws).keyring(signing_secret)),
            false => Source::Published(users.clone(), root),
        };
        Checker { policy: access, name: issuer, source, keys: Cache::new(LONGEST_CACHED) }
    }

    /// Reads the keys when a function starts. A failure is only logged, because the first request reads them again.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.keys(FRESH, now).await {
            tracing::warn!(
                cause = error.cause(),
                "could not read the keys of access tokens at start; the first request reads them again"
            );
        }
    }

    /// The subject of the access token of `request`.
    ///
    /// # Errors
    /// [`crate::words::Error::InvalidToken`] if the token is missing, invalid or expired; [`crate::words::Error::Unavailable`]
    /// while the keys are unavailable.
    pub async fn subject(&self, request: &Request, now: Timestamp) -> Result<Subject> {
        let token = request.bearer()?;
        let issuer = request.issuer(self.name.as_deref());
        let mut keys = self.keys(FRESH, now).await?;
        if keys.miss_key_of(token) {
            keys = self.keys(UNKNOWN, now).await?;
        }
        let subject = keys.check(token, &issuer, &self.policy, now)?;
        report::about(About::User(&subject.user));
        report::about(About::Session(&subject.session));
        Ok(subject)
    }

    async fn keys(&self, fresh: Duration, now: Timestamp) -> Result<Arc<CheckingKeys>> {
        self.keys.get(now, fresh, self.read(now)).await
    }

    async fn read(&self, now: Timestamp) -> Result<CheckingKeys> {
        match &self.source {
            Source::Published(table, root) => CheckingKeys::published(&table.public_keys(root, now).await?),
            Source::Shared(keyring) => CheckingKeys::of(&keyring.read().await?.signing, now),
        }
    }
}
