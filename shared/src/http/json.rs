//! Reads JSON strictly: without duplicate keys or deep nesting.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::words::{Error, Result};

/// The maximum nesting of a body. Valid bodies have one level (V32).
const DEEPEST: usize = 8;

/// Parses `bytes` as JSON of the shape `T`.
///
/// # Errors
/// [`Error::InvalidRequest`], with the position or the field, but without its value.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut reader).map_err(|error| unreadable(&error))?;
    reader.end().map_err(|error| unreadable(&error))?;
    if !value.is_object() {
        return Err(Error::invalid("The body must be a JSON object."));
    }
    T::deserialize(value).map_err(|error| Error::invalid(format!("The body is invalid: {}.", shape_of(&error))))
}

/// For `deserialize_with`: a field that may be missing but rejects `null`.
///
/// # Errors
/// As the deserializer of `T`.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

fn unreadable(error: &serde_json::Error) -> Error {
    match error.classify() {
        serde_json::error::Category::Data => {
            Error::invalid("The body repeats a key or is nested too deeply. Send each key once.")
        }
        _ => Error::invalid(format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column())),
    }
}

/// The type that serde expected. The value that it found is left out, because it may be an address or a code.
fn shape_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => text,
    }
}

/// Reads any JSON, but rejects objects with duplicate keys, because two parsers could read different values (V21).
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> std::result::Result<Strict, E> {
        if self.depth < DEEPEST { Ok(Strict { depth: self.depth + 1 }) } else { Err(E::custom("nested too deeply")) }
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(deeper)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(deeper)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(body: &str) {
        assert_eq!(
            read::<Map<String, Value>>(body.as_bytes()).map_err(|error| error.code()),
            Err("invalid_request"),
            "{body}"
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        refuses(r#"{"a": 1, "a": 2}"#);
        refuses(r#"{"a": {"b": 1, "b": 1}}"#);
        refuses(r#"{"a": 1, "\u0061": 2}"#);
        refuses("[]");
        refuses("");
        refuses("{} {}");
        refuses(&format!("{{\"a\": {}1{}}}", "[".repeat(8), "]".repeat(8)));
        refuses(&"[".repeat(100_000));
        assert!(
            read::<Map<String, Value>>(format!("{{\"a\": {}1{}}}", "[".repeat(7), "]".repeat(7)).as_bytes()).is_ok()
        );
        assert!(read::<Map<String, Value>>(br#"{"a": null, "b": [true, -1, 1.5, "x", 1e999]}"#).is_err());
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Shape {
            code: String,
        }
        let error = read::<Shape>(br#"{"code": 123456}"#).unwrap_err();
        assert_eq!(error.to_string(), "The body is invalid: expected a string.");
    }
}
