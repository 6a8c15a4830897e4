//! The rows of a user's activity: what happened, one row for each event.
//!
//! A row's sort key is its time, its type and the id of its event. So the newest rows come first in the reverse order.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::row::{self, row};
use super::super::send::Range;
use super::super::table::{Item, RecordTable};
use super::rows::key;
use crate::history::{Event, What};
use crate::people::EndReason;
use crate::words::{ItemKey, Result, Tenant, Timestamp, UserId};

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

/// The rows of activity begin with the ten digits of a time, so they sort before this.
const END: &str = ":";

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
        // One more tells whether there is another page.
        let place = before.unwrap_or(END).min(END);
        let found = self.table.query(&key(tenant, user), Range::Before(place), most.saturating_add(1)).await?;
        let is_last = found.len() <= most;
        let rows = found.into_iter().take(most).map(row::read::<Row>).collect::<Result<Vec<_>>>()?;
        let next = rows.last().filter(|_| !is_last).map(|row| row.sk.clone());
        // DynamoDB deletes late.
        let rows = rows.into_iter().filter(|row| row.ttl > now.unix()).map(view).collect();
        Ok(ActivityPage { rows, next })
    }
}

/// The erasure of a user has no row, because it deletes the others.
pub(super) fn row(event: &Event, keep: Duration) -> Result<Option<Item>> {
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
        What::SessionOpened { session, way, device, .. } => {
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
        What::UserErased => return Ok(None),
        What::UserUpdated { fields } => row.fields = fields.iter().map(|&field| field.to_owned()).collect(),
    }
    row::write(row).map(Some)
}

fn view(row: Row) -> ActivityRow {
    let Row { sk, kind, at, session, way, device, prefix, reason, fields, .. } = row;
    ActivityRow { id: sk, kind, at: Timestamp::from_unix(at), session, way, device, prefix, reason, fields }
}
