//! Reads requests of each protocol into a value of the operation's input.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::check::{Author, check};
use super::form;
use super::model::{Model, Operation, Protocol};
use super::problem::{Problem, What};
use super::shape::{Location, Ref, Shape};

/// Why a request cannot be read.
pub(crate) enum Unreadable {
    /// The JSON is invalid, with the parser's message.
    Json(String),
    /// The request has this API version instead of the model's version.
    Version(String),
}

impl Model {
    /// The operation for this method and path, in a service with a path for each operation.
    pub(crate) fn at(&self, method: &str, path: &str) -> Option<&str> {
        let is_asked =
            |operation: &Operation| operation.http.method == method && matches(&operation.http.request_uri, path);
        let mut operations = self.operations.iter().filter(|_| self.metadata.protocol == Protocol::RestJson);
        operations.find(|(_, operation)| is_asked(operation)).map(|(name, _)| name.as_str())
    }

    /// Reads a request to `path` with the member names of the model. Unknown members stay in the value, so that
    /// [`Model::request`] reports them.
    pub(crate) fn read(&self, name: &str, path: &str, query: &str, body: &[u8]) -> Result<Value, Unreadable> {
        let operation = self.operations.get(name);
        match self.metadata.protocol {
            Protocol::Json => json(body),
            Protocol::RestJson => {
                let body = if body.is_empty() { Value::Object(Map::new()) } else { json(body)? };
                Ok(match (body, operation) {
                    (Value::Object(members), Some(operation)) => self.with_address(operation, members, path, query),
                    (body, _) => body,
                })
            }
            Protocol::Query => {
                let version = form::parameter(body, "Version").unwrap_or_else(|| "NO_VERSION_SPECIFIED".to_owned());
                if version != self.metadata.api_version {
                    return Err(Unreadable::Version(version));
                }
                let input = operation.and_then(|operation| operation.input.as_deref());
                Ok(form::read(&self.shapes, input, body))
            }
        }
    }

    /// The differences between a request and the model.
    pub(crate) fn request(&self, operation: &str, body: &Value) -> Vec<Problem> {
        match self.operations.get(operation) {
            Some(Operation { input: Some(input), .. }) => check(&self.shapes, input, body, Author::Caller),
            Some(Operation { input: None, .. }) => Vec::new(),
            None if self.others.contains(operation) => Vec::new(),
            None => vec![Problem::new("", What::NoOperation)],
        }
    }

    /// The members of the body, the path and the query.
    fn with_address(&self, operation: &Operation, body: Map<String, Value>, path: &str, query: &str) -> Value {
        let mut members = body;
        let labels = labels(&operation.http.request_uri, path);
        let labels = labels.map(|(name, text)| (name.to_owned(), text, Location::Uri));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned();
        let query = query.map(|(name, text)| (name, text, Location::QueryString));
        let input = operation.input.as_deref().and_then(|input| self.structure(input));
        for (name, text, location) in labels.chain(query) {
            let member = input.and_then(|input| input.members.get(&name));
            match member.filter(|member| member.location == Some(location)) {
                Some(member) => self.add(&mut members, name, member, text),
                // No member has such a name, so the check reports it.
                None => drop(members.insert(format!("?{name}"), Value::from(text))),
            }
        }
        Value::Object(members)
    }

    /// A list has one parameter for each item.
    fn add(&self, members: &mut Map<String, Value>, name: String, member: &Ref, text: String) {
        match (self.shapes.get(&member.shape), members.get_mut(&name)) {
            (Some(Shape::List { member, .. }), there) => {
                let item = form::scalar(self.shapes.get(&member.shape), text);
                match there {
                    Some(Value::Array(items)) => items.push(item),
                    _ => drop(members.insert(name, Value::from(vec![item]))),
                }
            }
            (shape, _) => drop(members.insert(name, form::scalar(shape, text))),
        }
    }
}

fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|error| Unreadable::Json(error.to_string()))
}

/// Whether a path matches an address pattern of the model, such as `/v2/email/identities/{EmailIdentity}`.
fn matches(address: &str, path: &str) -> bool {
    let is_one = |(part, text): (&str, &str)| label(part).map_or(part == text, |_| !text.is_empty());
    address.split('/').count() == path.split('/').count() && address.split('/').zip(path.split('/')).all(is_one)
}

fn label(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// The names and values of the members in a path.
fn labels<'a>(address: &'a str, path: &'a str) -> impl Iterator<Item = (&'a str, String)> {
    let parts = address.split('/').zip(path.split('/'));
    parts.filter_map(|(part, text)| Some((label(part)?, percent_decode_str(text).decode_utf8_lossy().into_owned())))
}
