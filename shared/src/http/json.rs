//! Reads JSON strictly: without duplicate keys or deep nesting.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::words::{Error, Result, trimmed};

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
    let Value::Object(mut fields) = value else {
        return Err(Error::invalid("The body must be a JSON object."));
    };
    fields.retain(|_, value| !is_empty(value));
    T::deserialize(&fields).map_err(|error| refusal::<T>(&fields, &error))
}

/// `null` and text without a visible character count as a missing field, for every field. Clients and forms differ in what they
/// send for a field that nobody filled in.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| trimmed(text).is_empty())
}

/// Names the field with the wrong type. `serde` forgets it for flattened structs, so each field is read alone.
fn refusal<T: DeserializeOwned>(fields: &Map<String, Value>, error: &serde_json::Error) -> Error {
    let wrong = fields.iter().find_map(|(name, value)| {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        Some((name, expected(&T::deserialize(&alone).err()?)?))
    });
    match wrong {
        Some((name, expected)) => Error::invalid(format!("`{name}` must be {expected}.")),
        None => {
            let problem = expected(error).map_or_else(|| error.to_string(), |expected| format!("expected {expected}"));
            Error::invalid(format!("The body is invalid: {problem}."))
        }
    }
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
fn expected(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (_, expected) = text.rsplit_once("expected ")?;
    // For a field with a few possible words.
    Some(if expected == "string or map" { "a string".to_owned() } else { expected.to_owned() })
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
    fn ambiguous_text_is_refused() {
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

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Shape {
        #[serde(flatten)]
        inner: Inner,
        code: Option<String>,
        all: Option<bool>,
        must: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Optional {
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Inner {
        way: Option<Way>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Way {
        One,
        Two,
    }

    #[test]
    fn a_refusal_names_the_field_and_not_its_value() {
        for (body, message) in [
            (r#"{"must": "x", "code": 123456}"#, "`code` must be a string."),
            (r#"{"must": "x", "other": 1, "code": ["123456"]}"#, "`code` must be a string."),
            (r#"{"must": "x", "all": "expected 123456"}"#, "`all` must be a boolean."),
            (r#"{"must": "x", "way": "123456"}"#, "The body is invalid: expected `one` or `two`."),
            (r#"{"must": 123456, "code": "x"}"#, "`must` must be a string."),
            (r#"{"code": "123456"}"#, "The body is invalid: missing field `must`."),
        ] {
            assert_eq!(read::<Shape>(body.as_bytes()).unwrap_err().to_string(), message, "{body}");
        }
        // A flattened field is found if no field is required, as in all bodies of the API.
        for (body, message) in [
            (r#"{"way": "123456"}"#, "`way` must be `one` or `two`."),
            (r#"{"other": 1, "way": 123456}"#, "`way` must be a string."),
        ] {
            assert_eq!(read::<Optional>(body.as_bytes()).unwrap_err().to_string(), message, "{body}");
        }
    }

    #[test]
    fn an_empty_field_is_a_missing_field() {
        let plain = read::<Shape>(br#"{"must": "x"}"#).unwrap();
        for empty in ["null", r#""""#, r#""  ""#, r#""\u200b\n""#] {
            let body = format!(r#"{{"must": "x", "code": {empty}, "way": {empty}, "all": {empty}}}"#);
            assert_eq!(read::<Shape>(body.as_bytes()).unwrap(), plain, "{empty}");
            assert!(read::<Shape>(format!(r#"{{"must": {empty}}}"#).as_bytes()).is_err());
        }
    }
}
