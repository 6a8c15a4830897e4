//! The units that a DynamoDB call consumes, also if its caller does not ask for them.
//!
//! The engine is always asked for the units, and for the item that a failed condition saw, because that write costs by the
//! item's size. The answer shows neither to a caller who did not ask.

use serde_json::{Value, json};

use super::engine::EngineError;
use crate::calls::Capacity;

/// What the caller did not ask for.
pub(super) struct Metered {
    capacity: bool,
    failed_item: bool,
}

impl Metered {
    /// Adds to `request` what is missing.
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

    /// Takes the units out of an answer; they stay in it if the caller asked.
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

    /// Takes the units out of an error. The item that a failed condition saw stays in it if the caller asked.
    pub(super) fn take_refused(&self, error: &mut EngineError) -> Capacity {
        let write = error.write_units();
        if self.failed_item {
            error.hide_item();
        }
        Capacity { read: 0.0, write }
    }
}

/// The units of one table. A transaction tells reads and writes apart; a repeated one only reads.
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
