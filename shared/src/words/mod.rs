//! What everything is said in: identifiers, ids, times, digests. Pure: no I/O, no AWS, no HTTP. Every folder may use it.

pub mod clock;
pub mod entropy;
pub mod error;
pub mod identifier;
pub mod ids;
pub mod index;
pub mod lane;
pub mod mac;
pub mod network;
pub mod numbering;
