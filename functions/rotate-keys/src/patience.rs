//! Repeats work that fails for a reason that may pass by itself.
//!
//! In a stack that is seconds old, a new role may still be denied, and a read may still miss the write before it. CloudFormation
//! accepts only one answer, and a failure rolls the stack back. So the answer waits a little.

use std::time::Duration;

use shared::aws::is_denied;
use shared::words::{Error, Result};
use tokio::time::{Instant, sleep};

/// How long work is repeated. The function's timeout leaves room for one more attempt and the answer.
const LONGEST: Duration = Duration::from_secs(30);
/// The first pause. Each further pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The outcome of `work`, repeated while it may still succeed.
pub(crate) async fn patiently<T, W: Future<Output = Result<T>>>(mut work: impl FnMut() -> W) -> Result<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match work().await {
            Err(error) if may_pass(&error) && started.elapsed() + pause < LONGEST => error,
            outcome => return outcome,
        };
        tracing::warn!(cause = error.cause(), "the keys are not complete yet; another attempt follows");
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_)) || is_denied(error)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    async fn outcome(failures: u32, error: fn() -> Error) -> (Result<u32>, Duration) {
        let (mut attempts, started) = (0, Instant::now());
        let outcome = patiently(|| {
            attempts += 1;
            ready(if attempts <= failures { Err(error()) } else { Ok(attempts) })
        });
        (outcome.await, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_retried_for_half_a_minute() {
        let busy = || Error::unavailable("busy");
        let (outcome_of_two, waited) = outcome(2, busy).await;
        assert_eq!((outcome_of_two.unwrap(), waited.as_millis()), (3, 600));
        let (outcome_of_many, waited) = outcome(u32::MAX, busy).await;
        assert!(outcome_of_many.is_err() && (25..30).contains(&waited.as_secs()), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_is_reported_at_once() {
        let (outcome, waited) = outcome(1, || Error::internal("not a keyring")).await;
        assert!(outcome.is_err() && waited.is_zero());
    }
}
