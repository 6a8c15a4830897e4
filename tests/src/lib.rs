//! The test harness: a whole deployment per test, used the way a client uses it.
//!
//! Requests pass through the gateway, codes are read from the inbox, and tests move the clock.

pub mod authenticator;
pub mod aws;
pub mod binary;
pub mod browser;
pub mod client;
pub mod contract;
pub mod costs;
pub mod deployment;
pub mod operations;
pub mod orders;
pub mod pairs;
pub mod pumping;
pub mod runtime_api;
pub mod smoke;
mod tables;
pub mod tls;
pub mod usage;
pub mod witness;

pub use crate::authenticator::{Authenticator, Enrolled};
pub use crate::aws::Call;
pub use crate::browser::Browser;
pub use crate::client::{Answer, Asked, Client, Tokens};
pub use crate::deployment::Deployment;
