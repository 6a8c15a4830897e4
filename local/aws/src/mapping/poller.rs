//! Reads the shards of a stream and invokes the function of its mapping.
//!
//! Lambda polls each shard by itself, waits for full batches and pauses before it repeats one. Here a delivery brings all
//! records at once, one shard after the other, so that a test sees the same batches every time.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::words::Timestamp;
use tokio::sync::Mutex;

use super::batch::{Window, is_done};
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
    /// The role of the function lacks a permission that Lambda needs, or the table has no stream.
    pub fn start(
        mapping: Mapping,
        services: Services,
        functions: Arc<Functions>,
        clock: StackClock,
    ) -> Result<Poller, Failure> {
        let check = |action: &&str| services.check_action(&mapping.function, action, &mapping.stream);
        READS.iter().try_for_each(check).map_err(|problem| Failure::new(format!("template.yaml: {problem}")))?;
        if services.shards(&mapping.table).is_empty() {
            return Err(Failure::new(format!("template.yaml: the table {} has no stream", mapping.table)));
        }
        Ok(Poller { mapping, services, functions, clock, places: Mutex::default() })
    }

    /// The resource name of the function.
    pub fn function(&self) -> &str {
        &self.mapping.function
    }

    /// Delivers all records that the stream has, or in each shard all before a record that the function cannot handle. Returns how
    /// many, with those that a filter drops.
    ///
    /// Lambda would repeat such a record without limit. Here the next delivery begins with it.
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
                    let mut failed = self.hand_over(shard, &mut window, part.clone()).await;
                    if failed.is_none() && faults.strikes(Disorder::Duplicate) {
                        failed = self.hand_over(shard, &mut window, part).await;
                    }
                    if let Some(failed) = failed {
                        place.sequence = failed - 1;
                        place.window = Some(window);
                        return delivered;
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

    /// Invokes the function with a batch until it has handled every record. A failed batch is halved, so that the records before
    /// a bad one are handled. Returns the sequence number of a record that failed alone.
    async fn hand_over(&self, shard: &str, window: &mut Window, batch: Vec<Record>) -> Option<u128> {
        let Mapping { function, stream, .. } = &self.mapping;
        let mut waiting = vec![batch];
        while let Some(mut records) = waiting.pop() {
            let event = window.event(stream, shard, &records, false);
            let answer = self.functions.invoke(function, &event).await.ok();
            if is_done(answer, window) {
                continue;
            }
            if records.len() < 2 {
                return records.first().map(|record| record.sequence);
            }
            let second = records.split_off(records.len() / 2);
            waiting.extend([second, records]);
        }
        None
    }
}
