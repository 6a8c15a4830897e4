//! Custom resources: CloudFormation invokes their function during a deployment, and other resources may use its answer.

use serde_json::Value;

/// A custom resource.
#[derive(Clone, Debug)]
pub struct CustomResource {
    /// The resource name of its function.
    pub function: String,
    /// Its properties, without those for CloudFormation itself (`ServiceToken`, `ServiceTimeout`).
    pub properties: Value,
}

/// The value of `!GetAtt RESOURCE.ATTRIBUTE` until the function has answered.
pub fn unanswered(resource: &str, attribute: &str) -> String {
    format!("{START}{resource}.{attribute}}}")
}

const START: &str = "${";

/// The first attribute that `value` waits for: the resource and the name.
pub fn waits_for(value: &str) -> Option<(&str, &str)> {
    let (_, rest) = value.split_once(START)?;
    rest.split_once('}')?.0.split_once('.')
}
