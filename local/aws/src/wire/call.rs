//! One call: its service, operation, caller and members.
//!
//! Signatures are not checked: the caller is the one that the credential names. The mistakes of a wrongly configured client
//! are found: no signature, another region, another service.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::query;
use super::refusal::Refusal;
use super::service::Service;
use crate::ids::{ACCOUNT, REGION};

/// The header that names the instance of a function to the gate. Callers over a socket have none.
pub const INSTANCE: &str = "x-instance";

/// Where SES keeps identities: the rest of the path is the identity's name.
const IDENTITIES: &str = "/v2/email/identities/";

/// Which operation of which service a request is for.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) service: Service,
    pub(crate) operation: String,
}

/// A request that has been read.
pub(crate) struct Call {
    /// The access key id: in the local stack it names the function.
    pub(crate) caller: String,
    /// The instance of the function, where instances have names.
    pub(crate) instance: String,
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// The request's members; of a form, an object of texts.
    pub(crate) body: Value,
}

impl Target {
    fn new(service: Service, operation: &str) -> Target {
        Target { service, operation: operation.to_owned() }
    }

    /// The JSON protocols name both in a header, SES by method and path, SNS in a form.
    pub(crate) fn of(request: &Request<Bytes>) -> Result<Target, Refusal> {
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

impl Call {
    pub(crate) fn read(Target { service, operation }: Target, request: &Request<Bytes>) -> Result<Call, Refusal> {
        let caller = caller(request.headers(), service)?;
        let body = match service {
            Service::Sns => query::parameters(request.body()),
            Service::Ses if request.method() == Method::GET => identity_in(request.uri().path()),
            Service::DynamoDb | Service::SecretsManager | Service::Ses => serde_json::from_slice(request.body())
                .map_err(|error| Refusal::bad("SerializationException", &format!("the body is not JSON: {error}")))?,
        };
        let instance = text(request.headers(), INSTANCE).unwrap_or_default().to_owned();
        Ok(Call { caller, instance, service, operation, body })
    }

    /// A member of the body that is a text.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Value::as_str)
    }

    /// IAM's name for the operation: `dynamodb:GetItem`.
    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service.name(), self.operation)
    }

    /// The refusal for a caller whose role may not do `action` to `resource`: because a statement denies it, or because none
    /// allows it.
    pub(crate) fn denied(&self, action: &str, resource: &str, is_explicit: bool) -> Refusal {
        let user = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{0}/{0}", self.caller);
        // SNS writes its own name in capitals.
        let action = action.replace("sns:", "SNS:");
        let message = if self.service == Service::Ses {
            format!("User `{user}' is not authorized to perform `{action}' on resource `{resource}'")
        } else {
            let why = if is_explicit {
                "with an explicit deny in an identity-based policy".to_owned()
            } else {
                format!("because no identity-based policy allows the {action} action")
            };
            format!("User: {user} is not authorized to perform: {action} on resource: {resource} {why}")
        };
        Refusal::new(self.service.forbidden(), "AccessDeniedException", &message)
    }
}

/// The identity in a path of SES, as a member of a body.
fn identity_in(path: &str) -> Value {
    let name = path.strip_prefix(IDENTITIES).unwrap_or_default();
    json!({ "EmailIdentity": percent_decode_str(name).decode_utf8_lossy() })
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
