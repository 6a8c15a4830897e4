//! The settings of a function: those of all functions and its own.

use crate::aws;
use crate::config::Reader;
use crate::http::Proxies;
use crate::observe::Metrics;
use crate::texts::Language;

/// The settings of every function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// The names for logging and metrics.
    pub metrics: Metrics,
    /// Proxies with a trusted `X-Forwarded-For` header.
    pub proxies: Proxies,
    /// Whether the paths of replaced systems are served.
    pub aliases: bool,
    /// The language of people whose own is unknown or missing.
    pub language: Language,
    /// Region, credentials, endpoints, timeouts.
    pub aws: aws::Settings,
}

/// All settings of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings<S> {
    /// The settings of every function.
    pub common: Common,
    /// The function's own settings.
    pub own: S,
}

impl Common {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> Common {
        Common {
            metrics: Metrics::read(read),
            proxies: Proxies::read(read),
            aliases: read.is_on("ALIASES"),
            language: Language::read(read),
            aws: aws::Settings::read(read),
        }
    }
}
