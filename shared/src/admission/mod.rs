//! Checks codes, and decides about sending messages and about opening sessions. Every function that does any of these uses this module.

mod admit;
mod code_check;
mod gate;
mod notices;

pub use self::admit::{Admitted, Arrival, Door, admit};
pub use self::code_check::{CodeCheck, OpenedCode, TypedCode};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
pub use self::notices::{NoticeGate, NoticePermit};
