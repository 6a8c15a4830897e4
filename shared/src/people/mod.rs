//! Users, as stored in their items.

mod user;

pub use self::user::{LONGEST_NAME, User};
