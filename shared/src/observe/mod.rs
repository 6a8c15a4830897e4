//! Observability: notes about a request, its log line and its metrics. They never influence the answer.

pub mod log;
mod metrics;
pub mod report;

pub use self::metrics::Metrics;
