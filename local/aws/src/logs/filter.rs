//! Filter patterns, from their text to whether a line matches.

use serde_json::Value;

use super::expression::Expression;
use super::parse;

/// A filter pattern for JSON lines, such as `{ $.function = "verify-otp" && $.status >= 500 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPattern(Expression);

impl FilterPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The pattern is malformed, or is of a kind that the stand-in lacks.
    pub fn read(pattern: &str) -> Result<FilterPattern, String> {
        parse::read(pattern).map(FilterPattern)
    }

    /// Whether a line matches. Only a JSON object can.
    ///
    /// # Errors
    /// AWS's documentation leaves open whether it matches.
    pub fn matches(&self, line: &str) -> Result<bool, String> {
        match serde_json::from_str(line) {
            Ok(line @ Value::Object(_)) => self.0.holds(&line),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests;
