//! DynamoDB's operations, run by the embedded engine: JSON in, JSON out.

use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::Refusal;

/// What functions may call. No function is ever allowed the others: no Scan, and no change of a table.
pub(crate) const SERVED: [&str; 10] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "DescribeTable",
    "GetItem",
    "PutItem",
    "Query",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// What DynamoDB has and no function may call.
pub(super) const DENIED: [&str; 16] = [
    "BatchExecuteStatement",
    "CreateBackup",
    "CreateTable",
    "DeleteTable",
    "DescribeContinuousBackups",
    "DescribeEndpoints",
    "DescribeLimits",
    "DescribeTimeToLive",
    "ExecuteStatement",
    "ExecuteTransaction",
    "ExportTableToPointInTime",
    "ListTables",
    "RestoreTableToPointInTime",
    "Scan",
    "UpdateTable",
    "UpdateTimeToLive",
];

/// Runs one operation: those that are served, and those that the local stack itself needs.
pub(crate) fn run(database: &Database, operation: &str, request: Value) -> Result<Value, DynoxideError> {
    match operation {
        "BatchGetItem" => write(database.batch_get_item(read(request)?)?),
        "BatchWriteItem" => write(database.batch_write_item(read(request)?)?),
        "CreateTable" => write(database.create_table(read(request)?)?),
        "DeleteItem" => write(database.delete_item(read(request)?)?),
        "DescribeTable" => write(database.describe_table(read(request)?)?),
        "GetItem" => write(database.get_item(read(request)?)?),
        "ListTables" => write(database.list_tables(read(request)?)?),
        "PutItem" => write(database.put_item(read(request)?)?),
        "Query" => write(database.query(read(request)?)?),
        "Scan" => write(database.scan(read(request)?)?),
        "TransactGetItems" => write(database.transact_get_items(read(request)?)?),
        "TransactWriteItems" => write(database.transact_write_items(read(request)?)?),
        "UpdateItem" => write(database.update_item(read(request)?)?),
        other => Err(DynoxideError::ValidationException(format!("the local stack does not run {other}"))),
    }
}

/// The engine says in the first word of its message which of DynamoDB's errors it means.
fn read<T: DeserializeOwned>(request: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(request).map_err(|error| {
        let message = error.to_string();
        let marked = |mark| message.strip_prefix(mark).map(str::to_owned);
        match (marked("VALIDATION_REQUEST:").or(marked("VALIDATION:")), marked("SERIALIZATION:")) {
            (Some(reason), _) => DynoxideError::ValidationException(reason),
            (None, Some(reason)) => DynoxideError::SerializationException(reason),
            (None, None) if message.starts_with("invalid type") => DynoxideError::SerializationException(message),
            (None, None) => DynoxideError::ValidationException(message),
        }
    })
}

fn write(answer: impl Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

impl From<&DynoxideError> for Refusal {
    fn from(error: &DynoxideError) -> Refusal {
        let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match serde_json::from_str(&error.to_json()) {
            Ok(body) => Refusal { status, body },
            Err(unreadable) => Refusal::internal(&unreadable.to_string()),
        }
    }
}
