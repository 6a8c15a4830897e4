//! The conditions of a filter pattern, and whether they hold for a line.
//!
//! AWS's documentation leaves some comparisons open, for example a text with a number. Such a comparison is an error here, because
//! AWS may decide it either way.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// `||`.
    Any(Vec<Expression>),
    /// `&&`.
    All(Vec<Expression>),
    Condition(Selector, Test),
}

/// The place of a value, such as `$.steps[0].step`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selector {
    pub(super) text: String,
    pub(super) path: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Member(String),
    Element(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// `= "text"`, or `!=` if it is negative.
    Text {
        is_negative: bool,
        text: Text,
    },
    Number(Operator, f64),
    /// `IS NULL`.
    Null,
    /// `IS TRUE` or `IS FALSE`.
    Boolean(bool),
    /// `NOT EXISTS`.
    Missing,
}

/// A text that may begin or end with any other text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub(super) begins_anyhow: bool,
    pub(super) middle: String,
    pub(super) ends_anyhow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Expression {
    pub(super) fn holds(&self, line: &Value) -> Result<bool, String> {
        match self {
            Expression::Any(parts) => parts.iter().try_fold(false, |found, part| Ok(found || part.holds(line)?)),
            Expression::All(parts) => parts.iter().try_fold(true, |all, part| Ok(all && part.holds(line)?)),
            Expression::Condition(selector, test) => {
                let open = |what: &str| format!("AWS does not document {what} ({})", selector.text);
                test.holds(selector.find(line)).map_err(open)
            }
        }
    }
}

impl Selector {
    fn find<'a>(&self, line: &'a Value) -> Option<&'a Value> {
        self.path.iter().try_fold(line, |value, part| match part {
            Part::Member(name) => value.as_object()?.get(name),
            Part::Element(at) => value.as_array()?.get(*at),
        })
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> Result<bool, &'static str> {
        match (self, value) {
            (Test::Missing, value) => Ok(value.is_none()),
            (Test::Null, value) => Ok(value.is_some_and(Value::is_null)),
            (Test::Boolean(wanted), Some(Value::Bool(value))) => Ok(wanted == value),
            (Test::Boolean(_), _) => Ok(false),
            // No comparison applies to an array or object, not even `!=`.
            (_, Some(Value::Array(_) | Value::Object(_))) => Ok(false),
            (Test::Text { is_negative: true, .. } | Test::Number(Operator::NotEqual, _), None) => {
                Err("!= for a missing member")
            }
            (_, None) => Ok(false),
            (Test::Text { is_negative, text }, Some(Value::String(value))) => Ok(text.matches(value) != *is_negative),
            (Test::Number(operator, number), Some(Value::Number(value))) => {
                Ok(value.as_f64().is_some_and(|value| operator.compares(value, *number)))
            }
            (Test::Text { .. } | Test::Number(..), Some(_)) => Err("a comparison of two types"),
        }
    }
}

impl Text {
    fn matches(&self, value: &str) -> bool {
        let Text { begins_anyhow, middle, ends_anyhow } = self;
        match (begins_anyhow, ends_anyhow) {
            (false, false) => value == middle,
            (true, false) => value.ends_with(middle),
            (false, true) => value.starts_with(middle),
            (true, true) => value.contains(middle),
        }
    }
}

impl Operator {
    fn compares(self, value: f64, number: f64) -> bool {
        match self {
            Operator::Equal => value == number,
            Operator::NotEqual => value != number,
            Operator::Less => value < number,
            Operator::LessOrEqual => value <= number,
            Operator::Greater => value > number,
            Operator::GreaterOrEqual => value >= number,
        }
    }
}
