//! The daily sweep over the list of users who left.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use shared::store::{Left, Users};
use shared::words::{Error, Result, Tenant, Timestamp, UserId};

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
    failure: Option<Error>,
}

enum Outcome {
    Swept,
    Unerased,
    Unrecorded,
    NoTime,
}

/// How a sweep ended.
#[derive(PartialEq, Eq)]
enum End {
    Complete,
    /// No time was left for the users behind this one, or for any.
    Stopped(Option<UserId>),
}

impl Erase {
    /// Sweeps the whole list, from the user on at which the last sweep stopped. One failure does not keep the others from being erased.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<Value> {
        let start = self.record.sweep_stopped_at().await?;
        let mut seen = Seen::default();
        let mut end = self.sweep_range((start.as_ref(), None), now, &mut seen).await?;
        if end == End::Complete && start.is_some() {
            end = self.sweep_range((None, start.as_ref()), now, &mut seen).await?;
        }
        match &end {
            End::Complete if start.is_none() => {}
            End::Complete => self.record.note_sweep(None).await?,
            End::Stopped(last) => self.record.note_sweep(last.as_ref()).await?,
        }
        seen.answer(&end)
    }

    /// Sweeps the users behind `after`, up to `until`.
    async fn sweep_range(
        &self,
        (after, until): (Option<&UserId>, Option<&UserId>),
        now: Timestamp,
        seen: &mut Seen,
    ) -> Result<End> {
        let tenant = Tenant::default();
        let users = self.users.of(&tenant);
        let mut last = after.cloned();
        loop {
            let mut page = self.record.left(last.as_ref()).await?;
            page.retain(|left| until.is_none_or(|until| left.user.to_string() <= until.to_string()));
            if page.is_empty() {
                return Ok(End::Complete);
            }
            let mut sweeps = Vec::with_capacity(page.len());
            for left in &page {
                sweeps.push(self.sweep_user(users, left, now));
            }
            // In the order of the list, so that the next sweep knows where to begin.
            let outcomes: Vec<_> = stream::iter(sweeps).buffered(AT_ONCE).collect().await;
            for (left, outcome) in page.iter().zip(outcomes) {
                if matches!(outcome, Ok(Outcome::NoTime)) {
                    return Ok(End::Stopped(last));
                }
                seen.add(outcome);
                last = Some(left.user.clone());
            }
        }
    }

    async fn sweep_user(&self, users: Users<'_>, left: &Left, started: Timestamp) -> Result<Outcome> {
        let Left { user, at, is_recorded, is_erased } = left;
        // The one handler that looks at the clock again, because the list has any length.
        if started.until(self.clock.now()) >= LONGEST {
            return Ok(Outcome::NoTime);
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
            Ok(Outcome::NoTime) => {}
            Err(error) => self.failure = Some(error),
        }
    }

    fn answer(self, end: &End) -> Result<Value> {
        let Seen { swept, unerased, unrecorded, failure } = self;
        let is_complete = *end == End::Complete;
        if !is_complete {
            tracing::warn!(
                event = "sweep_stopped",
                swept,
                "the list is too long for one sweep; the next one goes on here"
            );
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let behind = [
            (unerased, "deleted users are not erased: `erase` is behind"),
            (unrecorded, "erased users have no event of it: `record` is behind"),
        ];
        let behind: Vec<String> = behind
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, problem)| format!("{count} {problem}"))
            .collect();
        match behind.is_empty() {
            true => Ok(json!({ "swept": swept, "complete": is_complete })),
            false => Err(Error::internal(format!("{} (docs/operations.md, EraseFailures)", behind.join("; ")))),
        }
    }
}
