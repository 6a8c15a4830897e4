//! Caches keys. They are read when a function starts, and again every few minutes, because a key can be withdrawn at any moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::words::{Result, Timestamp};

/// The usual age at which keys are read again.
pub const FRESH: Duration = Duration::from_secs(5 * 60);
/// The minimum time between failed reads, so that during a fault most requests use the cached keys without waiting.
const TRIED: Duration = Duration::from_secs(30);

/// Keys, and the time of reading them.
pub struct Cache<T> {
    /// The maximum age of the keys while reading them fails.
    longest: Duration,
    cached: Mutex<Option<Cached<T>>>,
}

struct Cached<T> {
    keys: Arc<T>,
    read: Timestamp,
    /// The time of the last attempt to read them.
    tried: Timestamp,
}

impl<T> Cache<T> {
    /// An empty cache. While reading fails, keys are used until they are `longest` old.
    pub fn new(longest: Duration) -> Cache<T> {
        Cache { longest, cached: Mutex::new(None) }
    }

    /// Puts keys into the cache when a function starts. Nobody uses it yet.
    pub(super) fn fill(&self, keys: T, now: Timestamp) {
        if let Ok(mut cached) = self.cached.try_lock() {
            *cached = Some(Cached { keys: Arc::new(keys), read: now, tried: now });
        }
    }

    /// Returns the cached keys if they are younger than `fresh`, or else calls `read`. If `read` fails, the cached keys stay in
    /// use until they are too old, so that a short AWS outage goes unnoticed.
    ///
    /// # Errors
    /// The error of `read`, if the cache is empty or too old.
    pub async fn get(&self, now: Timestamp, fresh: Duration, read: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        // Held while reading, so that parallel requests wait for one call.
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
                tracing::warn!(cause = error.cause(), "could not read the keys again; the cached keys stay in use");
                Ok(cached.keys.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}
