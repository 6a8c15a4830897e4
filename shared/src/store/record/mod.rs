//! RecordTable: what happened. Everything in it is derived from UserTable's stream, and no key contains an address.

mod activity;
mod counters;
mod events;
mod rows;
mod sources;

pub use self::activity::{ActivityPage, ActivityRow};
pub use self::counters::Progress;
pub use self::sources::UserSource;
