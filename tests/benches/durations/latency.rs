//! Calls to AWS that take time. The time is tokio's, which moves only when nothing can run. So a duration has no noise of the
//! machine in it.

use std::sync::Arc;
use std::time::Duration;

use local::OnCall;
use local_aws::Services;
use local_aws::gate::Release;
use tests::orders::Draw;
use tokio::sync::Notify;

/// Tokio's timers count whole milliseconds. A simulated millisecond takes so many of them.
pub const SCALE: f64 = 20.0;

/// Wakes the task that delays calls.
#[derive(Clone, Default)]
pub struct Latency(Arc<Notify>);

impl Latency {
    pub fn on_call(&self) -> OnCall {
        let Latency(notify) = self.clone();
        Arc::new(move |_| notify.notify_one())
    }

    /// Delays each call that the gate holds. Runs for ever.
    pub async fn delay(self, services: Services, seed: u64) {
        let (mut draw, mut next) = (Draw::of(seed), 0);
        loop {
            self.0.notified().await;
            for held in services.gate().held().into_iter().filter(|held| held.number >= next).collect::<Vec<_>>() {
                next = held.number + 1;
                let latency = Duration::from_secs_f64(millis(&held.operation, &mut draw) * SCALE / 1e3);
                let services = services.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(latency).await;
                    services.gate().release(held.number, Release::Answered);
                });
            }
        }
    }
}

/// How long a call takes, in simulated milliseconds: a least time, an exponential rest, and sometimes a long tail.
fn millis(operation: &str, draw: &mut Draw) -> f64 {
    let mut chance = || (draw.below(1_000_000) as f64 + 0.5) / 1e6;
    let (least, rest, tail) = match operation {
        "SendEmail" => (40.0, 20.0, 150.0),
        "Publish" => (90.0, 45.0, 300.0),
        _ => (3.0, 2.0, 25.0),
    };
    let usual = least - rest * chance().ln();
    if chance() < 0.02 { usual + tail * chance() } else { usual }
}
