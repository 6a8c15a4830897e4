//! One batch of records: the event that the function gets, and what its answer means.

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::dynamodb::Record;

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

/// Whether the function has handled every record. The state in its answer goes to `window`. Lambda requires one from a function with
/// windows.
pub(super) fn is_done(answer: Option<Value>, window: &mut Window) -> bool {
    let state = answer.and_then(|answer| answer.get("state").filter(|state| state.is_object()).cloned());
    state.map(|state| window.state = state).is_some()
}
