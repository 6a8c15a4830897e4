//! The wait of a request that sends nothing: as long as one of this instance's last writes and sends took. So the time of an
//! answer does not reveal whether a message was sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::words::{Channel, Entropy, Result};

/// The times of the last writes and sends. An SMS takes longer than an email, so each channel has its own.
#[derive(Default)]
pub(crate) struct Pace {
    email: Times,
    sms: Times,
}

type Times = Mutex<VecDeque<Duration>>;

/// The number of times to keep for each channel.
const KEPT: usize = 32;
/// The wait of an instance before its first send: the usual time of a write in DynamoDB and a send in SES.
const FIRST: Duration = Duration::from_millis(60);

impl Pace {
    /// Remembers how long a write and a send by `channel` took.
    pub(crate) fn record(&self, channel: Channel, took: Duration) {
        let mut times = self.of(channel).lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= KEPT {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// Waits for one of the remembered times of `channel`, drawn at random.
    pub(crate) async fn wait(&self, channel: Channel) -> Result<()> {
        let time = self.draw(channel)?;
        tokio::time::sleep(time).await;
        Ok(())
    }

    fn draw(&self, channel: Channel) -> Result<Duration> {
        let times = self.of(channel).lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = Entropy.below(times.len().max(1) as u64)?;
        Ok(usize::try_from(drawn).ok().and_then(|drawn| times.get(drawn)).copied().unwrap_or(FIRST))
    }

    fn of(&self, channel: Channel) -> &Times {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_drawn_from_the_last_times() {
        let pace = Pace::default();
        assert_eq!(pace.draw(Channel::Email).unwrap(), FIRST);
        for number in 0..100 {
            pace.record(Channel::Email, Duration::from_secs(number));
        }
        let draw = |_| pace.draw(Channel::Email).unwrap().as_secs();
        assert_eq!((0..2_000).map(draw).collect::<std::collections::BTreeSet<_>>(), (68..100).collect());
        assert_eq!(pace.draw(Channel::Sms).unwrap(), FIRST, "a text is not as quick as a mail");
    }
}
