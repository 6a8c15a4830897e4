//! Decides about sending messages and about opening sessions. Every function that does either uses this module.

mod admit;
mod gate;
mod notices;

pub use self::admit::{Admitted, Arrival, Door, admit};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
pub use self::notices::{NoticeGate, NoticePermit};
