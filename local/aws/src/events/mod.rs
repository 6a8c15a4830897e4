//! EventBridge: buses, their rules, and the patterns of rules. Event source mappings filter with the same patterns.

mod bus;
mod pattern;

pub(crate) use self::bus::Buses;
pub use self::bus::Event;
pub use self::pattern::Pattern;
