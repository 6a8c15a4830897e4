//! The events of Lambda's mapping for UserTable's stream: a batch of records of one shard, or the end of a window.

use serde_json::{Value, json};

use crate::aws::Queue;
use crate::history::{Change, Sequence};
use crate::store::read_change;
use crate::words::{Error, Result};

/// A batch of one shard.
pub struct Batch {
    /// The id of the shard. Only an event of a tumbling window names it.
    pub shard: String,
    /// The records that can be read.
    pub changes: Vec<Change>,
    /// The ARN of the stream.
    stream: Option<String>,
    unreadable: Vec<Unreadable>,
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
        let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(records), Some(shard)) = (records(event), text("shardId")) else {
            return Err(Error::invalid("the event has no `shardId`. Set `TumblingWindowInSeconds` on the mapping"));
        };
        let (mut changes, mut unreadable) = (Vec::with_capacity(records.len()), Vec::new());
        for record in records {
            match read_change(record) {
                Ok(change) => changes.push(change),
                Err(problem) => unreadable.push(Unreadable { sequence: sequence(record), problem }),
            }
        }
        Ok(Batch { shard, changes, stream: text("eventSourceARN"), unreadable })
    }

    /// Ends a batch whose `changes` are all handled: tells the queue where the unreadable records are, and answers Lambda. A batch
    /// that comes twice tells the queue twice.
    ///
    /// # Errors
    /// The queue does not take a message. Lambda brings the batch again.
    pub async fn end(self, function: &str, queue: &Queue) -> Result<Value> {
        let Batch { shard, stream, unreadable, .. } = self;
        for Unreadable { sequence, problem } in unreadable {
            tracing::warn!(event = "unreadable_record", shard, sequence, "{problem}");
            // The record itself may contain an address.
            let place = json!({ "function": function, "reason": problem.to_string(), "streamArn": stream,
                "shardId": shard, "sequenceNumber": sequence });
            queue.send(&place).await?;
        }
        // A mapping with windows requires a state.
        Ok(json!({ "state": {} }))
    }
}

/// The sequence number of a record, as AWS's commands take it.
fn sequence(record: &Value) -> Option<String> {
    let text = record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str)?;
    text.parse::<Sequence>().ok().map(|_| text.to_owned())
}
