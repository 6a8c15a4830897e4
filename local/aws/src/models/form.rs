//! AWS's query protocol: a form with paths as names, such as `MessageAttributes.entry.1.Value.DataType`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::shape::{Ref, Shape};

/// The parameter of this name.
pub(super) fn parameter(form: &[u8], wanted: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Reads the operation's input from a form. Unknown parameters stay as members under their own names.
pub(super) fn read(shapes: &HashMap<String, Shape>, input: Option<&str>, form: &[u8]) -> Value {
    let mut form = Form { shapes, left: form_urlencoded::parse(form).into_owned().collect() };
    form.left.retain(|name, _| !matches!(name.as_str(), "Action" | "Version"));
    let mut members = match input.map(|input| form.value(input, "")) {
        Some(Some(Value::Object(members))) => members,
        _ => Map::new(),
    };
    members.extend(form.left.into_iter().map(|(name, text)| (name, Value::from(text))));
    Value::Object(members)
}

/// Converts text to a value of its shape. Invalid text stays text, so that the check reports it.
pub(super) fn scalar(shape: Option<&Shape>, text: String) -> Value {
    let read = match shape {
        Some(Shape::Boolean) => text.parse().ok().map(Value::Bool),
        Some(Shape::Integer(_) | Shape::Long(_)) => text.parse::<i64>().ok().map(Value::from),
        Some(Shape::Float(_) | Shape::Double(_)) => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    };
    read.unwrap_or(Value::String(text))
}

struct Form<'a> {
    shapes: &'a HashMap<String, Shape>,
    /// The parameters left to read.
    left: BTreeMap<String, String>,
}

impl Form<'_> {
    /// The value in the parameters with the name or prefix `at`.
    fn value(&mut self, shape: &str, at: &str) -> Option<Value> {
        let starts = |(name, _): (&String, &String)| name.starts_with(at);
        if !self.left.range(at.to_owned()..).next().is_some_and(starts) {
            return None;
        }
        match self.shapes.get(shape) {
            // An empty list is written as an empty text.
            Some(Shape::List { .. }) if self.left.get(at).is_some_and(String::is_empty) => {
                self.left.remove(at);
                Some(Value::Array(Vec::new()))
            }
            Some(Shape::Structure(structure)) => {
                let member =
                    |(name, member): (&String, &Ref)| Some((name.clone(), self.value(&member.shape, &join(at, name))?));
                let members: Map<_, _> = structure.members.iter().filter_map(member).collect();
                Some(Value::Object(members)).filter(|members| *members != Value::Object(Map::new()))
            }
            Some(Shape::List { member, flattened, .. }) => {
                let at = if *flattened { at.to_owned() } else { join(at, name(member, "member")) };
                let items: Vec<_> =
                    (1..).map_while(|number: u32| self.value(&member.shape, &format!("{at}.{number}"))).collect();
                Some(Value::Array(items)).filter(|items| *items != Value::Array(Vec::new()))
            }
            Some(Shape::Map { key, value, flattened, .. }) => {
                let at = if *flattened { at.to_owned() } else { join(at, "entry") };
                let entry = |number: u32| {
                    let at = format!("{at}.{number}");
                    let Value::String(key) = self.value(&key.shape, &join(&at, name(key, "key")))? else { return None };
                    Some((key, self.value(&value.shape, &join(&at, name(value, "value")))?))
                };
                let entries: Map<_, _> = (1..).map_while(entry).collect();
                Some(Value::Object(entries)).filter(|entries| *entries != Value::Object(Map::new()))
            }
            shape => self.left.remove(at).map(|text| scalar(shape, text)),
        }
    }
}

fn name<'a>(part: &'a Ref, usual: &'a str) -> &'a str {
    part.location_name.as_deref().unwrap_or(usual)
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
