//! Conditions of a statement, with IAM's rules for values missing from a request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pattern;

/// The values of a request, by condition key.
pub(super) type Context = BTreeMap<&'static str, Vec<String>>;

pub(super) const CALLED_VIA_LAST: &str = "aws:CalledViaLast";
pub(super) const FROM: &str = "ses:FromAddress";
pub(super) const FROM_NAME: &str = "ses:FromDisplayName";
pub(super) const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
pub(super) const RECIPIENTS: &str = "ses:Recipients";
pub(super) const SECRET: &str = "secretsmanager:SecretId";
pub(super) const SECRET_STAGE: &str = "secretsmanager:VersionStage";
pub(super) const SECURE: &str = "aws:SecureTransport";
pub(super) const TRANSACTION: &str = "dynamodb:EnclosingOperation";

/// The supported condition keys, and whether a request can have many values for it.
const KEYS: [(&str, bool); 9] = [
    (CALLED_VIA_LAST, false),
    (FROM, false),
    (FROM_NAME, false),
    (LEADING_KEYS, true),
    (RECIPIENTS, true),
    (SECRET, false),
    (SECRET_STAGE, false),
    (SECURE, false),
    (TRANSACTION, false),
];

/// One key of a condition.
pub(super) struct Condition {
    pub(super) key: &'static str,
    qualifier: Qualifier,
    test: Test,
    /// Whether it also holds for a request without the key.
    if_exists: bool,
    values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Qualifier {
    None,
    ForAllValues,
    ForAnyValue,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    NotEquals,
    Like,
    NotLike,
    Bool,
    Null,
}

impl Condition {
    /// Reads the conditions under one operator: `{"dynamodb:LeadingKeys": ["S#*"]}`.
    pub(super) fn read(operator: &str, keys: &Value) -> Result<Vec<Condition>, String> {
        let (qualifier, rest) = match operator.split_once(':') {
            Some(("ForAllValues", rest)) => (Qualifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Qualifier::ForAnyValue, rest),
            Some(_) | None => (Qualifier::None, operator),
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let test = match name {
            "StringEquals" => Test::Equals,
            "StringNotEquals" => Test::NotEquals,
            "StringLike" => Test::Like,
            "StringNotLike" => Test::NotLike,
            "Bool" => Test::Bool,
            "Null" if qualifier == Qualifier::None && !if_exists => Test::Null,
            _ => return Err(format!("the condition operator `{operator}` is not supported")),
        };
        let keys = keys.as_object().ok_or_else(|| format!("`{operator}` has no condition keys"))?;
        let read = |(key, values): (&String, &Value)| {
            let (key, is_many) = known(key)?;
            // IAM leaves this case undocumented.
            if is_many && qualifier == Qualifier::None && test != Test::Null {
                return Err(format!("`{key}` has many values and needs ForAllValues or ForAnyValue"));
            }
            Ok(Condition { key, qualifier, test, if_exists, values: texts(key, test, values)? })
        };
        keys.iter().map(read).collect()
    }

    /// Whether the condition holds for a request with these values.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let said = context.get(self.key).map_or(&[][..], Vec::as_slice);
        if self.test == Test::Null {
            let wants_none = self.values.iter().any(|value| value == "true");
            return wants_none == said.is_empty();
        }
        if said.is_empty() && self.if_exists {
            return true;
        }
        match self.qualifier {
            // A missing value differs from every value.
            Qualifier::None if said.is_empty() => matches!(self.test, Test::NotEquals | Test::NotLike),
            Qualifier::None | Qualifier::ForAnyValue => said.iter().any(|value| self.meets(value)),
            // True even for a request without a value. IAM has the same pitfall; a `Null` condition avoids it.
            Qualifier::ForAllValues => said.iter().all(|value| self.meets(value)),
        }
    }

    fn meets(&self, said: &str) -> bool {
        let mut values = self.values.iter();
        match self.test {
            Test::Equals => values.any(|value| value == said),
            Test::NotEquals => values.all(|value| value != said),
            Test::Like => values.any(|value| pattern::matches(value, said)),
            Test::NotLike => !values.any(|value| pattern::matches(value, said)),
            Test::Bool | Test::Null => values.any(|value| value.eq_ignore_ascii_case(said)),
        }
    }
}

/// The key in its usual spelling, and whether it has many values. The case is ignored.
fn known(key: &str) -> Result<(&'static str, bool), String> {
    let known = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).copied();
    known.ok_or_else(|| format!("the condition key `{key}` is not supported"))
}

/// The values in a condition.
fn texts(key: &str, test: Test, values: &Value) -> Result<Vec<String>, String> {
    let values = match values {
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    let text = |value: &Value| match value {
        Value::String(text) if text.contains("${") => Err(format!("the variable in `{text}` is not supported")),
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("a value of `{key}` is not a string")),
    };
    let values = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let is_choice = matches!(test, Test::Bool | Test::Null);
    if values.is_empty() || (is_choice && !values.iter().all(|value| value == "true" || value == "false")) {
        let expected = if is_choice { "true or false" } else { "a value" };
        return Err(format!("`{key}` expects {expected}"));
    }
    Ok(values)
}
