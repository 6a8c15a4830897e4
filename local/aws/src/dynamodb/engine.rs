//! The embedded database engine, with JSON requests and answers. Only this file uses its crate.

use std::fmt;
use std::path::Path;

use dynoxide::types::{Item, TRANSACTIONAL_CAPACITY_FACTOR, item_size, write_capacity_units};
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::Refusal;

pub(super) struct EngineError(DynoxideError);

pub(super) struct Engine(Database);

impl Engine {
    /// Opens the database in `file`, or a database in memory.
    pub(super) fn open(file: Option<&Path>) -> Result<Engine, String> {
        let database = file.map_or_else(Database::memory, |file| Database::new(&file.to_string_lossy()));
        database.map(Engine).map_err(|error| format!("the tables cannot be opened: {error}"))
    }

    /// Runs an operation of a function or of the local stack itself.
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
            other => Err(DynoxideError::ValidationException(format!("the local stack does not support {other}"))),
        }
    }
}

/// Reads a request. On failure, a prefix in the engine's message selects the DynamoDB error.
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
    /// The write units of a refused request. A write with a failed condition costs as much as a successful one, by the size
    /// of the stored item. A cancelled transaction shows only items that its caller asked for; each of the others counts as
    /// the smallest item.
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

    /// Removes the stored item from the error of a failed condition.
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
