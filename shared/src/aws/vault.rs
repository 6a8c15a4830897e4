//! Changing keyrings: the versions of a secret, and the labels that mark the current one.
//!
//! A version is immutable. Only the label of the current version moves, as a compare-and-set: a new version is derived from the
//! current one, records its id, and becomes current only if that one still is. So of several parallel writers, one succeeds and
//! each other learns that it was overtaken.

use std::marker::PhantomData;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;
use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws::failure::failure;
use crate::aws::{Aws, Retries};
use crate::words::{Entropy, Error, Result};

/// The secret at `arn`, as versions of the keyring `K`.
pub struct Vault<K> {
    client: Client,
    arn: String,
    keyring: PhantomData<fn() -> K>,
}

/// A version of a keyring.
pub struct Version<K> {
    /// The version's id.
    pub id: String,
    /// The id of the version it was derived from. `None` for the first version.
    pub from: Option<String>,
    /// The keys.
    pub keys: K,
}

/// The label of a version before it becomes current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// For a rotation. While a version has this label and is not current, Secrets Manager starts no other rotation.
    Pending,
    /// For every other change. Secrets Manager ignores this label, so a change that stops half-way leaves the rotation schedule
    /// running.
    Ours,
}

/// The result of promoting a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// The version is current.
    Current,
    /// Another version became current first, so this one never will.
    Overtaken,
}

const CURRENT: &str = "AWSCURRENT";
/// The error codes of Secrets Manager when a label is not on the version to take it from.
const ELSEWHERE: [&str; 2] = ["InvalidParameterException", "InvalidRequestException"];

/// The stored text of a version. Readers of keyrings ignore `from`.
#[derive(Serialize, Deserialize)]
struct Text<K> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(flatten)]
    keys: K,
}

impl Waiting {
    fn label(self) -> &'static str {
        match self {
            Waiting::Pending => "AWSPENDING",
            Waiting::Ours => "LATCHKEYPENDING",
        }
    }
}

impl<K> Version<K> {
    /// Creates a version with a random id.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn new(from: Option<String>, keys: K, entropy: &Entropy) -> Result<Version<K>> {
        Ok(Version { id: HEXLOWER.encode(&entropy.bytes::<16>()?), from, keys })
    }

    /// Whether this version may still be used: it is `current` itself or derived from it.
    pub fn follows(&self, current: Option<&str>) -> bool {
        current == Some(self.id.as_str()) || current == self.from.as_deref()
    }
}

impl<K: Serialize + DeserializeOwned + Clone> Vault<K> {
    /// A vault for the secret at `arn`.
    pub fn new(aws: &Aws, arn: String) -> Vault<K> {
        let client = Client::new(&aws.client(|endpoints| &endpoints.secrets, Retries::Sdk));
        Vault { client, arn, keyring: PhantomData }
    }

    /// The secret's ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The current version, as functions read it. `None` if the secret is empty.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Secrets Manager is unreachable; [`Error::Internal`] when the version is malformed.
    pub async fn current(&self) -> Result<Option<Version<K>>> {
        read(self.get().version_stage(CURRENT)).await
    }

    /// The version that was current before.
    ///
    /// # Errors
    /// As [`Vault::current`].
    pub async fn previous(&self) -> Result<Option<Version<K>>> {
        read(self.get().version_stage("AWSPREVIOUS")).await
    }

    /// The version with this id.
    ///
    /// # Errors
    /// As [`Vault::current`].
    pub async fn version(&self, id: &str) -> Result<Option<Version<K>>> {
        read(self.get().version_id(id)).await
    }

    /// Adds a version. If one with the same id exists, it stays as it is: a parallel invocation was faster.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Secrets Manager is unreachable.
    pub async fn put(&self, version: &Version<K>, waiting: Waiting) -> Result<()> {
        let text = Text { from: version.from.clone(), keys: version.keys.clone() };
        let text = serde_json::to_string(&text).map_err(|_| Error::internal("the keyring could not be serialized"))?;
        let put = self.client.put_secret_value().secret_id(&self.arn).client_request_token(&version.id);
        match put.secret_string(text).version_stages(waiting.label()).send().await {
            Err(error) if error.code() != Some("ResourceExistsException") => Err(failure(error)),
            _ => Ok(()),
        }
    }

    /// Makes a version current if the version it was derived from still is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Secrets Manager is unreachable, or when it is unclear whether the label was moved.
    pub async fn promote(&self, version: &Version<K>) -> Result<Promotion> {
        let label = self.client.update_secret_version_stage().secret_id(&self.arn).version_stage(CURRENT);
        let label = label.move_to_version_id(&version.id).set_remove_from_version_id(version.from.clone());
        let error = match label.send().await {
            Ok(_) => return Ok(Promotion::Current),
            Err(error) if error.code().is_some_and(|code| ELSEWHERE.contains(&code)) => error,
            Err(error) => return Err(failure(error)),
        };
        let current = self.current().await?.map(|current| current.id);
        match current {
            Some(id) if id == version.id => Ok(Promotion::Current),
            // The read is behind: the label was refused, so it has already moved.
            current if current == version.from => Err(Error::unavailable(error)),
            _ => Ok(Promotion::Overtaken),
        }
    }

    /// Removes the rotation's label from a version, if it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Secrets Manager is unreachable.
    pub async fn abandon(&self, id: &str) -> Result<()> {
        let label = self.client.update_secret_version_stage().secret_id(&self.arn);
        match label.version_stage(Waiting::Pending.label()).remove_from_version_id(id).send().await {
            Err(error) if !error.code().is_some_and(|code| ELSEWHERE.contains(&code)) => Err(failure(error)),
            _ => Ok(()),
        }
    }

    fn get(&self) -> GetSecretValueFluentBuilder {
        self.client.get_secret_value().secret_id(&self.arn)
    }
}

async fn read<K: DeserializeOwned>(request: GetSecretValueFluentBuilder) -> Result<Option<Version<K>>> {
    let answer = match request.send().await {
        Ok(answer) => answer,
        // The version is missing, or Secrets Manager has created it for a rotation and it is still empty.
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    let id = answer
        .version_id()
        .ok_or_else(|| Error::internal("Secrets Manager returned a version without an id"))?
        .to_owned();
    let text =
        answer.secret_string().ok_or_else(|| Error::internal("the secret has no text. Restore its last keyring"))?;
    // The parser's own message could contain a key.
    let text: Text<K> = serde_json::from_str(text).map_err(|error| {
        Error::internal(format!(
            "version {id} of the secret is not a keyring (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    Ok(Some(Version { id, from: text.from, keys: text.keys }))
}
