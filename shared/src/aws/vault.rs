//! Where keyrings are changed: the versions of a secret, and the labels that say which one counts.
//!
//! A version never changes. What changes is which one is current, and that as a compare-and-set: a version is derived from
//! the current one, remembers which that was, and becomes current only while that one still is. So of any number of
//! writers at once each finds its own change in the keyring, or is told that it has lost.

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

/// The secret `arn`, as versions of the keyring `K`.
pub struct Vault<K> {
    client: Client,
    arn: String,
    keyring: PhantomData<fn() -> K>,
}

/// One version.
pub struct Version<K> {
    /// Its id.
    pub id: String,
    /// The version that it was derived from; none in the first.
    pub from: Option<String>,
    /// The keys.
    pub keys: K,
}

/// The labels of versions that are not current yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A rotation's. While it is on a version that is not current, Secrets Manager starts no other rotation.
    Pending,
    /// Every other change's, of our own: one that stops half-way must not keep the schedule from going on.
    Ours,
}

/// What became of a version that was to become current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// It is.
    Current,
    /// Another one became current since it was derived, and it never will.
    Overtaken,
}

const CURRENT: &str = "AWSCURRENT";
/// How Secrets Manager says that a label is not where it is to be taken from.
const ELSEWHERE: [&str; 2] = ["InvalidParameterException", "InvalidRequestException"];

/// The text of a version. Readers of keyrings do not look at `from`.
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
    /// A version with an id of its own.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn new(from: Option<String>, keys: K, entropy: &Entropy) -> Result<Version<K>> {
        Ok(Version { id: HEXLOWER.encode(&entropy.bytes::<16>()?), from, keys })
    }

    /// Whether it may still be used while `current` is current: as that very one, or as the one after it.
    pub fn follows(&self, current: Option<&str>) -> bool {
        current == Some(self.id.as_str()) || current == self.from.as_deref()
    }
}

impl<K: Serialize + DeserializeOwned + Clone> Vault<K> {
    /// The secret at `arn`.
    pub fn new(aws: &Aws, arn: String) -> Vault<K> {
        let client = Client::new(&aws.client(|endpoints| &endpoints.secrets, Retries::Sdk));
        Vault { client, arn, keyring: PhantomData }
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The version that functions read; none in a secret without any.
    ///
    /// # Errors
    /// When it cannot be read, or is no keyring; so do the two below.
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

    /// The version of that id.
    ///
    /// # Errors
    /// As [`Vault::current`].
    pub async fn version(&self, id: &str) -> Result<Option<Version<K>>> {
        read(self.get().version_id(id)).await
    }

    /// Adds a version. One that is there with the same id stays as it is: a twin was quicker.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn put(&self, version: &Version<K>, waiting: Waiting) -> Result<()> {
        let text = Text { from: version.from.clone(), keys: version.keys.clone() };
        let text = serde_json::to_string(&text).map_err(|_| Error::internal("a keyring could not be written"))?;
        let put = self.client.put_secret_value().secret_id(&self.arn).client_request_token(&version.id);
        match put.secret_string(text).version_stages(waiting.label()).send().await {
            Err(error) if error.code() != Some("ResourceExistsException") => Err(failure(error)),
            _ => Ok(()),
        }
    }

    /// Makes a version the current one, if the one that it was derived from still is.
    ///
    /// # Errors
    /// When the label cannot be moved, or nobody can tell whether it was.
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
            // A read that is behind: the label was refused because it is somewhere else.
            current if current == version.from => Err(Error::unavailable(error)),
            _ => Ok(Promotion::Overtaken),
        }
    }

    /// Takes the label of a rotation from a version, if it is there.
    ///
    /// # Errors
    /// When it cannot be taken.
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
        // No such version, or one that Secrets Manager has made for a rotation and nobody has filled yet.
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(failure(error)),
    };
    let id = answer.version_id().ok_or_else(|| Error::internal("the secret's version has no id"))?.to_owned();
    let text = answer.secret_string().ok_or_else(|| Error::internal("the secret has no text"))?;
    // The parser's own message could quote a key.
    let text: Text<K> = serde_json::from_str(text).map_err(|error| {
        Error::internal(format!("the version {id} is no keyring (line {}, column {})", error.line(), error.column()))
    })?;
    Ok(Some(Version { id, from: text.from, keys: text.keys }))
}
