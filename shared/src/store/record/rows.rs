//! `A#<user>` in `RecordTable`: the rows of a user, derived from events.
//!
//! The sort key of a row comes from its event, so a row that is written again replaces itself.

use futures_util::future::try_join_all;
use serde::Deserialize;

use super::super::row::{self, row};
use super::super::send::Range;
use super::super::table::{Item, RecordTable};
use crate::aws::failure;
use crate::words::{ItemKey, Result, Scope, Tenant, UserId};

const KIND: &str = "A";

/// Rows that are written or deleted at the same time.
const AT_ONCE: usize = 25;

row! {
    /// What all rows of a user have in common.
    #[derive(Deserialize)]
    struct Row {
        /// The place of the row.
        SORT = "sk" => sort: String,
        /// The session that it is about.
        SESSION = "s" => #[serde(default)] session: Option<String>,
    }
}

/// Any row of a user, for its deletion.
#[derive(Debug)]
pub struct UserRow {
    sort: String,
    /// The session that it is about.
    pub session: Option<String>,
}

impl RecordTable {
    /// Writes rows. A row that is there already stays as it is.
    pub(super) async fn put(&self, rows: Vec<Item>) -> Result<()> {
        // One call for all rows would need a permission that also deletes.
        let put =
            |row: &Item| self.table.client.put_item().table_name(&self.table.name).set_item(Some(row.clone())).send();
        for batch in rows.chunks(AT_ONCE) {
            try_join_all(batch.iter().map(put)).await.map_err(failure)?;
        }
        Ok(())
    }

    /// The first rows of the user, of any kind, at most 25. Empty if there are none.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn first_rows(&self, (tenant, user): (&Tenant, &UserId)) -> Result<Vec<UserRow>> {
        let found = self.table.query(&key(tenant, user), Range::First, AT_ONCE).await?;
        let read = |item| row::read::<Row>(item).map(|Row { sort, session }| UserRow { sort, session });
        found.into_iter().map(read).collect()
    }

    /// Deletes these rows, in parallel.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn delete_rows(&self, (tenant, user): (&Tenant, &UserId), rows: &[UserRow]) -> Result<()> {
        let key = key(tenant, user);
        try_join_all(rows.iter().map(|row| self.table.delete_at(&key, &row.sort))).await.map(|_| ())
    }
}

pub(super) fn key(tenant: &Tenant, user: &UserId) -> ItemKey {
    ItemKey::new(Scope::Tenant(tenant), KIND, &[&user.to_string()])
}
