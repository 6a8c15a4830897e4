//! The faults as JSON. An error names the field that is wrong.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::Service;

/// All faults. A body may leave any of them out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct FaultSettings {
    /// The share of mails that SES refuses, and of SMS that SNS refuses, from 0 to 1, drawn for each.
    pub delivery_failure_rate: f64,
    /// What becomes of every mail and SMS.
    pub delivery: Delivery,
    /// What goes wrong with single calls.
    pub aws: Vec<AwsFault>,
}

/// What becomes of messages that SES or SNS accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// They arrive.
    #[default]
    Accepted,
    /// `MessageRejected`, from SNS `InvalidParameter`: they surely do not arrive.
    Refused,
    /// `TooManyRequestsException`, from SNS `Throttling`: they surely do not arrive.
    Throttled,
    /// They arrive, and the answer is lost.
    LostAnswer,
    /// They arrive, and the answer comes after ten seconds.
    Slow,
}

/// What goes wrong with the next calls that fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct AwsFault {
    /// Only calls of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Only this operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only calls that name this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Only calls that name a key with this beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What they are answered with.
    pub error: AwsError,
    /// Whether they are carried out.
    pub when: When,
    /// How many calls; 1 by default.
    pub times: u32,
}

/// Whether a call that goes wrong is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It is not carried out.
    #[default]
    Before,
    /// It is carried out, and only its answer is wrong.
    After,
}

/// AWS's errors by their names, and no answer at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AwsError {
    /// 400.
    ThrottlingException,
    /// 400, DynamoDB.
    ProvisionedThroughputExceededException,
    /// 400, DynamoDB.
    RequestLimitExceeded,
    /// 429, SES.
    TooManyRequestsException,
    /// 400, DynamoDB; a transaction is cancelled with `TransactionConflict` as its reason.
    #[serde(alias = "TransactionConflict")]
    TransactionConflictException,
    /// 400, DynamoDB: the same token is being worked on.
    TransactionInProgressException,
    /// A permission is missing.
    AccessDeniedException,
    /// 400: no such table or secret.
    ResourceNotFoundException,
    /// 400: credentials that have expired.
    ExpiredTokenException,
    /// 500.
    InternalServerError,
    /// 503.
    ServiceUnavailable,
    /// No answer while the caller waits.
    #[serde(rename = "timeout")]
    Timeout,
}

impl AwsError {
    /// AWS's name for it.
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

/// The fields of an object that are not read yet.
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
