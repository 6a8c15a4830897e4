//! `A#<user>` in `RecordTable`: the rows of a user, derived from events.
//!
//! The sort key of a row comes from its event, so a row that is written again replaces itself.

use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use tokio::time::Instant;

use super::super::expression::Value;
use super::super::send::pause;
use super::super::table::{Item, PK, RecordTable, SK};
use crate::aws::failure;
use crate::words::{Error, ItemKey, Result, Scope, Tenant, UserId};

const KIND: &str = "A";

/// DynamoDB takes this many writes in one batch.
const BATCH: usize = 25;

/// How long writes that DynamoDB leaves unprocessed are sent again.
const UNPROCESSED_FOR: Duration = Duration::from_secs(3);

/// Which rows of a user a query returns.
pub(super) enum Rows<'a> {
    /// The newest ones with a smaller sort key.
    Before(&'a str),
    /// The first ones whose sort key begins with this.
    Named(&'static str),
}

impl RecordTable {
    /// Writes rows. A row that is there already stays as it is.
    pub(super) async fn put(&self, rows: Vec<Item>) -> Result<()> {
        let put = |item| PutRequest::builder().set_item(Some(item)).build().map_err(Error::internal);
        let writes = rows.into_iter().map(|item| Ok(WriteRequest::builder().put_request(put(item)?).build()));
        for batch in writes.collect::<Result<Vec<_>>>()?.chunks(BATCH) {
            self.put_all(batch.to_vec()).await?;
        }
        Ok(())
    }

    async fn put_all(&self, mut writes: Vec<WriteRequest>) -> Result<()> {
        let started = Instant::now();
        loop {
            let request = self.table.client.batch_write_item().request_items(&self.table.name, writes);
            let answer = request.send().await.map_err(failure)?;
            let mut left = answer.unprocessed_items.unwrap_or_default();
            writes = left.remove(&self.table.name).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            if started.elapsed() >= UNPROCESSED_FOR {
                return Err(Error::unavailable("the table takes no more writes"));
            }
            pause().await?;
        }
    }

    pub(super) async fn rows(&self, whose: (&Tenant, &UserId), which: Rows<'_>, most: usize) -> Result<Vec<Item>> {
        let (condition, place, is_forward) = match which {
            Rows::Before(place) => ("#pk = :pk AND #sk < :sk", place, false),
            Rows::Named(start) => ("#pk = :pk AND begins_with(#sk, :sk)", start, true),
        };
        let (tenant, user) = whose;
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", key(tenant, user).as_str().attribute_value())
            .expression_attribute_values(":sk", place.attribute_value())
            .scan_index_forward(is_forward)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        Ok(query.send().await.map_err(failure)?.items.unwrap_or_default())
    }
}

pub(super) fn key(tenant: &Tenant, user: &UserId) -> ItemKey {
    ItemKey::new(Scope::Tenant(tenant), KIND, &[&user.to_string()])
}
