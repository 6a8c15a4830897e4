//! One endpoint for all services. It uses the other folders, and only `lib.rs` uses it.

mod direct;
mod endpoint;
mod serve;

pub use self::endpoint::{ConnectionReset, Delivered, Services};
