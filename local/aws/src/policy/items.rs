//! The permissions for a request to DynamoDB: its action on each table, with the partition keys in the request.
//!
//! A transaction has no action of its own. Each of its items needs the same permission as a separate call.

use serde_json::Value;

use super::condition::{LEADING_KEYS, TRANSACTION};
use super::need::{Need, action, context};
use crate::dynamodb::{Tables, arn_of};
use crate::wire::{Call, Refusal};

/// The parts of a transaction, and their actions.
const PARTS: [(&str, &str); 5] = [
    ("ConditionCheck", "dynamodb:ConditionCheckItem"),
    ("Delete", "dynamodb:DeleteItem"),
    ("Get", "dynamodb:GetItem"),
    ("Put", "dynamodb:PutItem"),
    ("Update", "dynamodb:UpdateItem"),
];

/// Reads the request in the same way as the engine, so that both see the same keys.
pub(super) fn needs(call: &Call, tables: &Tables) -> Result<Vec<Need>, Refusal> {
    let table = call.text("TableName").unwrap_or("*");
    match call.operation.as_str() {
        "TransactGetItems" | "TransactWriteItems" => Ok(transaction(call, tables)),
        "BatchGetItem" | "BatchWriteItem" => batch(call, tables),
        // These tables have no indexes.
        _ if call.body.get("IndexName").is_some() => Err(unclear(call)),
        "Query" => {
            let key = queried(call, tables).ok_or_else(|| unclear(call))?;
            Ok(vec![need(&action(call)?, table, vec![key])])
        }
        _ => Ok(vec![need(&action(call)?, table, keys(tables, table, item_in(&call.body)))]),
    }
}

fn need(action: &str, table: &str, keys: Vec<String>) -> Need {
    let mut context = context();
    // A scan has no key.
    if !keys.is_empty() {
        context.insert(LEADING_KEYS, keys);
    }
    Need { action: action.to_owned(), resource: arn_of(table), context }
}

/// The key of an item, or the whole item.
fn item_in(part: &Value) -> impl Iterator<Item = &Value> {
    ["Key", "Item"].into_iter().filter_map(|member| part.get(member))
}

fn keys<'a>(tables: &Tables, table: &str, items: impl Iterator<Item = &'a Value>) -> Vec<String> {
    items.filter_map(|item| tables.key_in(table, item)).collect()
}

fn transaction(call: &Call, tables: &Tables) -> Vec<Need> {
    let items = call.body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let parts = items.flat_map(|item| PARTS.iter().filter_map(|(name, action)| Some((*action, item.get(name)?))));
    let one = |(action, part): (&str, &Value)| {
        let table = part.get("TableName").and_then(Value::as_str).unwrap_or("*");
        let mut need = need(action, table, keys(tables, table, item_in(part)));
        need.context.insert(TRANSACTION, vec![call.operation.clone()]);
        need
    };
    parts.map(one).collect()
}

fn batch(call: &Call, tables: &Tables) -> Result<Vec<Need>, Refusal> {
    let action = action(call)?;
    let of_table = |(table, part): (&String, &Value)| {
        let read = part.get("Keys").and_then(Value::as_array).into_iter().flatten();
        let writes =
            part.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(|write| write.values());
        need(&action, table, keys(tables, table, read.chain(writes.flat_map(item_in))))
    };
    let requests = call.body.get("RequestItems").and_then(Value::as_object).into_iter().flatten();
    Ok(requests.map(of_table).collect())
}

/// The partition key of a query: `pk = :pk`, alone or before an `AND`.
fn queried(call: &Call, tables: &Tables) -> Option<String> {
    let partition = tables.partition_key(call.text("TableName")?)?;
    let expression = call.text("KeyConditionExpression")?.replace(['(', ')'], " ").replace('=', " = ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let names = call.body.get("ExpressionAttributeNames");
    let is_partition = |name: &str| match names.and_then(|names| names.get(name)) {
        Some(meant) if name.starts_with('#') => *meant == partition,
        Some(_) | None => name == partition,
    };
    let value = words.windows(3).find_map(|words| match words {
        [name, "=", value] if is_partition(name) => Some(*value),
        _ => None,
    })?;
    let value = call.body.get("ExpressionAttributeValues")?.get(value)?;
    value.as_object()?.values().next()?.as_str().map(str::to_owned)
}

fn unclear(call: &Call) -> Refusal {
    let operation = &call.operation;
    tracing::warn!(
        operation,
        "the local stack cannot check the permission for this read, because its keys are unclear"
    );
    Refusal::unknown(&format!("the local stack cannot determine the keys of this {operation}"))
}
