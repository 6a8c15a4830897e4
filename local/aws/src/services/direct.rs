//! The stack's own access to the services, without callers, policies, faults or records.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use shared::words::Timestamp;
use tokio::sync::watch;

use super::endpoint::Services;
use crate::account::Account;
use crate::dynamodb::{Record, export};
use crate::events::{Event, Pattern};
use crate::lock::locked;
use crate::outside::{Accounts, OutsideMessage};
use crate::ses::Sending;
use crate::sms_voice::Texting;
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

    /// Exports a table to `folder`, in the layout of DynamoDB's exports to S3. Returns the folder of this export.
    ///
    /// # Errors
    /// The table is unknown, or the folder cannot be written.
    pub fn export(&self, table: &str, folder: &Path) -> Result<PathBuf, String> {
        export(&self.0.tables, table, folder)
    }

    /// Deletes expired items by the stack's clock, and returns how many. DynamoDB does this with a delay.
    ///
    /// # Errors
    /// DynamoDB's message.
    pub fn sweep_expired(&self) -> Result<usize, String> {
        self.0.tables.sweep()
    }

    /// Creates the event bus `name`, unless it exists.
    pub fn create_bus(&self, name: &str) {
        self.0.buses.create(name);
    }

    /// Adds a rule to the bus `bus`.
    ///
    /// # Errors
    /// The bus is unknown.
    pub fn create_rule(&self, bus: &str, name: &str, pattern: Pattern) -> Result<(), String> {
        self.0.buses.rule(bus, name, pattern)
    }

    /// The newest 10,000 events of a bus, oldest first.
    pub fn events(&self, bus: &str) -> Vec<Event> {
        self.0.buses.events(bus)
    }

    /// The events that rules have matched since the last call, each with its rule.
    pub(crate) fn take_matched(&self) -> Vec<(String, Value)> {
        self.0.buses.take_matched()
    }

    /// Publishes a message to the topic `arn`, as a rule does.
    pub(crate) fn publish(&self, arn: &str, message: String) {
        self.0.topics.push(arn, message);
    }

    /// The messages that came to the topic `arn`, oldest first.
    pub fn published(&self, arn: &str) -> Vec<String> {
        self.0.topics.messages(arn)
    }

    /// Puts a message into the queue `arn`, as Lambda does with an event that a function could not handle.
    pub(crate) fn set_aside(&self, arn: &str, message: String) {
        self.0.queues.push(arn, message);
        self.0.arrivals.send_modify(|arrivals| *arrivals += 1);
    }

    /// The names of the buses.
    pub fn buses(&self) -> Vec<String> {
        self.0.buses.names()
    }

    /// Creates the queue `arn`, unless it exists.
    pub fn create_queue(&self, arn: &str) {
        self.0.queues.create(arn);
    }

    /// The texts of the messages in the queue `arn`, oldest first. They stay in it.
    pub fn messages(&self, arn: &str) -> Vec<String> {
        self.0.queues.messages(arn)
    }

    /// Takes the metrics out of a log line, as CloudWatch does.
    ///
    /// # Errors
    /// Writing to the data folder fails.
    pub fn read_metrics(&self, log_line: &str) -> Result<(), String> {
        self.0.metrics.read(log_line)
    }

    /// The sum of a metric, by namespace and name, with exactly these dimensions on these days (UTC, in days since the epoch). `None`
    /// without data.
    pub fn metric_sum(
        &self,
        metric: (&str, &str),
        dimensions: &[(&str, &str)],
        days: &RangeInclusive<u64>,
    ) -> Option<f64> {
        self.0.metrics.sum(metric, dimensions, days)
    }

    /// Gives the services outside AWS these accounts.
    pub fn open_accounts(&self, accounts: Accounts) {
        self.0.outside.set_accounts(accounts);
    }

    /// The accounts at services outside AWS.
    pub fn accounts(&self) -> Option<Arc<Accounts>> {
        self.0.outside.accounts()
    }

    /// The messages that services outside AWS took, oldest first.
    pub fn outside_messages(&self) -> Vec<OutsideMessage> {
        self.0.outside.messages()
    }

    /// The calls of webhooks about the messages since the last time.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn webhooks(&self) -> Result<Vec<Request<Bytes>>, String> {
        self.0.outside.webhooks()
    }

    /// The newest mails that SES took, oldest first.
    pub fn sendings(&self) -> Vec<Sending> {
        self.0.ses.sent_after(0).0
    }

    /// Those after the first `count`, and how many there are in all.
    pub(crate) fn sendings_after(&self, count: u64) -> (Vec<Sending>, u64) {
        self.0.ses.sent_after(count)
    }

    /// The newest messages that AWS End User Messaging took, oldest first.
    pub fn textings(&self) -> Vec<Texting> {
        self.0.sms_voice.sent_after(0).0
    }

    /// Those after the first `count`, and how many there are in all.
    pub(crate) fn textings_after(&self, count: u64) -> (Vec<Texting>, u64) {
        self.0.sms_voice.sent_after(count)
    }

    /// The ids of the messages of which their sender told AWS End User Messaging that they were received.
    pub fn received(&self) -> Vec<String> {
        self.0.sms_voice.received()
    }

    /// Puts an event of an AWS service on the default bus.
    pub fn tell(&self, event: Value) {
        self.0.buses.tell(event);
        self.0.arrivals.send_modify(|arrivals| *arrivals += 1);
    }

    /// The ARNs of the queues.
    pub fn queues(&self) -> Vec<String> {
        self.0.queues.arns()
    }

    /// Changes whenever an event comes to a bus, or a message to a queue.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.0.arrivals.subscribe()
    }

    /// The ids of the shards of a table's stream. Empty for a table without a stream.
    pub(crate) fn shards(&self, table: &str) -> Vec<String> {
        self.0.tables.streams().shards(table)
    }

    /// The records of a shard with higher sequence numbers than `after`, at most `most`.
    pub(crate) fn records(&self, table: &str, shard: &str, after: u128, most: usize) -> Vec<Record> {
        self.0.tables.streams().records(table, shard, after, most)
    }

    /// Appends an unreadable record to a shard.
    pub(crate) fn poison(&self, table: &str, shard: &str, at: Timestamp) {
        self.0.tables.streams().poison(table, shard, at);
    }

    /// Checks an action that a service takes for the function `caller`.
    pub(crate) fn check_action(&self, caller: &str, action: &str, resource: &str) -> Result<(), String> {
        self.0.permissions.check_action(caller, action, resource)
    }
}
