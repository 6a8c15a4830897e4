//! Checks a value against its shape.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde_json::{Map, Value};

use super::problem::{Problem, What};
use super::shape::{Bounds, Shape, Structure};

/// The author of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Caller,
    /// AWS itself breaks its bounds. For example, DynamoDB sends an empty `UnprocessedKeys` after a complete batch,
    /// although its model requires at least one entry. So bounds apply to callers only.
    Aws,
}

/// Every difference between `value` and the shape of this name.
pub(super) fn check(shapes: &HashMap<String, Shape>, shape: &str, value: &Value, author: Author) -> Vec<Problem> {
    let mut check = Check { shapes, author, at: String::new(), problems: Vec::new() };
    check.value(shape, value);
    check.problems
}

struct Check<'a> {
    shapes: &'a HashMap<String, Shape>,
    author: Author,
    /// The path of the current member.
    at: String,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn value(&mut self, shape: &str, value: &Value) {
        let Some(shape) = self.shapes.get(shape) else {
            return self.found(What::Other("the model lacks a shape"));
        };
        match shape {
            Shape::Structure(structure) => match value {
                Value::Object(members) => self.structure(structure, members),
                _ => self.found(What::Type("a structure")),
            },
            Shape::List { member, size, .. } => match value {
                Value::Array(items) => {
                    self.length(size, items.len());
                    for (index, item) in items.iter().enumerate() {
                        self.within(&format!("{}.member", index + 1), |check| check.value(&member.shape, item));
                    }
                }
                _ => self.found(What::Type("a list")),
            },
            Shape::Map { key, value: inner, size, .. } => match value {
                Value::Object(entries) => {
                    self.length(size, entries.len());
                    for (name, entry) in entries {
                        self.within("key", |check| check.value(&key.shape, &Value::from(name.as_str())));
                        self.within("value", |check| check.value(&inner.shape, entry));
                    }
                }
                _ => self.found(What::Type("a map")),
            },
            Shape::String { length, pattern, values } => match value.as_str() {
                Some(text) => {
                    self.length(length, text.chars().count());
                    if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.regex.is_match(text.as_bytes())) {
                        self.breaks(format!("satisfy regular expression pattern: {}", pattern.source));
                    }
                    if let Some(values) = values.as_ref().filter(|values| !values.iter().any(|value| value == text)) {
                        self.breaks(format!("satisfy enum value set: [{}]", values.join(", ")));
                    }
                }
                None => self.found(What::Type("a string")),
            },
            Shape::Blob(size) => match value.as_str().map(|text| BASE64.decode(text.as_bytes())) {
                Some(Ok(bytes)) => self.length(size, bytes.len()),
                _ => self.found(What::Type("a blob in base64")),
            },
            Shape::Boolean => match value {
                Value::Bool(_) => {}
                _ => self.found(What::Type("a boolean")),
            },
            Shape::Integer(bounds) => match value.as_i64().map(i32::try_from) {
                Some(Ok(number)) => self.number(bounds, number.into()),
                _ => self.found(What::Type("an integer")),
            },
            Shape::Long(bounds) => match (value.as_i64(), value.as_f64()) {
                (Some(_), Some(number)) => self.number(bounds, number),
                _ => self.found(What::Type("a long")),
            },
            Shape::Float(bounds) | Shape::Double(bounds) => match (value.as_f64(), value.as_str()) {
                (Some(number), _) => self.number(bounds, number),
                (None, Some("NaN" | "Infinity" | "-Infinity")) => {}
                (None, _) => self.found(What::Type("a number")),
            },
            Shape::Timestamp => match value {
                Value::Number(_) => {}
                _ => self.found(What::Type("a timestamp in seconds")),
            },
        }
    }

    fn structure(&mut self, structure: &Structure, members: &Map<String, Value>) {
        for (name, value) in members {
            self.within(name, |check| match structure.members.get(name) {
                Some(member) => check.value(&member.shape, value),
                None => check.found(What::Unknown),
            });
        }
        for name in structure.required.iter().filter(|name| !members.contains_key(*name)) {
            self.within(name, |check| check.found(What::Missing));
        }
        if structure.union && members.len() != 1 {
            self.breaks("have exactly one of its members".to_owned());
        }
    }

    fn length(&mut self, bounds: &Bounds, length: usize) {
        // Lengths here are small enough to be exact as floats.
        self.bounds(bounds, length as f64, "length");
    }

    fn number(&mut self, bounds: &Bounds, number: f64) {
        self.bounds(bounds, number, "value");
    }

    fn bounds(&mut self, bounds: &Bounds, number: f64, measure: &str) {
        if self.author == Author::Aws {
            return;
        }
        if let Some(min) = bounds.min.filter(|min| number < *min) {
            self.breaks(format!("have {measure} greater than or equal to {min}"));
        }
        if let Some(max) = bounds.max.filter(|max| number > *max) {
            self.breaks(format!("have {measure} less than or equal to {max}"));
        }
    }

    /// Enters a member. AWS writes its name with a lower-case first letter.
    fn within(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let outside = self.at.len();
        if outside > 0 {
            self.at.push('.');
        }
        let mut letters = name.chars();
        self.at.extend(letters.next().map(|first| first.to_ascii_lowercase()));
        self.at.push_str(letters.as_str());
        look(self);
        self.at.truncate(outside);
    }

    fn breaks(&mut self, rule: String) {
        self.found(What::Constraint(rule));
    }

    fn found(&mut self, what: What) {
        self.problems.push(Problem::new(&self.at, what));
    }
}
