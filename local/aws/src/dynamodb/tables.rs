//! The tables. The template defines them, functions call them, and expired items are removed by the stack's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::words::{Clock, Timestamp};

use super::engine::{Engine, EngineError};
use super::metering::Metered;
use super::stream::{Change, Streams};
use crate::calls::Capacity;
use crate::ids::{ACCOUNT, REGION};
use crate::lock::locked;
use crate::wire::{Call, Refusal};

/// DynamoDB keeps items with an expiry time older than this, because such a time is probably a mistake.
const OLDEST_EXPIRED: Duration = Duration::from_secs(5 * 365 * 24 * 60 * 60);

/// The database, with the keys and the TTL attribute of each table.
pub(crate) struct Tables {
    engine: Engine,
    known: Mutex<BTreeMap<String, Known>>,
    streams: Streams,
    /// Held while an item of a table with a stream is read, changed and read again.
    changing: Mutex<()>,
    clock: Clock,
}

#[derive(Clone)]
struct Known {
    /// The partition key, then the sort key, if any.
    key: Vec<String>,
    ttl: Option<String>,
}

impl Tables {
    pub(crate) fn open(clock: Clock, data: Option<&Path>) -> Result<Tables, String> {
        let file = data.map(|folder| folder.join("dynamodb.sqlite"));
        let engine = Engine::open(file.as_deref())?;
        Ok(Tables { engine, known: Mutex::default(), streams: Streams::default(), changing: Mutex::default(), clock })
    }

    pub(crate) fn create(&self, definition: &Value, ttl: Option<&str>) -> Result<(), String> {
        let name = definition.get("TableName").and_then(Value::as_str).ok_or("a table has no TableName")?;
        let wanted = key_of(definition);
        let mut definition = definition.clone();
        let stream = definition.as_object_mut().and_then(|members| members.remove("StreamSpecification"));
        match stream.as_ref().and_then(|stream| stream.get("StreamViewType")).and_then(Value::as_str) {
            Some("NEW_AND_OLD_IMAGES") => self.streams.open(name, stream_arn_of(name)),
            Some(other) => return Err(format!("the local stack does not support {other} in the stream of {name}")),
            None if stream.is_some() => return Err(format!("the stream of {name} has no StreamViewType")),
            None => {}
        }
        let existing = self.engine.run("DescribeTable", json!({ "TableName": name }));
        match existing.ok().as_ref().and_then(|answer| answer.get("Table")).map(key_of) {
            Some(key) if key == wanted => {}
            Some(key) => {
                return Err(format!(
                    "the table {name} has the keys {key:?} instead of {wanted:?}. Use another data folder"
                ));
            }
            None => {
                self.engine
                    .run("CreateTable", definition)
                    .map_err(|error| format!("the table {name} cannot be created: {error}"))?;
            }
        }
        let known = Known { key: wanted.into_iter().map(|(name, _)| name).collect(), ttl: ttl.map(str::to_owned) };
        locked(&self.known).insert(name.to_owned(), known);
        Ok(())
    }

    /// Runs any operation, without a caller and without recording it.
    pub(crate) fn run(&self, operation: &str, request: Value) -> Result<Value, Refusal> {
        self.change(operation, request, false).map_err(|error| error.refusal())
    }

    /// The time of the stack.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The streams of the tables.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Runs an operation, and appends its changes to the streams of their tables.
    fn change(&self, operation: &str, request: Value, has_expired: bool) -> Result<Value, EngineError> {
        let keys = self.streamed(operation, &request);
        if keys.is_empty() {
            return self.engine.run(operation, request);
        }
        let _changing = locked(&self.changing);
        let image = |(table, key): &(String, Map<String, Value>)| {
            let read = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
            Ok(self.engine.run("GetItem", read)?.get_mut("Item").map(Value::take))
        };
        let before = keys.iter().map(image).collect::<Result<Vec<_>, EngineError>>()?;
        let answer = self.engine.run(operation, request)?;
        let at = self.clock.now();
        for (changed, before) in keys.into_iter().zip(before) {
            let after = image(&changed)?;
            let (table, key) = changed;
            self.streams.append(&table, Change { key, before, after, has_expired, at });
        }
        Ok(answer)
    }

    /// The keys in a write, of tables with streams.
    fn streamed(&self, operation: &str, request: &Value) -> Vec<(String, Map<String, Value>)> {
        if !["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"].contains(&operation) {
            return Vec::new();
        }
        let mut found = Vec::new();
        find_items(request, "", &mut found);
        let known = locked(&self.known);
        let key = |(table, item): (&str, &Value)| {
            let names = known.get(table).filter(|_| self.streams.has(table))?.key.iter();
            let key = names.filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
            Some((table.to_owned(), key.collect()))
        };
        found.into_iter().filter_map(key).collect()
    }

