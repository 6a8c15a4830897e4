//! The names of resources on this machine. They are constant, because this is the only stack here.

use std::collections::BTreeMap;

use super::custom::unanswered;
use super::yaml::Node;
use crate::dynamodb::{arn_of, stream_arn_of};
use crate::ids::{ACCOUNT, REGION};
use crate::sqs::queue_url;

/// The stack's name, and the prefix of every physical name.
pub const STACK: &str = "latchkey";

/// Resource types by logical name.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(template: &Node) -> Names {
        let resources = template.get("Resources").map(Node::entries).unwrap_or_default();
        let typed = resources.iter().filter_map(|(name, node)| Some((name.clone(), node.get("Type")?.text()?)));
        Names(typed.collect())
    }

    /// The value of `Ref` for a pseudo parameter or a resource.
    pub(super) fn reference(&self, name: &str) -> Option<String> {
        let pseudo = match name {
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::StackName" => STACK,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => return self.resource(name),
        };
        Some(pseudo.to_owned())
    }

    fn resource(&self, name: &str) -> Option<String> {
        if let Some(api) = name.strip_suffix(".Stage") {
            // SAM's own name for the stage of an API.
            return (self.0.get(api)? == "AWS::Serverless::HttpApi").then(|| "$default".to_owned());
        }
        if let Some(function) = name.strip_suffix(".Alias") {
            // SAM's own name for the alias of a function.
            return Some(format!("{}:{ALIAS}", self.attribute(function, "Arn")?));
        }
        Some(match self.0.get(name)?.as_str() {
            "AWS::SecretsManager::Secret" => secret_arn(name),
            "AWS::Serverless::HttpApi" => STACK.to_owned(),
            "AWS::SNS::Topic" => format!("arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-{name}"),
            "AWS::SQS::Queue" => queue_url(&format!("{STACK}-{name}")),
            _ => format!("{STACK}-{name}"),
        })
    }

    /// The value of `GetAtt`.
    pub(super) fn attribute(&self, name: &str, attribute: &str) -> Option<String> {
        match (self.0.get(name)?.as_str(), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => Some(arn_of(&format!("{STACK}-{name}"))),
            ("AWS::DynamoDB::Table", "StreamArn") => Some(stream_arn_of(&format!("{STACK}-{name}"))),
            ("AWS::Events::EventBus", "Arn") => {
                Some(format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{STACK}-{name}"))
            }
            ("AWS::SQS::Queue", "Arn") => Some(format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-{name}")),
            ("AWS::SQS::Queue", "QueueName") => Some(format!("{STACK}-{name}")),
            ("AWS::SecretsManager::Secret", "Id") => Some(secret_arn(name)),
            ("AWS::Serverless::Function", "Arn") => {
                Some(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-{name}"))
            }
            // SAM's own name for the version that a deployment publishes.
            ("AWS::Serverless::Function", "Version.Version") => Some("1".to_owned()),
            ("AWS::Logs::LogGroup", "Arn") => {
                Some(format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{STACK}-{name}:*"))
            }
            // Only the resource's function knows it.
            (kind, _) if kind.starts_with(CUSTOM) => Some(unanswered(name, attribute)),
            _ => None,
        }
    }

    /// The function with this ARN, or with an alias of this ARN.
    pub(super) fn function_of(arn: &str) -> Option<&str> {
        let name = arn.strip_prefix(&format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-"))?;
        Some(name.strip_suffix(&format!(":{ALIAS}")).unwrap_or(name))
    }

    /// The name of the table whose stream has this ARN.
    pub(super) fn table_of(stream: &str) -> Option<&str> {
        let (table, _) = stream.split_once("/stream/")?;
        table.strip_prefix(&arn_of(""))
    }
}

/// The alias that every function has.
const ALIAS: &str = "live";

/// The beginning of the types of custom resources.
pub(super) const CUSTOM: &str = "Custom::";

/// Secrets Manager appends six random characters to each ARN.
const SUFFIX: &str = "-000000";

fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{STACK}-{name}{SUFFIX}")
}

/// The template expression for this ARN.
pub(crate) fn expression_of(arn: &str) -> String {
    let named = |kind: &str| arn.strip_prefix(&format!("arn:aws:{kind}{STACK}-"));
    if let Some(table) = named(&format!("dynamodb:{REGION}:{ACCOUNT}:table/")) {
        return match table.split_once("/stream/") {
            Some((table, _)) => format!("!GetAtt {table}.StreamArn"),
            None => format!("!GetAtt {table}.Arn"),
        };
    }
    let secret = named(&format!("secretsmanager:{REGION}:{ACCOUNT}:secret:"));
    if let Some(secret) = secret.and_then(|name| name.strip_suffix(SUFFIX)) {
        return format!("!Ref {secret}");
    }
    match arn.strip_prefix("arn:aws:") {
        Some(rest) => {
            let rest = rest.replace(REGION, "${AWS::Region}").replace(ACCOUNT, "${AWS::AccountId}");
            format!("!Sub arn:${{AWS::Partition}}:{rest}")
        }
        // A phone number has no ARN, and only `*` matches it.
        None => "\"*\"".to_owned(),
    }
}
