//! One call: its service, operation, caller and members.
//!
//! Signatures are not verified. The caller is the access key id in the credential. A missing signature, another region and
//! another service are rejected, because they reveal a wrongly configured client.

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;

use super::query;
use super::refusal::Refusal;
use super::service::Service;
use crate::ids::{ACCOUNT, REGION};
use crate::models::{Models, Unreadable};

/// The header with the name of a function's instance, for the gate. Callers over a socket omit it.
pub const INSTANCE: &str = "x-instance";

/// The service and operation of a request.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) service: Service,
    pub(crate) operation: String,
}

/// A parsed request.
#[derive(Clone)]
pub(crate) struct Call {
    /// The access key id. In the local stack it is the function's resource name.
    pub(crate) caller: String,
    /// The function's instance, if instances have names.
    pub(crate) instance: String,
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// The members of the request, by their names in the service's model.
    pub(crate) body: Value,
}

impl Target {
    fn new(service: Service, operation: &str) -> Target {
        Target { service, operation: operation.to_owned() }
    }

    /// The JSON protocols name both in a header, SES by method and path, SNS in a form.
    pub(crate) fn of(models: &Models, request: &Request<Bytes>) -> Result<Target, Refusal> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        if let Some(target) = text(request.headers(), "x-amz-target") {
            let of =
                |prefix| Service::ALL.into_iter().find(|service| service.model(models).target_prefix() == Some(prefix));
            let found = target.split_once('.').and_then(|(prefix, name)| Some(Target::new(of(prefix)?, name)));
            let unknown = || Refusal::unknown(&format!("the local stack has no service for the target {target}"));
            return found.ok_or_else(unknown);
        }
        let at = |service: Service| Some(Target::new(service, service.model(models).at(method, path)?));
        if let Some(target) = Service::ALL.into_iter().find_map(at) {
            return Ok(target);
        }
        let is_form =
            text(request.headers(), "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
        if is_form && let Some(action) = query::action(request.body()) {
            return Ok(Target::new(Service::Sns, &action));
        }
        Err(Refusal::unknown(&format!("the local stack has no operation {method} {path}")))
    }

    /// The access key id in `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, …`.
    pub(crate) fn caller(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let service = self.service;
        let refused = |name, message| Refusal::new(service.forbidden(), name, message);
        let Some(authorization) = text(request.headers(), "authorization") else {
            return Err(refused("MissingAuthenticationTokenException", "Request is missing Authentication Token"));
        };
        let scope = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .and_then(|rest| rest.split(',').find_map(|part| part.trim().strip_prefix("Credential=")))
            .map(|credential| credential.split('/').collect::<Vec<_>>());
        let Some([key_id, _date, region, scoped, "aws4_request"]) = scope.as_deref() else {
            return Err(refused(
                "IncompleteSignatureException",
                "Authorization header has no Credential of five parts.",
            ));
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

    /// The members of the request.
    pub(crate) fn body(&self, models: &Models, request: &Request<Bytes>) -> Result<Value, Refusal> {
        let (operation, uri) = (&self.operation, request.uri());
        let query = uri.query().unwrap_or_default();
        let read = self.service.model(models).read(operation, uri.path(), query, request.body());
        read.map_err(|unreadable| match unreadable {
            Unreadable::Json(error) => {
                Refusal::bad("SerializationException", &format!("the body is not JSON: {error}"))
            }
            Unreadable::Version(version) => {
                Refusal::unknown(&format!("Could not find operation {operation} for version {version}"))
            }
        })
    }
}

/// Where a message came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The service's id of the message.
    pub id: String,
    /// The function that sent it, by its logical name.
    pub caller: String,
}

impl Call {
    pub(crate) fn new(Target { service, operation }: Target, caller: String, body: Value, headers: &HeaderMap) -> Call {
        let instance = text(headers, INSTANCE).unwrap_or_default().to_owned();
        Call { caller, instance, service, operation, body }
    }

    /// A member of the body, if it is a string.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Value::as_str)
    }

    /// The strings in a list of the body.
    pub(crate) fn texts(&self, member: &str) -> impl Iterator<Item = &str> {
        self.body.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// IAM's name for the operation: `dynamodb:GetItem`.
    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service.name(), self.operation)
    }

    /// The refusal for a role without permission for `action` on `resource`. `is_explicit` tells whether a statement denies
    /// it, or none allows it.
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

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
