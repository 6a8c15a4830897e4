//! Decides about sending messages and about opening sessions. Every function that does either uses this module.

mod admit;
mod gate;

pub use self::admit::{Admitted, Arrival, Door, admit};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
