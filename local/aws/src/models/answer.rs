//! Checks answers against the models. An invalid answer is a mistake of the stand-in.

use serde_json::Value;

use super::check::{Author, check};
use super::model::{Model, Protocol};
use super::problem::{Problem, What};
use super::shape::Structure;

/// Errors of any operation. AWS documents them outside the models.
const COMMON: [&str; 11] = [
    "AccessDeniedException",
    "InvalidAction",
    "InvalidClientTokenId",
    "MalformedInput",
    "SerializationException",
    "Throttling",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
    // The stand-in's own name for a missing answer.
    "timeout",
];

impl Model {
    /// The differences between an answer and the model.
    pub(crate) fn answer(&self, operation: &str, answer: &Value) -> Vec<Problem> {
        let output = self.operations.get(operation).and_then(|operation| operation.output.as_ref());
        output.map_or_else(Vec::new, |output| check(&self.shapes, output, answer, Author::Aws))
    }

    /// The differences between an error named `name` and the model.
    pub(crate) fn error(&self, operation: &str, name: &str, status: u16, body: &Value) -> Vec<Problem> {
        let Some(operation) = self.operations.get(operation) else { return Vec::new() };
        let mut errors = operation.errors.iter().filter_map(|shape| Some((shape, self.structure(shape)?)));
        let is_it = |(shape, error): &(&String, &Structure)| error.error.code.as_ref().unwrap_or(shape) == name;
        let Some((shape, error)) = errors.find(is_it) else {
            let undocumented = Problem::new("", What::Other("AWS documents no such error for this operation"));
            return if COMMON.contains(&name) { Vec::new() } else { vec![undocumented] };
        };
        let mut problems = Vec::new();
        if status != error.error.http_status_code.unwrap_or(if error.fault { 500 } else { 400 }) {
            problems.push(Problem::new("", What::Other("AWS gives this error another status")));
        }
        // An answer to a form is XML, with only a name and a message.
        if self.metadata.protocol != Protocol::Query {
            let mut body = body.clone();
            if let Some(members) = body.as_object_mut() {
                members.remove("__type");
                // Some models lack the message, although every error has one.
                if !error.members.contains_key("Message") && !error.members.contains_key("message") {
                    members.remove("message");
                }
            }
            problems.extend(check(&self.shapes, shape, &body, Author::Aws));
        }
        problems
    }
}
