//! Checks requests and answers against `openapi.yaml`.

mod read;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, header};
use jsonschema::Validator;
use serde_json::Value;
use shared::http::{ALIASES, without_final_slash};

use crate::Answer;

/// The document, read once.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::read(&local::document::json().unwrap()));

/// The content of the document.
pub struct Contract {
    pub operations: Vec<Operation>,
    /// Answers for paths and methods without an operation.
    pub elsewhere: Operation,
    /// Headers that the gateway adds to any answer.
    gateway_headers: Headers,
}

/// A method of a path.
#[derive(Default)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    /// Whether only an access token opens it.
    pub needs_access: bool,
    /// Whether it declares `security`.
    pub declares_security: bool,
    /// The schema of its body.
    request: Option<Validator>,
    /// Whether a form of a page may send the body.
    takes_form: bool,
    pub requests: Examples,
    pub responses: BTreeMap<u16, Response>,
}

/// A status of an operation.
pub struct Response {
    /// Two schemas of the body. Clients must accept unknown fields, so the first is open. The functions must not send
    /// undocumented fields, so the second is closed.
    body: Option<[Validator; 2]>,
    /// Whether it may be a page.
    is_page: bool,
    headers: Headers,
    pub examples: Examples,
}

/// Examples by name. The name is the error's code, or `gateway` for the gateway's own answer.
pub type Examples = BTreeMap<String, Value>;

/// Headers by lower-case name.
type Headers = BTreeMap<String, Header>;

struct Header {
    value: Validator,
    is_optional: bool,
}

/// Panics if a request and its answer contradict the document.
pub fn assert_kept(request: &Request<Bytes>, answer: &Answer) {
    let problems = CONTRACT.problems(request, answer);
    let (method, path) = (request.method(), request.uri().path());
    assert!(problems.is_empty(), "{method} {path} contradicts openapi.yaml:{problems}\n{}", answer.body);
}

impl Contract {
    /// The contradictions, one per line.
    pub fn problems(&self, request: &Request<Bytes>, answer: &Answer) -> String {
        let mut problems = String::new();
        let status = answer.status.as_u16();
        let operation = match self.operation(request.method().as_str(), request.uri().path()) {
            // This deployment has no aliases.
            _ if status == 404 && is_alias(request.uri().path()) => &self.elsewhere,
            _ if status == 400 && is_gateways(answer) => &self.elsewhere,
            operation => operation,
        };
        match operation.responses.get(&status).filter(|_| self.fits(operation, request, status)) {
            Some(response) => {
                match request.method() == Method::HEAD {
                    true if answer.body.is_null() => {}
                    true => problem(&mut problems, format_args!("there is a body")),
                    false => response_problems(response, answer, &mut problems),
                }
                self.header_problems(response, answer, &mut problems);
            }
            None => problem(&mut problems, format_args!("{} has no status {status} here", operation.id)),
        }
        let is_form = operation.takes_form && has_type(request.headers(), FORM);
        if let Some(body) = operation.request.as_ref().filter(|_| answer.status.is_success() && !is_form) {
            request_problems(body, request, &mut problems);
        }
        problems
    }

    /// The operation for a request. Without one, `elsewhere`.
    fn operation(&self, method: &str, path: &str) -> &Operation {
        let found = self.operations.iter().find(|operation| operation.method == method && operation.is_at(path));
        found.unwrap_or(&self.elsewhere)
    }

    /// For requests without an operation: 404 needs an unknown path, 405 a known one.
    fn fits(&self, operation: &Operation, request: &Request<Bytes>, status: u16) -> bool {
        let path = request.uri().path();
        let is_known = self.operations.iter().any(|operation| operation.is_at(path));
        match status {
            _ if operation.id != self.elsewhere.id => true,
            204 => request.method() == "OPTIONS",
            404 => is_alias(path) || !is_known,
            405 => is_known,
            _ => true,
        }
    }

