//! The services that functions call.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::models::{Model, Models};

/// A service, by the name that requests are signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// Secrets Manager.
    SecretsManager,
    /// SES, in its second version.
    Ses,
    /// SNS, for SMS.
    Sns,
}

impl Service {
    /// All of them.
    pub(crate) const ALL: [Service; 4] = [Service::DynamoDb, Service::SecretsManager, Service::Ses, Service::Sns];

    /// Its name in signatures, records and settings.
    pub fn name(self) -> &'static str {
        match self {
            Service::DynamoDb => "dynamodb",
            Service::SecretsManager => "secretsmanager",
            Service::Ses => "ses",
            Service::Sns => "sns",
        }
    }

    /// Whether one of them has this operation, and it is served here.
    pub(crate) fn is_served(operation: &str) -> Result<bool, String> {
        let models = Models::get()?;
        Ok(Service::ALL.into_iter().any(|service| service.model(models).serves(operation)))
    }

    /// AWS's own model of it.
    pub(crate) fn model(self, models: &Models) -> &Model {
        match self {
            Service::DynamoDb => &models.dynamodb,
            Service::SecretsManager => &models.secretsmanager,
            Service::Ses => &models.sesv2,
            Service::Sns => &models.sns,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Service::DynamoDb => "application/x-amz-json-1.0",
            Service::SecretsManager => "application/x-amz-json-1.1",
            Service::Ses => "application/json",
            Service::Sns => "text/xml",
        }
    }

    /// The status of a request without a valid signature or permission: the JSON protocols use 400 for every client error.
    pub(crate) fn forbidden(self) -> StatusCode {
        match self {
            Service::DynamoDb | Service::SecretsManager => StatusCode::BAD_REQUEST,
            Service::Ses | Service::Sns => StatusCode::FORBIDDEN,
        }
    }
}
