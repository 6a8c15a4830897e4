//! CloudFormation's YAML: values and function calls, each with its line.

use saphyr::{LoadableYamlNode, MarkedYamlOwned, ScalarOwned, YamlDataOwned};
use serde_json::Value;

use crate::failure::Failure;

/// A value of the template before evaluation.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// `!Name argument`, or `Fn::Name: argument`, or `Ref: argument`.
    Call(String, Box<Node>),
}

/// An error with its line.
pub(super) fn failure(line: usize, problem: impl std::fmt::Display) -> Failure {
    Failure::new(format!("template.yaml:{line}: {problem}"))
}

impl Node {
    pub(super) fn read(text: &str) -> Result<Node, Failure> {
        let documents =
            MarkedYamlOwned::load_from_str(text).map_err(|error| failure(error.marker().line(), error.info()))?;
        match documents.as_slice() {
            [document] => node(document, 1),
            _ => Err(Failure::new("template.yaml: expected one document")),
        }
    }

    /// The value for `key` in a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map. Empty for anything else.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar(_) | Kind::List(_) | Kind::Call(..) => &[],
        }
    }

    /// The text of a scalar, as written.
    pub(super) fn text(&self) -> Option<String> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text.clone()),
            Kind::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) | Kind::Call(..) => None,
        }
    }
}

/// `around` is the line of the enclosing value, because the parser omits the line of a value after a tag.
fn node(yaml: &MarkedYamlOwned, around: usize) -> Result<Node, Failure> {
    let line = yaml.span.start.line().max(around);
    let kind = match &yaml.data {
        YamlDataOwned::Value(value) => Kind::Scalar(scalar(value)),
        YamlDataOwned::Sequence(items) => {
            Kind::List(items.iter().map(|item| node(item, line)).collect::<Result<_, _>>()?)
        }
        YamlDataOwned::Mapping(entries) => {
            let mut map = Vec::new();
            for (key, value) in entries {
                let key =
                    key.data.as_str().ok_or_else(|| failure(key.span.start.line(), "the key must be a string"))?;
                map.push((key.to_owned(), node(value, line)?));
            }
            call(map)
        }
        YamlDataOwned::Tagged(tag, value) if tag.handle == "!" => {
            Kind::Call(tag.suffix.clone(), Box::new(node(value, line)?))
        }
        YamlDataOwned::Tagged(tag, _) => return Err(failure(line, format!("{tag} is not supported"))),
        YamlDataOwned::Representation(..) | YamlDataOwned::Alias(_) | YamlDataOwned::BadValue => {
            return Err(failure(line, "this value is not supported"));
        }
    };
    Ok(Node { line, kind })
}

/// A map with one entry may be the long form of a call.
fn call(mut entries: Vec<(String, Node)>) -> Kind {
    match entries.pop() {
        Some((name, argument)) if entries.is_empty() && (name == "Ref" || name.starts_with("Fn::")) => {
            Kind::Call(name.trim_start_matches("Fn::").to_owned(), Box::new(argument))
        }
        last => {
            entries.extend(last);
            Kind::Map(entries)
        }
    }
}

/// A YAML scalar as a JSON value.
pub fn scalar(value: &ScalarOwned) -> Value {
    match value {
        ScalarOwned::Null => Value::Null,
        ScalarOwned::Boolean(value) => Value::from(*value),
        ScalarOwned::Integer(value) => Value::from(*value),
        ScalarOwned::FloatingPoint(value) => Value::from(value.into_inner()),
        ScalarOwned::String(value) => Value::from(value.as_str()),
    }
}
