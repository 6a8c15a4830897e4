//! One way of writing: a conditional update that says yes, or no with the item that said it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, ReturnValue, ReturnValuesOnConditionCheckFailure};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::table::Table;
use crate::aws;
use crate::observe::report::{self, Step};
use crate::words::{Entropy, Error, Result};

pub(super) type Item = HashMap<String, AttributeValue>;

/// What a conditional write led to.
pub(super) enum Written {
    /// The item as it is now.
    Done(Item),
    /// The item that did not meet the condition; `None` where there is none.
    Refused(Option<Item>),
}

/// What a transaction led to.
pub(super) enum Transacted {
    Done,
    /// One reason for each of its writes.
    Refused(Vec<CancellationReason>),
}

/// Writes that conflict with a running transaction are tried again by us: the SDK does not (S85).
const CONFLICTS_FOR: Duration = Duration::from_secs(1);

impl Table {
    pub(super) fn update(&self, pk: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(pk))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    pub(super) fn get(&self, pk: &str) -> GetItemFluentBuilder {
        self.client.get_item().table_name(&self.name).key("pk", text(pk))
    }
}

pub(super) async fn update(write: UpdateItemFluentBuilder) -> Result<Written> {
    let started = Instant::now();
    loop {
        let error = match write.clone().send().await {
            Ok(output) => return Ok(Written::Done(output.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                return Ok(Written::Refused(refused.item().cloned()));
            }
            Some(UpdateItemError::TransactionConflictException(_)) if started.elapsed() < CONFLICTS_FOR => {
                pause().await?
            }
            _ => return Err(failure(error)),
        }
    }
}

/// An update that nobody repeats, the SDK included: it is made once, or not at all. Refused is done.
pub(super) async fn update_once(write: UpdateItemFluentBuilder) -> Result<()> {
    let never = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
    match write.customize().config_override(never).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

/// Puts an item whose key has never been used.
pub(super) async fn put_new(write: PutItemFluentBuilder) -> Result<()> {
    let outcome = write.condition_expression("attribute_not_exists(pk)").send().await;
    match outcome {
        Ok(_) => Ok(()),
        // Keys of new items are 128 random bits: whoever is there already is this very write, repeated by the SDK.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

pub(super) async fn get(read: GetItemFluentBuilder) -> Result<Option<Item>> {
    Ok(read.send().await.map_err(failure)?.item)
}

/// Runs a transaction until it does not merely conflict with another. All tries carry one token, so that they are one.
pub(super) async fn transact(write: TransactWriteItemsFluentBuilder, token: &str) -> Result<Transacted> {
    let started = Instant::now();
    let write = write.client_request_token(token);
    loop {
        let error = match write.clone().send().await {
            Ok(_) => return Ok(Transacted::Done),
            Err(error) => error,
        };
        let Some(cancelled) = error.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) => Some(cancelled),
            _ => None,
        }) else {
            return Err(failure(error));
        };
        let reasons = cancelled.cancellation_reasons();
        if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
            return Ok(Transacted::Refused(reasons.to_vec()));
        }
        let is = |code| reasons.iter().any(|reason| reason.code() == Some(code));
        if is("ThrottlingError") || is("ProvisionedThroughputExceeded") {
            report::note(Step::Throttled { error: "TransactionCanceledException".to_owned() });
            return Err(Error::unavailable(error));
        }
        if !is("TransactionConflict") {
            return Err(failure(error));
        }
        if started.elapsed() >= CONFLICTS_FOR {
            return Err(Error::unavailable(error));
        }
        pause().await?;
    }
}

/// 10 to 50 ms: long enough for a transaction to end, and not the same for everyone who waits for it.
async fn pause() -> Result<()> {
    let millis = 10 + Entropy.below(40)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(())
}

fn failure<E>(error: aws_sdk_dynamodb::error::SdkError<E, aws_smithy_runtime_api::http::Response>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    aws::failure(error, code.as_deref())
}

/// An item as the row `R`.
pub(super) fn row<R: DeserializeOwned>(item: Item) -> Result<R> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(value.to_vec().into())
}
