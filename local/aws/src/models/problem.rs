//! A difference from a model.

use std::fmt;

/// A problem with its place. It names members in AWS's spelling and contains no values, because a value may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    at: String,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The value breaks this rule.
    Constraint(String),
    /// A required member is missing.
    Missing,
    NoOperation,
    Other(&'static str),
    /// The value has another type than this.
    Type(&'static str),
    Unknown,
}

impl Problem {
    pub(super) fn new(at: &str, what: What) -> Problem {
        Problem { at: at.to_owned(), what }
    }

    /// Whether the operation is unknown to AWS.
    pub(crate) fn is_about_the_operation(&self) -> bool {
        self.what == What::NoOperation
    }

    /// Whether the value has the wrong type.
    pub(crate) fn is_about_a_type(&self) -> bool {
        matches!(self.what, What::Type(_))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { at, what } = self;
        match what {
            What::Constraint(rule) => write!(f, "Value at '{at}' failed to satisfy constraint: Member must {rule}"),
            What::Missing => write!(f, "Value null at '{at}' failed to satisfy constraint: Member must not be null"),
            What::NoOperation => f.write_str("AWS has no such operation"),
            What::Other(problem) => f.write_str(problem),
            What::Type(expected) => write!(f, "Value at '{at}' is not {expected}"),
            What::Unknown => write!(f, "Member at '{at}' is unknown"),
        }
    }
}
