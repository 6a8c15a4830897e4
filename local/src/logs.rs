//! The log of one stack, with the same JSON lines that Lambda sends to CloudWatch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use local_aws::{Services, StackClock};
use shared::observe::log::Log;

/// How many lines a stack keeps.
const KEPT: usize = 10_000;

/// Called with each line as it is written.
pub type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Logs {
    lines: Arc<Mutex<VecDeque<String>>>,
    services: Services,
    on_line: OnLine,
}

impl Logs {
    /// A log whose metrics `services` sum.
    pub(crate) fn new(services: Services, on_line: OnLine) -> Logs {
        Logs { lines: Arc::default(), services, on_line }
    }

    /// The log for the functions of a stack. Its times come from the stack's clock.
    pub(crate) fn log(&self, clock: &StackClock) -> Log {
        let logs = self.clone();
        Log::new(clock.handle(), move |line| logs.add(line))
    }

    fn add(&self, line: &str) {
        (self.on_line)(line);
        if let Err(problem) = self.services.read_metrics(line) {
            (self.on_line)(&problem);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line.to_owned());
        while lines.len() > KEPT {
            lines.pop_front();
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
