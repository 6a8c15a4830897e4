//! The current faults and their effect on calls.

use std::sync::Mutex;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use shared::words::Entropy;

use super::settings::{AwsError, AwsFault, Delivery, Disorder, FaultSettings, When};
use crate::lock::locked;
use crate::wire::{Call, Refusal};

/// How long an unanswered call is held: longer than any function runs.
const NO_ANSWER: Duration = Duration::from_secs(60);
/// The delay of a slow answer.
const SLOW: Duration = Duration::from_secs(10);

/// The current faults. Each fault in `aws` is used up in order.
#[derive(Default)]
pub struct Faults(Mutex<FaultSettings>);

/// The fault of one call.
pub(crate) struct Fault {
    error: AwsError,
    when: When,
    /// The table for which the fault was set.
    table: Option<String>,
    /// The start of the keys for which the fault was set.
    key: Option<String>,
}

impl Faults {
    /// Replaces all faults. `FaultSettings::default()` has none.
    pub fn set(&self, settings: FaultSettings) {
        *locked(&self.0) = settings;
    }

    /// The remaining faults.
    pub fn get(&self) -> FaultSettings {
        locked(&self.0).clone()
    }

    /// Takes the first fault for `call`, and counts it as used once.
    pub(crate) fn next(&self, call: &Call, tables: &[String], keys: &[String]) -> Option<Fault> {
        let faults = &mut locked(&self.0).aws;
        let meets = |fault: &AwsFault| {
            fault.service.is_none_or(|service| service == call.service)
                && fault.operation.as_ref().is_none_or(|operation| *operation == call.operation)
                && fault.table.as_ref().is_none_or(|table| tables.contains(table))
                && fault.key.as_ref().is_none_or(|start| keys.iter().any(|key| key.starts_with(start)))
        };
        let fault = faults.iter_mut().find(|fault| meets(fault))?;
        fault.times = fault.times.saturating_sub(1);
        let (table, key) = (fault.table.clone(), fault.key.clone());
        let met = Fault { error: fault.error, when: fault.when, table, key };
        faults.retain(|fault| fault.times > 0);
        Some(met)
    }

    /// Whether the delivery of a stream has this fault now. Counts it as used once.
    pub(crate) fn strikes(&self, kind: Disorder) -> bool {
        let faults = &mut locked(&self.0).stream;
        let Some(fault) = faults.iter_mut().find(|fault| fault.fault == kind) else { return false };
        fault.times = fault.times.saturating_sub(1);
        faults.retain(|fault| fault.times > 0);
        true
    }

    /// Decides about the delivery of one accepted message.
    pub(crate) fn delivery(&self) -> Delivery {
        let settings = locked(&self.0);
        let rate = settings.delivery_failure_rate;
        if settings.delivery != Delivery::Accepted || rate <= 0.0 {
            return settings.delivery;
        }
        // Without a random generator, the system would have failed much earlier.
        let drawn = Entropy.bytes().map_or(0, u32::from_be_bytes);
        if f64::from(drawn) < rate * 2f64.powi(32) { Delivery::Refused } else { Delivery::Accepted }
    }
}

impl Delivery {
    /// Whether the message reaches the recipient.
    pub(crate) fn arrives(self) -> bool {
        matches!(self, Delivery::Accepted | Delivery::LostAnswer | Delivery::Slow)
    }

    /// The delay of the answer.
    pub(crate) fn delay(self) -> Duration {
        match self {
            Delivery::Slow => SLOW,
            Delivery::LostAnswer => NO_ANSWER,
            Delivery::Accepted | Delivery::Refused | Delivery::Throttled => Duration::ZERO,
        }
    }

    /// The answer to the sender and its delay: `sent`, or a refusal of the service.
    pub(crate) fn told(self, sent: Value, refused: Refusal, throttled: Refusal) -> (Result<Value, Refusal>, Duration) {
        match self {
            Delivery::Accepted => (Ok(sent), Duration::ZERO),
            Delivery::Slow => (Ok(sent), SLOW),
            Delivery::Refused => (Err(refused), Duration::ZERO),
            Delivery::Throttled => (Err(throttled), Duration::ZERO),
            Delivery::LostAnswer => {
                (Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "The answer was lost.")), NO_ANSWER)
            }
        }
    }
}

