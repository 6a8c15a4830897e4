//! The permissions for a call.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::words::{Country, plan};

use super::condition::{CALLED_VIA_LAST, Context, FROM, FROM_NAME, RECIPIENTS, SECRET, SECRET_STAGE};
use super::items;
use super::need::{Need, action, context};
use crate::dynamodb::Tables;
use crate::ids::{ACCOUNT, REGION};
use crate::secrets::Secrets;
use crate::ses::{Mailbox, Ses};
use crate::sqs::queue_arn;
use crate::wire::{Call, Refusal, Service};

/// Resolves names, because a call may name a secret or a sender differently than a statement does.
pub(crate) struct Resources<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) secrets: &'a Secrets,
    pub(crate) ses: &'a Ses,
}

/// All permissions that `call` needs, regardless of its caller.
pub(super) fn of(call: &Call, resources: &Resources<'_>) -> Result<Vec<Need>, Refusal> {
    match call.service {
        Service::DynamoDb => items::needs(call, resources.tables),
        Service::Events => events(call),
        Service::SecretsManager => secrets(call, resources.secrets),
        Service::Ses => mail(call, resources.ses),
        Service::SmsVoice => text(call),
        Service::Sns => publication(call),
        Service::Sqs => queue(call),
        // Their own accounts decide.
        Service::Twilio | Service::SendGrid => Ok(Vec::new()),
    }
}

/// The queue, by its URL.
fn queue(call: &Call) -> Result<Vec<Need>, Refusal> {
    let resource = call.text("QueueUrl").and_then(queue_arn).unwrap_or_else(|| "*".to_owned());
    Ok(vec![Need { action: action(call)?, resource, context: context() }])
}

/// Each bus that an entry names, by its name or ARN.
fn events(call: &Call) -> Result<Vec<Need>, Refusal> {
    let action = action(call)?;
    let entries = call.body.get("Entries").and_then(Value::as_array).into_iter().flatten();
    let name = |entry: &Value| {
        let named = entry.get("EventBusName").and_then(Value::as_str).unwrap_or("default");
        named.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let buses: BTreeSet<String> = entries.map(name).collect();
    let need = |bus: String| Need {
        action: action.clone(),
        resource: format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}"),
        context: context(),
    };
    Ok(buses.into_iter().map(need).collect())
}

/// A batch needs the permission for each of its secrets too. AWS leaves out a secret without it; here the whole call is refused, so
/// that the mistake is noticed.
fn secrets(call: &Call, secrets: &Secrets) -> Result<Vec<Need>, Refusal> {
    let listed = call.texts("SecretIdList").map(|id| Need {
        action: READ.to_owned(),
        resource: secrets.arn(id).unwrap_or_else(|| id.to_owned()),
        context: Context::from([(SECRET, vec![id.to_owned()])]).into_iter().chain(context()).collect(),
    });
    Ok([secret(call, secrets)?].into_iter().chain(listed).collect())
}

/// The action on each secret of a batch.
const READ: &str = "secretsmanager:GetSecretValue";

fn secret(call: &Call, secrets: &Secrets) -> Result<Need, Refusal> {
    let mut context = context();
    for (key, member) in [(SECRET, "SecretId"), (SECRET_STAGE, "VersionStage")] {
        context.extend(call.text(member).map(|text| (key, vec![text.to_owned()])));
    }
    // A call may use the secret's name; statements use its ARN.
    let named = call.text("SecretId");
    let resource = named.map(|id| secrets.arn(id).unwrap_or_else(|| id.to_owned()));
    Ok(Need { action: action(call)?, resource: resource.unwrap_or_else(|| "*".to_owned()), context })
}

/// The sender's identity, the configuration set, and each recipient that is an identity of the account. In the sandbox,
/// every recipient is one.
fn mail(call: &Call, ses: &Ses) -> Result<Vec<Need>, Refusal> {
    let action = action(call)?;
    let written = call.text("FromEmailAddress").unwrap_or_default();
    let from = written.parse().unwrap_or_else(|_| Mailbox { name: None, address: written.to_owned() });
    let sender = ses.identity(&from).unwrap_or_else(|| from.address.clone());
    let recipients: Vec<Mailbox> = recipients(&call.body).filter_map(|address| address.parse().ok()).collect();

    let mut resources = vec![format!("identity/{sender}")];
    resources.extend(call.text("ConfigurationSetName").map(|name| format!("configuration-set/{name}")));
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

/// The operation that SNS calls for an SMS, for the caller.
const TEXT: &str = "sms-voice:SendTextMessage";

/// The pool, number or sender id. A number's ARN has an id of the account; here the number is the id. A name's ARN has the country.
fn text(call: &Call) -> Result<Vec<Need>, Refusal> {
    if call.operation == "PutMessageFeedback" {
        let resource =
            format!("arn:aws:sms-voice:{REGION}:{ACCOUNT}:message/{}", call.text("MessageId").unwrap_or("*"));
        return Ok(vec![Need { action: action(call)?, resource, context: context() }]);
    }
    let identity = call.text("OriginationIdentity").unwrap_or("*");
    let country = call.text("DestinationPhoneNumber").and_then(|to| plan(to.trim_start_matches('+')).country);
    let resource = match identity {
        pool if pool.starts_with("pool-") => format!("pool/{pool}"),
        number if number.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("phone-number/{}", number.trim_start_matches('+'))
        }
        name => format!("sender-id/{name}/{}", country.map_or("*", Country::code)),
    };
    let resource = format!("arn:aws:sms-voice:{REGION}:{ACCOUNT}:{resource}");
    Ok(vec![Need { action: action(call)?, resource, context: context() }])
}

/// A topic or endpoint by its ARN. A phone number has no ARN, and only `*` matches it.
///
/// SNS sends SMS through AWS End User Messaging. AWS's managed policy for SNS allows that operation, and AWS's documentation
/// asks for it. So an SMS needs it here, even if AWS should not check it.
fn publication(call: &Call) -> Result<Vec<Need>, Refusal> {
    let action = action(call)?;
    let need = |resource: &str| Need { action: action.clone(), resource: resource.to_owned(), context: context() };
    let targets: Vec<_> =
        ["TopicArn", "TargetArn", "PhoneNumber"].iter().filter_map(|member| call.text(member)).collect();
    let mut needs: Vec<Need> = targets.into_iter().map(need).collect();
    if needs.is_empty() {
        needs.push(need("*"));
    }
    if call.text("PhoneNumber").is_some() {
        let mut context = context();
        context.insert(CALLED_VIA_LAST, vec!["sns.amazonaws.com".to_owned()]);
        needs.push(Need { action: TEXT.to_owned(), resource: "*".to_owned(), context });
    }
    Ok(needs)
}
