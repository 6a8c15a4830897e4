//! Reads keyrings from Secrets Manager, through a cache.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;

use crate::aws::failure::failure;
use crate::aws::key_cache::{Cache, FRESH};
use crate::aws::{Aws, Retries};
use crate::keys::LONGEST_CACHED;
use crate::words::{Error, Result, Timestamp};

/// Reads one secret as a keyring of type `K`.
pub struct KeyringReader<K> {
    client: Client,
    arn: String,
    cached: Cache<K>,
}

impl<K: DeserializeOwned> KeyringReader<K> {
    /// A reader of the secret at `arn`.
    pub fn new(aws: &Aws, arn: String) -> KeyringReader<K> {
        let client = Client::new(&aws.client(|endpoints| &endpoints.secrets, Retries::Sdk));
        KeyringReader { client, arn, cached: Cache::new(LONGEST_CACHED) }
    }

    /// Fills the cache when a function starts. A failure is only logged, because the first request reads again.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.keys(now).await {
            tracing::warn!(
                cause = error.cause(),
                "could not read the keyring at start; the first request reads it again"
            );
        }
    }

    /// The keys, from a [`Cache`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Secrets Manager is unreachable; [`Error::Internal`] when the secret is malformed.
    pub async fn keys(&self, now: Timestamp) -> Result<Arc<K>> {
        self.cached.get(now, FRESH, self.read()).await
    }

    /// Reads the keys without the cache.
    ///
    /// # Errors
    /// As [`KeyringReader::keys`].
    pub async fn read(&self) -> Result<K> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).version_stage("AWSCURRENT").send().await;
        let answer = answer.map_err(failure)?;
        let text = answer
            .secret_string()
            .ok_or_else(|| Error::internal("the secret has no text. Restore its last keyring"))?;
        // The parser's own message could contain a key.
        serde_json::from_str(text).map_err(|error| {
            Error::internal(format!(
                "the secret is not a keyring (line {}, column {}). Restore its last keyring",
                error.line(),
                error.column()
            ))
        })
    }
}
