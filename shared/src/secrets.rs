//! The keyrings' source: Secrets Manager, read when a function starts and again every few minutes.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::aws::{self, Aws, Retries};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::keyring::LONGEST_CACHED;

/// A keyring older than this is read again.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// Reading it again is not tried oftener than this: a fault is not mended by every request waiting for it.
const TRIED: Duration = Duration::from_secs(30);

/// One secret, as the keyring `K`.
pub struct Keyring<K> {
    client: Client,
    arn: String,
    cached: Mutex<Option<Cached<K>>>,
}

struct Cached<K> {
    keys: Arc<K>,
    read: Timestamp,
    /// When reading them again was tried last.
    tried: Timestamp,
}

impl<K: DeserializeOwned> Keyring<K> {
    /// The secret at `arn`.
    pub fn new(aws: &Aws, arn: String) -> Keyring<K> {
        let client = Client::new(&aws.client(|endpoints| &endpoints.secrets, Retries::Sdk));
        Keyring { client, arn, cached: Mutex::new(None) }
    }

    /// Reads the keys when a function starts, so that its first request finds them. A start is not the place to give up:
    /// where they cannot be read, the first request tries again.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.keys(now).await {
            tracing::warn!(cause = error.cause(), "the keyring could not be read at start");
        }
    }

    /// The keys, at most [`LONGEST_CACHED`] old. Where they cannot be read again after five minutes, the ones at hand
    /// serve until then: a passing fault of Secrets Manager is not ours.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while they cannot be read; [`Error::Internal`] when the secret is not a keyring.
    pub async fn keys(&self, now: Timestamp) -> Result<Arc<K>> {
        // Held while reading: requests that come meanwhile wait for the one call.
        let mut cached = self.cached.lock().await;
        let age = |cached: &Cached<K>| cached.read.until(now);
        if let Some(cached) = &*cached
            && (age(cached) < FRESH || (age(cached) < LONGEST_CACHED && cached.tried.until(now) < TRIED))
        {
            return Ok(cached.keys.clone());
        }
        match (self.read().await, &mut *cached) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *cached = Some(Cached { keys: keys.clone(), read: now, tried: now });
                Ok(keys)
            }
            (Err(error), Some(cached)) if age(cached) < LONGEST_CACHED => {
                cached.tried = now;
                tracing::warn!(cause = error.cause(), "the keyring could not be read again; the one at hand serves on");
                Ok(cached.keys.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn read(&self) -> Result<K> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).version_stage("AWSCURRENT").send().await;
        let answer = answer.map_err(|error| {
            let code = error.code().map(str::to_owned);
            aws::failure(error, code.as_deref())
        })?;
        let text = answer.secret_string().ok_or_else(|| Error::internal("the secret has no text"))?;
        // The parser's own message could quote a key.
        serde_json::from_str(text).map_err(|error| {
            Error::internal(format!("the secret is not a keyring (line {}, column {})", error.line(), error.column()))
        })
    }
}
