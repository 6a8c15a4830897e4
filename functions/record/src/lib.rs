//! Invoked by Lambda with batches of UserTable's stream: derives events and counts from the changes.
//!
//! Lambda may bring a batch again, with other borders, or while an earlier invocation still runs. Of each shard:
//!
//! 1. Read the records, and set the unreadable ones aside.
//! 2. Read the shard's cursor, and drop the records that it has passed.
//! 3. List the users whose item was deleted, for `erase`. Write the activity of the users, and the sources of new users. A row that is
//!    written again replaces itself.
//! 4. Put the wanted events on the bus. An event may come twice, with the same id.
//! 5. In one transaction, add the counts and move the cursor, if it is still where it was. Otherwise begin again at 2.
//! 6. Tell the queue where the unreadable records are.
//!
//! A failure at any step fails the batch, and Lambda repeats it until it succeeds.
//!
//! An operator invokes it with counts that an outage has lost: `{"export": …, "part": …, "counts": …}`.

mod correction;

use std::time::Duration;

use serde_json::{Value, json};
use shared::aws::{self, Aws, Bus, Queue};
use shared::config::Reader;
use shared::history::{Change, Changed, Counts, Event, Wanted};
use shared::runtime::{Batch, Function};
use shared::store::{Progress, RecordTable, Store};
use shared::words::{Clock, Error, Result, Timestamp};

use crate::correction::{Correction, is_correction};

/// The function's resources: the table of what happened, the bus, and the queue of unreadable records.
pub struct Record {
    clock: Clock,
    table: RecordTable,
    bus: Bus,
    failed: Queue,
    wanted: Wanted,
    /// How long a user's activity is kept.
    keep: Duration,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The table of what happened.
    pub record_table: String,
    /// The name of the bus.
    pub bus: String,
    /// The URL of the queue of unreadable records.
    pub failed: String,
    /// The events that the bus gets.
    pub wanted: Wanted,
    /// How long a user's activity is kept.
    pub keep: Duration,
}

/// How often a shard's cursor may move away from this invocation. Each time means that another one makes progress.
const MOST_ROUNDS: usize = 16;

impl Function for Record {
    const NAME: &'static str = "record";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            record_table: RecordTable::read_name(read),
            bus: Bus::read_name(read),
            failed: Queue::read_url(read),
            wanted: Wanted::read(read),
            keep: read.days("ACTIVITY_DAYS", 90, 1..=400),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Record> {
        let Settings { record_table, bus, failed, wanted, keep } = settings;
        let aws = Aws::new(aws, &clock)?;
        let table = Store::new(&aws).record_table(record_table);
        Ok(Record { clock, table, bus: Bus::new(&aws, bus), failed: Queue::new(&aws, failed), wanted, keep })
    }

    fn kind(event: &Value) -> Option<&'static str> {
        Some(if is_correction(event) { "correction" } else { Batch::kind(event) })
    }

    async fn handle(&self, event: Value) -> Result<Value> {
        if is_correction(&event) {
            let is_new = self.correct(&Correction::read(&event)?, self.clock.now()).await?;
            return Ok(json!({ "counted": is_new }));
        }
        let batch = Batch::read(&event)?;
        self.take(&batch.shard, batch.changes.clone(), self.clock.now()).await?;
        batch.end(Self::NAME, &self.failed).await
    }
}

impl Record {
    /// Adds missing counts. Returns `false` if they were added before.
    async fn correct(&self, correction: &Correction, now: Timestamp) -> Result<bool> {
        let (shard, place) = (correction.shard(), correction.place()?);
        for _ in 0..MOST_ROUNDS {
            let seen = self.table.cursor(&shard).await?;
            if seen.as_ref().is_some_and(|seen| *seen >= place) {
                return Ok(false);
            }
            if seen != correction.before()? {
                return Err(Error::invalid("the parts of a correction count in their order, from part 1 on"));
            }
            let progress = Progress { shard: &shard, seen: seen.as_ref(), last: &place, is_stream: false };
            if self.table.count(progress, &correction.counts, now).await? {
                return Ok(true);
            }
        }
        Err(Error::unavailable("other invocations keep changing the same counts"))
    }

    /// Records the changes that the shard's cursor has not passed.
    async fn take(&self, shard: &str, mut changes: Vec<Change>, now: Timestamp) -> Result<()> {
        for _ in 0..MOST_ROUNDS {
            if changes.is_empty() {
                return Ok(());
            }
            let mut seen = self.table.cursor(shard).await?;
            changes.retain(|change| seen.as_ref().is_none_or(|seen| change.sequence > *seen));
            while let Some(part) = next_part(&changes) {
                let Part { length, counts } = part;
                let Some((part, rest)) = changes.split_at_checked(length) else { break };
                self.tell(part).await?;
                let Some(last) = part.last().map(|change| change.sequence.clone()) else { break };
                let progress = Progress { shard, seen: seen.as_ref(), last: &last, is_stream: true };
                if !self.table.count(progress, &counts, now).await? {
                    break;
                }
                changes = rest.to_vec();
                seen = Some(last);
            }
        }
        match changes.is_empty() {
            true => Ok(()),
            false => Err(Error::unavailable("other invocations keep moving the cursor of this shard")),
        }
    }

    /// Writes the rows of these changes and the list of users who left, and tells the bus.
    async fn tell(&self, changes: &[Change]) -> Result<()> {
        for change in changes {
            if let Changed::User { id, before: Some(_), after: None } = &change.item {
                self.table.note_left(id, change.at).await?;
            }
        }
        let events: Vec<Event> = changes.iter().flat_map(Change::events).collect();
        self.table.put_events(&events, self.keep).await?;
        let wanted = events.into_iter().filter_map(|event| Some((self.wanted.audience(&event.what)?, event)));
        self.bus.put(&wanted.collect::<Vec<_>>()).await
    }
}

/// The changes that one transaction can count.
struct Part {
    length: usize,
    counts: Counts,
}

fn next_part(changes: &[Change]) -> Option<Part> {
    let (mut length, mut counts) = (0, Counts::default());
    for change in changes {
        counts.add(&change.item);
        length += 1;
        if counts.is_full() {
            break;
        }
    }
    (length > 0).then_some(Part { length, counts })
}
