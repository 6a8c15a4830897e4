//! Users, as their items hold them.

mod user;

pub use self::user::{LONGEST_NAME, User};
