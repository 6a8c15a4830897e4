//! Buckets: how many messages one identifier gets.
//!
//! A bucket is one number, the time at which it is full again (the generic cell rate algorithm). It holds `burst` tokens, each
//! message takes one, and one comes back every `every`. A used code gives its token back.

use std::time::Duration;

use crate::words::{Channel, Lane, Timestamp};

/// The size of a bucket, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The most tokens it holds.
    pub burst: u32,
    /// How often a token comes back.
    pub every: Duration,
}

/// Mails to one address: at most 20 in any hour.
const MAIL: Bucket = Bucket { burst: 5, every: Duration::from_secs(240) };
/// Texts to one number. Each one costs money.
const TEXTS: Bucket = Bucket { burst: 4, every: Duration::from_secs(600) };
/// Messages for known browsers, in addition: at most five in any hour.
pub(crate) const KNOWN: Bucket = Bucket { burst: 3, every: Duration::from_secs(1_800) };
/// Mails to all tagged addresses of one mailbox together: at most ten in any hour.
pub(crate) const TAGGED: Bucket = Bucket { burst: 5, every: Duration::from_secs(600) };
/// Strangers leave so many of them to known devices. So they get four at once, and then one every ten minutes.
const LEFT_TO_KNOWN: u32 = 1;

/// Whether a request from `lane` for a tagged address gets a mail, if the bucket of its mailbox is full at `full_at`.
pub(crate) fn has_room(full_at: Timestamp, lane: Lane, now: Timestamp) -> bool {
    let kept_back = match lane {
        Lane::Open => LEFT_TO_KNOWN,
        Lane::Known => 0,
    };
    TAGGED.tokens(full_at, now) > kept_back
}

impl Bucket {
    /// The bucket of an identifier that gets its codes by `channel`.
    pub fn of(channel: Channel) -> Bucket {
        match channel {
            Channel::Email => MAIL,
            Channel::Sms | Channel::Voice | Channel::Whatsapp => TEXTS,
        }
    }

    /// The tokens in a bucket that is full at `full_at`.
    pub fn tokens(self, full_at: Timestamp, now: Timestamp) -> u32 {
        let missing = now.until(full_at).as_secs();
        let capacity = u64::from(self.burst) * self.every.as_secs();
        u32::try_from(capacity.saturating_sub(missing) / self.every.as_secs().max(1)).unwrap_or(0)
    }

    /// When a bucket is full again after one more message.
    pub fn taken(self, full_at: Timestamp, now: Timestamp) -> Timestamp {
        full_at.max(now).after(self.every)
    }

    /// How long until an empty bucket has a token.
    pub fn refilled_in(self, full_at: Timestamp, now: Timestamp) -> Duration {
        let spare = self.every.saturating_mul(self.burst.saturating_sub(1));
        now.until(full_at).saturating_sub(spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_000_000 + seconds)
    }

    /// The most messages that a bucket lets through in any hour.
    fn most_in_an_hour(bucket: Bucket) -> usize {
        let (mut full_at, mut sent) = (at(0), Vec::new());
        for second in 0..4 * 3_600 {
            while bucket.tokens(full_at, at(second)) > 0 {
                full_at = bucket.taken(full_at, at(second));
                sent.push(second);
            }
        }
        sent.iter()
            .map(|first| sent.iter().filter(|other| (*first..first + 3_600).contains(*other)).count())
            .max()
            .unwrap()
    }

    /// S140: the promise of mails to one mailbox.
    #[test]
    fn a_bucket_bounds_the_messages_of_every_hour() {
        assert_eq!(most_in_an_hour(MAIL), 5 + 14);
        assert_eq!(most_in_an_hour(KNOWN), 3 + 1);
        assert_eq!(most_in_an_hour(TEXTS), 4 + 5);
        assert_eq!(most_in_an_hour(TAGGED), 5 + 5);
    }

    #[test]
    fn a_token_comes_back_at_its_second() {
        let full_at = (0..5).fold(at(0), |full_at, _| MAIL.taken(full_at, at(0)));
        assert_eq!(full_at, at(1_200));
        for (second, tokens) in [(0, 0), (239, 0), (240, 1), (480, 2), (1_199, 4), (1_200, 5), (9_999, 5)] {
            assert_eq!(MAIL.tokens(full_at, at(second)), tokens, "{second}");
        }
        assert_eq!(MAIL.refilled_in(full_at, at(0)).as_secs(), 240);
        assert_eq!(MAIL.refilled_in(full_at, at(250)).as_secs(), 0);
        assert_eq!(MAIL.tokens(Timestamp::from_unix(u64::MAX), at(0)), 0);
    }
}
