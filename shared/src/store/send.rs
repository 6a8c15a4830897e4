//! Sending calls to DynamoDB: which failures are retried, and which refusals are results.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, KeysAndAttributes, TransactWriteItem};
use tokio::time::Instant;

use super::expression::Value;
use super::table::{Item, PK, SK, Table};
use crate::aws::failure;
use crate::observe::report::{self, Step};
use crate::words::{Entropy, Error, ItemKey, Result};

/// The result of a conditional update.
pub(super) enum Written {
    /// The new item, or the old one after `returning_before`.
    Done(Item),
    /// The item that failed the condition; `None` if it is missing.
    Refused(Option<Item>),
}

/// The result of a transaction.
pub(super) enum Transacted {
    Done,
    /// One reason for each write of the transaction.
    Refused(Vec<CancellationReason>),
}

/// The maximum number of attempts at an update that is decided again after each refusal. Each refusal means that another
/// request's write succeeded. More rounds than this are a sign of a fault.
pub(super) const MOST_ROUNDS: usize = 16;

/// How long a write is retried while it conflicts with a running transaction, and a batch while DynamoDB leaves out some of it. The SDK
/// leaves these retries to its caller.
const CONFLICTS_FOR: Duration = Duration::from_secs(1);

/// Which items of a partition a query returns.
pub(super) enum Range<'a> {
    /// The first ones, strongly consistent.
    First,
    /// The first ones behind this sort key, strongly consistent.
    After(&'a str),
    /// The last ones before this sort key, the last one first.
    Before(&'a str),
    /// The last ones whose sort key begins with this, the last one first.
    Named(&'a str),
}

impl Table {
    /// A strongly consistent read.
    pub(super) async fn get(&self, pk: &ItemKey) -> Result<Option<Item>> {
        self.read(pk, Some(true)).await
    }

    /// An eventually consistent read, at half the price. It may miss the newest write.
    pub(super) async fn get_eventually(&self, pk: &ItemKey) -> Result<Option<Item>> {
        self.read(pk, None).await
    }

    /// A strongly consistent read in a table with sort keys.
    pub(super) async fn get_at(&self, pk: &ItemKey, sk: &str) -> Result<Option<Item>> {
        let read = self.client.get_item().table_name(&self.name).key(PK, pk.as_str().attribute_value());
        Ok(read.key(SK, sk.attribute_value()).consistent_read(true).send().await.map_err(failure)?.item)
    }

    /// The items of a partition in `range`, at most `most`.
    pub(super) async fn query(&self, pk: &ItemKey, range: Range<'_>, most: usize) -> Result<Vec<Item>> {
        let (condition, place, is_forward) = match range {
            Range::First => ("#pk = :pk", None, true),
            Range::After(place) => ("#pk = :pk AND #sk > :sk", Some(place), true),
            Range::Before(place) => ("#pk = :pk AND #sk < :sk", Some(place), false),
            Range::Named(start) => ("#pk = :pk AND begins_with(#sk, :sk)", Some(start), false),
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", pk.as_str().attribute_value())
            .set_consistent_read(is_forward.then_some(true))
            .scan_index_forward(is_forward)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        if let Some(place) = place {
            query =
                query.expression_attribute_names("#sk", SK).expression_attribute_values(":sk", place.attribute_value());
        }
        Ok(query.send().await.map_err(failure)?.items.unwrap_or_default())
    }

    /// Eventually consistent reads of several items in one call, by key. The keys are different.
    pub(super) async fn get_all_eventually(&self, pks: &[&ItemKey]) -> Result<HashMap<ItemKey, Item>> {
        let keys = pks.iter().map(|pk| Item::from([(PK.to_owned(), pk.as_str().attribute_value())])).collect();
        let key = |item: &Item| item.get(PK)?.as_s().ok().map(|pk| ItemKey::from_table(pk.clone()));
        let items = self.batch_get(keys).await?;
        Ok(items.into_iter().filter_map(|item| Some((key(&item)?, item))).collect())
    }

    /// The same in a table with sort keys, in any order.
    pub(super) async fn get_all_at(&self, keys: &[(ItemKey, &str)]) -> Result<Vec<Item>> {
        let key = |(pk, sk): &(ItemKey, &str)| {
            Item::from([(PK, pk.as_str()), (SK, sk)].map(|(name, key)| (name.to_owned(), key.attribute_value())))
        };
        self.batch_get(keys.iter().map(key).collect()).await
    }

    /// Reads again the items that DynamoDB was too busy to read.
    async fn batch_get(&self, keys: Vec<Item>) -> Result<Vec<Item>> {
        let started = Instant::now();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().map_err(Error::internal)?;
        let mut left = HashMap::from([(self.name.clone(), keys)]);
        let mut items = Vec::new();
        loop {
            let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await.map_err(failure)?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(items);
            }
            report::note(Step::Throttled { error: "UnprocessedKeys".to_owned() });
            if started.elapsed() >= CONFLICTS_FOR {
                return Err(Error::unavailable("DynamoDB is too busy to read all items"));
            }
            pause().await?;
        }
    }

    async fn read(&self, pk: &ItemKey, consistent: Option<bool>) -> Result<Option<Item>> {
        let read = self.client.get_item().table_name(&self.name).key(PK, pk.as_str().attribute_value());
        Ok(read.set_consistent_read(consistent).send().await.map_err(failure)?.item)
    }

    /// Sends a transaction and retries it while it conflicts with another one. All attempts have the same token, so DynamoDB
    /// executes it once.
    pub(super) async fn transact(&self, writes: impl Into<Vec<TransactWriteItem>>, token: &str) -> Result<Transacted> {
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

/// Sends the update once, without the SDK's retries. A refusal counts as success.
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
        // A new key has 128 random bits, or comes from a code that was used up just now. So an item with this key was written by
        // this same call, which the SDK has retried.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

pub(super) async fn delete(request: DeleteItemFluentBuilder) -> Result<()> {
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(())
        }
        Err(error) => Err(failure(error)),
    }
}

/// Waits 10 to 50 ms. A transaction ends in this time, and the random part spreads the retries of parallel writes.
pub(super) async fn pause() -> Result<()> {
    let millis = 10 + Entropy.below(40)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(())
}
