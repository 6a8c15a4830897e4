//! Time as a value: a handler reads it once and passes it on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `seconds` after the epoch.
    pub fn from_unix(seconds: u64) -> Timestamp {
        Timestamp(seconds)
    }

    /// Whole seconds since the epoch.
    pub fn unix(self) -> u64 {
        self.0
    }

    /// The UTC day, in days since the epoch.
    pub fn day(self) -> u64 {
        self.0 / 86_400
    }

    /// The start of its hour (UTC).
    pub fn hour(self) -> Timestamp {
        Timestamp(self.0 - self.0 % 3_600)
    }

    /// The first moment of the next UTC day.
    pub fn next_day(self) -> Timestamp {
        Timestamp(self.day().saturating_add(1).saturating_mul(86_400))
    }

    /// Reads a time of RFC 3339, without its fraction of a second. `None` for other text, and for times before 1970.
    pub fn read(text: &str) -> Option<Timestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp()).ok().map(Timestamp)
    }

    /// The moment `span` earlier, at the earliest the epoch.
    pub fn before(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.as_secs()))
    }

    /// The moment `span` later. It saturates instead of wrapping (V34).
    pub fn after(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(span.as_secs()))
    }

    /// The time left until `later`, or zero if `later` has passed.
    pub fn until(self, later: Timestamp) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

/// RFC 3339 in UTC, the format of every time in requests and answers.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|moment| moment.format(&Rfc3339).ok());
        // RFC 3339 ends with the year 9999.
        f.write_str(text.as_deref().unwrap_or("9999-12-31T23:59:59Z"))
    }
}

/// When something expires: from this second on it is invalid.
///
/// DynamoDB deletes expired items late, so an item with this number as its TTL can still be in the table. Every
/// condition therefore compares the time as well (S80).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiresAt(Timestamp);

impl ExpiresAt {
    /// Expires `ttl` after `now`.
    pub fn after(now: Timestamp, ttl: Duration) -> ExpiresAt {
        ExpiresAt(now.after(ttl))
    }

    /// Expires at `moment`.
    pub fn at(moment: Timestamp) -> ExpiresAt {
        ExpiresAt(moment)
    }

    /// Whether it has expired. At exactly this second, it has.
    pub fn has_passed(self, now: Timestamp) -> bool {
        self.0 <= now
    }

    /// The time of expiry.
    pub fn moment(self) -> Timestamp {
        self.0
    }
}

/// The source of the time: the system's clock, or a clock under the control of `local`.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::new(|| {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
            let now = std::time::SystemTime::now();
            // A clock before 1970 reads as 1970. Keys and tokens are then not yet active, so nothing stays valid for too long.
            Timestamp(now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs())
        })
    }

    /// A clock whose time comes from `read`.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(read))
    }

    /// The current time. A handler calls this once.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_has_passed_at_its_own_second() {
        let now = Timestamp::from_unix(1_000);
        let end = ExpiresAt::after(now, Duration::from_secs(60));
        assert!(!end.has_passed(Timestamp::from_unix(1_059)));
        assert!(end.has_passed(Timestamp::from_unix(1_060)));
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let read = |text: &str| Timestamp::read(text).map(Timestamp::unix);
        for seconds in [0, 1_767_225_600, 4_102_444_799] {
            assert_eq!(read(&Timestamp::from_unix(seconds).to_string()), Some(seconds));
        }
        assert_eq!(read("2026-01-01T01:00:00.999+01:00"), Some(1_767_225_600));
        for wrong in ["", "2026-01-01", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    /// V34: the years 1970, 2038 and 2242, and the end of time.
    #[test]
    fn no_time_overflows() {
        for seconds in [0, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, 1 << 33, u64::MAX] {
            let now = Timestamp::from_unix(seconds);
            assert!(now.after(Duration::from_secs(600)) >= now);
            assert!(now.before(Duration::from_secs(600)) <= now);
            assert_eq!(now.until(now), Duration::ZERO);
            assert!(now.to_string().ends_with('Z'));
        }
        assert_eq!(Timestamp::from_unix(20_000_000_000).to_string(), "2603-10-11T11:33:20Z");
    }
}
