//! The events of Lambda's mapping for UserTable's stream: a batch of records of one shard, or the end of a window.

use serde_json::{Value, json};

use crate::history::Change;
use crate::store::read_change;
use crate::words::{Error, Result};

/// A batch of one shard.
pub struct Batch {
    /// The id of the shard. Only an event of a tumbling window names it.
    pub shard: String,
    /// The records up to the first unreadable one.
    pub changes: Vec<Change>,
    unreadable: Option<Unreadable>,
}

/// A record that nothing can read.
struct Unreadable {
    /// Its sequence number, if at least this can be read.
    sequence: Option<String>,
    problem: Error,
}

fn records(event: &Value) -> Option<&[Value]> {
    event.get("Records").and_then(Value::as_array).map(Vec::as_slice)
}

impl Batch {
    /// The kind of an event, in one word for the log.
    pub fn kind(event: &Value) -> &'static str {
        match records(event) {
            Some([]) => "window_end",
            Some(_) => "batch",
            None => "unknown",
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// The event is none of a mapping with a tumbling window.
    pub fn read(event: &Value) -> Result<Batch> {
        let shard = event.get("shardId").and_then(Value::as_str);
        let (Some(records), Some(shard)) = (records(event), shard) else {
            return Err(Error::invalid("the event has no `shardId`. Set `TumblingWindowInSeconds` on the mapping"));
        };
        let (mut changes, mut unreadable) = (Vec::with_capacity(records.len()), None);
        for record in records {
            match read_change(record) {
                Ok(change) => changes.push(change),
                Err(problem) => {
                    let sequence = record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str);
                    unreadable = Some(Unreadable { sequence: sequence.map(str::to_owned), problem });
                    break;
                }
            }
        }
        Ok(Batch { shard: shard.to_owned(), changes, unreadable })
    }

    /// The answer to Lambda once all `changes` are handled. Lambda comes again from the unreadable record on, if there is one.
    ///
    /// # Errors
    /// The batch begins with an unreadable record, or the place of that record is unknown. Lambda halves the batch until the record
    /// is alone, repeats it, and then sends its place to the queue.
    pub fn answer(self) -> Result<Value> {
        let Batch { shard, changes, unreadable } = self;
        let Some(Unreadable { sequence, problem }) = unreadable else {
            return Ok(json!({ "state": {}, "batchItemFailures": [] }));
        };
        match sequence {
            Some(sequence) if !changes.is_empty() => {
                Ok(json!({ "state": {}, "batchItemFailures": [{ "itemIdentifier": sequence }] }))
            }
            sequence => {
                tracing::warn!(event = "unreadable_record", shard, sequence, "{problem}");
                Err(problem)
            }
        }
    }
}
