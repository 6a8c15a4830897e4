//! The embedded engine behind the tables: JSON in, JSON out. No other file names it.

use std::fmt;
use std::path::Path;

use dynoxide::types::{Item, TRANSACTIONAL_CAPACITY_FACTOR, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::Refusal;

/// One of DynamoDB's errors.
pub(super) struct EngineError(DynoxideError);

pub(super) struct Engine(Database);

impl Engine {
    /// Opens the database in `file`, or one in memory.
    pub(super) fn open(file: Option<&Path>) -> Result<Engine, String> {
        let database = file.map_or_else(Database::memory, |file| Database::new(&file.to_string_lossy()));
        database.map(Engine).map_err(|error| format!("the tables cannot be opened: {error}"))
    }

    /// Runs an operation that functions may call, or one that the local stack itself needs.
    pub(super) fn run(&self, operation: &str, request: Value) -> Result<Value, EngineError> {
        self.dispatch(operation, request).map_err(EngineError)
    }

    fn dispatch(&self, operation: &str, request: Value) -> Result<Value, DynoxideError> {
        let Engine(database) = self;
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
}

/// The first word of the engine's message says which of DynamoDB's errors it means.
fn read<T: DeserializeOwned>(request: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(request).map_err(|error| {
        let message = error.to_string();
        let marked = |mark| message.strip_prefix(mark).map(str::to_owned);
        match (marked("VALIDATION_REQUEST:").or(marked("VALIDATION:")), marked("SERIALIZATION:")) {
            (Some(reason), _) => DynoxideError::ValidationException(reason),
            (None, Some(reason)) => DynoxideError::SerializationException(reason),
            (None, None) => DynoxideError::ValidationException(message),
        }
    })
}

fn write(answer: impl Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

impl EngineError {
    /// What the refused write costs. A write whose condition fails costs as much as one that succeeds, by the size of the
    /// item that the condition saw. A cancelled transaction shows only the items that its caller asked to see; each of the
    /// others counts as the smallest.
    pub(super) fn write_units(&self) -> f64 {
        let units = |item: &Option<Item>| write_capacity_units(item.as_ref().map_or(0, item_size));
        match &self.0 {
            DynoxideError::ConditionalCheckFailedException(_, item) => units(item),
            DynoxideError::TransactionCanceledException(_, reasons) => {
                reasons.iter().map(|reason| units(&reason.item) * TRANSACTIONAL_CAPACITY_FACTOR).sum()
            }
            _ => 0.0,
        }
    }

    /// Takes the item that a failed condition saw out of the error.
    pub(super) fn hide_item(&mut self) {
        if let DynoxideError::ConditionalCheckFailedException(_, item) = &mut self.0 {
            *item = None;
        }
    }

    pub(super) fn refusal(&self) -> Refusal {
        let status = StatusCode::from_u16(self.0.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match serde_json::from_str(&self.0.to_json()) {
            Ok(body) => Refusal { status, body },
            Err(unreadable) => Refusal::internal(&unreadable.to_string()),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
