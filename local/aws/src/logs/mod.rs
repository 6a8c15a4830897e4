//! CloudWatch Logs: the filter patterns of metric filters and subscription filters.

mod expression;
mod filter;
mod parse;

pub use self::filter::FilterPattern;
