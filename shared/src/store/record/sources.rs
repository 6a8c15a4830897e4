//! The rows of a user's sources, one for each sign-up. They stay as long as the user.

use serde::{Deserialize, Serialize};

use super::super::row::{self, row};
use super::super::send::Range;
use super::super::table::{Item, RecordTable};
use super::rows::key;
use crate::history::{Event, Source, What};
use crate::words::{ItemKey, Result, Tenant, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `A#` and the user's id.
        KEY = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// `source`, the time as ten digits and the id of the event, separated by dots.
        SORT = "sk" => sk: String,
        /// The URL that stands for the source.
        URL = "u" => url: String,
        /// When the user signed up, in Unix seconds.
        AT = "at" => at: u64,
        /// The way of the sign-up.
        WAY = "via" => way: String,
    }
}

/// The rows of activity begin with digits, so they sort before these.
pub(super) const PREFIX: &str = "source.";

/// A user signs up once, and once more for each account that is joined later.
const MOST: usize = 50;

/// A source of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSource {
    /// The source.
    pub source: Source,
    /// When the user signed up, to the second.
    pub at: Timestamp,
    /// The way of the sign-up, such as `otp_email`.
    pub way: String,
}

impl RecordTable {
    /// The sources of a user, the newest first. At most 50.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn sources(&self, (tenant, user): (&Tenant, &UserId)) -> Result<Vec<UserSource>> {
        let found = self.table.query(&key(tenant, user), Range::Named(PREFIX), MOST).await?;
        let rows = found.into_iter().map(row::read::<Row>).collect::<Result<Vec<_>>>()?;
        let view = |Row { url, at, way, .. }: Row| {
            Some(UserSource { source: Source::of(&url)?, at: Timestamp::from_unix(at), way })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }
}

/// The row of a sign-up from a web page.
pub(super) fn row(event: &Event) -> Result<Option<Item>> {
    let What::UserCreated { way, source: Some(source) } = &event.what else { return Ok(None) };
    let row = Row {
        pk: key(&Tenant::default(), &event.user),
        sk: format!("{PREFIX}{:010}.{}", event.at.unix(), event.id),
        url: source.url.clone(),
        at: event.at.unix(),
        way: way.clone(),
    };
    row::write(row).map(Some)
}
