//! EventBridge's schedules: a function is invoked again and again, with a fixed time between.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::clock::StackClock;
use crate::ids::{ACCOUNT, REGION, new_id};
use crate::lambda::Functions;
use crate::lock::locked;
use crate::template::{STACK, Schedule};

/// Schedules at work, by the stack's clock.
pub struct Scheduler {
    /// Each with the time from which its next invocation is due.
    schedules: Vec<(Schedule, Mutex<Timestamp>)>,
    functions: Arc<Functions>,
    clock: StackClock,
}

impl Scheduler {
    /// The first invocations are due one interval from now.
    pub fn start(schedules: Vec<Schedule>, functions: Arc<Functions>, clock: StackClock) -> Scheduler {
        let due = |schedule: &Schedule| Mutex::new(clock.now().after(schedule.every));
        let schedules =
            schedules.into_iter().map(|schedule| (due(&schedule), schedule)).map(|(due, schedule)| (schedule, due));
        Scheduler { schedules: schedules.collect(), functions, clock }
    }

    /// Invokes the functions that are due, once each.
    pub async fn run_due(&self) {
        for (schedule, due) in &self.schedules {
            let now = self.clock.now();
            {
                let mut due = locked(due);
                if *due > now {
                    continue;
                }
                *due = now.after(schedule.every);
            }
            // The failure is in the log. EventBridge would repeat the event twice.
            let _ = self.functions.invoke(&schedule.function, &event(schedule, now)).await;
        }
    }
}

fn event(schedule: &Schedule, now: Timestamp) -> Value {
    let Schedule { function, name, .. } = schedule;
    json!({ "version": "0", "id": new_id(), "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT,
        "time": now.to_string(), "region": REGION, "detail": {},
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{STACK}-{function}{name}")] })
}
