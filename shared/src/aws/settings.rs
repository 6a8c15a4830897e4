//! The AWS settings of a function: region, credentials, endpoints, timeouts.

use std::sync::Arc;
use std::time::Duration;

pub use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};

use crate::config::{Check, IS_NAME, Reader};

/// The AWS settings of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The region of every service.
    pub region: String,
    /// The credentials of the function's role.
    pub credentials: Credentials,
    /// Endpoints that replace those of AWS.
    pub endpoints: Endpoints,
    /// Timeout of one attempt of a call.
    pub attempt_timeout: Duration,
    /// Timeout of a call with all its attempts.
    pub operation_timeout: Duration,
    /// A file of root certificates that replace those of AWS.
    pub ca_bundle: Option<String>,
    /// Carries the calls instead of the network, in tests and in `local`.
    pub carrier: Option<Carrier>,
}

const IS_PATH: Check =
    (|text| text.starts_with('/') && !text.bytes().any(|byte| byte.is_ascii_control()), "the absolute path of a file");

impl Settings {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> Settings {
        Settings {
            region: read.text("AWS_REGION", None, IS_NAME),
            credentials: Credentials::new(
                read.text("AWS_ACCESS_KEY_ID", None, IS_NAME),
                read.text("AWS_SECRET_ACCESS_KEY", None, IS_NAME),
                read.get("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            endpoints: Endpoints::read(read),
            attempt_timeout: Duration::from_millis(read.number("AWS_ATTEMPT_TIMEOUT_MS", 1_000, 100..=29_000)),
            operation_timeout: Duration::from_millis(read.number("AWS_OPERATION_TIMEOUT_MS", 3_000, 100..=29_000)),
            ca_bundle: read.optional("AWS_CA_BUNDLE", IS_PATH),
            carrier: None,
        }
    }
}

impl Default for Settings {
    /// Settings without credentials, for requests that need none.
    fn default() -> Settings {
        Settings {
            region: String::new(),
            credentials: Credentials::new("", "", None, None, "none"),
            endpoints: Endpoints {
                dynamodb: None,
                events: None,
                secrets: None,
                ses: None,
                sms_voice: None,
                sns: None,
                sqs: None,
            },
            attempt_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(3),
            ca_bundle: None,
            carrier: None,
        }
    }
}

/// Answers calls within this process.
#[derive(Clone, Debug)]
pub struct Carrier(pub(super) Arc<SharedHttpConnector>);

impl Carrier {
    /// A carrier that uses `connector`.
    pub fn new(connector: impl HttpConnector + 'static) -> Carrier {
        Carrier(Arc::new(SharedHttpConnector::new(connector)))
    }
}

/// Equal only if it is the same connector.
impl PartialEq for Carrier {
    fn eq(&self, other: &Carrier) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Carrier {}

/// Endpoints that replace those of AWS, one for each service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// EventBridge.
    pub events: Option<String>,
    /// Secrets Manager.
    pub secrets: Option<String>,
    /// SES.
    pub ses: Option<String>,
    /// AWS End User Messaging.
    pub sms_voice: Option<String>,
    /// SNS.
    pub sns: Option<String>,
    /// SQS.
    pub sqs: Option<String>,
}

impl Endpoints {
    fn read(read: &Reader<'_>) -> Endpoints {
        let everywhere = read.get("AWS_ENDPOINT_URL");
        let endpoint = |service: &str| read.get(&format!("AWS_ENDPOINT_URL_{service}")).or(everywhere.clone());
        Endpoints {
            dynamodb: endpoint("DYNAMODB"),
            events: endpoint("EVENTBRIDGE"),
            secrets: endpoint("SECRETS_MANAGER"),
            ses: endpoint("SESV2"),
            sms_voice: endpoint("PINPOINT_SMS_VOICE_V2"),
            sns: endpoint("SNS"),
            sqs: endpoint("SQS"),
        }
    }
}