    fn header_problems(&self, response: &Response, answer: &Answer, problems: &mut String) {
        // The gateway's own answers lack the headers of a function. Those to HEAD have no body to recognise them by.
        let is_gateways =
            is_gateways(answer) || (answer.body.is_null() && !answer.headers.contains_key("x-request-id"));
        for (name, header) in &response.headers {
            if !answer.headers.contains_key(name) && !header.is_optional && !is_gateways {
                problem(problems, format_args!("the header {name} is missing"));
            }
        }
        for (name, value) in answer.headers.iter().filter(|(name, _)| *name != header::CONTENT_TYPE) {
            let known = response.headers.get(name.as_str()).or_else(|| self.gateway_headers.get(name.as_str()));
            let Some(known) = known else {
                problem(problems, format_args!("the header {name} is not listed"));
                continue;
            };
            let text = value.to_str().unwrap();
            let is_valid = |value: Value| known.value.is_valid(&value);
            if !is_valid(text.into()) && !text.parse::<u64>().is_ok_and(|number| is_valid(number.into())) {
                problem(problems, format_args!("the header {name} is {text}"));
            }
        }
    }
}

impl Operation {
    /// Compares with a path, ignoring the final slash.
    fn is_at(&self, path: &str) -> bool {
        let [mine, theirs] = [&self.path, path].map(|path| without_final_slash(path).split('/'));
        let is_same = |(mine, theirs): (&str, &str)| match mine.starts_with('{') {
            true => !theirs.is_empty() && theirs.bytes().all(is_in_id),
            false => mine == theirs,
        };
        mine.clone().count() == theirs.clone().count() && mine.zip(theirs).all(is_same)
    }

    pub fn takes(&self, body: &Value) -> bool {
        self.request.as_ref().is_some_and(|request| request.is_valid(body))
    }
}

impl Response {
    pub fn body_problems(&self, body: &Value) -> String {
        let mut problems = String::new();
        self.body.iter().flatten().for_each(|schema| body_problems(schema, body, &mut problems));
        problems
    }
}

/// The characters of ids.
fn is_in_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn is_gateways(answer: &Answer) -> bool {
    answer.body.as_object().is_some_and(|body| body.keys().eq(["message"]))
}

fn is_alias(path: &str) -> bool {
    ALIASES.iter().any(|alias| alias.path == without_final_slash(path))
}

/// The type of a form's body.
const FORM: &str = "application/x-www-form-urlencoded";

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next() == Some(wanted)
}

fn response_problems(response: &Response, answer: &Answer, problems: &mut String) {
    if response.is_page && has_type(&answer.headers, "text/html") {
        return;
    }
    match &response.body {
        Some(body) => {
            if answer.headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
                problem(problems, format_args!("the content type is not application/json"));
            }
            body.iter().for_each(|schema| body_problems(schema, &answer.body, problems));
        }
        None if answer.body.is_null() => {}
        None => problem(problems, format_args!("there is a body")),
    }
    let is_listed = |code| response.examples.values().any(|example| code_of(example) == Some(code));
    if let Some(code) = code_of(&answer.body).filter(|code| !is_listed(code)) {
        problem(problems, format_args!("the code {code} is not listed for this status"));
    }
    let header = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let told = answer.body.get("retry_after").and_then(Value::as_u64);
    // Some aliases have an error format without this field.
    if !answer.status.is_success() && header != told && (told.is_some() || answer.body.get("success").is_some()) {
        problem(problems, format_args!("body and header tell different waits"));
    }
}

/// The code of an error, in our format or an alias's.
fn code_of(body: &Value) -> Option<&str> {
    let is_ours = body.get("success").is_some();
    let names: &[&str] = if is_ours { &["error"] } else { &["error_code", "code"] };
    names.iter().find_map(|name| body.get(name)?.as_str())
}

/// A successful answer needs a request that the document allows.
fn request_problems(body: &Validator, request: &Request<Bytes>, problems: &mut String) {
    let kind = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_ascii_lowercase());
    if kind.and_then(|kind| kind.split(';').next().map(str::to_owned)).as_deref() != Some("application/json") {
        problem(problems, format_args!("a body of another content type was taken"));
    }
    match serde_json::from_slice(request.body()) {
        Ok(sent) => body_problems(body, &sent, problems),
        Err(_) => problem(problems, format_args!("a body that is no JSON was taken")),
    }
}

fn body_problems(schema: &Validator, body: &Value, problems: &mut String) {
    for error in schema.iter_errors(body) {
        problem(problems, format_args!("at `{}`: {error}", error.instance_path()));
    }
}

fn problem(problems: &mut String, what: std::fmt::Arguments<'_>) {
    write!(problems, "\n  {what}").unwrap();
}
