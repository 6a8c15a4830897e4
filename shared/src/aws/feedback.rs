//! Tells the provider of a text that its code was used. Providers learn from this which numbers are of people, and stop texts to others.

use std::time::Duration;

use aws_sdk_pinpointsmsvoicev2::Client;
use aws_sdk_pinpointsmsvoicev2::types::MessageFeedbackStatus;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::timeout;

use super::client::{Aws, Retries, endpoint};

/// How long a sign-in waits for the provider at most.
const PATIENCE: Duration = Duration::from_millis(500);

/// The provider that hears of used codes.
pub enum Feedback {
    /// No provider wants to hear it.
    Nobody,
    /// AWS End User Messaging.
    Eum(Client),
}

impl Feedback {
    /// Tells AWS End User Messaging.
    pub fn to_eum(aws: &Aws) -> Feedback {
        Feedback::Eum(Client::new(&aws.client(|endpoints| &endpoints.sms_voice, Retries::Never)))
    }

    /// Opens the connection for the first used code.
    pub async fn connect(&self, aws: &Aws) {
        match self {
            Feedback::Nobody => {}
            Feedback::Eum(_) => aws.connect(endpoint!(aws_sdk_pinpointsmsvoicev2, aws.settings(), sms_voice), 1).await,
        }
    }

    /// Tells the provider that the code in its message was used. A failure is only logged, because the user is signed in already.
    pub async fn received(&self, message: &str) {
        let failed = match self {
            Feedback::Nobody => return,
            Feedback::Eum(client) => {
                let put = client.put_message_feedback().message_id(message);
                let put = put.message_feedback_status(MessageFeedbackStatus::Received).send();
                match timeout(PATIENCE, put).await {
                    Ok(Ok(_)) => return,
                    Ok(Err(error)) => error.code().unwrap_or("no answer").to_owned(),
                    Err(_) => "no answer in time".to_owned(),
                }
            }
        };
        tracing::warn!(sent = message, reason = failed, "could not tell the provider that a code was used");
    }
}
