//! `LEFT` in `RecordTable`: the users whose item was deleted, one row for each. Behind them is the place at which a sweep stopped.

use serde::{Deserialize, Serialize};

use super::super::row::{self, row};
use super::super::send::Range;
use super::super::table::{Item, RecordTable};
use crate::words::{ItemKey, Result, Scope, Tenant, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `LEFT`.
        KEY = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The user.
        USER = "sk" => user: UserId,
        /// When the user's item was deleted, in Unix seconds. Missing while `record` has not read of it.
        AT = "at" => #[serde(default, skip_serializing_if = "Option::is_none")] at: Option<u64>,
        /// When the rest was first erased, in Unix seconds. Missing before.
        ERASED = "e" => #[serde(default, skip_serializing_if = "Option::is_none")] erased: Option<u64>,
    }
}

row! {
    #[derive(Serialize, Deserialize)]
    struct Stopped {
        /// The last user of the sweep.
        LAST = "last" => last: UserId,
    }
}

const KIND: &str = "LEFT";

/// The sort key of the place at which a sweep stopped. It sorts behind all users.
const PLACE: &str = "place";
/// Sorts between the users and the place.
const BEHIND_USERS: &str = "g";

/// The rows of a page.
const PAGE: usize = 100;

/// A user whose item was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The user.
    pub user: UserId,
    /// When the item was deleted, or at least known to be.
    pub at: Timestamp,
    /// Whether `record` has read of the deletion, or an operator knows of it.
    pub is_recorded: bool,
    /// Whether what the item led to is erased.
    pub is_erased: bool,
}

impl RecordTable {
    /// Notes that the item of `user` was deleted at `at`.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn note_left(&self, user: &UserId, at: Timestamp) -> Result<()> {
        let write = self.table.update_at(key(), user.to_string()).unconditionally();
        write.set(AT, ("left", at)).send().await.map(|_| ())
    }

    /// Notes that an operator knows of the deletion, unless `record` has noted it.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn note_known(&self, user: &UserId, now: Timestamp) -> Result<()> {
        let write = self.table.update_at(key(), user.to_string()).unconditionally();
        write.set_if_missing(AT, ("now", now)).send().await.map(|_| ())
    }

    /// Notes that what the item of `user` led to is erased.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn note_erased(&self, user: &UserId, now: Timestamp) -> Result<()> {
        let write = self.table.update_at(key(), user.to_string()).unconditionally();
        write.set_if_missing(ERASED, ("now", now)).send().await.map(|_| ())
    }

    /// A page of the list, beginning behind `after`. Empty at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn left(&self, after: Option<&UserId>) -> Result<Vec<Left>> {
        let after = after.map(UserId::to_string);
        let range = after.as_deref().map_or(Range::First, Range::After);
        let found = self.table.query(&key(), range, PAGE).await?;
        let read = |item| row::read::<Row>(item).map(view);
        found.into_iter().filter(|item| !is_place(item)).map(read).collect()
    }

    /// The last user of a sweep that stopped before the end of the list.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn sweep_stopped_at(&self) -> Result<Option<UserId>> {
        let found = self.table.query(&key(), Range::After(BEHIND_USERS), 1).await?;
        found.into_iter().next().map(|item| row::read::<Stopped>(item).map(|row| row.last)).transpose()
    }

    /// Notes at which user a sweep stopped. `None` if it came to the end of the list.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn note_sweep(&self, last: Option<&UserId>) -> Result<()> {
        match last {
            Some(last) => {
                let write = self.table.update_at(key(), PLACE).unconditionally();
                write.set(LAST, ("last", last.to_string().as_str())).send().await.map(|_| ())
            }
            None => self.table.delete_at(&key(), PLACE).await,
        }
    }

    /// Drops a user from the list.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn forget_left(&self, user: &UserId) -> Result<()> {
        self.table.delete_at(&key(), &user.to_string()).await
    }
}

/// Whether a row of the list is the place at which a sweep stopped.
pub(in crate::store) fn is_place(row: &Item) -> bool {
    row.contains_key(&LAST.name())
}

/// Whether a row of the list has been erased.
pub(in crate::store) fn is_erased(row: &Item) -> bool {
    row.contains_key(&ERASED.name())
}

fn key() -> ItemKey {
    ItemKey::new(Scope::Tenant(&Tenant::default()), KIND, &[])
}

fn view(row: Row) -> Left {
    // Of the two notes, either may come first.
    let at = row.at.or(row.erased).unwrap_or_default();
    let (is_recorded, is_erased) = (row.at.is_some(), row.erased.is_some());
    Left { user: row.user, at: Timestamp::from_unix(at), is_recorded, is_erased }
}
