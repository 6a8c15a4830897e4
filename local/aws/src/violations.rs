//! Calls and answers with differences from AWS's own models.

use std::fmt;
use std::sync::Mutex;

use crate::lock::locked;
use crate::models::Problem;
use crate::wire::Call;

/// How many violations are kept. One is usually enough to find the cause.
const MOST: usize = 100;

/// All violations since the last [`Violations::take`].
#[derive(Default)]
pub struct Violations(Mutex<Vec<Violation>>);

/// A request that AWS would reject, or an answer that differs from AWS's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invalid part of the call.
    pub part: Part,
    /// The caller, the service and the operation.
    pub call: String,
    /// The problem. It names members and leaves out their values.
    pub problem: String,
}

/// The parts of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A mistake of the caller.
    Request,
    /// A mistake of the stand-in.
    Answer,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Request => "request",
            Part::Answer => "answer",
        };
        write!(f, "{}, in the {part}: {}", self.call, self.problem)
    }
}

impl Violations {
    /// Returns the violations since the last `take`, oldest first.
    pub fn take(&self) -> Vec<Violation> {
        std::mem::take(&mut locked(&self.0))
    }

    /// Records the problems of a call.
    pub(crate) fn of_call(&self, part: Part, call: &Call, problems: &[Problem]) {
        for problem in problems {
            let call = format!("{} calls {}.{}", call.caller, call.service.name(), call.operation);
            self.keep(Violation { part, call, problem: problem.to_string() });
        }
    }

    /// Records why a request is invalid.
    pub(crate) fn of_request(&self, call: String, problem: &str) {
        self.keep(Violation { part: Part::Request, call, problem: problem.to_owned() });
    }

    fn keep(&self, violation: Violation) {
        tracing::error!("a call does not match AWS's model: {violation}");
        let mut kept = locked(&self.0);
        if kept.len() < MOST {
            kept.push(violation);
        }
    }
}
