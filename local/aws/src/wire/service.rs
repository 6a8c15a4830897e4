//! The services for functions.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::models::{Model, Models};

/// The operations of services outside AWS, as records and faults name them.
pub(crate) const OPERATIONS: [&str; 4] = ["Messages", "Calls", "Feedback", "SendMail"];

/// A service, named as in signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// EventBridge.
    Events,
    /// Secrets Manager.
    SecretsManager,
    /// SES, API version 2.
    Ses,
    /// AWS End User Messaging, for SMS.
    #[serde(rename = "sms-voice")]
    SmsVoice,
    /// SNS, for SMS.
    Sns,
    /// SQS.
    Sqs,
    /// Twilio, outside AWS.
    Twilio,
    /// SendGrid, outside AWS.
    SendGrid,
}

impl Service {
    /// The services of AWS.
    pub(crate) const ALL: [Service; 7] = [
        Service::DynamoDb,
        Service::Events,
        Service::SecretsManager,
        Service::Ses,
        Service::SmsVoice,
        Service::Sns,
        Service::Sqs,
    ];

    /// Its name in signatures, records and settings.
    pub fn name(self) -> &'static str {
        match self {
            Service::DynamoDb => "dynamodb",
            Service::Events => "events",
            Service::SecretsManager => "secretsmanager",
            Service::Ses => "ses",
            Service::SmsVoice => "sms-voice",
            Service::Sns => "sns",
            Service::Sqs => "sqs",
            Service::Twilio => "twilio",
            Service::SendGrid => "sendgrid",
        }
    }

    /// Whether a service here has this operation.
    pub(crate) fn is_served(operation: &str) -> Result<bool, String> {
        let models = Models::get()?;
        let of_aws = Service::ALL.into_iter().any(|service| service.model(models).serves(operation));
        Ok(of_aws || OPERATIONS.contains(&operation))
    }

    /// AWS's own model of the service.
    pub(crate) fn model(self, models: &Models) -> &Model {
        match self {
            Service::DynamoDb => &models.dynamodb,
            Service::Events => &models.events,
            Service::SecretsManager => &models.secretsmanager,
            Service::Ses => &models.sesv2,
            Service::SmsVoice => &models.sms_voice,
            Service::Sns => &models.sns,
            Service::Sqs => &models.sqs,
            Service::Twilio | Service::SendGrid => &models.outside,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Service::DynamoDb | Service::SmsVoice | Service::Sqs => "application/x-amz-json-1.0",
            Service::Events | Service::SecretsManager => "application/x-amz-json-1.1",
            Service::Ses | Service::Twilio | Service::SendGrid => "application/json",
            Service::Sns => "text/xml",
        }
    }

    /// The status for a missing signature or permission. The JSON protocols use 400 for every client error.
    pub(crate) fn forbidden(self) -> StatusCode {
        match self {
            Service::DynamoDb | Service::Events | Service::SecretsManager | Service::SmsVoice | Service::Sqs => {
                StatusCode::BAD_REQUEST
            }
            Service::Ses | Service::Sns => StatusCode::FORBIDDEN,
            Service::Twilio | Service::SendGrid => StatusCode::UNAUTHORIZED,
        }
    }
}
