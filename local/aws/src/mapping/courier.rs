//! Brings the events that rules match to the rules' targets, and events of topics to functions.
//!
//! EventBridge and SNS hand an event to Lambda, and Lambda repeats a failed invocation after one minute and after two more. Here a
//! delivery does what is due by the stack's clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::clock::StackClock;
use crate::lambda::Functions;
use crate::lock::locked;
use crate::services::Services;
use crate::template::{Rule, Target};

/// How long Lambda waits before each repetition.
const PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// The targets of all rules.
pub struct Courier {
    targets: BTreeMap<String, Vec<Target>>,
    /// The ARN of the queue of each function that has one.
    failed: BTreeMap<String, String>,
    waiting: Mutex<Vec<Waiting>>,
    services: Services,
    functions: Arc<Functions>,
    clock: StackClock,
}

/// An event for a function.
struct Waiting {
    function: String,
    event: Value,
    /// How often the function has failed.
    failures: usize,
    due: Timestamp,
}

impl Courier {
    /// A courier for these rules. `failed` are the queues for events that functions could not handle.
    pub fn new(
        rules: Vec<Rule>,
        failed: BTreeMap<String, String>,
        services: Services,
        functions: Arc<Functions>,
        clock: StackClock,
    ) -> Courier {
        let targets = rules.into_iter().map(|rule| (rule.name, rule.targets)).collect();
        Courier { targets, failed, waiting: Mutex::default(), services, functions, clock }
    }

    /// Delivers everything that is due.
    pub async fn deliver(&self) {
        self.collect();
        let now = self.clock.now();
        let due: Vec<Waiting> = {
            let mut waiting = locked(&self.waiting);
            let (due, later) = std::mem::take(&mut *waiting).into_iter().partition(|waiting| waiting.due <= now);
            *waiting = later;
            due
        };
        for waiting in due {
            if self.functions.invoke(&waiting.function, &waiting.event).await.is_err() {
                self.repeat(waiting, now);
            }
        }
    }

    /// Takes an event for a function, which gets it at the next delivery.
    pub(super) fn take(&self, function: &str, event: Value) {
        let first = Waiting { function: function.to_owned(), event, failures: 0, due: self.clock.now() };
        locked(&self.waiting).push(first);
    }

    /// Publishes to topics at once, and lets functions wait.
    fn collect(&self) {
        for (rule, event) in self.services.take_matched() {
            for target in self.targets.get(&rule).into_iter().flatten() {
                match target {
                    Target::Topic { arn, transformer } => self.services.publish(arn, transformer.apply(&event)),
                    Target::Function { name, transformer } => {
                        let made = transformer.as_ref().and_then(|it| serde_json::from_str(&it.apply(&event)).ok());
                        self.take(name, made.unwrap_or_else(|| event.clone()));
                    }
                }
            }
        }
    }

    fn repeat(&self, waiting: Waiting, now: Timestamp) {
        let Waiting { function, event, failures, .. } = waiting;
        match PAUSES.get(failures) {
            Some(pause) => {
                let again = Waiting { function, event, failures: failures + 1, due: now.after(*pause) };
                locked(&self.waiting).push(again);
            }
            None => {
                if let Some(queue) = self.failed.get(&function) {
                    let message = json!({ "version": "1.0", "timestamp": now.to_string(), "requestPayload": event,
                        "requestContext": { "condition": "RetriesExhausted", "approximateInvokeCount": failures + 1 } });
                    self.services.set_aside(queue, message.to_string());
                }
            }
        }
    }
}
