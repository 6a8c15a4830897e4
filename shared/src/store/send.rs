//! How calls are sent: which failures are sent again, and which refusals are answers.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use tokio::time::Instant;

use super::expression::Value;
use super::table::{Item, PK, Table};
use crate::aws::failure;
use crate::observe::report::{self, Step};
use crate::words::{Entropy, Error, ItemKey, Result};

/// What a conditional update led to.
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

/// How often a refused update is decided again from the item that refused it. Each refusal means that somebody else's write
/// went through, so more rounds than this mean that something is wrong.
pub(super) const MOST_ROUNDS: usize = 16;

/// How long a write that conflicts with a running transaction is sent again. The SDK does not do that.
const CONFLICTS_FOR: Duration = Duration::from_secs(1);

impl Table {
    /// Reads the item, up to date.
    pub(super) async fn get(&self, pk: &ItemKey) -> Result<Option<Item>> {
        self.read(pk, Some(true)).await
    }

    /// Reads the item for half the price. The last write may be missing.
    pub(super) async fn get_eventually(&self, pk: &ItemKey) -> Result<Option<Item>> {
        self.read(pk, None).await
    }

    async fn read(&self, pk: &ItemKey, consistent: Option<bool>) -> Result<Option<Item>> {
        let read = self.client.get_item().table_name(&self.name).key(PK, pk.as_str().attribute_value());
        Ok(read.set_consistent_read(consistent).send().await.map_err(failure)?.item)
    }

    /// Sends a transaction, and sends it again while it conflicts with another. Every time it has the same token, so
    /// DynamoDB carries it out once.
    pub(super) async fn transact<const N: usize>(
        &self,
        writes: [TransactWriteItem; N],
        token: &str,
    ) -> Result<Transacted> {
        let started = Instant::now();
        let request = self.client.transact_write_items().set_transact_items(Some(writes.into()));
        let request = request.client_request_token(token);
        loop {
            let error = match request.clone().send().await {
                Ok(_) => return Ok(Transacted::Done),
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
            else {
                return Err(failure(error));
            };
            let reasons = cancelled.cancellation_reasons();
            let has = |code| reasons.iter().any(|reason| reason.code() == Some(code));
            if has("ConditionalCheckFailed") {
                return Ok(Transacted::Refused(reasons.to_vec()));
            }
            if has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
                report::note(Step::Throttled { error: "TransactionCanceledException".to_owned() });
                return Err(Error::unavailable(error));
            }
            if !has("TransactionConflict") {
                return Err(failure(error));
            }
            if started.elapsed() >= CONFLICTS_FOR {
                return Err(Error::unavailable(error));
            }
            pause().await?;
        }
    }
}

pub(super) async fn update(request: UpdateItemFluentBuilder) -> Result<Written> {
    let started = Instant::now();
    loop {
        let error = match request.clone().send().await {
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

/// Sends the update once; the SDK does not retry it either. A refusal is a success.
pub(super) async fn update_once(request: UpdateItemFluentBuilder) -> Result<()> {
    let never = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
    match request.customize().config_override(never).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

pub(super) async fn put_new(request: PutItemFluentBuilder) -> Result<()> {
    match request.send().await {
        Ok(_) => Ok(()),
        // New keys are 128 random bits. So an item that is already there was written by this very call, which the SDK retried.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

/// Waits 10 to 50 ms: a transaction ends meanwhile, and writes that wait together do not come back together.
async fn pause() -> Result<()> {
    let millis = 10 + Entropy.below(40)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(())
}
