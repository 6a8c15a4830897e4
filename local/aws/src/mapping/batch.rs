//! One batch of records: the event that the function gets, and what its answer means.

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::dynamodb::Record;
use crate::ids::{ACCOUNT, REGION, new_id};

/// A tumbling window of one shard.
#[derive(Clone)]
pub(super) struct Window {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// What the function answered last in this window.
    pub(super) state: Value,
}

impl Window {
    /// The window of `seconds` in which `moment` lies.
    pub(super) fn around(moment: Timestamp, seconds: u64) -> Window {
        let start = moment.unix() - moment.unix() % seconds;
        let at = Timestamp::from_unix;
        Window { start: at(start), end: at(start.saturating_add(seconds)), state: json!({}) }
    }

    /// The event for a batch of this window, or for its end.
    pub(super) fn event(&self, stream: &str, shard: &str, records: &[Record], is_final: bool) -> Value {
        let records: Vec<&Value> = records.iter().map(|record| &record.event).collect();
        json!({ "Records": records, "window": { "start": self.start.to_string(), "end": self.end.to_string() },
            "state": self.state, "shardId": shard, "eventSourceARN": stream,
            "isFinalInvokeForWindow": is_final, "isWindowTerminatedEarly": false })
    }
}

/// The function's answer.
pub(super) enum Outcome {
    /// It has handled every record.
    Done,
    /// It has handled the records before this one.
    From(usize),
    /// It failed, or its answer means nothing to Lambda.
    Failed,
}

/// Reads an answer. The state of the window goes to `window`.
pub(super) fn outcome(answer: Option<Value>, records: &[Record], window: &mut Window) -> Outcome {
    let Some(answer) = answer else { return Outcome::Failed };
    // Lambda requires a state from a function with windows.
    let Some(state) = answer.get("state").filter(|state| state.is_object()) else { return Outcome::Failed };
    window.state = state.clone();
    let failures = answer.get("batchItemFailures").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut first = None;
    for failure in failures {
        let sequence = failure.get("itemIdentifier").and_then(Value::as_str).and_then(|text| text.parse().ok());
        // An identifier outside the batch makes the whole batch fail.
        let Some(at) = records.iter().position(|record| Some(record.sequence) == sequence) else {
            return Outcome::Failed;
        };
        first = Some(first.map_or(at, |first: usize| first.min(at)));
    }
    first.map_or(Outcome::Done, Outcome::From)
}

/// The message about records that failed too often. It has their place in the stream, and none of their content.
pub(super) fn dead_letter(function: &str, stream: &str, shard: &str, records: &[Record], invocations: u32) -> Value {
    let at = |record: Option<&Record>| record.map(|record| record.at.to_string());
    let sequence = |record: Option<&Record>| record.map(|record| record.sequence.to_string());
    let (first, last) = (records.first(), records.last());
    json!({ "requestContext": { "requestId": new_id(), "condition": "RetryAttemptsExhausted",
            "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"),
            "approximateInvokeCount": invocations },
        "responseContext": { "statusCode": 200, "executedVersion": "1", "functionError": "Unhandled" },
        "version": "1.0", "timestamp": at(last),
        "DDBStreamBatchInfo": { "shardId": shard, "startSequenceNumber": sequence(first),
            "endSequenceNumber": sequence(last), "approximateArrivalOfFirstRecord": at(first),
            "approximateArrivalOfLastRecord": at(last), "batchSize": records.len(), "streamArn": stream } })
}
