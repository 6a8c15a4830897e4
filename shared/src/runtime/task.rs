//! Functions that are no part of the API: they are invoked with an event of their own, and log one line for each.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::config::Config;
use crate::observe::log::Ended;
use crate::observe::{Metrics, report};
use crate::words::{Clock, Result};

/// One such function: the parts that it uses, and what it does with an event.
pub trait Task: Sized + Send + Sync + 'static {
    /// The same word as its folder and its tests.
    const NAME: &'static str;

    /// Composes the parts.
    ///
    /// # Errors
    /// What keeps the function from ever answering.
    fn compose(config: Config, clock: Clock) -> impl Future<Output = Result<Self>> + Send;

    /// What an event asks for, in a word for the log.
    fn kind(event: &Value) -> &'static str;

    /// Does what the event asks for.
    ///
    /// # Errors
    /// Why it is not done. Whoever may invoke the function is told the cause.
    fn run(&self, event: Value) -> impl Future<Output = Result<Value>> + Send;
}

/// A task that is ready for events.
pub struct Ready<T> {
    task: T,
    metrics: Metrics,
    clock: Clock,
    is_cold: AtomicBool,
}

impl<T: Task> Ready<T> {
    /// Composes the task.
    ///
    /// # Errors
    /// As [`Task::compose`].
    pub async fn start(config: Config, clock: Clock) -> Result<Ready<T>> {
        let metrics = config.metrics.clone();
        Ok(Ready { task: T::compose(config, clock.clone()).await?, metrics, clock, is_cold: AtomicBool::new(true) })
    }

    /// Runs it with one event, and writes its log line.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub async fn answer(&self, id: &str, event: Value) -> std::result::Result<Value, String> {
        let kind = T::kind(&event);
        // In a box of its own: all that a task may wait for is deep to name.
        let (outcome, report) = report::collect(id, Box::pin(self.task.run(event))).await;
        let word = Ended::word(&outcome);
        let outcome = outcome.map_err(|error| error.cause().unwrap_or_else(|| error.to_string()));
        let ended = Ended {
            function: T::NAME,
            kind: Some(kind),
            outcome: word,
            status: None,
            cause: outcome.as_ref().err().cloned(),
            is_cold: self.is_cold.swap(false, Ordering::Relaxed),
            report: &report,
        };
        ended.tell(&self.metrics, self.clock.now());
        outcome
    }
}
