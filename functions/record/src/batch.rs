//! The events of Lambda's mapping: a batch of records of one shard, or the end of a window.

use serde_json::{Value, json};
use shared::history::Change;
use shared::store::read_change;
use shared::words::{Error, Result};

/// A batch of one shard.
pub(crate) struct Batch {
    /// The id of the shard. Only an event of a tumbling window names it.
    pub(crate) shard: String,
    /// The records up to the first unreadable one.
    pub(crate) changes: Vec<Change>,
    /// The first unreadable record.
    pub(crate) unreadable: Option<Unreadable>,
}

/// A record that this function cannot read.
pub(crate) struct Unreadable {
    /// Its sequence number, if at least this can be read.
    sequence: Option<String>,
    problem: Error,
}

/// In one word for the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    match records(event) {
        Some([]) => "window_end",
        Some(_) => "batch",
        None => "unknown",
    }
}

fn records(event: &Value) -> Option<&[Value]> {
    event.get("Records").and_then(Value::as_array).map(Vec::as_slice)
}

impl Batch {
    /// Reads an event.
    ///
    /// # Errors
    /// The event is none of a mapping with a tumbling window.
    pub(crate) fn read(event: &Value) -> Result<Batch> {
        let shard = event.get("shardId").and_then(Value::as_str);
        let (Some(records), Some(shard)) = (records(event), shard) else {
            return Err(Error::invalid("the event is no batch of a mapping with a tumbling window"));
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
}

/// Tells Lambda that every record is handled.
pub(crate) fn done() -> Value {
    json!({ "state": {}, "batchItemFailures": [] })
}

impl Unreadable {
    /// Tells Lambda to come again from this record on.
    pub(crate) fn reported(&self) -> Option<Value> {
        let sequence = self.sequence.as_ref()?;
        Some(json!({ "state": {}, "batchItemFailures": [{ "itemIdentifier": sequence }] }))
    }

    /// The failure of a batch that begins with this record. Lambda halves the batch until the record is alone, repeats it, and then
    /// sends its place to the queue.
    pub(crate) fn failure(self, shard: &str) -> Error {
        let Unreadable { sequence, problem } = self;
        tracing::warn!(event = "unreadable_record", shard, sequence, "{problem}");
        problem
    }
}
