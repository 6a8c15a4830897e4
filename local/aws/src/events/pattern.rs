//! Event patterns: the conditions of EventBridge's rules and of Lambda's filters.
//!
//! A pattern that this module does not understand is refused when it is read, because it would match other events in AWS.

use serde_json::{Map, Value};

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Vec<(String, Part)>);

/// The condition for one member of an event.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// The member is an object that matches.
    Object(Pattern),
    /// One of these matches the member.
    Leaf(Vec<Matcher>),
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    /// A string, a number, a boolean or null.
    Is(Value),
    Prefix(String),
    AnythingBut(Vec<Value>),
    Exists(bool),
}

impl Pattern {
    /// Reads the JSON of a pattern, as an object or as its text.
    ///
    /// # Errors
    /// The pattern is malformed, or contains an operator that the stand-in lacks. The message starts with its place.
    pub fn read(pattern: &Value) -> Result<Pattern, String> {
        match pattern {
            Value::String(text) => {
                let parsed = serde_json::from_str(text).map_err(|error| format!("the pattern is not JSON: {error}"))?;
                Pattern::object(&parsed, "")
            }
            pattern => Pattern::object(pattern, ""),
        }
    }

    /// Whether `event` has a matching value for every member of the pattern.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(name, part)| part.matches(event.get(name)))
    }

    /// The names at the top of the pattern.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn object(pattern: &Value, at: &str) -> Result<Pattern, String> {
        let members = pattern.as_object().filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| format!("{at}: expected an object with members"))?;
        members.iter().map(|(name, part)| member(name, part, at)).collect::<Result<_, _>>().map(Pattern)
    }
}

fn member(name: &str, part: &Value, at: &str) -> Result<(String, Part), String> {
    let at = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    if name.starts_with('$') {
        return Err(format!("{at}: the local stack does not support this operator"));
    }
    let part = match part {
        Value::Array(values) if values.is_empty() => return Err(format!("{at}: expected at least one value")),
        Value::Array(values) => Part::Leaf(values.iter().map(|value| matcher(value, &at)).collect::<Result<_, _>>()?),
        Value::Object(_) => Part::Object(Pattern::object(part, &at)?),
        _ => return Err(format!("{at}: expected a list of values or an object")),
    };
    Ok((name.to_owned(), part))
}

fn matcher(value: &Value, at: &str) -> Result<Matcher, String> {
    match value {
        Value::Object(operator) => operation(operator, at),
        Value::Array(_) => Err(format!("{at}: a value may not be a list")),
        value => Ok(Matcher::Is(value.clone())),
    }
}

fn operation(operator: &Map<String, Value>, at: &str) -> Result<Matcher, String> {
    let not_supported = || format!("{at}: the local stack does not support {}", Value::Object(operator.clone()));
    let mut operators = operator.iter();
    match (operators.next(), operators.next()) {
        (Some((name, argument)), None) => match (name.as_str(), argument) {
            ("prefix", Value::String(prefix)) => Ok(Matcher::Prefix(prefix.clone())),
            ("exists", Value::Bool(exists)) => Ok(Matcher::Exists(*exists)),
            ("anything-but", Value::Array(values)) if values.iter().all(is_plain) => {
                Ok(Matcher::AnythingBut(values.clone()))
            }
            ("anything-but", value) if is_plain(value) => Ok(Matcher::AnythingBut(vec![value.clone()])),
            _ => Err(not_supported()),
        },
        _ => Err(not_supported()),
    }
}

fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

impl Part {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // An absent object may still match a pattern of absent members.
            (Part::Object(pattern), value) => pattern.matches(value.unwrap_or(&Value::Null)),
            (Part::Leaf(matchers), Some(Value::Array(values))) => {
                let any = |matcher: &Matcher| values.iter().any(|value| matcher.matches(Some(value)));
                matchers.iter().any(any)
            }
            (Part::Leaf(matchers), value) => matchers.iter().any(|matcher| matcher.matches(value)),
        }
    }
}

impl Matcher {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // Only leaves exist.
            (Matcher::Exists(exists), value) => value.is_some_and(|value| !value.is_object()) == *exists,
            (_, None | Some(Value::Object(_) | Value::Array(_))) => false,
            (Matcher::Is(wanted), Some(value)) => wanted == value,
            (Matcher::Prefix(prefix), Some(value)) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            (Matcher::AnythingBut(values), Some(value)) => !values.contains(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_matches_every_member_of_a_pattern() {
        let event = json!({ "eventName": "INSERT", "n": 1, "tags": ["a", "b"],
            "dynamodb": { "Keys": { "pk": { "S": "S#1" } } } });
        for (pattern, matches) in [
            (json!({ "eventName": ["INSERT"] }), true),
            (json!({ "eventName": ["MODIFY", "INSERT"] }), true),
            (json!({ "eventName": ["insert"] }), false),
            (json!({ "eventName": ["INSERT"], "n": [2] }), false),
            (json!({ "n": [1] }), true),
            (json!({ "tags": ["b"] }), true),
            (json!({ "tags": ["c"] }), false),
            (json!({ "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": "S#" }] } } } }), true),
            (json!({ "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": "U#" }] } } } }), false),
            (json!({ "dynamodb": { "NewImage": { "ss": { "M": [{ "exists": false }] } } } }), true),
            (json!({ "userIdentity": { "type": [{ "exists": false }] } }), true),
            (json!({ "userIdentity": { "type": [{ "exists": true }] } }), false),
            (json!({ "eventName": [{ "anything-but": "REMOVE" }] }), true),
            (json!({ "eventName": [{ "anything-but": ["INSERT", "REMOVE"] }] }), false),
            (json!({ "missing": [{ "anything-but": "x" }] }), false),
        ] {
            assert_eq!(Pattern::read(&pattern).unwrap().matches(&event), matches, "{pattern}");
            assert_eq!(Pattern::read(&json!(pattern.to_string())).unwrap().matches(&event), matches, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_understood_is_refused() {
        for (pattern, problem) in [
            (json!({}), ": expected an object with members"),
            (json!("{"), "the pattern is not JSON"),
            (json!({ "a": "b" }), "a: expected a list of values or an object"),
            (json!({ "a": [] }), "a: expected at least one value"),
            (json!({ "a": {} }), "a: expected an object with members"),
            (json!({ "a": [["b"]] }), "a: a value may not be a list"),
            (json!({ "$or": [{ "a": ["b"] }] }), "$or: the local stack does not support this operator"),
            (json!({ "a": { "b": [{ "suffix": "c" }] } }), "a.b: the local stack does not support"),
            (json!({ "a": [{ "numeric": [">", 1] }] }), "a: the local stack does not support"),
            (json!({ "a": [{ "anything-but": { "prefix": "b" } }] }), "a: the local stack does not support"),
            (json!({ "a": [{ "prefix": "b", "exists": true }] }), "a: the local stack does not support"),
        ] {
            let refused = Pattern::read(&pattern).unwrap_err();
            assert!(refused.starts_with(problem), "{pattern}: {refused}");
        }
    }
}
