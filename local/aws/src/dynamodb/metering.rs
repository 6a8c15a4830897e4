//! What a DynamoDB call consumes, also where its caller does not ask.
//!
//! The engine is always asked for the units, and for the item that a failed condition saw: that write is paid by the
//! item's size. What the caller did not ask for is taken out of its answer again.

use serde_json::{Value, json};

use super::engine::EngineError;
use crate::calls::Capacity;

/// What was asked for beyond the caller's own wishes.
pub(super) struct Metered {
    capacity: bool,
    failed_item: bool,
}

impl Metered {
    /// Asks for what is missing in `request`.
    pub(super) fn prepare(operation: &str, request: &mut Value) -> Metered {
        let mut ask = |member: &str, value: &str| match request.as_object_mut() {
            Some(fields) if fields.get(member).is_none_or(|wish| wish == "NONE") => {
                fields.insert(member.to_owned(), json!(value));
                true
            }
            _ => false,
        };
        let has_condition = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem");
        Metered {
            capacity: operation != "DescribeTable" && ask("ReturnConsumedCapacity", "TOTAL"),
            failed_item: has_condition && ask("ReturnValuesOnConditionCheckFailure", "ALL_OLD"),
        }
    }

    /// What an answer says was consumed, and no longer says to a caller who did not ask.
    pub(super) fn take(&self, operation: &str, answer: &mut Value) -> Capacity {
        let consumed = match answer.as_object_mut() {
            Some(fields) if self.capacity => fields.remove("ConsumedCapacity"),
            _ => answer.get("ConsumedCapacity").cloned(),
        };
        match consumed.unwrap_or_default() {
            Value::Array(tables) => tables.iter().map(|table| units(operation, table)).sum(),
            table => units(operation, &table),
        }
    }

    /// What a refusal says was consumed. The item that a failed condition saw stays in it only where the caller asked.
    pub(super) fn take_refused(&self, error: &mut EngineError) -> Capacity {
        let write = error.write_units();
        if self.failed_item {
            error.hide_item();
        }
        Capacity { read: 0.0, write }
    }
}

/// One table's share. A transaction says itself what it read and wrote; a repeated one only reads.
fn units(operation: &str, consumed: &Value) -> Capacity {
    let number = |member: &str| consumed.get(member).and_then(Value::as_f64);
    match (number("ReadCapacityUnits"), number("WriteCapacityUnits"), number("CapacityUnits")) {
        (None, None, total) => {
            let total = total.unwrap_or_default();
            let writes =
                matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems");
            if writes { Capacity { read: 0.0, write: total } } else { Capacity { read: total, write: 0.0 } }
        }
        (read, write, _) => Capacity { read: read.unwrap_or_default(), write: write.unwrap_or_default() },
    }
}
