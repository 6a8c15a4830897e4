//! EventBridge: buses, their rules, the patterns of rules, and the messages that rules make. Event source mappings filter with the
//! same patterns.

mod bus;
mod pattern;
mod transformer;

pub(crate) use self::bus::Buses;
pub use self::bus::Event;
pub use self::pattern::Pattern;
pub use self::transformer::Transformer;
