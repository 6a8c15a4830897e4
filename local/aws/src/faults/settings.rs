//! The faults as JSON. An error message starts with the invalid field.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::Service;

/// All faults. Each field is optional in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct FaultSettings {
    /// The fraction of messages that their service refuses, from 0 to 1, drawn for each message.
    pub delivery_failure_rate: f64,
    /// The delivery of every email and SMS.
    pub delivery: Delivery,
    /// Faults of single calls.
    pub aws: Vec<AwsFault>,
    /// Faults of the delivery of streams.
    pub stream: Vec<StreamFault>,
}

/// A fault of the next deliveries of a stream. Each kind is one that Lambda shows, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct StreamFault {
    /// The kind.
    pub fault: Disorder,
    /// How often it happens, at least 1; 1 by default.
    pub times: u32,
}

/// The kinds of faults of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disorder {
    /// A batch comes twice.
    Duplicate,
    /// A batch comes in two parts.
    Split,
    /// The next batch of the shard begins in the middle of the last one.
    Overlap,
    /// A shard brings nothing in this delivery.
    Delay,
    /// The shards come in the reverse order. Within a shard, the order always stays.
    Reorder,
    /// A shard contains a record that no function can read.
    Poison,
}

/// The delivery of messages to their service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// They arrive.
    #[default]
    Accepted,
    /// They are lost. The answer is `MessageRejected`, `InvalidParameter` from SNS, or `ConflictException` from AWS End User Messaging.
    Refused,
    /// They are lost. The answer is `TooManyRequestsException`, `Throttling` from SNS, or `ThrottlingException` from AWS End User Messaging.
    Throttled,
    /// They arrive, but the answer is lost.
    LostAnswer,
    /// They arrive, and the answer takes ten seconds.
    Slow,
}

/// A fault of the next matching calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct AwsFault {
    /// Matches only calls to this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Matches only this operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Matches only calls with this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Matches only calls with a key that starts with this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The error in the answer.
    pub error: AwsError,
    /// Whether the call is carried out.
    pub when: When,
    /// How many calls fail, at least 1; 1 by default.
    pub times: u32,
}

/// Whether a failing call is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The call is skipped.
    #[default]
    Before,
    /// The call is carried out, and only its answer is an error.
    After,
}

/// AWS errors by name, or a missing answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AwsError {
    /// 400.
    ThrottlingException,
    /// 400, DynamoDB. With a key, a batch only leaves out the matching items.
    ProvisionedThroughputExceededException,
    /// 400, DynamoDB.
    RequestLimitExceeded,
    /// 429, SES.
    TooManyRequestsException,
    /// 400, DynamoDB. A transaction is cancelled with the reason `TransactionConflict` instead.
    #[serde(alias = "TransactionConflict")]
    TransactionConflictException,
    /// 400, DynamoDB: a transaction with the same token is in progress.
    TransactionInProgressException,
    /// 400: a permission is missing.
    AccessDeniedException,
    /// 400: the table or secret is unknown.
    ResourceNotFoundException,
    /// 400: the credentials have expired.
    ExpiredTokenException,
    /// 500.
    InternalServerError,
    /// 503.
    ServiceUnavailable,
    /// The answer is missing, and the caller's wait ends in a timeout.
    #[serde(rename = "timeout")]
    Timeout,
    /// The connection breaks before any byte of the answer.
    #[serde(rename = "connection_reset")]
    ConnectionReset,
}

impl AwsError {
    /// AWS's name for the error.
    pub fn name(self) -> &'static str {
        match self {
            AwsError::ThrottlingException => "ThrottlingException",
            AwsError::ProvisionedThroughputExceededException => "ProvisionedThroughputExceededException",
            AwsError::RequestLimitExceeded => "RequestLimitExceeded",
            AwsError::TooManyRequestsException => "TooManyRequestsException",
            AwsError::TransactionConflictException => "TransactionConflictException",
            AwsError::TransactionInProgressException => "TransactionInProgressException",
            AwsError::AccessDeniedException => "AccessDeniedException",
            AwsError::ResourceNotFoundException => "ResourceNotFoundException",
            AwsError::ExpiredTokenException => "ExpiredTokenException",
            AwsError::InternalServerError => "InternalServerError",
            AwsError::ServiceUnavailable => "ServiceUnavailable",
            AwsError::Timeout => "timeout",
            AwsError::ConnectionReset => "connection_reset",
        }
    }
}

impl TryFrom<Value> for FaultSettings {
    type Error = String;

