//! Time as a value: read once at the top of a handler, an argument everywhere else.

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

    /// The moment `span` earlier, or the epoch itself.
    pub fn before(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.as_secs()))
    }

    /// The moment `span` later; stays at the end of time rather than wrap (V34).
    pub fn after(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(span.as_secs()))
    }

    /// How long it is from here to `later`; nothing where that has passed.
    pub fn until(self, later: Timestamp) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

/// RFC 3339 in UTC, as every time on the wire is written.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|moment| moment.format(&Rfc3339).ok());
        // Beyond the year 9999 there is no RFC 3339 text.
        f.write_str(text.as_deref().unwrap_or("9999-12-31T23:59:59Z"))
    }
}

/// The first moment at which something is no longer valid.
///
/// Its number is also the item's TTL attribute; TTL is a broom and not a lock, so every condition
/// compares it with the time as well (S80).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpiresAt(Timestamp);

impl ExpiresAt {
    /// Valid for `ttl` from `now` on.
    pub fn after(now: Timestamp, ttl: Duration) -> ExpiresAt {
        ExpiresAt(now.after(ttl))
    }

    /// Valid until just before `moment`.
    pub fn at(moment: Timestamp) -> ExpiresAt {
        ExpiresAt(moment)
    }

    /// The one comparison: at its own second it has passed.
    pub fn has_passed(self, now: Timestamp) -> bool {
        self.0 <= now
    }

    /// The moment itself.
    pub fn moment(self) -> Timestamp {
        self.0
    }
}

/// Where a function reads the time: the system's clock, or one that `local` moves.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::new(|| {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
            let now = std::time::SystemTime::now();
            // A clock before 1970 reads as 1970: everything has then yet to start, nothing is valid too long.
            Timestamp(now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs())
        })
    }

    /// A clock that asks `read`.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(read))
    }

    /// The time. A handler calls this once.
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
    fn a_thing_has_passed_at_its_own_second() {
        let now = Timestamp::from_unix(1_000);
        let end = ExpiresAt::after(now, Duration::from_secs(60));
        assert!(!end.has_passed(Timestamp::from_unix(1_059)));
        assert!(end.has_passed(Timestamp::from_unix(1_060)));
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
