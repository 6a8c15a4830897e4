//! A connection pool for each host, replaced when its connections may be dead.
//!
//! Lambda freezes an instance between events. Meanwhile AWS closes idle connections, and the instance notices only after it has
//! written a request. The HTTP stack ends idle connections by the monotonic clock, but a freeze may stop that clock too.
//! Therefore this module also compares the wall clock.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;

use crate::words::{Clock, Timestamp};

/// How long a connection may be idle. S3 closes idle connections after about 20 seconds. AWS publishes no time for other
/// services.
pub(super) const LONGEST_IDLE: Duration = Duration::from_secs(10);

/// The pools of all hosts.
#[derive(Clone)]
pub(super) struct Pools(Arc<Shared>);

struct Shared {
    clock: Clock,
    make: Box<dyn Fn() -> SharedHttpConnector + Send + Sync>,
    /// The connector of every host until its pool is replaced. A start therefore makes only one.
    first: SharedHttpConnector,
    by_host: Mutex<HashMap<String, Pool>>,
}

struct Pool {
    connector: SharedHttpConnector,
    /// How often the pool was replaced.
    generation: u64,
    used: Timestamp,
}

impl Pools {
    /// Pools whose connectors come from `make`.
    pub(super) fn new(clock: Clock, make: impl Fn() -> SharedHttpConnector + Send + Sync + 'static) -> Pools {
        let first = make();
        Pools(Arc::new(Shared { clock, make: Box::new(make), first, by_host: Mutex::default() }))
    }
}

impl Shared {
    /// The connector for a call to `host`, and its generation.
    fn connector(&self, host: &str) -> (SharedHttpConnector, u64) {
        let now = self.clock.now();
        let mut pools = self.pools();
        let pool = pools.entry(host.to_owned()).or_insert_with(|| Pool {
            connector: self.first.clone(),
            generation: 0,
            used: now,
        });
        // A clock that was set back says nothing about how long the pool was idle.
        if pool.used.until(now) > LONGEST_IDLE || now < pool.used {
            pool.replace(&self.make);
        }
        pool.used = now;
        (pool.connector.clone(), pool.generation)
    }

    /// Notes the end of a call. After a broken connection, the host's other idle connections are not used either: whatever ended
    /// one of them has probably ended all of them.
    fn ended(&self, host: &str, generation: u64, is_broken: bool) {
        let now = self.clock.now();
        if let Some(pool) = self.pools().get_mut(host) {
            pool.used = now;
            if is_broken && pool.generation == generation {
                pool.replace(&self.make);
            }
        }
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<String, Pool>> {
        self.by_host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Calls under way keep their connections.
    fn replace(&mut self, make: &dyn Fn() -> SharedHttpConnector) {
        self.connector = make();
        self.generation += 1;
    }
}

impl HttpConnector for Pools {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (shared, host) = (self.0.clone(), host(request.uri()).to_owned());
        let (connector, generation) = shared.connector(&host);
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            shared.ended(&host, generation, answer.as_ref().is_err_and(is_broken));
            answer
        })
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pools(…)")
    }
}

/// Whether a connection was reset or closed before the answer, or could not be opened. A timeout is different: the connection
/// may be fine, and the answer on its way.
pub(crate) fn is_broken(error: &ConnectorError) -> bool {
    // The HTTP stack reports a connection that was closed in the middle of a call as a transient error.
    error.is_io() || error.as_other() == Some(ErrorKind::TransientError)
}

/// Scheme, host and port of a URL.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?'])).map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_url_without_its_path() {
        assert_eq!(host("https://sns.us-east-1.amazonaws.com/"), "https://sns.us-east-1.amazonaws.com");
        assert_eq!(host("http://127.0.0.1:4566/v2/email/outbound-emails"), "http://127.0.0.1:4566");
        assert_eq!(host("https://bucket.s3.amazonaws.com?a=b/c"), "https://bucket.s3.amazonaws.com");
        assert_eq!(host("https://localhost"), "https://localhost");
    }
}
