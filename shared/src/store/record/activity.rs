//! `A#<user>` in `RecordTable`: what happened to a user, one row for each event.
//!
//! A row's sort key is its time, its type and the id of its event. So a row that is written again replaces itself, and the newest
//! rows come first in the reverse order.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::super::expression::Value;
use super::super::row::{self, row};
use super::super::table::{Item, PK, RecordTable, SK};
use crate::aws::failure;
use crate::history::{Event, What};
use crate::people::EndReason;
use crate::words::{ItemKey, Result, Scope, Tenant, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `A#` and the user's id.
        KEY = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The time as ten digits, the type and the id of the event, separated by dots.
        SORT = "sk" => sk: String,
        /// The type of the event.
        TYPE = "t" => kind: String,
        /// When it happened, in Unix seconds.
        AT = "at" => at: u64,
        /// The session that it is about.
        SESSION = "s" => #[serde(default, skip_serializing_if = "Option::is_none")] session: Option<String>,
        /// The way of the sign-in or sign-up.
        WAY = "via" => #[serde(default, skip_serializing_if = "Option::is_none")] way: Option<String>,
        /// A short description of the device.
        DEVICE = "dv" => #[serde(default, skip_serializing_if = "Option::is_none")] device: Option<String>,
        /// The prefix of its IP address.
        PREFIX = "ip" => #[serde(default, skip_serializing_if = "Option::is_none")] prefix: Option<String>,
        /// Why a session ended.
        REASON = "w" => #[serde(default, skip_serializing_if = "Option::is_none")] reason: Option<String>,
        /// The names of changed fields.
        FIELDS = "f" => #[serde(default, skip_serializing_if = "Vec::is_empty")] fields: Vec<String>,
        /// From when DynamoDB may delete the row, in Unix seconds.
        TTL = "ttl" => ttl: u64,
    }
}

const KIND: &str = "A";

/// Rows that are written or deleted at the same time.
const AT_ONCE: usize = 25;

/// A row of a user's activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    /// Unique for this user. Rows with smaller texts are older.
    pub id: String,
    /// The type of the event, such as `session.opened`.
    pub kind: String,
    /// When it happened, to the second.
    pub at: Timestamp,
    /// The session that it is about.
    pub session: Option<String>,
    /// The way of the sign-in or sign-up, such as `otp_email`.
    pub way: Option<String>,
    /// The device, in a few words.
    pub device: Option<String>,
    /// The prefix of its IP address.
    pub prefix: Option<String>,
    /// Why a session ended: a name of [`EndReason`], or `other`.
    pub reason: Option<String>,
    /// The names of changed fields.
    pub fields: Vec<String>,
}

/// A page of a user's activity, newest first.
#[derive(Debug)]
pub struct ActivityPage {
    /// The rows.
    pub rows: Vec<ActivityRow>,
    /// The `before` of the next page. `None` at the end.
    pub next: Option<String>,
}

impl RecordTable {
    /// Writes a row for each event, kept for `keep`. A row that is there already stays as it is. The erasure of a user gets no row,
    /// because it deletes the others.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable. Some rows may then be written.
    pub async fn put_activity(&self, events: &[Event], keep: Duration) -> Result<()> {
        let told = events.iter().filter(|event| event.what != What::UserErased);
        let rows = told.map(|event| row::write(row_of(event, keep))).collect::<Result<Vec<_>>>()?;
        // One call for all rows would need a permission that also deletes.
        let put =
            |row: &Item| self.table.client.put_item().table_name(&self.table.name).set_item(Some(row.clone())).send();
        for batch in rows.chunks(AT_ONCE) {
            try_join_all(batch.iter().map(put)).await.map_err(failure)?;
        }
        Ok(())
    }

    /// The oldest rows of the user's activity, at most 25. Empty if there are none.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn oldest_activity(&self, (tenant, user): (&Tenant, &UserId)) -> Result<Vec<ActivityRow>> {
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", key(tenant, user).as_str().attribute_value())
            .consistent_read(true)
            .limit(i32::try_from(AT_ONCE).unwrap_or(i32::MAX));
        let found = query.send().await.map_err(failure)?.items.unwrap_or_default();
        found.into_iter().map(|item| row::read::<Row>(item).map(view)).collect()
    }

    /// Deletes these rows, in parallel.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn delete_activity(&self, (tenant, user): (&Tenant, &UserId), rows: &[ActivityRow]) -> Result<()> {
        let key = key(tenant, user);
        try_join_all(rows.iter().map(|row| self.table.delete_at(&key, &row.id))).await.map(|_| ())
    }

    /// A page of the user's activity: at most `most` rows older than `before`, the [`ActivityPage::next`] of another page.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn activity(
        &self,
        (tenant, user): (&Tenant, &UserId),
        before: Option<&str>,
        most: usize,
        now: Timestamp,
    ) -> Result<ActivityPage> {
        let condition = if before.is_some() { "#pk = :pk AND #sk < :before" } else { "#pk = :pk" };
        let mut query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", key(tenant, user).as_str().attribute_value())
            .scan_index_forward(false)
            // One more tells whether there is another page.
            .limit(i32::try_from(most.saturating_add(1)).unwrap_or(i32::MAX));
        if let Some(before) = before {
            query = query
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":before", AttributeValue::S(before.to_owned()));
        }
        let found = query.send().await.map_err(failure)?.items.unwrap_or_default();
        let is_last = found.len() <= most;
        let rows = found.into_iter().take(most).map(row::read::<Row>).collect::<Result<Vec<_>>>()?;
        let next = rows.last().filter(|_| !is_last).map(|row| row.sk.clone());
        // DynamoDB deletes late.
        let rows = rows.into_iter().filter(|row| row.ttl > now.unix()).map(view).collect();
        Ok(ActivityPage { rows, next })
    }
}

fn key(tenant: &Tenant, user: &UserId) -> ItemKey {
    ItemKey::new(Scope::Tenant(tenant), KIND, &[&user.to_string()])
}

fn row_of(event: &Event, keep: Duration) -> Row {
    let mut row = Row {
        pk: key(&Tenant::default(), &event.user),
        sk: format!("{:010}.{}.{}", event.at.unix(), event.what.name(), event.id),
        kind: event.what.name().to_owned(),
        at: event.at.unix(),
        session: None,
        way: None,
        device: None,
        prefix: None,
        reason: None,
        fields: Vec::new(),
        // From the event, so that the same event makes the same row.
        ttl: event.at.after(keep).unix(),
    };
    match &event.what {
        What::SessionOpened { session, way, device } => {
            row.session = Some(session.as_str().to_owned());
            row.way = Some(way.clone());
            row.device = Some(device.words.clone());
            row.prefix = Some(device.prefix.clone());
        }
        What::SessionEnded { session, reason } => {
            row.session = Some(session.clone());
            row.reason = Some(reason.map_or("other", EndReason::name).to_owned());
        }
        What::UserCreated { way, .. } => row.way = Some(way.clone()),
        What::UserErased => {}
        What::UserUpdated { fields } => row.fields = fields.iter().map(|&field| field.to_owned()).collect(),
    }
    row
}

fn view(row: Row) -> ActivityRow {
    let Row { sk, kind, at, session, way, device, prefix, reason, fields, .. } = row;
    ActivityRow { id: sk, kind, at: Timestamp::from_unix(at), session, way, device, prefix, reason, fields }
}
