//! The stack's own access to the services, without callers, policies, faults or records.

use serde_json::Value;

use super::endpoint::Services;
use crate::account::Account;
use crate::lock::locked;
use crate::uploads::Uploads;

impl Services {
    /// Creates a table from the JSON of a `CreateTable` request. An existing table with the same keys only gets the new
    /// `ttl_attribute`.
    ///
    /// # Errors
    /// The definition is invalid, or the table exists with other keys.
    pub fn create_table(&self, definition: &Value, ttl_attribute: Option<&str>) -> Result<(), String> {
        self.0.tables.create(definition, ttl_attribute)
    }

    /// Runs any DynamoDB operation.
    ///
    /// # Errors
    /// The body of DynamoDB's error, with its `__type`.
    pub fn dynamodb(&self, operation: &str, request: Value) -> Result<Value, Value> {
        self.0.tables.run(operation, request).map_err(|refusal| refusal.body)
    }

    /// Creates the secret `arn` without a version, like the template. An existing secret stays unchanged.
    pub fn create_secret(&self, arn: &str) {
        self.0.secrets.create(arn);
    }

    /// Stores `text` as the new current version of the secret `arn`. The previous version stays readable as `AWSPREVIOUS`.
    ///
    /// # Errors
    /// Writing to the data folder fails.
    pub fn put_secret(&self, arn: &str, text: String) -> Result<(), String> {
        self.0.secrets.put(arn, text)
    }

    /// Takes all versions of the secret `arn` away, as if it were new.
    pub fn empty_secret(&self, arn: &str) {
        self.0.secrets.empty(arn);
    }

    /// The current version of the secret `arn`.
    pub fn secret(&self, arn: &str) -> Option<String> {
        self.0.secrets.current(arn)
    }

    /// The path at which the custom resource with this request id uploads its answer.
    pub fn upload_path(id: &str) -> String {
        Uploads::path(id)
    }

    /// The uploaded answer to this request, once.
    ///
    /// # Errors
    /// The document is missing, or is not JSON.
    pub fn take_upload(&self, id: &str) -> Result<Value, String> {
        let document = self.0.uploads.take(id).ok_or("the custom resource uploaded no answer")?;
        serde_json::from_slice(&document).map_err(|error| format!("the custom resource's answer is not JSON: {error}"))
    }

    /// Sets the limits of the account.
    pub fn set_account(&self, account: Account) {
        *locked(&self.0.account) = account;
    }

    /// Verifies an identity: an address, with or without a name, or a domain.
    pub fn allow_sender(&self, identity: &str) {
        self.0.ses.verify(identity);
    }

    /// Deletes expired items by the stack's clock, and returns how many. DynamoDB does this with a delay.
    ///
    /// # Errors
    /// DynamoDB's message.
    pub fn sweep_expired(&self) -> Result<usize, String> {
        self.0.tables.sweep()
    }
}
