//! The harness: a whole deployment of one's own, asked as a client asks it.
//!
//! Requests go in at the front door, codes are read out of the inbox as a person would, and the clock is moved by hand.

pub mod aws;
pub mod binary;
pub mod browser;
pub mod client;
pub mod contract;
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

pub use crate::aws::Call;
pub use crate::browser::Browser;
pub use crate::client::{Answer, Asked, Client, Tokens};
pub use crate::deployment::Deployment;
