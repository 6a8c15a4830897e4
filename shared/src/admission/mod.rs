//! Who is let through: a message past the rules about money and reputation, and a person with a proof into a session. Every
//! function that sends or opens uses these two.

mod admit;
mod gate;

pub use self::admit::{Admitted, Arrival, Door, admit};
pub use self::gate::{Gate, Reserved};
