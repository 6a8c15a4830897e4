//! SQS: the queues for records that a function cannot handle. Only event source mappings send to them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use crate::lock::locked;

/// Queues by ARN.
#[derive(Default)]
pub(crate) struct Queues(Mutex<BTreeMap<String, Vec<Value>>>);

impl Queues {
    /// Creates a queue, unless it exists.
    pub(crate) fn create(&self, arn: &str) {
        locked(&self.0).entry(arn.to_owned()).or_default();
    }

    pub(crate) fn arns(&self) -> Vec<String> {
        locked(&self.0).keys().cloned().collect()
    }

    /// Adds a message. Returns `false` if the queue is unknown.
    pub(crate) fn send(&self, arn: &str, message: Value) -> bool {
        locked(&self.0).get_mut(arn).map(|messages| messages.push(message)).is_some()
    }

    /// The messages of a queue, oldest first. They stay in it.
    pub(crate) fn messages(&self, arn: &str) -> Vec<Value> {
        locked(&self.0).get(arn).cloned().unwrap_or_default()
    }
}
