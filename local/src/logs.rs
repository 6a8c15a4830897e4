//! The log of one stack: the same JSON lines that Lambda would hand to CloudWatch.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use local_aws::StackClock;
use shared::observe::log;
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

/// How many lines are kept.
const KEPT: usize = 10_000;

/// Called with each line as it is written.
pub type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

/// The lines so far.
#[derive(Clone)]
pub(crate) struct Logs {
    lines: Arc<Mutex<VecDeque<String>>>,
    on_line: OnLine,
}

impl Logs {
    pub(crate) fn new(on_line: OnLine) -> Logs {
        Logs { lines: Arc::default(), on_line }
    }

    /// What a stack's functions log to; the time is the stack's.
    pub(crate) fn dispatch(&self, clock: StackClock) -> Dispatch {
        Dispatch::new(log::subscriber(clock.handle(), self.clone()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

/// Takes one line: the formatter hands over each event whole.
pub(crate) struct LineWriter<'a>(&'a Logs);

impl io::Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        (self.0.on_line)(&line);
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        while lines.len() > KEPT {
            lines.pop_front();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
