//! Keys at hand: read when a function starts and again every few minutes, because one may be withdrawn at any moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::words::{Result, Timestamp};

/// What is older than this is read again.
pub const FRESH: Duration = Duration::from_secs(5 * 60);
/// Reading it again is not tried oftener than this: a fault is not mended by every request waiting for it.
const TRIED: Duration = Duration::from_secs(30);

/// Keys, and when they were read.
pub struct Cache<T> {
    /// How old they may become while reading them again fails.
    longest: Duration,
    cached: Mutex<Option<Cached<T>>>,
}

struct Cached<T> {
    keys: Arc<T>,
    read: Timestamp,
    /// When reading them again was tried last.
    tried: Timestamp,
}

impl<T> Cache<T> {
    /// Keys that serve until they are `longest` old while reading them again fails.
    pub fn new(longest: Duration) -> Cache<T> {
        Cache { longest, cached: Mutex::new(None) }
    }

    /// The keys, if they are younger than `fresh`, or else as `read` finds them. If reading fails, the keys at hand serve
    /// on until they are too old: a passing fault of AWS is not ours.
    ///
    /// # Errors
    /// That of `read`, when there is nothing at hand.
    pub async fn get(&self, now: Timestamp, fresh: Duration, read: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        // Held while reading: requests that come meanwhile wait for the one call.
        let mut cached = self.cached.lock().await;
        let age = |cached: &Cached<T>| cached.read.until(now);
        if let Some(cached) = &*cached
            && (age(cached) < fresh || (age(cached) < self.longest && cached.tried.until(now) < TRIED))
        {
            return Ok(cached.keys.clone());
        }
        match (read.await, &mut *cached) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *cached = Some(Cached { keys: keys.clone(), read: now, tried: now });
                Ok(keys)
            }
            (Err(error), Some(cached)) if age(cached) < self.longest => {
                cached.tried = now;
                tracing::warn!(cause = error.cause(), "keys could not be read again; the ones at hand serve on");
                Ok(cached.keys.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}
