//! CloudFormation's checks before a deployment: values must fit their parameters, and rules must hold. The error lists all
//! problems.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::evaluate::{Scope, text};
use super::yaml::Node;
use crate::failure::Failure;

/// Checks the parameters' values and the rules.
pub(super) fn check(template: &Node, scope: &Scope, values: &BTreeMap<String, Value>) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for (name, parameter) in template.get("Parameters").map(Node::entries).unwrap_or_default() {
        let limits = scope.value(parameter)?;
        let value = values.get(name).unwrap_or(&Value::Null);
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            problems.extend(misfit(&limits, &text(value).unwrap_or_default()).map(|why| format!("{name}: {why}")));
        }
    }
    for (_, rule) in template.get("Rules").map(Node::entries).unwrap_or_default() {
        problems.extend(broken(&scope.value(rule)?));
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::new(format!("template.yaml: {}", problems.join("; ")))) }
}

/// Why a value does not fit its parameter.
fn misfit(limits: &Value, value: &str) -> Option<String> {
    let number = |name: &str| limits.get(name).and_then(text).and_then(|limit| limit.parse::<f64>().ok());
    let is_allowed = limits
        .get("AllowedValues")
        .and_then(Value::as_array)
        .is_none_or(|allowed| allowed.iter().filter_map(text).any(|allowed| allowed == value));
    let fits_pattern = match limits.get("AllowedPattern").and_then(Value::as_str) {
        // The pattern must match the whole value.
        Some(pattern) => Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(value)),
        None => true,
    };
    let length = value.chars().count() as f64;
    let has_length = number("MinLength").is_none_or(|least| length >= least)
        && number("MaxLength").is_none_or(|most| length <= most);
    let is_in_range = match (limits.get("Type").and_then(Value::as_str), value.parse::<f64>()) {
        (Some("Number"), Ok(value)) => {
            number("MinValue").is_none_or(|least| value >= least) && number("MaxValue").is_none_or(|most| value <= most)
        }
        (Some("Number"), Err(_)) => false,
        _ => true,
    };
    if is_allowed && fits_pattern && has_length && is_in_range {
        return None;
    }
    let told = limits.get("ConstraintDescription").or_else(|| limits.get("Description")).and_then(Value::as_str);
    Some(format!("`{value}` does not fit; expected {}", told.unwrap_or("another value")))
}

/// The messages of a failed rule.
fn broken(rule: &Value) -> Vec<String> {
    let applies = rule.get("RuleCondition").is_none_or(|condition| condition == &Value::Bool(true));
    let assertions = rule.get("Assertions").and_then(Value::as_array).filter(|_| applies);
    let failed =
        assertions.into_iter().flatten().filter(|assertion| assertion.get("Assert") != Some(&Value::Bool(true)));
    failed.filter_map(|assertion| assertion.get("AssertDescription").and_then(text)).collect()
}
