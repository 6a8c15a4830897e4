//! Extracts text and recognises separate words.

use data_encoding::BASE64;
use serde_json::Value;

/// Returns true if the match is a separate word rather than part of a longer number, name or address.
pub(super) fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| text.get(index)).copied().unwrap_or(b' ');
    let (before, after) = (at(start.checked_sub(1)), at(Some(end)));
    // A match followed or preceded by a dot and a digit is part of a number or address. A word may end a sentence.
    let goes_on = |dot: u8, beyond: u8| matches!(dot, b'.' | b':') && beyond.is_ascii_digit();
    !is_range(text, start)
        && !before.is_ascii_alphanumeric()
        && !after.is_ascii_alphanumeric()
        && !goes_on(before, at(start.checked_sub(2)))
        && !goes_on(after, at(Some(end + 1)))
}

/// Returns true for the last part of a key such as `SMS#1767312000#447400`, a range of phone numbers. A six-digit code equals a
/// given range once in a million, and the pumping tests send thousands of codes to dozens of ranges.
fn is_range(text: &[u8], start: usize) -> bool {
    let key = text.get(start.saturating_sub("SMS#1767312000#".len())..start).unwrap_or_default();
    key.starts_with(b"SMS#") && key.ends_with(b"#")
}

/// The parts of a request for a table: the whole request, or some writes of a transaction.
pub(super) fn of_table<'a>(table: &'static str, body: &'a Value) -> impl Iterator<Item = &'a Value> {
    let parts = body["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let parts = parts.flat_map(|part| part.values()).chain([body]);
    parts.filter(move |part| part["TableName"].as_str().is_some_and(|name| name.contains(table)))
}

/// All text in a value, with binary values such as `{"B": "MTIzNDU2"}` decoded.
pub(super) fn plain(value: &Value) -> String {
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let plain = |name: &str, value: &Value| match value.as_str() {
        Some(text) if name == "B" => bytes(text).unwrap_or_default(),
        _ => plain(value),
    };
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", plain(name, value))).collect::<Vec<_>>().join("\n")
        }
        Value::Array(items) => items.iter().map(self::plain).collect::<Vec<_>>().join("\n"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All strings in a value.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
