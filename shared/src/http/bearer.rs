//! Who asks: the access token of a request, checked with the keys that are at hand. Whether its session still lives is
//! the user item's word.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::{Aws, Cache, FRESH, KeyringReader};
use crate::http::{Request, TokenSettings};
use crate::keys::{LONGEST_CACHED, TokenKeys};
use crate::sessions::{AccessPolicy, CheckingKeys, Subject};
use crate::store::UserTable;
use crate::words::{Result, Timestamp};

/// What checking takes from the deployment.
pub struct Checker {
    policy: AccessPolicy,
    name: Option<String>,
    source: Source,
    keys: Cache<CheckingKeys>,
}

/// Where the keys are.
enum Source {
    /// In the public-keys item: nothing there can sign.
    Published(UserTable),
    /// In the keyring itself, for an HMAC key has no public half.
    Shared(KeyringReader<TokenKeys>),
}

/// For a key that is not at hand the others are read again, and for all such tokens together no oftener than this: whoever
/// makes names up must not read the table with each (V41).
const UNKNOWN: Duration = Duration::from_secs(60);

impl Checker {
    /// The checker that the settings describe.
    pub fn new(settings: TokenSettings, aws: &Aws, users: &UserTable) -> Checker {
        let TokenSettings { access, issuer, secret } = settings;
        let source = match access.algorithm.is_symmetric() {
            true => Source::Shared(KeyringReader::new(aws, secret)),
            false => Source::Published(users.clone()),
        };
        Checker { policy: access, name: issuer, source, keys: Cache::new(LONGEST_CACHED) }
    }

    /// Reads the keys when a function starts. Where they cannot be read, the first request tries again.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.keys(FRESH, now).await {
            tracing::warn!(cause = error.cause(), "the keys of access tokens could not be read at start");
        }
    }

    /// What the access token of `request` says.
    ///
    /// # Errors
    /// [`crate::words::Error::InvalidToken`] without one that is ours and valid now;
    /// [`crate::words::Error::Unavailable`] while there are no keys.
    pub async fn subject(&self, request: &Request, now: Timestamp) -> Result<Subject> {
        let token = request.bearer()?;
        let issuer = request.issuer(self.name.as_deref());
        let mut keys = self.keys(FRESH, now).await?;
        if keys.miss_key_of(token) {
            keys = self.keys(UNKNOWN, now).await?;
        }
        keys.check(token, &issuer, &self.policy, now)
    }

    async fn keys(&self, fresh: Duration, now: Timestamp) -> Result<Arc<CheckingKeys>> {
        self.keys.get(now, fresh, self.read(now)).await
    }

    async fn read(&self, now: Timestamp) -> Result<CheckingKeys> {
        match &self.source {
            Source::Published(table) => CheckingKeys::published(&table.public_keys(now).await?),
            Source::Shared(keyring) => CheckingKeys::of(&keyring.read().await?.signing, now),
        }
    }
}
