//! The settings of a function: those that all of them read, and its own.

use crate::aws;
use crate::config::Reader;
use crate::http::Proxies;
use crate::observe::Metrics;

/// What every function reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// What is logged and counted.
    pub metrics: Metrics,
    /// Proxies whose `X-Forwarded-For` is read.
    pub proxies: Proxies,
    /// Whether the paths of replaced systems are served.
    pub aliases: bool,
    /// Region, credentials, endpoints, timeouts.
    pub aws: aws::Settings,
}

/// All settings of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings<S> {
    /// Those of all functions.
    pub common: Common,
    /// Its own.
    pub own: S,
}

impl Common {
    /// Reads their variables.
    pub fn read(read: &mut Reader<'_>) -> Common {
        Common {
            metrics: Metrics::read(read),
            proxies: Proxies::read(read),
            aliases: read.is_on("ALIASES"),
            aws: aws::Settings::read(read),
        }
    }
}
