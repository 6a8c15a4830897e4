//! Checks codes, and decides about sending messages and about opening sessions. Every function that does any of these uses this module.

mod admit;
mod code_check;
mod gate;
mod notices;
mod second_factor;

pub use self::admit::{Admission, Admitted, Arrival, Door, admit, complete, confirm};
pub use self::code_check::{CodeCheck, OpenedCode, TypedCode};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
pub use self::notices::{NoticeGate, NoticePermit};
pub use self::second_factor::{Checked, FactorCheck};
