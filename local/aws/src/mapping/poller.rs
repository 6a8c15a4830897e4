//! Reads the shards of a stream and invokes the function of its mapping.
//!
//! Lambda polls each shard by itself, waits for full batches and pauses before it repeats one. Here a delivery brings all
//! records at once, one shard after the other, so that a test sees the same batches every time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use shared::words::Timestamp;
use tokio::sync::Mutex;

use super::batch::{Outcome, Window, dead_letter, outcome};
use crate::clock::StackClock;
use crate::dynamodb::Record;
use crate::failure::Failure;
use crate::faults::Disorder;
use crate::lambda::Functions;
use crate::services::Services;
use crate::template::Mapping;

/// What Lambda does with the role of the function.
const READS: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// A mapping at work.
pub struct Poller {
    mapping: Mapping,
    services: Services,
    functions: Arc<Functions>,
    clock: StackClock,
    /// The place in each shard. Locked during a delivery, because a shard has one reader at a time.
    places: Mutex<BTreeMap<String, Place>>,
}

#[derive(Default)]
struct Place {
    /// The last delivered record.
    sequence: u128,
    window: Option<Window>,
}

impl Poller {
    /// Begins at the first record of each shard.
    ///
    /// # Errors
    /// The role of the function lacks a permission that Lambda needs, or the queue is unknown.
    pub fn start(
        mapping: Mapping,
        services: Services,
        functions: Arc<Functions>,
        clock: StackClock,
    ) -> Result<Poller, Failure> {
        let check = |action: &str, resource: &str| services.check_action(&mapping.function, action, resource);
        let reads = READS.iter().try_for_each(|action| check(action, &mapping.stream));
        let sends = check("sqs:SendMessage", &mapping.on_failure);
        reads.and(sends).map_err(|problem| Failure::new(format!("template.yaml: {problem}")))?;
        if services.shards(&mapping.table).is_empty() {
            return Err(Failure::new(format!("template.yaml: the table {} has no stream", mapping.table)));
        }
        Ok(Poller { mapping, services, functions, clock, places: Mutex::default() })
    }

    /// The resource name of the function.
    pub fn function(&self) -> &str {
        &self.mapping.function
    }

    /// Invokes the function with any event.
    ///
    /// # Errors
    /// The function fails.
    pub async fn invoke(&self, event: &Value) -> Result<Value, Failure> {
        self.functions.invoke(&self.mapping.function, event).await
    }

    /// Delivers all records that the stream has. Returns how many, with those that a filter drops.
    pub async fn deliver(&self) -> usize {
        let mut places = self.places.lock().await;
        let mut shards = self.services.shards(&self.mapping.table);
        let faults = self.services.faults();
        if faults.strikes(Disorder::Reorder) {
            shards.reverse();
        }
        let mut delivered = 0;
        for shard in shards {
            let place = places.entry(shard.clone()).or_default();
            if faults.strikes(Disorder::Delay) {
                continue;
            }
            if faults.strikes(Disorder::Poison) {
                self.services.poison(&self.mapping.table, &shard, self.clock.now());
            }
            delivered += self.drain(&shard, place).await;
        }
        delivered
    }

    async fn drain(&self, shard: &str, place: &mut Place) -> usize {
        let Mapping { table, batch_size, window_seconds, .. } = &self.mapping;
        let mut delivered = 0;
        loop {
            let mut batch = self.services.records(table, shard, place.sequence, *batch_size);
            let now = batch.first().map_or_else(|| self.clock.now(), |record| record.at);
            self.end_window(shard, place, now).await;
            let Some(last) = batch.last().map(|record| record.at) else { return delivered };
            let mut window = place.window.take().unwrap_or_else(|| Window::around(now, *window_seconds));
            if last >= window.end {
                batch.retain(|record| record.at < window.end);
            }
            delivered += batch.len();
            place.sequence = batch.last().map_or(place.sequence, |record| record.sequence);
            let restart = batch.get(batch.len() / 2).map(|record| record.sequence - 1);
            batch.retain(|record| self.passes(record));
            if !batch.is_empty() {
                let faults = self.services.faults();
                let second =
                    if faults.strikes(Disorder::Split) { batch.split_off(batch.len() / 2) } else { Vec::new() };
                for part in [batch, second].into_iter().filter(|part| !part.is_empty()) {
                    self.hand_over(shard, &mut window, part.clone()).await;
                    if faults.strikes(Disorder::Duplicate) {
                        self.hand_over(shard, &mut window, part).await;
                    }
                }
                if let (Some(restart), true) = (restart, faults.strikes(Disorder::Overlap)) {
                    place.sequence = restart;
                }
            }
            place.window = Some(window);
        }
    }

    fn passes(&self, record: &Record) -> bool {
        let filters = &self.mapping.filters;
        filters.is_empty() || filters.iter().any(|filter| filter.matches(&record.event))
    }

    /// Tells the function that a window is over.
    async fn end_window(&self, shard: &str, place: &mut Place, now: Timestamp) {
        if let Some(window) = place.window.take_if(|window| window.end <= now) {
            let event = window.event(&self.mapping.stream, shard, &[], true);
            // The failure is in the log. There is nothing to repeat.
            let _ = self.functions.invoke(&self.mapping.function, &event).await;
        }
    }

    /// Invokes the function with a batch until it has handled every record, or until records have failed too often. A failed
    /// batch is halved first, so that one record cannot take others with it.
    async fn hand_over(&self, shard: &str, window: &mut Window, batch: Vec<Record>) {
        let Mapping { function, stream, retries, on_failure, .. } = &self.mapping;
        let mut waiting = vec![(batch, 0)];
        while let Some((mut records, tried)) = waiting.pop() {
            let event = window.event(stream, shard, &records, false);
            let answer = self.functions.invoke(function, &event).await.ok();
            match outcome(answer, &records, window) {
                Outcome::Done => continue,
                Outcome::From(first) if first > 0 => {
                    waiting.push((records.split_off(first), tried));
                    continue;
                }
                Outcome::From(_) | Outcome::Failed => {}
            }
            if records.len() > 1 {
                let second = records.split_off(records.len() / 2);
                waiting.extend([(second, tried), (records, tried)]);
            } else if tried < *retries {
                waiting.push((records, tried + 1));
            } else {
                let message = dead_letter(function, stream, shard, &records, tried + 1);
                if !self.services.send(on_failure, message) {
                    tracing::error!(queue = on_failure, "the queue for failed records is unknown");
                }
            }
        }
    }
}
