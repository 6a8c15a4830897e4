//! The daily sweep over the list of users who left.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use shared::store::{Left, Users};
use shared::words::{Error, Result, Tenant, Timestamp};

use crate::Erase;

/// The stream keeps its records for a day, so `record` writes nothing about a user later than that.
const KEPT: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// The stream brings a deletion after a minute or two.
const LATE: Duration = Duration::from_secs(60 * 60);

/// Users whose rows are deleted at the same time.
const AT_ONCE: usize = 10;

/// After this time a sweep begins with no further user. Lambda ends the function a minute later.
const LONGEST: Duration = Duration::from_secs(4 * 60);

/// The users of a sweep.
#[derive(Default)]
struct Seen {
    swept: usize,
    /// Users who should be erased by now, and are not.
    unerased: usize,
    /// Users who were erased, and of whom `record` should have read by now.
    unrecorded: usize,
    /// Users for whom no time was left.
    left: usize,
    failure: Option<Error>,
}

enum Outcome {
    Swept,
    Unerased,
    Unrecorded,
    Left,
}

impl Erase {
    /// Sweeps the whole list. One failure does not keep the others from being erased.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Value> {
        let tenant = Tenant::default();
        let users = self.users.of(&tenant);
        let mut seen = Seen::default();
        let mut page = self.record.left(None).await?;
        while let Some(last) = page.last().map(|left| left.user.clone()) {
            let mut sweeps = Vec::with_capacity(page.len());
            for left in &page {
                sweeps.push(self.sweep_user(users, left, now));
            }
            let outcomes: Vec<_> = stream::iter(sweeps).buffer_unordered(AT_ONCE).collect().await;
            outcomes.into_iter().for_each(|outcome| seen.add(outcome));
            page = self.record.left(Some(&last)).await?;
        }
        seen.answer()
    }

    async fn sweep_user(&self, users: Users<'_>, left: &Left, started: Timestamp) -> Result<Outcome> {
        let Left { user, at, is_recorded, is_erased } = left;
        // The one handler that looks at the clock again, because the list has any length.
        if started.until(self.clock.now()) >= LONGEST {
            return Ok(Outcome::Left);
        }
        if users.user(user).await?.is_some() {
            // Someone has restored the user.
            self.record.forget_left(user).await?;
            return Ok(Outcome::Swept);
        }
        self.erase_rows(users, user).await?;
        let age = at.until(started);
        if *is_erased && age >= KEPT {
            self.record.forget_left(user).await?;
        }
        Ok(match (is_erased, is_recorded) {
            _ if age < LATE => Outcome::Swept,
            (false, _) => {
                tracing::warn!(event = "erasure_overdue", %user, "a user left, and the identifier's item may still exist");
                Outcome::Unerased
            }
            (true, false) => {
                tracing::warn!(event = "record_overdue", %user, "a user is erased, and `record` has not read of it");
                Outcome::Unrecorded
            }
            (true, true) => Outcome::Swept,
        })
    }
}

impl Seen {
    fn add(&mut self, outcome: Result<Outcome>) {
        match outcome {
            Ok(Outcome::Swept) => self.swept += 1,
            Ok(Outcome::Unerased) => self.unerased += 1,
            Ok(Outcome::Unrecorded) => self.unrecorded += 1,
            Ok(Outcome::Left) => self.left += 1,
            Err(error) => self.failure = Some(error),
        }
    }

    fn answer(self) -> Result<Value> {
        let Seen { swept, unerased, unrecorded, left, failure } = self;
        if left > 0 {
            tracing::warn!(event = "sweep_stopped", left, "the list is too long for one sweep; the next one goes on");
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let behind = [
            (unerased, "users left, and are not erased: `erase` is behind"),
            (unrecorded, "users are erased, and have no event of it: `record` is behind"),
        ];
        let behind: Vec<String> = behind
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, problem)| format!("{count} {problem}"))
            .collect();
        match behind.is_empty() {
            true => Ok(json!({ "swept": swept, "left": left })),
            false => Err(Error::internal(format!("{} (docs/operations.md, EraseFailures)", behind.join("; ")))),
        }
    }
}
