//! AWS's error answers.

use http::StatusCode;
use serde_json::{Value, json};

use super::service::Service;

/// An error, as AWS words it.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Always has a `__type`.
    pub(crate) body: Value,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, name: &str, message: &str) -> Refusal {
        Refusal { status, body: json!({ "__type": name, "message": message }) }
    }

    pub(crate) fn bad(name: &str, message: &str) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, name, message)
    }

    pub(crate) fn unknown(message: &str) -> Refusal {
        Refusal::bad("UnknownOperationException", message)
    }

    pub(crate) fn internal(message: &str) -> Refusal {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
    }

    /// The same error under the name that `service` has for it.
    pub(crate) fn named_by(self, service: Service) -> Refusal {
        match service {
            Service::DynamoDb | Service::SecretsManager | Service::Ses => self,
            Service::Sns => Refusal::new(self.status, query_name(self.name()), self.message()),
        }
    }

    /// The error's name, without the namespace that some services put before it.
    pub(crate) fn name(&self) -> &str {
        let full = self.body.get("__type").and_then(Value::as_str).unwrap_or_default();
        full.rsplit('#').next().unwrap_or_default()
    }

    /// The services do not agree on the first letter of this member.
    pub(crate) fn message(&self) -> &str {
        let member = self.body.get("message").or_else(|| self.body.get("Message"));
        member.and_then(Value::as_str).unwrap_or_default()
    }
}

/// The query protocol's name for an error that the JSON protocols have too.
fn query_name(name: &str) -> &str {
    match name {
        "AccessDeniedException" => "AuthorizationError",
        "ExpiredTokenException" => "ExpiredToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "InternalServerError" => "InternalError",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "UnknownOperationException" => "InvalidAction",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        other => other,
    }
}