    fn try_from(value: Value) -> Result<FaultSettings, String> {
        let mut fields = Fields::of(value)?;
        let settings = FaultSettings {
            delivery_failure_rate: fields.take("delivery_failure_rate")?.unwrap_or_default(),
            delivery: fields.take("delivery")?.unwrap_or_default(),
            aws: fields.take("aws")?.unwrap_or_default(),
            stream: fields.take("stream")?.unwrap_or_default(),
        };
        if !(0.0..=1.0).contains(&settings.delivery_failure_rate) {
            return Err("delivery_failure_rate: expected a number from 0 to 1".to_owned());
        }
        fields.nothing_else(settings)
    }
}

impl TryFrom<Value> for AwsFault {
    type Error = String;

    fn try_from(value: Value) -> Result<AwsFault, String> {
        let mut fields = Fields::of(value)?;
        let fault = AwsFault {
            service: fields.take("service")?,
            operation: fields.take("operation")?,
            table: fields.take("table")?,
            key: fields.take("key")?,
            error: fields.take("error")?.ok_or("error: missing")?,
            when: fields.take("when")?.unwrap_or_default(),
            times: fields.take("times")?.unwrap_or(1),
        };
        if let Some(operation) = &fault.operation
            && !Service::is_served(operation)?
        {
            return Err(format!("operation: no function calls `{operation}`"));
        }
        if fault.times == 0 {
            return Err("times: expected at least 1".to_owned());
        }
        fields.nothing_else(fault)
    }
}

impl TryFrom<Value> for StreamFault {
    type Error = String;

    fn try_from(value: Value) -> Result<StreamFault, String> {
        let mut fields = Fields::of(value)?;
        let fault = StreamFault {
            fault: fields.take("fault")?.ok_or("fault: missing")?,
            times: fields.take("times")?.unwrap_or(1),
        };
        if fault.times == 0 {
            return Err("times: expected at least 1".to_owned());
        }
        fields.nothing_else(fault)
    }
}

/// The fields of an object, minus the fields already read.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(value: Value) -> Result<Fields, String> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            _ => Err("expected an object".to_owned()),
        }
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        let value = self.0.remove(name).map(serde_json::from_value).transpose();
        value.map_err(|error| format!("{name}: {error}"))
    }

    fn nothing_else<T>(self, read: T) -> Result<T, String> {
        match self.0.keys().next() {
            None => Ok(read),
            Some(unknown) => Err(format!("{unknown}: unknown field")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(body: &str, problem: &str) {
        let error = serde_json::from_str::<FaultSettings>(body).unwrap_err().to_string();
        assert!(error.starts_with(problem), "{body}: {error}");
    }

    #[test]
    fn a_bad_setting_is_named() {
        refuses("[]", "expected an object");
        refuses(r#"{"delivery_failure_rate": 1.1}"#, "delivery_failure_rate: expected a number from 0 to 1");
        refuses(r#"{"delivery_failure_rate": "5%"}"#, "delivery_failure_rate: ");
        refuses(r#"{"delivery": "lost"}"#, "delivery: unknown variant `lost`");
        refuses(r#"{"delivery_rate": 1}"#, "delivery_rate: unknown field");
        refuses(r#"{"aws": {}}"#, "aws: ");
        refuses(r#"{"aws": [{}]}"#, "aws: error: missing");
        refuses(r#"{"aws": [{"error": "Throttling"}]}"#, "aws: error: unknown variant `Throttling`");
        refuses(r#"{"aws": [{"error": "timeout", "service": "s3"}]}"#, "aws: service: unknown variant `s3`");
        refuses(r#"{"aws": [{"error": "timeout", "operation": "Scan"}]}"#, "aws: operation: no function calls `Scan`");
        refuses(r#"{"aws": [{"error": "timeout", "times": 0}]}"#, "aws: times: expected at least 1");
        refuses(r#"{"aws": [{"error": "timeout", "time": 2}]}"#, "aws: time: unknown field");
        refuses(r#"{"stream": [{}]}"#, "stream: fault: missing");
        refuses(r#"{"stream": [{"fault": "loss"}]}"#, "stream: fault: unknown variant `loss`");
        refuses(r#"{"stream": [{"fault": "delay", "times": 0}]}"#, "stream: times: expected at least 1");
    }

    #[test]
    fn settings_read_back() {
        let body = r#"{"delivery": "slow", "aws": [{"error": "TransactionConflict", "when": "after", "service": "dynamodb"}]}"#;
        let settings: FaultSettings = serde_json::from_str(body).unwrap();
        assert_eq!((settings.delivery, settings.delivery_failure_rate), (Delivery::Slow, 0.0));
        assert_eq!((settings.aws[0].when, settings.aws[0].times), (When::After, 1));
        let written = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<FaultSettings>(&written).unwrap(), settings);
        assert_eq!(serde_json::from_str::<FaultSettings>("{}").unwrap(), FaultSettings::default());
    }
}
