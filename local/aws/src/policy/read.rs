//! Reads the `Policies` of a function. Only inline documents are supported.
//!
//! Anything else is an error, because a wrong reading would hide mistakes. A too strict one would hide excess permissions
//! of the deployed function, and a too lax one would hide missing permissions.

use serde_json::{Map, Value};

use super::actions;
use super::condition::Condition;
use super::statement::{Effect, Statement};

/// The statements of the function `name`.
pub(super) fn statements(name: &str, policies: &Value) -> Result<Vec<Statement>, String> {
    let mut found = Vec::new();
    for policy in list(policies) {
        for statement in list(document(name, policy)?) {
            let place = format!("{name}, statement {}", found.len() + 1);
            found.push(read(&place, statement).map_err(|problem| format!("{place}: {problem}"))?);
        }
    }
    Ok(found)
}

/// A list. A single value counts as a list of one, and `null` as an empty list.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

/// The statements of one policy.
fn document<'a>(name: &str, policy: &'a Value) -> Result<&'a Value, String> {
    let only = |what: &str| format!("{name}: {what}. Only inline statements are supported");
    let Value::Object(document) = policy else {
        return Err(only(&format!("the policy {policy} is not supported")));
    };
    match document.iter().find(|(member, _)| !matches!(member.as_str(), "Version" | "Id" | "Statement")) {
        Some((other, _)) => Err(only(&format!("`{other}` is not supported"))),
        None => document.get("Statement").ok_or_else(|| only("a policy has no Statement")),
    }
}

fn read(place: &str, statement: &Value) -> Result<Statement, String> {
    const MEMBERS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let statement = statement.as_object().ok_or("a statement must be a map")?;
    if let Some(other) = statement.keys().find(|member| !MEMBERS.contains(&member.as_str())) {
        return Err(format!("`{other}` is not supported"));
    }
    let effect = match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(_) | None => return Err("Effect must be Allow or Deny".to_owned()),
    };
    let actions = texts(statement, "Action")?;
    if let Some(unknown) = actions.iter().find(|action| !actions::is_known(action)) {
        return Err(format!("`{unknown}` is not a known action. Check its spelling"));
    }
    let resources = texts(statement, "Resource")?;
    if let Some(nothing) = resources.iter().find(|resource| *resource != "*" && !is_arn(resource)) {
        return Err(format!("`{nothing}` is not an ARN, so IAM would reject it as a resource"));
    }
    let mut conditions = Vec::new();
    for (operator, keys) in members(statement.get("Condition"))? {
        conditions.extend(Condition::read(operator, keys)?);
    }
    Ok(Statement { place: place.to_owned(), effect, actions, resources, conditions })
}

fn members(conditions: Option<&Value>) -> Result<impl Iterator<Item = (&String, &Value)>, String> {
    let conditions = match conditions {
        None => None,
        Some(Value::Object(conditions)) => Some(conditions),
        Some(_) => return Err("Condition must be a map".to_owned()),
    };
    Ok(conditions.into_iter().flatten())
}

/// `arn:partition:service:region:account:resource`.
fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.split(':').count() >= 6
}

/// The strings of a member, either one or a list.
fn texts(statement: &Map<String, Value>, member: &str) -> Result<Vec<String>, String> {
    let values = list(statement.get(member).unwrap_or(&Value::Null));
    if values.is_empty() {
        return Err(format!("{member} is missing"));
    }
    let text = |value: &Value| match value.as_str() {
        Some(text) if text.contains("${") => Err(format!("the variable in `{text}` is not supported")),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{member} must be a string or a list of strings")),
    };
    values.iter().map(text).collect()
}
