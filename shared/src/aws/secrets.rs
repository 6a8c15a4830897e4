//! Reads keyrings from Secrets Manager, through a cache.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;

use crate::aws::failure::failure;
use crate::aws::key_cache::{Cache, FRESH};
use crate::aws::{Aws, Retries};
use crate::keys::LONGEST_CACHED;
use crate::words::{Error, Result, Timestamp};

/// The client of all secrets.
#[derive(Clone)]
pub struct Secrets(Client);

/// Reads one secret as a keyring of type `K`.
pub struct KeyringReader<K> {
    client: Client,
    arn: String,
    cached: Cache<K>,
}

/// A keyring that a function reads when it starts.
pub trait Warm: Sync {
    /// The ARN of its secret.
    fn arn(&self) -> &str;

    /// Puts the keys of a secret with this text into the empty cache.
    ///
    /// # Errors
    /// [`Error::Internal`] when the text is malformed.
    fn fill(&self, text: Option<&str>, now: Timestamp) -> Result<()>;
}

impl Secrets {
    /// Creates the client.
    pub fn new(aws: &Aws) -> Secrets {
        Secrets(Client::new(&aws.client(|endpoints| &endpoints.secrets, Retries::Sdk)))
    }

    /// A reader of the secret at `arn`.
    pub fn keyring<K>(&self, arn: String) -> KeyringReader<K> {
        KeyringReader { client: self.0.clone(), arn, cached: Cache::new(LONGEST_CACHED) }
    }

    /// Fills the caches of `keyrings` when a function starts, with one call over one connection. A failure is only logged, because
    /// the first request reads the keyring again.
    pub async fn warm<const N: usize>(&self, keyrings: [&dyn Warm; N], now: Timestamp) {
        let arns = keyrings.map(|keyring| keyring.arn().to_owned());
        let answer = self.0.batch_get_secret_value().set_secret_id_list(Some(arns.into())).send().await;
        let answer = match answer.map_err(failure) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(
                    cause = error.cause(),
                    "could not read the keyrings at start; the first request reads them again"
                );
                return;
            }
        };
        for keyring in keyrings {
            let value = answer.secret_values().iter().find(|value| value.arn() == Some(keyring.arn()));
            let filled = match value {
                Some(value) => keyring.fill(value.secret_string(), now),
                None => Err(Error::internal(format!("Secrets Manager left it out: {:?}", answer.errors()))),
            };
            if let Err(error) = filled {
                tracing::warn!(
                    secret = keyring.arn(),
                    cause = error.cause(),
                    "could not read a keyring at start; the first request reads it again"
                );
            }
        }
    }
}

impl<K: DeserializeOwned> KeyringReader<K> {
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
        parsed(answer.map_err(failure)?.secret_string())
    }
}

impl<K: DeserializeOwned + Send + Sync> Warm for KeyringReader<K> {
    fn arn(&self) -> &str {
        &self.arn
    }

    fn fill(&self, text: Option<&str>, now: Timestamp) -> Result<()> {
        self.cached.fill(parsed(text)?, now);
        Ok(())
    }
}

fn parsed<K: DeserializeOwned>(text: Option<&str>) -> Result<K> {
    let text = text.ok_or_else(|| Error::internal("the secret has no text. Restore its last keyring"))?;
    // The parser's own message could contain a key.
    serde_json::from_str(text).map_err(|error| {
        Error::internal(format!(
            "the secret is not a keyring (line {}, column {}). Restore its last keyring",
            error.line(),
            error.column()
        ))
    })
}
