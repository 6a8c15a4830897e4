//! Evaluates a template: parameters, conditions, and the few intrinsic functions that it uses.
//!
//! Anything else is an error with its line, because a value must never differ silently from AWS.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::names::Names;
use super::yaml::{Kind, Node, failure};
use crate::failure::Failure;

/// The values of the names in a template.
pub(super) struct Scope {
    parameters: BTreeMap<String, Value>,
    conditions: BTreeMap<String, bool>,
    names: Names,
}

/// `None` for `Ref: AWS::NoValue`, which removes the entry.
type Maybe = Option<Value>;

impl Scope {
    /// The names of `template` with these parameters.
    pub(super) fn new(template: &Node, parameters: BTreeMap<String, Value>) -> Result<Scope, Failure> {
        let mut scope = Scope { parameters, conditions: BTreeMap::new(), names: Names::of(template) };
        for (name, condition) in template.get("Conditions").map(Node::entries).unwrap_or_default() {
            let holds =
                scope.value(condition)?.as_bool().ok_or_else(|| failure(condition.line, "expected a condition"))?;
            scope.conditions.insert(name.clone(), holds);
        }
        Ok(scope)
    }

    /// Whether a resource exists. It does unless its condition is false.
    pub(super) fn has(&self, resource: &Node) -> Result<bool, Failure> {
        let Some(condition) = resource.get("Condition") else { return Ok(true) };
        self.condition(condition)
    }

    /// The value of `Ref` for a resource.
    pub(super) fn resource(&self, name: &str) -> Option<String> {
        self.names.reference(name)
    }

    /// The ARN of a queue.
    pub(super) fn queue(&self, name: &str) -> String {
        self.names.attribute(name, "Arn").unwrap_or_default()
    }

    /// The value of `node`, or `null` for no value.
    pub(super) fn value(&self, node: &Node) -> Result<Value, Failure> {
        Ok(self.maybe(node)?.unwrap_or(Value::Null))
    }

    fn maybe(&self, node: &Node) -> Result<Maybe, Failure> {
        match &node.kind {
            Kind::Scalar(value) => Ok(Some(value.clone())),
            Kind::List(items) => self.items(items).map(|items| Some(Value::Array(items))),
            Kind::Map(entries) => {
                let mut map = Map::new();
                for (key, node) in entries {
                    map.extend(self.maybe(node)?.map(|value| (key.clone(), value)));
                }
                Ok(Some(Value::Object(map)))
            }
            Kind::Call(name, argument) => self.call(name, argument, node.line),
        }
    }

    fn items(&self, items: &[Node]) -> Result<Vec<Value>, Failure> {
        items.iter().filter_map(|item| self.maybe(item).transpose()).collect()
    }

    fn call(&self, name: &str, argument: &Node, line: usize) -> Result<Maybe, Failure> {
        let shape = || failure(line, format!("!{name} is not supported in this form"));
        match (name, &argument.kind) {
            ("Ref", Kind::Scalar(Value::String(name))) if name == "AWS::NoValue" => Ok(None),
            ("Ref", Kind::Scalar(Value::String(name))) => self.reference(name, line).map(Some),
            ("Sub", Kind::Scalar(Value::String(text))) => self.substitute(text, line).map(Some),
            ("GetAtt", Kind::Scalar(Value::String(path))) => self.attribute(path, line).map(Some),
            ("If", Kind::List(parts)) => match parts.as_slice() {
                [condition, yes, no] => self.maybe(if self.condition(condition)? { yes } else { no }),
                _ => Err(shape()),
            },
            ("Equals", Kind::List(parts)) => match parts.as_slice() {
                [left, right] => Ok(Some(Value::Bool(self.value(left)? == self.value(right)?))),
                _ => Err(shape()),
            },
            ("Not", Kind::List(parts)) => match parts.as_slice() {
                [part] => match self.value(part)? {
                    Value::Bool(holds) => Ok(Some(Value::Bool(!holds))),
                    _ => Err(shape()),
                },
                _ => Err(shape()),
            },
            ("And" | "Or", Kind::List(parts)) => {
                let holds = |part: &Node| self.value(part)?.as_bool().ok_or_else(shape);
                let each = parts.iter().map(holds).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Value::Bool(if name == "Or" { each.contains(&true) } else { !each.contains(&false) })))
            }
            ("Join", Kind::List(parts)) => match parts.as_slice() {
                [separator, list] => self.join(separator, list).map(Some),
                _ => Err(shape()),
            },
            ("Split", Kind::List(parts)) => match parts.as_slice() {
                [separator, text] => self.split(separator, text).map(Some),
                _ => Err(shape()),
            },
            ("Ref" | "Sub" | "GetAtt" | "If" | "Equals" | "Not" | "And" | "Or" | "Join" | "Split", _) => Err(shape()),
            _ => Err(failure(line, format!("!{name} is not supported"))),
        }
    }

    fn condition(&self, name: &Node) -> Result<bool, Failure> {
        let text = name.text().unwrap_or_default();
        self.conditions.get(&text).copied().ok_or_else(|| failure(name.line, format!("there is no condition `{text}`")))
    }

    fn reference(&self, name: &str, line: usize) -> Result<Value, Failure> {
        let found = self.parameters.get(name).cloned().or_else(|| self.names.reference(name).map(Value::String));
        found.ok_or_else(|| failure(line, format!("there is no parameter or resource `{name}`")))
    }

    fn attribute(&self, path: &str, line: usize) -> Result<Value, Failure> {
        let found = path.split_once('.').and_then(|(resource, attribute)| self.names.attribute(resource, attribute));
        found.map(Value::String).ok_or_else(|| failure(line, format!("there is no attribute `{path}`")))
    }

    fn join(&self, separator: &Node, list: &Node) -> Result<Value, Failure> {
        let (Value::String(separator), Value::Array(items)) = (self.value(separator)?, self.value(list)?) else {
            return Err(failure(list.line, "!Join is not supported in this form"));
        };
        let texts = items.iter().map(text).collect::<Option<Vec<_>>>();
        let texts = texts.ok_or_else(|| failure(list.line, "!Join needs a list of strings"))?;
        Ok(Value::String(texts.join(&separator)))
    }

    fn split(&self, separator: &Node, text: &Node) -> Result<Value, Failure> {
        let (Value::String(separator), Value::String(whole)) = (self.value(separator)?, self.value(text)?) else {
            return Err(failure(text.line, "!Split is not supported in this form"));
        };
        Ok(whole.split(separator.as_str()).collect())
    }

    /// Replaces every `${name}` and `${name.attribute}`. `${!name}` becomes a literal `${name}`.
    fn substitute(&self, template: &str, line: usize) -> Result<Value, Failure> {
        let mut result = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| failure(line, "`${` without `}`"))?;
            result.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = if name.contains('.') { self.attribute(name, line)? } else { self.reference(name, line)? };
            let value = text(&value).ok_or_else(|| failure(line, format!("`{name}` is not a string")))?;
            result.push_str(&value);
        }
        result.push_str(rest);
        Ok(Value::String(result))
    }
}

/// A string, or the text of a number or boolean.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
