//! Sessions and the two tokens of each: how they are opened, issued, refreshed and checked. Pure rules.

pub mod access_token;
pub mod device;
pub mod refresh_token;
pub mod session;
pub mod signer;
pub mod verifier;
