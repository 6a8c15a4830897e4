//! What a request asks for and how an answer looks: AWS's JSON protocols, the REST of SES, and the forms of SNS.
//!
//! Signatures are not checked: the caller is whom the credential names. What is checked is what a wrongly configured
//! client gets wrong: no signature, another region, another service.

mod query;
mod refusal;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use self::refusal::Refusal;
use crate::ids::{REGION, new_id};

/// The header that names the instance of a function to the gate. Callers over a socket have none.
pub const INSTANCE: &str = "x-instance";

/// The services that functions call, by the names that requests are signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// Secrets Manager.
    SecretsManager,
    /// SES, in its second version.
    Ses,
    /// SNS, for SMS.
    Sns,
}

impl Service {
    /// Its name in signatures, records and settings.
    pub fn name(self) -> &'static str {
        match self {
            Service::DynamoDb => "dynamodb",
            Service::SecretsManager => "secretsmanager",
            Service::Ses => "ses",
            Service::Sns => "sns",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Service::DynamoDb => "application/x-amz-json-1.0",
            Service::SecretsManager => "application/x-amz-json-1.1",
            Service::Ses => "application/json",
            Service::Sns => "text/xml",
        }
    }

    /// The status for who may not ask, or does not sign: the JSON protocols have 400 for all client errors.
    pub(super) fn forbidden(self) -> StatusCode {
        match self {
            Service::DynamoDb | Service::SecretsManager => StatusCode::BAD_REQUEST,
            Service::Ses | Service::Sns => StatusCode::FORBIDDEN,
        }
    }
}

/// Whom a request is for.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) service: Service,
    pub(super) operation: String,
}

/// What stands before an identity's name in SES's paths.
const IDENTITIES: &str = "/v2/email/identities/";

/// What a path of SES names, as a member of a body.
fn named_in(path: &str) -> Value {
    let name = path.strip_prefix(IDENTITIES).unwrap_or_default();
    json!({ "EmailIdentity": name.replace("%40", "@") })
}

/// One call.
pub(super) struct Asked {
    /// The access key id: in the local stack it names the function.
    pub(super) caller: String,
    /// The instance that calls, where instances have names.
    pub(super) instance: String,
    pub(super) service: Service,
    pub(super) operation: String,
    /// What it says; of a form, an object of texts.
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn read(Target { service, operation }: Target, request: &Request<Bytes>) -> Result<Asked, Refusal> {
        let caller = caller(request.headers(), service)?;
        let body = match service {
            Service::Sns => query::parameters(request.body()),
            Service::Ses if request.method() == Method::GET => named_in(request.uri().path()),
            Service::DynamoDb | Service::SecretsManager | Service::Ses => serde_json::from_slice(request.body())
                .map_err(|error| Refusal::bad("SerializationException", &format!("the body is not JSON: {error}")))?,
        };
        let instance = text(request.headers(), INSTANCE).unwrap_or_default().to_owned();
        Ok(Asked { caller, instance, service, operation, body })
    }

    /// A member of the body that is a text.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Value::as_str)
    }
}

impl Target {
    fn new(service: Service, operation: &str) -> Target {
        Target { service, operation: operation.to_owned() }
    }

    /// The JSON protocols name both in a header, SES by method and path, SNS in a form.
    pub(super) fn of(request: &Request<Bytes>) -> Result<Target, Refusal> {
        let path = request.uri().path();
        if let Some(target) = text(request.headers(), "x-amz-target") {
            return match target.split_once('.') {
                Some(("DynamoDB_20120810", operation)) => Ok(Target::new(Service::DynamoDb, operation)),
                Some(("secretsmanager", operation)) => Ok(Target::new(Service::SecretsManager, operation)),
                _ => Err(Refusal::unknown(&format!("the local stack has no service for the target {target}"))),
            };
        }
        match (request.method(), path) {
            (&Method::POST, "/v2/email/outbound-emails") => return Ok(Target::new(Service::Ses, "SendEmail")),
            (&Method::GET, "/v2/email/account") => return Ok(Target::new(Service::Ses, "GetAccount")),
            (&Method::GET, path) if path.starts_with(IDENTITIES) => {
                return Ok(Target::new(Service::Ses, "GetEmailIdentity"));
            }
            _ => {}
        }
        let is_form =
            text(request.headers(), "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
        if is_form && let Some(action) = query::action(request.body()) {
            return Ok(Target::new(Service::Sns, &action));
        }
        Err(Refusal::unknown(&format!("the local stack has no operation {} {path}", request.method())))
    }
}

/// The access key id in `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, …`.
fn caller(headers: &HeaderMap, service: Service) -> Result<String, Refusal> {
    let refused = |name, message| Refusal::new(service.forbidden(), name, message);
    let Some(authorization) = text(headers, "authorization") else {
        return Err(refused("MissingAuthenticationTokenException", "Request is missing Authentication Token"));
    };
    let scope = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .and_then(|rest| rest.split(',').find_map(|part| part.trim().strip_prefix("Credential=")))
        .map(|credential| credential.split('/').collect::<Vec<_>>());
    let Some([key_id, _date, region, scoped, "aws4_request"]) = scope.as_deref() else {
        return Err(refused("IncompleteSignatureException", "Authorization header has no Credential of five parts."));
    };
    if *region != REGION {
        let message = format!("Credential should be scoped to a valid region, not '{region}': this is {REGION}.");
        return Err(refused("InvalidSignatureException", &message));
    }
    if *scoped != service.name() {
        let message = format!("Credential should be scoped to correct service: '{}'.", service.name());
        return Err(refused("InvalidSignatureException", &message));
    }
    Ok((*key_id).to_owned())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The answer to a request that says too little to be a call.
pub(super) fn unread(request: &Request<Bytes>, target: Option<&Target>, refusal: Refusal) -> Response<Bytes> {
    let refusal = match target {
        Some(target) => refusal.named_by(target.service),
        None => refusal,
    };
    let path = request.uri().path();
    tracing::warn!(path, error = refusal.name(), "{}", refusal.message());
    response(target, &Err(refusal))
}

/// The answer as the service of `target` writes it; without one, as most do.
pub(super) fn response(target: Option<&Target>, outcome: &Result<Value, Refusal>) -> Response<Bytes> {
    let service = target.map_or(Service::DynamoDb, |target| target.service);
    let request_id = new_id();
    let body = match (target, outcome) {
        (Some(target), outcome) if service == Service::Sns => query::answer(&target.operation, outcome, &request_id),
        (_, Ok(body)) => body.to_string(),
        (_, Err(refusal)) => refusal.body.to_string(),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = outcome.as_ref().err().map_or(StatusCode::OK, |refusal| refusal.status);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(service.content_type()));
    let error = outcome.as_ref().err().map(|refusal| refusal.name().to_owned());
    for (name, value) in [("x-amzn-requestid", Some(request_id)), ("x-amzn-errortype", error)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
