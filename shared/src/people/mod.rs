//! Users, as stored in their items.

mod familiarity;
mod user;

pub use self::familiarity::Familiarity;
pub use self::user::{EndReason, LONGEST_NAME, User};
