//! The stack's own use of the services: without a caller, a policy, a fault or a record.

use serde_json::Value;

use super::endpoint::Services;
use crate::account::Account;
use crate::lock::locked;

impl Services {
    /// Makes a table from the JSON of a CreateTable request. A table that exists with the same keys stays as it is, apart from
    /// its `ttl_attribute`.
    ///
    /// # Errors
    /// Says why the definition is refused, or that the table exists with other keys.
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

    /// Makes the secret `arn` without a version, as the template does. An existing secret stays as it is.
    pub fn create_secret(&self, arn: &str) {
        self.0.secrets.create(arn);
    }

    /// Gives the secret `arn` a new current version. The version before stays readable as `AWSPREVIOUS`.
    ///
    /// # Errors
    /// Why it could not be written to the data folder.
    pub fn put_secret(&self, arn: &str, text: String) -> Result<(), String> {
        self.0.secrets.put(arn, text)
    }

    /// The current version of the secret `arn`.
    pub fn secret(&self, arn: &str) -> Option<String> {
        self.0.secrets.current(arn)
    }

    /// Sets the limits of the account.
    pub fn set_account(&self, account: Account) {
        *locked(&self.0.account) = account;
    }

    /// Verifies an identity: an address (with or without a name), or a domain.
    pub fn allow_sender(&self, identity: &str) {
        self.0.ses.verify(identity);
    }

    /// Deletes the items that have expired by the clock, as DynamoDB does at some later time, and counts them.
    ///
    /// # Errors
    /// DynamoDB's message.
    pub fn sweep_expired(&self) -> Result<usize, String> {
        self.0.tables.sweep()
    }
}
