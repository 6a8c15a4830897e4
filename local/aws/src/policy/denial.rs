//! What a caller reads who may not do what it asks for, in the words of each service.

use super::statement::{Decision, Need};
use crate::ids::ACCOUNT;
use crate::wire::{Asked, Refusal, Service};

/// Whoever is no function of the template.
pub(super) fn stranger(asked: &Asked) -> Refusal {
    let name = match asked.service {
        Service::DynamoDb | Service::SecretsManager | Service::Ses => "UnrecognizedClientException",
        Service::Sns => "InvalidClientTokenId",
    };
    tracing::warn!(caller = asked.caller, "the access key id names no function of the template");
    Refusal::new(asked.service.forbidden(), name, "The security token included in the request is invalid.")
}

/// A function that lacks a permission, or has it denied.
pub(super) fn denied(asked: &Asked, need: &Need, decision: &Decision<'_>) -> Refusal {
    let Need { action, resource, .. } = need;
    let user = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{0}/{0}", asked.caller);
    // SNS writes its own name in capitals.
    let shown = action.replace("sns:", "SNS:");
    let why = match decision {
        Decision::Denied(_) => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::NotAllowed | Decision::Allowed => {
            format!("because no identity-based policy allows the {shown} action")
        }
    };
    let (name, message) = match asked.service {
        Service::DynamoDb | Service::SecretsManager => (
            "AccessDeniedException",
            format!("User: {user} is not authorized to perform: {shown} on resource: {resource} {why}"),
        ),
        Service::Ses => (
            "AccessDeniedException",
            format!("User `{user}' is not authorized to perform `{shown}' on resource `{resource}'"),
        ),
        Service::Sns => (
            "AuthorizationError",
            format!("User: {user} is not authorized to perform: {shown} on resource: {resource} {why}"),
        ),
    };
    Refusal::new(asked.service.forbidden(), name, &message)
}
