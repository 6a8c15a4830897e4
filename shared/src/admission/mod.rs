//! Decides about sending messages and about opening sessions. Every function that does either uses this module.

mod admit;
mod gate;
mod notices;
mod second_factor;

pub use self::admit::{Admission, Admitted, Arrival, Door, admit, complete};
pub use self::gate::{Allowed, Gate, Looked, Payment, Permit, Reserved, Rules};
pub use self::notices::{NoticeGate, NoticePermit};
pub use self::second_factor::{Checked, FactorCheck};
