//! What a request tells about itself: notes, the log line, metrics. It changes nothing of what is done.

pub mod log;
mod metrics;
pub mod report;

pub use self::metrics::Metrics;
