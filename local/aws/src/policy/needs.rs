//! What a request needs to be allowed: actions on resources, with what conditions may ask about it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::condition::{Context, FROM, FROM_NAME, RECIPIENTS, SECRET, SECRET_STAGE, SECURE};
use super::statement::Need;
use super::{actions, items};
use crate::ids::{ACCOUNT, REGION};
use crate::services::Parts;
use crate::ses::{Mailbox, Ses};
use crate::wire::{Asked, Refusal, Service};

/// Everything that `asked` needs, whatever its caller may do.
pub(super) fn of(asked: &Asked, parts: &Parts) -> Result<Vec<Need>, Refusal> {
    match asked.service {
        Service::DynamoDb => items::needs(asked, &parts.tables),
        Service::SecretsManager => Ok(vec![secret(asked, parts)?]),
        Service::Ses => mail(asked, &parts.ses),
        Service::Sns => publication(asked),
    }
}

/// The action that the operation is.
pub(super) fn action(asked: &Asked) -> Result<String, Refusal> {
    let action = format!("{}:{}", asked.service.name(), asked.operation);
    if actions::is_one(&action) {
        return Ok(action);
    }
    tracing::warn!(action, "the local stack knows no such action");
    Err(Refusal::unknown(&format!("the local stack has no operation {action}")))
}

/// What all requests say, in AWS's sense: there they are encrypted, and on one machine there is no need.
pub(super) fn context() -> Context {
    Context::from([(SECURE, vec!["true".to_owned()])])
}

fn secret(asked: &Asked, parts: &Parts) -> Result<Need, Refusal> {
    let mut context = context();
    for (key, member) in [(SECRET, "SecretId"), (SECRET_STAGE, "VersionStage")] {
        context.extend(asked.text(member).map(|text| (key, vec![text.to_owned()])));
    }
    // A secret may be asked for by its name; what is allowed is its ARN.
    let named = asked.text("SecretId");
    let resource = named.map(|id| parts.secrets.arn(id).unwrap_or_else(|| id.to_owned()));
    Ok(Need { action: action(asked)?, resource: resource.unwrap_or_else(|| "*".to_owned()), context })
}

/// The sender's identity, a configuration set that is named, and each recipient who is an identity of the account: the
/// sandbox has no other recipients.
fn mail(asked: &Asked, ses: &Ses) -> Result<Vec<Need>, Refusal> {
    let action = action(asked)?;
    let written = asked.text("FromEmailAddress").unwrap_or_default();
    let from = written.parse().unwrap_or_else(|_| Mailbox { name: None, address: written.to_owned() });
    let sender = ses.identity(&from).unwrap_or_else(|| from.address.clone());
    let recipients: Vec<Mailbox> = recipients(&asked.body).filter_map(|address| address.parse().ok()).collect();

    let mut resources = vec![format!("identity/{sender}")];
    resources.extend(asked.text("ConfigurationSetName").map(|name| format!("configuration-set/{name}")));
    let identities: BTreeSet<_> = recipients.iter().filter_map(|to| ses.identity(to)).collect();
    resources.extend(identities.iter().filter(|name| **name != sender).map(|name| format!("identity/{name}")));

    let mut context = context();
    context.insert(FROM, vec![from.address]);
    context.extend(from.name.map(|name| (FROM_NAME, vec![name])));
    context.insert(RECIPIENTS, recipients.into_iter().map(|to| to.address).collect());
    let need = |resource| Need {
        action: action.clone(),
        resource: format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}"),
        context: context.clone(),
    };
    Ok(resources.into_iter().map(need).collect())
}

fn recipients(mail: &Value) -> impl Iterator<Item = &str> {
    let lists = mail.get("Destination").and_then(Value::as_object).into_iter().flat_map(|lists| lists.values());
    lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str)
}

/// A topic or an endpoint by its ARN. A phone number is no ARN, and stands for itself: only `*` matches it.
fn publication(asked: &Asked) -> Result<Vec<Need>, Refusal> {
    let action = action(asked)?;
    let need = |resource: &str| Need { action: action.clone(), resource: resource.to_owned(), context: context() };
    let targets: Vec<_> =
        ["TopicArn", "TargetArn", "PhoneNumber"].iter().filter_map(|member| asked.text(member)).collect();
    Ok(if targets.is_empty() { vec![need("*")] } else { targets.into_iter().map(need).collect() })
}
