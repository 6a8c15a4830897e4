//! RecordTable: what happened. Everything in it is derived from UserTable's stream, and no key contains an address.

mod activity;
mod counters;
mod events;
mod left;
mod notices;
mod rows;
mod sources;

pub use self::activity::{ActivityPage, ActivityRow};
pub use self::counters::Progress;
pub(super) use self::counters::read_counts;
pub use self::left::Left;
pub(super) use self::left::{is_erased, is_place};
pub use self::notices::{Claimed, Occasion};
pub use self::rows::UserRow;
pub use self::sources::UserSource;
