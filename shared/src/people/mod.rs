//! Users, as stored in their items.

mod user;

pub use self::user::{EndReason, LONGEST_NAME, User};