    /// Answers a call after its policies allowed it. Also returns the consumed capacity.
    pub(crate) fn answer(&self, call: &Call) -> (Result<Value, Refusal>, Capacity) {
        let operation = call.operation.as_str();
        let mut request = call.body.clone();
        let metered = Metered::prepare(operation, &mut request);
        match self.change(operation, request, false) {
            Ok(mut answer) => {
                let capacity = metered.take(operation, &mut answer);
                if let Some(table) = answer.get_mut("Table").and_then(Value::as_object_mut) {
                    // The engine uses another region in its ARNs.
                    table.insert("TableArn".to_owned(), json!(arn_of(call.text("TableName").unwrap_or_default())));
                    // An undocumented member.
                    table.remove("TableThroughputModeSummary");
                }
                (Ok(answer), capacity)
            }
            Err(mut error) => {
                let capacity = metered.take_refused(&mut error);
                (Err(error.refusal()), capacity)
            }
        }
    }

    /// The tables and the partition keys in a call.
    pub(crate) fn named_by(&self, call: &Call) -> (Vec<String>, Vec<String>) {
        let mut found = Vec::new();
        find_items(&call.body, "", &mut found);
        let tables: BTreeSet<_> = found.iter().map(|(table, _)| *table).chain(call.text("TableName")).collect();
        let key = |(table, item): &(&str, &Value)| self.key_in(table, item);
        (tables.into_iter().map(str::to_owned).collect(), found.iter().filter_map(key).collect())
    }

    /// The name of a table's partition key.
    pub(crate) fn partition_key(&self, table: &str) -> Option<String> {
        locked(&self.known).get(table)?.key.first().cloned()
    }

    /// The partition key in a key or an item of `table`: its text, also for numbers and bytes.
    pub(crate) fn key_in(&self, table: &str, item: &Value) -> Option<String> {
        let value = item.get(self.partition_key(table)?)?.as_object()?.values().next()?;
        value.as_str().map(str::to_owned)
    }

    pub(crate) fn sweep(&self) -> Result<usize, String> {
        let known = locked(&self.known).clone();
        let mut deleted = 0;
        for (table, Known { key, ttl }) in &known {
            if let Some(ttl) = ttl {
                deleted += self.sweep_table(table, key, ttl).map_err(|error| format!("{table}: {error}"))?;
            }
        }
        Ok(deleted)
    }

    /// Replaces the engine's own sweep, because that one reads the system clock when the database is in a file.
    fn sweep_table(&self, table: &str, key: &[String], ttl: &str) -> Result<usize, EngineError> {
        let now = self.clock.now();
        let oldest = now.before(OLDEST_EXPIRED);
        let expired = "attribute_type(#ttl, :number) AND #ttl < :now AND #ttl > :oldest";
        let names = json!({ "#ttl": ttl });
        let values = json!({ ":number": { "S": "N" }, ":now": { "N": now.unix().to_string() },
                             ":oldest": { "N": oldest.unix().to_string() } });
        let request = |condition: &str| {
            json!({ "TableName": table, condition: expired,
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values })
        };
        let (mut deleted, mut from) = (0, Value::Null);
        loop {
            let mut page = request("FilterExpression");
            if let (Value::Object(fields), false) = (&mut page, from.is_null()) {
                fields.insert("ExclusiveStartKey".to_owned(), from);
            }
            let mut page = self.engine.run("Scan", page)?;
            for item in page.get("Items").and_then(Value::as_array).into_iter().flatten() {
                let key: Map<_, _> =
                    key.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect();
                let mut deletion = request("ConditionExpression");
                if let Value::Object(fields) = &mut deletion {
                    fields.insert("Key".to_owned(), Value::Object(key));
                }
                // The condition fails if the item's expiry has been extended meanwhile.
                deleted += usize::from(self.change("DeleteItem", deletion, true).is_ok());
            }
            match page.get_mut("LastEvaluatedKey").map(Value::take) {
                Some(last) => from = last,
                None => return Ok(deleted),
            }
        }
    }
}

pub(crate) fn arn_of(table: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
}

/// The ARN of a table's stream.
pub(crate) fn stream_arn_of(table: &str) -> String {
    format!("{}/stream/2026-01-01T00:00:00.000", arn_of(table))
}

/// Names and types of the key attributes, in the order of the schema.
fn key_of(table: &Value) -> Vec<(String, String)> {
    let list = |member: &str| table.get(member).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value, member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = |name: &str| {
        let definition = list("AttributeDefinitions").find(|attribute| text(attribute, "AttributeName") == name);
        definition.map(|attribute| text(attribute, "AttributeType")).unwrap_or_default()
    };
    list("KeySchema").map(|key| text(key, "AttributeName")).map(|name| (name.clone(), kind(&name))).collect()
}

/// Collects every key and item of a request, with its table.
fn find_items<'a>(value: &'a Value, table: &'a str, found: &mut Vec<(&'a str, &'a Value)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| find_items(value, table, found)),
        Value::Object(fields) => {
            let table = fields.get("TableName").and_then(Value::as_str).unwrap_or(table);
            for (member, inner) in fields {
                match member.as_str() {
                    "Key" | "Item" => found.push((table, inner)),
                    "Keys" => found.extend(inner.as_array().into_iter().flatten().map(|key| (table, key))),
                    "RequestItems" => {
                        let tables = inner.as_object().into_iter().flatten();
                        tables.for_each(|(table, items)| find_items(items, table, found));
                    }
                    "TransactItems" | "Put" | "Update" | "Delete" | "ConditionCheck" | "Get" | "PutRequest"
                    | "DeleteRequest" => find_items(inner, table, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
