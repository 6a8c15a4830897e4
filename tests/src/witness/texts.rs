//! What stands in a text, and as what.

use data_encoding::BASE64;
use serde_json::Value;

/// Whether what stands there is a word of its own, and no part of a longer number, name or address.
pub(super) fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|index| text.get(index)).copied().unwrap_or(b' ');
    let (before, after) = (at(start.checked_sub(1)), at(Some(end)));
    // `0.123456` is a duration, and `192.0.2.1.5` no address; but a word may end a sentence.
    let goes_on = |dot: u8, beyond: u8| matches!(dot, b'.' | b':') && beyond.is_ascii_digit();
    !is_range(text, start)
        && !before.is_ascii_alphanumeric()
        && !after.is_ascii_alphanumeric()
        && !goes_on(before, at(start.checked_sub(2)))
        && !goes_on(after, at(Some(end + 1)))
}

/// Whether it is the last part of a key `SMS#1767312000#447400`: the first six digits of a range of numbers, which a code of
/// six digits meets once in a million, and the tests of pumping send thousands to dozens of ranges.
fn is_range(text: &[u8], start: usize) -> bool {
    let key = text.get(start.saturating_sub("SMS#1767312000#".len())..start).unwrap_or_default();
    key.starts_with(b"SMS#") && key.ends_with(b"#")
}

/// The parts of a request that are about OtpTable: all of it, or some writes of a transaction.
pub(super) fn of_otp_table(body: &Value) -> impl Iterator<Item = &Value> {
    let parts = body["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let parts = parts.flat_map(|part| part.values()).chain([body]);
    parts.filter(|part| part["TableName"].as_str().is_some_and(|name| name.contains("OtpTable")))
}

/// All its texts as they are: `{"B": "MTIzNDU2"}` is what it stands for.
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

/// All texts in it.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}