impl Fault {
    /// A fault for any table.
    pub(crate) fn new(error: AwsError, when: When) -> Fault {
        Fault { error, when, table: None, key: None }
    }

    /// DynamoDB leaves out the keys of a batch that it is too busy for. Returns the call without them, and them, as `UnprocessedKeys`
    /// has them. `None` if nothing is left to read, because then the whole call fails.
    pub(crate) fn left_out(&self, call: &Call) -> Option<(Call, Value)> {
        let (start, is_busy) = (self.key.as_ref()?, self.error == AwsError::ProvisionedThroughputExceededException);
        if call.operation != "BatchGetItem" || !is_busy {
            return None;
        }
        let is_left_out = |key: &Value| {
            let values = key.as_object().into_iter().flat_map(|key| key.values());
            values.filter_map(|value| value.get("S")?.as_str()).any(|key| key.starts_with(start))
        };
        let (mut without, mut left_out) = (call.clone(), call.body.get("RequestItems")?.clone());
        for (tables, is_kept) in [(without.body.get_mut("RequestItems")?, false), (&mut left_out, true)] {
            for table in tables.as_object_mut()?.values_mut() {
                table.get_mut("Keys")?.as_array_mut()?.retain(|key| is_left_out(key) == is_kept);
            }
            tables
                .as_object_mut()?
                .retain(|_, table| table.get("Keys").and_then(Value::as_array).is_some_and(|keys| !keys.is_empty()));
        }
        let reads = without.body.get("RequestItems")?.as_object()?;
        (!reads.is_empty()).then_some((without, left_out))
    }

    /// Whether the call fails without being carried out.
    pub(crate) fn comes_before(&self) -> bool {
        self.when == When::Before
    }

    /// How long the caller waits for the answer.
    pub(crate) fn delay(&self) -> Duration {
        if self.error == AwsError::Timeout { NO_ANSWER } else { Duration::ZERO }
    }

    pub(crate) fn refusal(&self, call: &Call) -> Refusal {
        let is_transaction = matches!(call.operation.as_str(), "TransactWriteItems" | "TransactGetItems");
        if self.error == AwsError::TransactionConflictException && is_transaction {
            return self.cancelled(call);
        }
        if self.error == AwsError::AccessDeniedException {
            return call.denied(&call.action(), "*", false);
        }
        let status = match self.error {
            AwsError::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            AwsError::ServiceUnavailable | AwsError::Timeout | AwsError::ConnectionReset => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            AwsError::TooManyRequestsException => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, self.error.name(), "This fault was injected on purpose.")
    }

    /// DynamoDB reports a conflict between transactions by cancelling this one, with the conflict as the reason.
    fn cancelled(&self, call: &Call) -> Refusal {
        let items = call.body.get("TransactItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let is_at = |item: &Value| {
            let parts = item.as_object().into_iter().flat_map(|parts| parts.values());
            let mut tables = parts.filter_map(|part| part.get("TableName").and_then(Value::as_str));
            self.table.is_none() || tables.any(|table| Some(table) == self.table.as_deref())
        };
        let met = items.iter().position(is_at);
        let reasons = items.iter().enumerate().map(|(at, _)| match met {
            Some(met) if met == at => {
                json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" })
            }
            _ => json!({ "Code": "None" }),
        });
        let reasons: Vec<Value> = reasons.collect();
        let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason.get("Code")?.as_str()).collect();
        let message = "Transaction cancelled, please refer cancellation reasons for specific reasons";
        let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!("{message} [{}]", codes.join(", ")), "CancellationReasons": reasons });
        Refusal { status: StatusCode::BAD_REQUEST, body }
    }
}
