//! The stack's queue of records that no function can read.

use aws_sdk_sqs::Client;
use serde_json::Value;

use super::client::{Aws, Retries};
use super::failure::failure;
use crate::config::{Check, Reader};
use crate::words::Result;

/// The queue.
pub struct Queue {
    client: Client,
    url: String,
}

const IS_URL: Check = (|text| text.starts_with("https://") && text.len() <= 255, "the https URL of a queue");

impl Queue {
    /// Reads the queue's URL from the settings.
    pub fn read_url(read: &mut Reader<'_>) -> String {
        read.text("FAILED_RECORDS_URL", None, IS_URL)
    }

    /// The queue at `url`.
    pub fn new(aws: &Aws, url: String) -> Queue {
        Queue { client: Client::new(&aws.client(|endpoints| &endpoints.sqs, Retries::Sdk)), url }
    }

    /// Sends a message. It may arrive twice.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when SQS is unreachable. The message may have arrived.
    pub async fn send(&self, message: &Value) -> Result<()> {
        let send = self.client.send_message().queue_url(&self.url).message_body(message.to_string());
        send.send().await.map(|_| ()).map_err(failure)
    }
}
