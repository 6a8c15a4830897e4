//! The daily sweep over the list of users who left.

use std::time::Duration;

use serde_json::{Value, json};
use shared::store::{Left, Users};
use shared::words::{Error, Result, Tenant, Timestamp};

use crate::Erase;

/// The stream keeps its records for a day, so `record` writes nothing about a user later than that.
const KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// The stream brings a deletion after a minute or two.
const LATE: Duration = Duration::from_secs(60 * 60);

impl Erase {
    /// Sweeps the whole list. One failure does not keep the others from being erased.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Value> {
        let tenant = Tenant::default();
        let users = self.users.of(&tenant);
        let (mut swept, mut overdue, mut failed) = (0, 0, None);
        let mut page = self.record.left(None).await?;
        while let Some(last) = page.last().map(|left| left.user.clone()) {
            for left in &page {
                match self.sweep_user(users, left, now).await {
                    Ok(true) => swept += 1,
                    Ok(false) => overdue += 1,
                    Err(error) => failed = Some(error),
                }
            }
            page = self.record.left(Some(&last)).await?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        match overdue {
            0 => Ok(json!({ "swept": swept })),
            _ => Err(Error::internal(format!(
                "{overdue} users left, and are not erased: docs/operations.md, EraseFailures"
            ))),
        }
    }

    /// Returns `false` if the user should be erased by now, and is not.
    async fn sweep_user(&self, users: Users<'_>, left: &Left, now: Timestamp) -> Result<bool> {
        let Left { user, at, is_erased } = left;
        if users.user(user).await?.is_some() {
            // Someone has restored the user.
            self.record.forget_left(user).await?;
            return Ok(true);
        }
        self.erase_rows(users, user).await?;
        let age = at.until(now);
        if !is_erased {
            if age >= LATE {
                tracing::warn!(event = "erasure_overdue", %user, "a user left, and the identifier's item may still exist");
            }
            return Ok(age < LATE);
        }
        if age >= KEPT {
            self.record.forget_left(user).await?;
        }
        Ok(true)
    }
}
