//! Measures the capacity of each DynamoDB call, whether or not the caller asks for it.
//!
//! Every request to the engine asks for the capacity and for the item of a failed condition, because the item's size sets
//! the price of that write. Both are removed from the answer unless the caller asked for them.

use serde_json::{Value, json};

use super::engine::EngineError;
use crate::calls::Capacity;

/// The members to remove from the answer, unrequested by the caller.
pub(super) struct Metered {
    capacity: bool,
    failed_item: bool,
}

impl Metered {
    /// Adds the missing wishes to `request`.
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

    /// Returns the capacity from an answer, and removes it unless the caller asked for it.
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

    /// Returns the capacity of a refused call, and removes the stored item unless the caller asked for it.
    pub(super) fn take_refused(&self, error: &mut EngineError) -> Capacity {
        let write = error.write_units();
        if self.failed_item {
            error.hide_item();
        }
        Capacity { read: 0.0, write }
    }
}

/// The capacity of one table. A transaction reports reads and writes separately, and a repeated one only reads.
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
