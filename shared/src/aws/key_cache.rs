//! Keys at hand: read when a function starts and again every few minutes, because one may be withdrawn at any moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::keys::LONGEST_CACHED;
use crate::words::{Result, Timestamp};

/// What is older than this is read again.
pub const FRESH: Duration = Duration::from_secs(5 * 60);
/// Reading it again is not tried oftener than this: a fault is not mended by every request waiting for it.
const TRIED: Duration = Duration::from_secs(30);

/// Keys, and when they were read.
pub struct Cache<T>(Mutex<Option<Cached<T>>>);

struct Cached<T> {
    keys: Arc<T>,
    read: Timestamp,
    /// When reading them again was tried last.
    tried: Timestamp,
}

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache(Mutex::new(None))
    }
}

impl<T> Cache<T> {
    /// The keys, if they are younger than `fresh`, or else as `read` finds them. Where that fails, the ones at hand serve
    /// until they are [`LONGEST_CACHED`] old: a passing fault of AWS is not ours.
    ///
    /// # Errors
    /// That of `read`, when there is nothing at hand.
    pub async fn get(&self, now: Timestamp, fresh: Duration, read: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        // Held while reading: requests that come meanwhile wait for the one call.
        let mut cached = self.0.lock().await;
        let age = |cached: &Cached<T>| cached.read.until(now);
        if let Some(cached) = &*cached
            && (age(cached) < fresh || (age(cached) < LONGEST_CACHED && cached.tried.until(now) < TRIED))
        {
            return Ok(cached.keys.clone());
        }
        match (read.await, &mut *cached) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                *cached = Some(Cached { keys: keys.clone(), read: now, tried: now });
                Ok(keys)
            }
            (Err(error), Some(cached)) if age(cached) < LONGEST_CACHED => {
                cached.tried = now;
                tracing::warn!(cause = error.cause(), "keys could not be read again; the ones at hand serve on");
                Ok(cached.keys.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}
