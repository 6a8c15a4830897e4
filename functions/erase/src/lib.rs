//! Deletes what is left of a user whose item is gone. No other function may delete items.
//!
//! Lambda invokes it with batches of UserTable's stream. Of each user whose item was deleted there:
//!
//! 1. Stop if the item is back, because someone restored it.
//! 2. Delete the user's second factors, and the items of the user's identifiers and sessions, if they still name this user.
//! 3. Delete the user's activity and sources, and the sessions that the activity names.
//! 4. Note in the list of users who left that the user is erased.
//!
//! At the end, tell the queue where the unreadable records of the batch are.
//!
//! A daily schedule invokes it for this list, which `record` writes from the same stream. `record` may write rows later than step
//! 3, so a user stays in the list for two days, and each sweep repeats steps 1 and 3. It fails if after an hour step 4 is missing for
//! somebody, or `record` has not read of a deletion.
//!
//! An operator invokes it with a user and the keys of items that a table export still has: `{"user": …, "items": ["ID#…", "S#…"]}`.
//!
//! Every step may be repeated. A feature that stores something about a user adds it to step 2 or 3.

mod event;
mod sweep;

use serde_json::{Value, json};
use shared::aws::{self, Aws, KeyringReader, Queue, Secrets};
use shared::config::Reader;
use shared::history::{Change, Changed};
use shared::keys::IndexKeys;
use shared::people::User;
use shared::runtime::{Batch, Function};
use shared::store::{RecordTable, Remains, Store, UserTable, Users};
use shared::words::{Clock, Index, Result, Tenant, Timestamp, UserId};

use crate::event::Event;

/// The function's resources: both tables of users, the index key, and the queue of unreadable records.
pub struct Erase {
    clock: Clock,
    index: KeyringReader<IndexKeys>,
    users: UserTable,
    record: RecordTable,
    failed: Queue,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    index_secret: String,
    user_table: String,
    record_table: String,
    failed: String,
}

impl Function for Erase {
    const NAME: &'static str = "erase";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            index_secret: IndexKeys::read_secret(read),
            user_table: UserTable::read_name(read),
            record_table: RecordTable::read_name(read),
            failed: Queue::read_url(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Erase> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let index = Secrets::new(&aws).keyring(settings.index_secret);
        let (users, record) = (store.user_table(settings.user_table), store.record_table(settings.record_table));
        Ok(Erase { clock, index, users, record, failed: Queue::new(&aws, settings.failed) })
    }

    fn kind(event: &Value) -> Option<&'static str> {
        Some(event::kind(event))
    }

    async fn handle(&self, event: Value) -> Result<Value> {
        let now = self.clock.now();
        match Event::read(&event)? {
            Event::Batch(batch) => self.take(batch, now).await,
            Event::Sweep => self.sweep(now).await,
            Event::User { user, remains } => {
                let is_gone = self.erase(&user, &remains, now).await?;
                if is_gone {
                    // The stream may have forgotten the deletion, so `record` may never read of it.
                    self.record.note_known(&user, now).await?;
                }
                Ok(json!({ "erased": is_gone }))
            }
        }
    }
}

impl Erase {
    async fn take(&self, batch: Batch, now: Timestamp) -> Result<Value> {
        for Change { item, .. } in &batch.changes {
            if let Changed::User { before: Some(user), after: None, .. } = item {
                let remains = self.remains_of(user, now).await?;
                self.erase(&user.id, &remains, now).await?;
            }
        }
        batch.end(Self::NAME, &self.failed).await
    }

    /// The items that a user's item leads to.
    async fn remains_of(&self, user: &User, now: Timestamp) -> Result<Vec<Remains>> {
        let (keys, tenant) = (self.index.keys(now).await?, Tenant::default());
        let index = Index::new(keys.index.mac(), &tenant);
        let identifiers = user.identifiers().map(|identifier| Remains::identifier(&index.identifier(&identifier)));
        Ok(identifiers.chain(user.sessions.keys().map(|session| Remains::session(session))).collect())
    }

    /// Erases a user. Returns `false` if the user's item exists, and deletes nothing then.
    async fn erase(&self, user: &UserId, remains: &[Remains], now: Timestamp) -> Result<bool> {
        let tenant = Tenant::default();
        let users = self.users.of(&tenant);
        if users.user(user).await?.is_some() {
            return Ok(false);
        }
        users.erase_factors(user).await?;
        users.erase(remains, user).await?;
        self.erase_rows(users, user).await?;
        self.record.note_erased(user, now).await?;
        tracing::info!(event = "user_erased", %user, "what was left of a user is deleted");
        Ok(true)
    }

    /// Sessions go first, because the rows of activity name them.
    async fn erase_rows(&self, users: Users<'_>, user: &UserId) -> Result<()> {
        let tenant = Tenant::default();
        loop {
            let rows = self.record.first_rows((&tenant, user)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let sessions = rows.iter().filter_map(|row| row.session.as_deref()).map(Remains::session);
            users.erase(&sessions.collect::<Vec<_>>(), user).await?;
            self.record.delete_rows((&tenant, user), &rows).await?;
        }
    }
}
