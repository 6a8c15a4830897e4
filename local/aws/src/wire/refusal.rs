//! How AWS says no.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Asked, Service, query};
use crate::ids::ACCOUNT;

/// An answer that says no, as AWS words it.
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

    /// The role of `asked`'s caller has no permission for it.
    pub(crate) fn denied(asked: &Asked, resource: &str) -> Refusal {
        let (operation, account) = (&asked.operation, ACCOUNT);
        let service = if asked.service == Service::Sns { "SNS" } else { asked.service.name() };
        let message = format!(
            "User: arn:aws:sts::{account}:assumed-role/{0}/{0} is not authorized to perform: {service}:{operation} on \
             resource: {resource} because no identity-based policy allows the {service}:{operation} action",
            asked.caller
        );
        Refusal::new(asked.service.forbidden(), "AccessDeniedException", &message)
    }

    /// The same, by the name that `service` has for it.
    pub(crate) fn named_by(self, service: Service) -> Refusal {
        match service {
            Service::DynamoDb | Service::SecretsManager | Service::Ses => self,
            Service::Sns => Refusal::new(self.status, query::name(self.name()), self.message()),
        }
    }

    /// The error's name, without the namespace that some services put before it.
    pub(crate) fn name(&self) -> &str {
        let full = self.body.get("__type").and_then(Value::as_str).unwrap_or_default();
        full.rsplit('#').next().unwrap_or_default()
    }

    /// What it says; the services do not agree on the member's first letter.
    pub(crate) fn message(&self) -> &str {
        let member = self.body.get("message").or_else(|| self.body.get("Message"));
        member.and_then(Value::as_str).unwrap_or_default()
    }
}
