//! What the stack does with its services itself: without a caller, a policy, a fault or a record of it.

use serde_json::Value;

use super::endpoint::Services;
use crate::account::Account;
use crate::lock::locked;

impl Services {
    /// Makes a table from the JSON of a CreateTable request. One that exists with the same keys is left as it is;
    /// `ttl_attribute` is then set anew.
    ///
    /// # Errors
    /// Says why the definition is refused, or that the table exists with other keys.
    pub fn create_table(&self, definition: &Value, ttl_attribute: Option<&str>) -> Result<(), String> {
        self.0.tables.create(definition, ttl_attribute)
    }

    /// Runs one DynamoDB operation directly: any operation, no fault, no record of it.
    ///
    /// # Errors
    /// The body of DynamoDB's error, with its `__type`.
    pub fn dynamodb(&self, operation: &str, request: Value) -> Result<Value, Value> {
        self.0.tables.run(operation, request).map_err(|refusal| refusal.body)
    }

    /// Makes the secret `arn`, as the template does: without any version. One that is there stays as it is.
    pub fn create_secret(&self, arn: &str) {
        self.0.secrets.create(arn);
    }

    /// Gives the secret `arn` a new current version; the one before stays readable as `AWSPREVIOUS`.
    ///
    /// # Errors
    /// Says why it could not be kept in the data folder.
    pub fn put_secret(&self, arn: &str, text: String) -> Result<(), String> {
        self.0.secrets.put(arn, text)
    }

    /// The current version of the secret `arn`.
    pub fn secret(&self, arn: &str) -> Option<String> {
        self.0.secrets.current(arn)
    }

    /// Makes the account one that may do that much.
    pub fn set_account(&self, account: Account) {
        *locked(&self.0.account) = account;
    }

    /// Makes `identity` a verified one: an address (with or without a name), or a domain.
    pub fn allow_sender(&self, identity: &str) {
        self.0.ses.verify(identity);
    }

    /// Deletes the items whose time to live is over by the clock, as DynamoDB does at some later time; says how many.
    ///
    /// # Errors
    /// DynamoDB's own words.
    pub fn sweep_expired(&self) -> Result<usize, String> {
        self.0.tables.sweep()
    }
}
