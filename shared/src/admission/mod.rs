//! Decides which messages are sent and which proofs open a session. Every function that sends messages or opens sessions uses
//! this module.

mod admit;
mod gate;

pub use self::admit::{Admitted, Arrival, Door, admit};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
