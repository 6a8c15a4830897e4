//! SQS: queues, and `SendMessage`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::ids::{ACCOUNT, REGION, new_id};
use crate::lock::locked;
use crate::wire::{Call, Refusal};

/// Queues by ARN, each with the texts of its messages.
#[derive(Default)]
pub(crate) struct Queues(Mutex<BTreeMap<String, Vec<String>>>);

impl Queues {
    /// Creates a queue, unless it exists.
    pub(crate) fn create(&self, arn: &str) {
        locked(&self.0).entry(arn.to_owned()).or_default();
    }

    pub(crate) fn arns(&self) -> Vec<String> {
        locked(&self.0).keys().cloned().collect()
    }

    /// The messages of a queue, oldest first. They stay in it.
    pub(crate) fn messages(&self, arn: &str) -> Vec<String> {
        locked(&self.0).get(arn).cloned().unwrap_or_default()
    }

    /// Puts a message into a queue, which need not exist.
    pub(crate) fn push(&self, arn: &str, message: String) {
        locked(&self.0).entry(arn.to_owned()).or_default().push(message);
    }

    /// Answers `SendMessage`.
    pub(crate) fn answer(&self, call: &Call) -> Result<Value, Refusal> {
        let text = |member: &str| call.text(member).unwrap_or_default();
        let message = text("MessageBody");
        if message.is_empty() {
            return Err(Refusal::bad("InvalidMessageContents", "The message must contain at least one character."));
        }
        let mut queues = locked(&self.0);
        let queue = queue_arn(text("QueueUrl")).and_then(|arn| queues.get_mut(&arn));
        let queue = queue.ok_or_else(|| Refusal::bad("QueueDoesNotExist", "The specified queue does not exist."))?;
        queue.push(message.to_owned());
        Ok(json!({ "MessageId": new_id(), "MD5OfMessageBody": HEXLOWER.encode(&md5::compute(message).0) }))
    }
}

/// The URL of the queue `name`.
pub(crate) fn queue_url(name: &str) -> String {
    format!("{}{name}", urls())
}

/// The ARN of the queue at a URL of this account.
pub(crate) fn queue_arn(url: &str) -> Option<String> {
    url.strip_prefix(&urls()).map(|name| format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"))
}

fn urls() -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/")
}
