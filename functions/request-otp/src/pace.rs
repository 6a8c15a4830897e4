//! The wait of a request that sends nothing: as long as one of this instance's last writes and sends took. So the time of an
//! answer does not reveal whether a message was sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::words::{Entropy, Result};

/// The times of the last writes and sends.
#[derive(Default)]
pub(crate) struct Pace(Mutex<VecDeque<Duration>>);

/// The number of times to keep.
const KEPT: usize = 32;
/// The wait of an instance before its first send: the usual time of a write in DynamoDB and a send in SES.
const FIRST: Duration = Duration::from_millis(60);

impl Pace {
    /// Remembers how long a write and a send took.
    pub(crate) fn record(&self, took: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= KEPT {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// Waits for one of the remembered times, drawn at random.
    pub(crate) async fn wait(&self) -> Result<()> {
        let time = self.draw()?;
        tokio::time::sleep(time).await;
        Ok(())
    }

    fn draw(&self) -> Result<Duration> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = Entropy.below(times.len().max(1) as u64)?;
        Ok(usize::try_from(drawn).ok().and_then(|drawn| times.get(drawn)).copied().unwrap_or(FIRST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_drawn_from_the_last_times() {
        let pace = Pace::default();
        assert_eq!(pace.draw().unwrap(), FIRST);
        for number in 0..100 {
            pace.record(Duration::from_secs(number));
        }
        let drawn: std::collections::BTreeSet<_> = (0..2_000).map(|_| pace.draw().unwrap().as_secs()).collect();
        assert_eq!(drawn, (68..100).collect());
    }
}
