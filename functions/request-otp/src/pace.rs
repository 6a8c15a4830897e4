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
    voice: Times,
    whatsapp: Times,
}

type Times = Mutex<VecDeque<Duration>>;

/// The number of times to keep for each channel.
const KEPT: usize = 32;
/// How many places apart the ends of a draw are, in the order of their lengths.
const SPAN: usize = 4;
/// The parts of the time between the ends of a draw.
const SHARES: u32 = 1 << 16;
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

    /// Waits about as long as one of the remembered times of `channel`, drawn at random.
    pub(crate) async fn wait(&self, channel: Channel) -> Result<()> {
        let time = self.draw(channel)?;
        tokio::time::sleep(time).await;
        Ok(())
    }

    /// A time between two remembered ones that are [`SPAN`] apart, or a little beyond the shortest or longest. So a wait is as far
    /// from the remembered times as a true time is: more often in a wide gap than in a narrow one, and seldom near a time that another
    /// client has seen.
    fn draw(&self, channel: Channel) -> Result<Duration> {
        let times = self.of(channel).lock().unwrap_or_else(PoisonError::into_inner);
        let mut times: Vec<Duration> = times.iter().copied().collect();
        times.sort_unstable();
        let ([shortest, second, ..], [.., last_but_one, longest]) = (times.as_slice(), times.as_slice()) else {
            return Ok(times.first().copied().unwrap_or(FIRST));
        };
        let below = shortest.saturating_sub(second.saturating_sub(*shortest));
        // One slow send is no reason for waits that are longer still.
        let above = longest.saturating_add(longest.saturating_sub(*last_but_one).min(*shortest).saturating_mul(2));
        times.insert(0, below);
        times.push(above);
        let places = times.len().saturating_sub(SPAN).max(1);
        let place = usize::try_from(Entropy.below(places as u64)?).unwrap_or_default();
        let lower = times.get(place).copied().unwrap_or(below);
        let upper = times.get(place.saturating_add(SPAN)).copied().unwrap_or(above);
        let share = u32::try_from(Entropy.below(u64::from(SHARES))?).unwrap_or_default();
        Ok(lower.saturating_add(upper.saturating_sub(lower).saturating_mul(share) / SHARES))
    }

    fn of(&self, channel: Channel) -> &Times {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::Voice => &self.voice,
            Channel::Whatsapp => &self.whatsapp,
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
        let drawn: Vec<_> = (0..2_000).map(|_| pace.draw(Channel::Email).unwrap()).collect();
        let seconds: std::collections::BTreeSet<_> = drawn.iter().map(Duration::as_secs).collect();
        // From a gap below the shortest to two above the longest.
        assert_eq!(seconds, (67..101).collect());
        let repeats = drawn.iter().filter(|time| time.subsec_nanos() == 0).count();
        assert!(repeats < 10, "{repeats} waits repeat a send");
        assert_eq!(pace.draw(Channel::Sms).unwrap(), FIRST, "a text is not as quick as a mail");
    }
}
