//! Reads `openapi.yaml`.

use std::collections::BTreeSet;

use jsonschema::{Registry, Validator};
use serde_json::{Map, Value, json};

use super::{Contract, Examples, Header, Headers, Operation, Response};

/// The document as it is, and a closed copy that forbids undocumented fields in answers.
struct Source<'a> {
    document: &'a Value,
    schemas: &'a Registry<'a>,
}

const OPEN: &str = "urn:open";
const CLOSED: &str = "urn:closed";

impl Contract {
    pub(super) fn read(text: &str) -> Contract {
        let document: Value = serde_json::from_str(text).unwrap();
        let closed = closed(&document);
        let schemas = Registry::new().add(OPEN, &document).unwrap().add(CLOSED, &closed).unwrap().prepare().unwrap();
        let source = Source { document: &document, schemas: &schemas };
        let mut operations = Vec::new();
        for (path, methods) in entries(&document["paths"]) {
            for (method, _) in entries(methods) {
                let place = format!("/paths/{}/{method}", escaped(path));
                let place = Operation { method: method.to_uppercase(), path: path.clone(), ..source.operation(&place) };
                operations.push(place);
            }
        }
        let elsewhere = source.operation("/x-elsewhere");
        let gateway_headers = source.headers("/x-gateway-headers");
        Contract { operations, elsewhere, gateway_headers }
    }
}

impl<'a> Source<'a> {
    /// The value at a place and its real place, after following references.
    fn at(&self, place: &str) -> (String, &'a Value) {
        let found = self.document.pointer(place).unwrap_or_else(|| panic!("openapi.yaml has no {place}"));
        match found.get("$ref").and_then(Value::as_str) {
            Some(target) => self.at(target.strip_prefix('#').unwrap()),
            None => (place.to_owned(), found),
        }
    }

    fn validator(&self, of: &str, place: &str) -> Validator {
        let options = jsonschema::options().with_registry(self.schemas).should_validate_formats(true);
        let fragment = place.replace('{', "%7B").replace('}', "%7D");
        options.build(&json!({ "$ref": format!("{of}#{fragment}") })).unwrap_or_else(|error| panic!("{place}: {error}"))
    }

    fn operation(&self, place: &str) -> Operation {
        let (_, operation) = self.at(place);
        let body = operation.get("requestBody").map(|_| self.at(&format!("{place}/requestBody")).0);
        let takes_form = body.as_ref().is_some_and(|place| {
            self.at(&format!("{place}/content")).1.get("application/x-www-form-urlencoded").is_some()
        });
        let body = body.map(|place| format!("{place}/content/application~1json"));
        let body = body.filter(|place| self.document.pointer(place).is_some());
        let statuses = entries(&operation["responses"]);
        let response = |status: &String| self.response(&format!("{place}/responses/{status}"));
        let ways = operation.get("security").and_then(Value::as_array);
        Operation {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            needs_access: ways
                .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| way.get("accessToken").is_some())),
            declares_security: ways.is_some(),
            request: body.as_ref().map(|place| self.validator(OPEN, &format!("{place}/schema"))),
            requests: body.map(|place| self.examples(&place)).unwrap_or_default(),
            takes_form,
            responses: statuses.map(|(status, _)| (status.parse().unwrap(), response(status))).collect(),
            ..Operation::default()
        }
    }

    fn response(&self, place: &str) -> Response {
        let (place, response) = self.at(place);
        let kinds: BTreeSet<_> = response.get("content").into_iter().flat_map(entries).map(|(kind, _)| kind).collect();
        let (pages, kinds): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| *kind == "text/html");
        let body = kinds.first().map(|kind| format!("{place}/content/{}", escaped(kind)));
        assert!(kinds.iter().all(|kind| *kind == "application/json"), "{place} is not JSON");
        Response {
            body: body.as_ref().map(|place| [OPEN, CLOSED].map(|of| self.validator(of, &format!("{place}/schema")))),
            is_page: !pages.is_empty(),
            headers: self.headers(&format!("{place}/headers")),
            examples: body.map(|place| self.examples(&place)).unwrap_or_default(),
        }
    }

    fn headers(&self, place: &str) -> Headers {
        let headers = self.document.pointer(place).into_iter().flat_map(entries);
        let header = |name: &String| {
            let (place, header) = self.at(&format!("{place}/{name}"));
            let is_optional = header.get("required") == Some(&json!(false));
            Header { value: self.validator(CLOSED, &format!("{place}/schema")), is_optional }
        };
        headers.map(|(name, _)| (name.to_lowercase(), header(name))).collect()
    }

    fn examples(&self, place: &str) -> Examples {
        let place = format!("{place}/examples");
        let examples = self.document.pointer(&place).into_iter().flat_map(entries);
        let value = |name: &String| self.at(&format!("{place}/{name}")).1["value"].clone();
        examples.map(|(name, _)| (name.clone(), value(name))).collect()
    }
}

/// Closes every object of `components/schemas`, so that an undocumented field in an answer is an error. The document itself stays
/// open, because clients must accept unknown fields.
fn closed(document: &Value) -> Value {
    let mut document = document.clone();
    for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        if schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
    document
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

/// Escapes a name as part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
