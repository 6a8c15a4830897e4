//! Users, as their items hold them.

pub mod user;
