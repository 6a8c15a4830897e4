//! Calls and answers that broke AWS's own models.

use std::fmt;
use std::sync::Mutex;

use crate::lock::locked;
use crate::models::Problem;
use crate::wire::Call;

/// One of them says enough; more than this many are not kept.
const MOST: usize = 100;

/// All since the start.
#[derive(Default)]
pub struct Violations(Mutex<Vec<Violation>>);

/// Something that AWS would not take, or would not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where it was found.
    pub part: Part,
    /// Who called what.
    pub call: String,
    /// What is wrong: members by their names, and no value.
    pub problem: String,
}

/// The parts of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A mistake of the caller's.
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
    /// The violations since the last time this was asked, oldest first.
    pub fn take(&self) -> Vec<Violation> {
        std::mem::take(&mut locked(&self.0))
    }

    /// Keeps what is wrong with a call.
    pub(crate) fn of_call(&self, part: Part, call: &Call, problems: &[Problem]) {
        for problem in problems {
            let call = format!("{} calls {}.{}", call.caller, call.service.name(), call.operation);
            self.keep(Violation { part, call, problem: problem.to_string() });
        }
    }

    /// Keeps what keeps a request from being a call.
    pub(crate) fn of_request(&self, call: String, problem: &str) {
        self.keep(Violation { part: Part::Request, call, problem: problem.to_owned() });
    }

    fn keep(&self, violation: Violation) {
        tracing::error!("a call breaks AWS's own model of it: {violation}");
        let mut kept = locked(&self.0);
        if kept.len() < MOST {
            kept.push(violation);
        }
    }
}
