//! AWS's error answers.

use http::StatusCode;
use serde_json::{Value, json};

use super::service::Service;
use crate::models::Problem;

/// An error in AWS's words.
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

    /// The refusal of a request with differences from its service's model. AWS ignores unknown members. They are refused
    /// here, because they are mistakes.
    pub(crate) fn of_broken(service: Service, problems: &[Problem]) -> Option<Refusal> {
        let told = |problems: &[&Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if let Some(problem) = problems.iter().find(|problem| problem.is_about_the_operation()) {
            return Some(Refusal::unknown(&problem.to_string()));
        }
        let unreadable: Vec<&Problem> = problems.iter().filter(|problem| problem.is_about_a_type()).collect();
        if !unreadable.is_empty() {
            return Some(Refusal::bad("SerializationException", &told(&unreadable)));
        }
        let name = if service == Service::Ses { "BadRequestException" } else { "ValidationException" };
        let (count, told) = (problems.len(), told(&problems.iter().collect::<Vec<_>>()));
        match count {
            0 => None,
            1 => Some(Refusal::bad(name, &format!("1 validation error detected: {told}"))),
            _ => Some(Refusal::bad(name, &format!("{count} validation errors detected: {told}"))),
        }
    }

    /// The same error with the name that `service` uses for it.
    pub(crate) fn named_by(self, service: Service) -> Refusal {
        match service {
            Service::DynamoDb | Service::Ses | Service::Sqs | Service::Twilio | Service::SendGrid => self,
            Service::Events => {
                let name = if self.name() == "InternalServerError" { "InternalException" } else { self.name() };
                Refusal::new(self.status, name, self.message())
            }
            Service::SecretsManager => {
                let name = if self.name() == "InternalServerError" { "InternalServiceError" } else { self.name() };
                Refusal { status: self.status, body: json!({ "__type": name, "Message": self.message() }) }
            }
            Service::SmsVoice => {
                let name = if self.name() == "InternalServerError" { "InternalServerException" } else { self.name() };
                let mut body = self.body.clone();
                if let Some(fields) = body.as_object_mut() {
                    fields.remove("message");
                    fields.insert("__type".to_owned(), json!(name));
                    fields.insert("Message".to_owned(), json!(self.message()));
                    // The service gives a reason for each of these.
                    if name == "ValidationException" {
                        fields.entry("Reason").or_insert(json!("FIELD_VALIDATION_FAILED"));
                    }
                }
                Refusal { status: self.status, body }
            }
            Service::Sns => Refusal::new(self.status, query_name(self.name()), self.message()),
        }
    }

    /// The error's name, without the namespace that some services add.
    pub(crate) fn name(&self) -> &str {
        let full = self.body.get("__type").and_then(Value::as_str).unwrap_or_default();
        full.rsplit('#').next().unwrap_or_default()
    }

    /// Some services write this member with a capital letter.
    pub(crate) fn message(&self) -> &str {
        let member = self.body.get("message").or_else(|| self.body.get("Message"));
        member.and_then(Value::as_str).unwrap_or_default()
    }
}

/// The query protocol's name for an error of the JSON protocols.
fn query_name(name: &str) -> &str {
    match name {
        "AccessDeniedException" => "AuthorizationError",
        "ExpiredTokenException" => "ExpiredToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "InternalServerError" => "InternalError",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "SerializationException" => "MalformedInput",
        "UnknownOperationException" => "InvalidAction",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "ValidationException" => "ValidationError",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Models;

    #[test]
    fn a_broken_request_is_refused_in_the_words_of_its_service() {
        let models = Models::get().unwrap();
        let refusal = |service: Service, operation: &str, body: Value| {
            let refusal = Refusal::of_broken(service, &service.model(models).request(operation, &body));
            let refusal = refusal.unwrap().named_by(service);
            (refusal.status.as_u16(), refusal.name().to_owned(), refusal.message().to_owned())
        };
        let null = |at: &str| format!("Value null at '{at}' failed to satisfy constraint: Member must not be null");
        let one = |at: &str| format!("1 validation error detected: {}", null(at));
        let two = format!("2 validation errors detected: {}; {}", null("tableName"), null("key"));
        let no_map = json!({ "Key": 1 });
        for (service, operation, body, name, message) in [
            (Service::DynamoDb, "GetItem", json!({}), "ValidationException", two.as_str()),
            (Service::DynamoDb, "GetItem", no_map, "SerializationException", "Value at 'key' is not a map"),
            (Service::SecretsManager, "DescribeSecret", json!({}), "ValidationException", &one("secretId")),
            (Service::Ses, "SendEmail", json!({}), "BadRequestException", &one("content")),
            (Service::Sns, "Publish", json!({}), "ValidationError", &one("message")),
            (Service::Sns, "Publish", json!([]), "MalformedInput", "Value at '' is not a structure"),
            (Service::Sns, "Juggle", json!({}), "InvalidAction", "AWS has no such operation"),
        ] {
            let expected = (400, name.to_owned(), message.to_owned());
            assert_eq!(refusal(service, operation, body), expected, "{operation}");
        }
        assert!(Refusal::of_broken(Service::Sns, &[]).is_none());
    }
}
